// Gives a bus its row in the codec tables at start-up.
import { Capacity } from '../capacity.js';
import { profiles } from '../wire/profile.js';
import { headerBytes, maximumSize, numberWord, numberWords, sizeWord, tokenWord } from './bus-table.hot.js';

/** Sets `bus` up for the profile `name` and `size` bytes per message; throws an Error with one sentence for values a bus cannot have. */
export function addBus(bus: number, name: string, size: number): void {
  if (bus >= Capacity.Buses) {
    throw new Error('the image holds ' + Capacity.Buses + ' buses');
  }
  const profile = profiles.filter((row) => row.name === name)[0];
  if (profile === undefined) {
    throw new Error('unknown profile "' + name + '": known are ' + profiles.map((row) => row.name).join(', '));
  }
  if (size < profile.minimumSize || size > 65535) {
    throw new Error('a bus of profile ' + name + ' has a maximum message size of ' + profile.minimumSize + ' to 65535 bytes, not ' + size);
  }
  headerBytes[bus] = profile.headerBytes;
  numberWord[bus] = profile.numberWord;
  numberWords[bus] = profile.numberWords;
  tokenWord[bus] = profile.tokenWord;
  sizeWord[bus] = profile.sizeWord;
  maximumSize[bus] = size;
}
