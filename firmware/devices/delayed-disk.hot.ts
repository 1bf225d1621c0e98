// A RAM disk that takes its time: the pattern of a backend that answers later, and a stand-in for slow media in tests.
import { clock, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { isKept, keptRows } from '../serving/keep.hot.js';
import { cancelWake, wakeAfter } from '../serving/wake.hot.js';
import { Block, blockDone, blockRow, blockSector, blockSectors, BlockStatus, blockType, blockUnmap, recallBlock } from './block.hot.js';
import { discardMemoryDisk, readMemoryDisk, writeMemoryDisk, zeroMemoryDisk } from './memory-disk.hot.js';

const enum Clock {
  Mask = 134217727,
  Half = 67108864,
}

/** Per device: latency of a request in microseconds, and the word of the private window where each row's due time stands (two words). */
export const delayOf = new Int32Array(Capacity.Devices);
export const dueWordsAt = new Int32Array(Capacity.Devices);

/** 1 = requests in every other row take `Uneven.Times` as long, so that they overtake each other. */
export const unevenOf = new Uint8Array(Capacity.Devices);

const enum Uneven {
  Times = 8,
}

/** Begins the current request: it is carried out when its time has come. */
function begin(device: number): number {
  const delay = (blockRow & unevenOf[device]) === 0 ? delayOf[device] : delayOf[device] * Uneven.Times;
  const due = (clock() - (Clock.Mask - delay) - 1) & Clock.Mask;
  const at = dueWordsAt[device] + blockRow * 2;
  windowWords[privateWindow][at] = due & 65535;
  windowWords[privateWindow][at + 1] = due >> 16;
  arm(device);
  return BlockStatus.Later;
}

export function beginMove(device: number, _sector: number, _sectors: number): number {
  return begin(device);
}

export function beginZero(device: number, _sector: number, _sectors: number, _unmap: number): number {
  return begin(device);
}

/** Microseconds until the request in `row` is due; 0 = now. */
function untilRow(device: number, row: number): number {
  const words = windowWords[privateWindow];
  const at = dueWordsAt[device] + row * 2;
  const left = (words[at + 1] * 65536 + words[at] - clock()) & Clock.Mask;
  return left >= Clock.Half ? 0 : left;
}

/** Has the device woken when the first of its requests is due. */
function arm(device: number): void {
  let least = Clock.Half;
  for (let row = 0; row < keptRows[device]; row++) {
    if (isKept(device, row)) {
      const left = untilRow(device, row);
      least = left < least ? left : least;
    }
  }
  if (least < Clock.Half) {
    wakeAfter(device, least);
  }
}

/** Carries the current request out. */
function perform(device: number): number {
  switch (blockType()) {
    case Block.In:
      return readMemoryDisk(device, blockSector(), blockSectors());
    case Block.Out:
      return writeMemoryDisk(device, blockSector(), blockSectors());
    case Block.Discard:
      return discardMemoryDisk(device, blockSector(), blockSectors());
    case Block.WriteZeroes:
      return zeroMemoryDisk(device, blockSector(), blockSectors(), blockUnmap());
    default:
      return BlockStatus.Ok;
  }
}

export function wakeDelayed(device: number): void {
  for (let row = 0; row < keptRows[device]; row++) {
    if (isKept(device, row) && untilRow(device, row) === 0 && recallBlock(device, row)) {
      blockDone(device, row, perform(device));
    }
  }
  arm(device);
}

export function resetDelayed(device: number): void {
  cancelWake(device);
}
