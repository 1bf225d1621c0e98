// Bits the driver set in feature blocks that its device does not have: which blocks hold any.
//
// Blocks have numbers up to 2^32-1, tables have an end: a device remembers blocks of four groups of sixteen exactly, wherever
// they lie. A driver with bits in a fifth group at the same time is refused until it resets the device.
import { Capacity } from '../capacity.js';

const enum Group {
  /** Groups of each device. */
  Most = 4,
  Blocks = 16,
  /** Groups of 65536 blocks, which is what the upper half of a block number counts. */
  PerHigh = 4096,
}

/** Groups with bits, per device, and the number of each: block / 16, less 2^27. */
const groupCount = new Uint8Array(Capacity.Devices);
const groupNumber = new Int32Array(Capacity.Devices * Group.Most);
/** Bit n = block n of the group holds bits. */
const groupBlocks = new Uint16Array(Capacity.Devices * Group.Most);
/** 1 = there were bits that have no place: in a fifth group, or behind the last possible block. */
const overflow = new Uint8Array(Capacity.Devices);

/** The device has none such any more: a reset. */
export function forgetUnknownBlocks(device: number): void {
  groupCount[device] = 0;
  overflow[device] = 0;
}

/** True when the driver has set a bit in a block that the device does not have. */
export function anyUnknownBlock(device: number): boolean {
  return (groupCount[device] | overflow[device]) !== 0;
}

/** The driver's block `high` * 65536 + `low` (low may pass 65535) now holds bits, or none. @rare */
export function noteUnknownBlock(device: number, low: number, high: number, some: boolean): void {
  const upper = low > 65535 ? high + 1 : high;
  if (upper > 65535) {
    // No block has that number, so nothing can take its bits back either.
    overflow[device] = overflow[device] | (some ? 1 : 0);
    return;
  }
  const number = (upper - 32768) * Group.PerHigh + ((low & 65535) >> 4);
  const bit = 1 << (low & (Group.Blocks - 1));
  const first = device * Group.Most;
  const end = first + groupCount[device];
  let at = first;
  while (at < end && groupNumber[at] !== number) {
    at++;
  }
  if (some) {
    addBlock(device, at, number, bit);
  } else if (at < end) {
    groupBlocks[at] = groupBlocks[at] & ~bit;
    if (groupBlocks[at] === 0) {
      groupNumber[at] = groupNumber[end - 1];
      groupBlocks[at] = groupBlocks[end - 1];
      groupCount[device] = groupCount[device] - 1;
    }
  }
}

/** Enters a block at row `at`, which is its group's or the one behind the last. */
function addBlock(device: number, at: number, number: number, bit: number): void {
  const row = at - device * Group.Most;
  if (row === Group.Most) {
    overflow[device] = 1;
    return;
  }
  if (row === groupCount[device]) {
    groupNumber[at] = number;
    groupBlocks[at] = 0;
    groupCount[device] = groupCount[device] + 1;
  }
  groupBlocks[at] = groupBlocks[at] | bit;
}
