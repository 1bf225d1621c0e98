// The descriptor chain taken last: walks and validates it, for both ring formats and indirect tables.
//
// A descriptor is eight words. 0-3 address, 4-5 length; split: 6 flags, 7 next; packed: 6 buffer id, 7 flags.
import { invalidate, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { locate, locatedOffset, windowCached } from '../memory/window.hot.js';
import { descriptorAt, descriptorWindow, queueRing, queueSize, Ring } from './queue-table.hot.js';

const enum Descriptor {
  Next = 1,
  Write = 2,
  Indirect = 4,
  Bytes = 16,
}

/** What this device takes in one chain; the specification leaves such limits to the device. */
export const enum ChainLimit {
  /** Largest sum of element lengths in one direction; the drafts allow 2^32. */
  Bytes = 134217727,
  /** Descriptors, empty ones and those of an indirect table included; bounds the work of one chain. */
  Descriptors = 256,
}

/** The elements, readable ones first. Windows, byte offsets and lengths; no element is empty. */
export const elementWindow = new Uint8Array(Capacity.ChainElements);
export const elementOffset = new Int32Array(Capacity.ChainElements);
export const elementBytes = new Int32Array(Capacity.ChainElements);
/** Elements in all; the first `readableElements` are device-readable, the others device-writable. */
export let elements = 0;
export let readableElements = 0;
export let readableBytes = 0;
export let writableBytes = 0;
/** Packed rings: the buffer id in the last descriptor of the ring that belongs to the chain. */
export let bufferId = 0;

/** The open queue's descriptors: what `openChain` took from the tables. */
let ring = 0;
let size = 0;
let ringWindow = 0;
let ringAt = 0;

/** The chains walked next are those of `queue`. */
export function openChain(queue: number): void {
  ring = queueRing[queue];
  size = queueSize[queue];
  ringWindow = descriptorWindow[queue];
  ringAt = descriptorAt[queue];
}

/**
 * Walks the chain that begins at descriptor `head` (any 16-bit value) of the open queue. `headFlags` are the head's flags
 * where they have been read already, as in a packed ring, or -1: no field is read twice (R-342). Returns the ring's
 * descriptors it takes, or -1 when it breaks a rule; only a chain that keeps all of them changes the tables' counts.
 */
export function walkChain(head: number, headFlags: number): number {
  const packed = ring & Ring.Packed;
  let tableWindow = ringWindow;
  let table = windowWords[tableWindow];
  let tableAt = ringAt;
  // Entries of the table being walked: the ring, later perhaps an indirect table.
  let limit = size;
  let indirect = false;
  let entry = head;
  let slots = 0;
  let id = 0;
  let descriptors = 0;
  let count = 0;
  let readable = 0;
  let readBytes = 0;
  let writeBytes = 0;
  let known = headFlags;
  let more = true;
  while (more) {
    // Heads and links out of range; loops are chains with more descriptors than the ring.
    if (entry >= limit || descriptors >= ChainLimit.Descriptors || (descriptors >= size && !(indirect && packed !== 0))) {
      return -1;
    }
    descriptors += 1;
    const at = tableAt + entry * 8;
    if (windowCached[tableWindow] === 1) {
      invalidate(tableWindow, at * 2, Descriptor.Bytes);
    }
    const lengthLow = table[at + 4];
    const lengthHigh = table[at + 5];
    const flags = known < 0 ? table[at + 6 + packed] : known;
    known = -1;
    const link = table[at + 7 - packed];
    entry = packed === 0 ? link : entry + 1;
    if (indirect && packed !== 0) {
      // Consecutive entries; only WRITE means something here.
      more = entry < limit;
    } else {
      more = (flags & Descriptor.Next) !== 0;
    }
    if (!indirect) {
      slots += 1;
      id = link;
      // A packed list goes on at the start of the ring.
      if (packed !== 0 && entry === size) {
        entry = 0;
      }
    }
    if ((flags & Descriptor.Indirect) !== 0 && !(indirect && packed !== 0)) {
      // Not negotiated, together with NEXT, or inside a table; WRITE is ignored.
      if ((ring & Ring.Indirect) === 0 || more || indirect) {
        return -1;
      }
      // A table has whole descriptors, at least one, and no more than one chain may have.
      if (lengthHigh !== 0 || (lengthLow & 15) !== 0 || lengthLow === 0 || lengthLow > ChainLimit.Descriptors * Descriptor.Bytes) {
        return -1;
      }
      tableWindow = locate(table[at], table[at + 1], table[at + 2], table[at + 3], lengthLow);
      // Its fields are read as 16-bit words.
      if (tableWindow < 0 || (locatedOffset & 1) !== 0) {
        return -1;
      }
      table = windowWords[tableWindow];
      tableAt = locatedOffset >> 1;
      limit = lengthLow >> 4;
      indirect = true;
      entry = 0;
      more = true;
    } else if ((lengthLow | lengthHigh) !== 0) {
      // An empty element is skipped and its address not looked at.
      if (lengthHigh >= 2048 || count === Capacity.ChainElements) {
        return -1;
      }
      const bytes = lengthHigh * 65536 + lengthLow;
      const window = locate(table[at], table[at + 1], table[at + 2], table[at + 3], bytes);
      if (window < 0) {
        return -1;
      }
      elementWindow[count] = window;
      elementOffset[count] = locatedOffset;
      elementBytes[count] = bytes;
      count += 1;
      if ((flags & Descriptor.Write) !== 0) {
        if (bytes > ChainLimit.Bytes - writeBytes) {
          return -1;
        }
        writeBytes += bytes;
      } else {
        // A readable element after a writable one.
        if (writeBytes !== 0 || bytes > ChainLimit.Bytes - readBytes) {
          return -1;
        }
        readBytes += bytes;
        readable += 1;
      }
    }
  }
  elements = count;
  readableElements = readable;
  readableBytes = readBytes;
  writableBytes = writeBytes;
  bufferId = id;
  return slots;
}
