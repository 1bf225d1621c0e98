// Shared memory regions of devices: GET_SHM, and which memory is no place for a ring because a region covers it.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { discard, answerAt, frameWindow, requestAt, requestBytes } from '../bus/frame.hot.js';
import { regionAt, regionCount } from './device.hot.js';

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

/** GET_SHM, payload set V1: length and address of a region; one above 4 GiB cannot be said and is absent. */
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
  if (region >= 0 && (regionAddress[region * 4 + 2] | regionAddress[region * 4 + 3]) === 0) {
    const bytes = regionLast[region] - regionFirst[region] + 1;
    memory[answerAt + 2] = bytes & 65535;
    memory[answerAt + 3] = bytes >> 16;
    memory[answerAt + 4] = regionAddress[region * 4];
    memory[answerAt + 5] = regionAddress[region * 4 + 1];
  }
  return 12;
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
