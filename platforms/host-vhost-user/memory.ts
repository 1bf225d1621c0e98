// The windows' memory as 16-bit words. Guest memory comes and goes behind its windows; the views over them are made once.
import { memory } from '../engine/natives.js';
import { windows } from './board.json';

export const windowWords: readonly Uint16Array[] = windows.map((_window, number) => new Uint16Array(memory(number)));
