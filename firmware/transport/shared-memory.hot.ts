// Shared memory regions of devices: GET_SHM, and which memory is no place for a ring because a region covers it.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { Rule } from '../wire/profile.js';
import { busRules } from '../bus/bus-table.hot.js';
import { answerAt, discard, frameWindow, requestAt, requestBytes } from '../bus/frame.hot.js';
import { deviceBus, regionAt, regionCount } from './device.hot.js';

/** Shared memory id of each region, unique within its device. */
export const regionId = new Uint8Array(Capacity.Regions);
/** Where the region lies: window, offset of its first and of its last byte. */
export const regionWindow = new Uint8Array(Capacity.Regions);
export const regionFirst = new Int32Array(Capacity.Regions);
export const regionLast = new Int32Array(Capacity.Regions);
/** The driver's address of its first byte, four halves, lowest first. */
export const regionAddress = new Uint16Array(Capacity.Regions * 4);

/** Regions of all devices. */
let regions = 0;

export function setRegionCount(count: number): void {
  regions = count;
}

/** Row of the region with id high:low of `device`, or -1. */
function findRegion(device: number, low: number, high: number): number {
  const end = regionAt[device] + regionCount[device];
  for (let region = regionAt[device]; region < end; region++) {
    if (high === 0 && regionId[region] === low) {
      return region;
    }
  }
  return -1;
}

/** GET_SHM: length and address of a region, with 32 or 64 bits; what does not fit 32 bits is absent there. @rare */
export function getShm(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  memory[answerAt] = low;
  memory[answerAt + 1] = high;
  const region = findRegion(device, low, high);
  const long = (busRules[deviceBus[device]] & Rule.LongRegions) !== 0;
  const lengthAt = answerAt + (long ? 4 : 2);
  const addressAt = answerAt + (long ? 8 : 4);
  if (region >= 0 && (long || (regionAddress[region * 4 + 2] | regionAddress[region * 4 + 3]) === 0)) {
    const bytes = regionLast[region] - regionFirst[region] + 1;
    memory[lengthAt] = bytes & 65535;
    memory[lengthAt + 1] = bytes >> 16;
    for (let half = 0; half < (long ? 4 : 2); half++) {
      memory[addressAt + half] = regionAddress[region * 4 + half];
    }
  }
  return long ? 24 : 12;
}

/** True when a region of any device covers one of the `bytes` bytes from `offset` of `window` on: no ring may lie there. */
export function coversRegion(window: number, offset: number, bytes: number): boolean {
  for (let region = 0; region < regions; region++) {
    if (regionWindow[region] === window && offset <= regionLast[region] && offset + bytes - 1 >= regionFirst[region]) {
      return true;
    }
  }
  return false;
}
