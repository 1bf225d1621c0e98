// Gives a bus its row in the codec tables at start-up.
import { log } from '#port';
import { Capacity } from '../capacity.js';
import { Log } from '../wire/log.js';
import { largestSize, minimumSize, profiles, recommendedSize } from '../wire/profile.js';
import {
  askedCountWord,
  bitmapWord,
  busNumberWords,
  busRules,
  countWord,
  headerBytes,
  nextWord,
  numberWord,
  numberWords,
  ownFeatures,
  ownSize,
  sizeWord,
  smallestSize,
  tokenWord,
} from './bus-table.hot.js';
import { anyRevision, noSpecificMessage, revisionHandlers, specificHandlers } from './handlers.hot.js';
import { closeHeader } from './header.hot.js';
import { resetAgreement } from './revision.hot.js';

/**
 * Sets `bus` up for the profile `name`, at most `size` bytes per message and transport feature bits; the ends have not
 * agreed yet (bus/revision.hot.ts). Throws an Error with one sentence for values a bus cannot have.
 */
export function addBus(bus: number, name: string, size: number, features = 0): void {
  if (bus >= Capacity.Buses) {
    throw new Error('the image holds ' + Capacity.Buses + ' buses');
  }
  const profile = profiles.filter((row) => row.name === name)[0];
  if (profile === undefined) {
    throw new Error('unknown profile "' + name + '": known are ' + profiles.map((row) => row.name).join(', '));
  }
  const smallest = minimumSize(profile);
  if (!(size >= smallest && size <= largestSize)) {
    throw new Error('a bus of profile ' + name + ' has a maximum message size of ' + smallest + ' to ' + largestSize + ' bytes, not ' + size);
  }
  if (size > recommendedSize(profile)) {
    log(Log.LargeMessages, size);
  }
  closeHeader();
  headerBytes[bus] = profile.header.bytes;
  numberWord[bus] = profile.header.numberWord;
  numberWords[bus] = profile.header.numberWords;
  tokenWord[bus] = profile.header.tokenWord;
  sizeWord[bus] = profile.header.sizeWord;
  busNumberWords[bus] = profile.bus.numberWords;
  askedCountWord[bus] = profile.bus.askedCountWord;
  countWord[bus] = profile.bus.countWord;
  nextWord[bus] = profile.bus.nextWord;
  bitmapWord[bus] = profile.bus.bitmapWord;
  busRules[bus] = profile.transport.rules | profile.bus.rules | profile.rules;
  ownSize[bus] = size;
  ownFeatures[bus] = features;
  smallestSize[bus] = smallest;
  revisionHandlers[bus] = anyRevision;
  specificHandlers[bus] = noSpecificMessage;
  resetAgreement(bus);
}
