// Puts itself between the firmware and its windows: every 16-bit word read or written is seen, and an index outside the
// window, which a typed array would pass over in silence, is an error.
import { windowWords } from '../../hal/fake/port.js';

export type WordListener = (window: number, word: number) => void;

/** The port's table, whose entries the firmware fetches anew for every use. */
const table = windowWords as Uint16Array[];
const plain = windowWords.slice();

/** Calls the listeners for every access of the firmware until the returned function is called. */
export function watchWords(onRead: WordListener, onWrite: WordListener): () => void {
  plain.forEach((words, window) => {
    const index = (property: string | symbol): number => {
      const word = Number(property);
      if (!(word >= 0 && word < words.length && word % 1 === 0)) {
        throw new Error('access outside window ' + window + ': word ' + String(property));
      }
      return word;
    };
    table[window] = new Proxy(words, {
      get(_target, property): unknown {
        if (property === 'length') {
          return words.length;
        }
        const word = index(property);
        onRead(window, word);
        return words[word];
      },
      set(_target, property, value: number): boolean {
        const word = index(property);
        words[word] = value;
        onWrite(window, word);
        return true;
      },
    });
  });
  return () => plain.forEach((words, window) => (table[window] = words));
}
