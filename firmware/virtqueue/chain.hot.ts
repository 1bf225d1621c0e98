// The descriptor chain taken last: walks and validates it, for both ring formats and indirect tables.
//
// A descriptor is eight words. 0-3 address, 4-5 length; split: 6 flags, 7 next; packed: 6 buffer id, 7 flags.
import { invalidate, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { locate, locatedOffset, windowCached } from '../memory/window.hot.js';
import { indirectOffered, ringAt, ringCached, ringWindow, size } from './open-queue.hot.js';

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

const enum Walk {
  /** In place of the descriptors of a chain that breaks a rule: more than any ring has. */
  Broken = 65536,
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

/** The chain being walked; what is above changes only when all of it has been accepted. */
let count = 0;
let readable = 0;
let readBytes = 0;
let writeBytes = 0;

/**
 * Most descriptors of one chain, the one that refers to a table not counted: without going round in the ring it cannot have
 * more than that.
 */
let mostDescriptors = 0;

/** Where `findTable` found the indirect table: window and first word. */
let tableWindow = 0;
let tableAt = 0;
let tableCached = false;

/** Makes the elements in the tables the current chain: one that was kept (serving/keep.hot.ts). */
export function setChain(count: number, readable: number, readBytes: number, writeBytes: number): void {
  elements = count;
  readableElements = readable;
  readableBytes = readBytes;
  writableBytes = writeBytes;
}

/** The chains walked next are those of the open queue. */
export function openChain(): void {
  mostDescriptors = size < ChainLimit.Descriptors ? size : ChainLimit.Descriptors;
}

function beginChain(): void {
  count = 0;
  readable = 0;
  readBytes = 0;
  writeBytes = 0;
}

/** All of the chain has been accepted. */
function acceptChain(): void {
  elements = count;
  readableElements = readable;
  readableBytes = readBytes;
  writableBytes = writeBytes;
}

/** Takes the descriptor at word `at` of `window`, whose flags have been read, as the next element. False = it breaks a rule. @often */
function addElement(window: number, at: number, flags: number): boolean {
  const table = windowWords[window];
  const lengthLow = table[at + 4];
  const lengthHigh = table[at + 5];
  // An empty element is skipped and its address not looked at.
  if ((lengthLow | lengthHigh) === 0) {
    return true;
  }
  if (lengthHigh >= 2048 || count === Capacity.ChainElements) {
    return false;
  }
  const bytes = lengthHigh * 65536 + lengthLow;
  const found = locate(table[at], table[at + 1], table[at + 2], table[at + 3], bytes);
  if (found < 0) {
    return false;
  }
  elementWindow[count] = found;
  elementOffset[count] = locatedOffset;
  elementBytes[count] = bytes;
  count += 1;
  if ((flags & Descriptor.Write) !== 0) {
    if (bytes > ChainLimit.Bytes - writeBytes) {
      return false;
    }
    writeBytes += bytes;
    return true;
  }
  // A readable element after a writable one.
  if (writeBytes !== 0 || bytes > ChainLimit.Bytes - readBytes) {
    return false;
  }
  readBytes += bytes;
  readable = count;
  return true;
}

/**
 * Finds the table of the indirect descriptor at word `at` of the ring. Returns its descriptors, or 0 when that breaks a rule;
 * WRITE is ignored. @often
 */
function findTable(at: number, flags: number): number {
  // Not negotiated, or together with NEXT.
  if (!indirectOffered || (flags & Descriptor.Next) !== 0) {
    return 0;
  }
  const ring = windowWords[ringWindow];
  const bytes = ring[at + 4];
  const low = ring[at];
  // Whole descriptors, 1 to 256: no more than one chain may have. Their fields are read as 16-bit words.
  if ((ring[at + 5] | (low & 1) | ((bytes - Descriptor.Bytes) & ~((ChainLimit.Descriptors - 1) * Descriptor.Bytes))) !== 0) {
    return 0;
  }
  const window = locate(low, ring[at + 1], ring[at + 2], ring[at + 3], bytes);
  if (window < 0) {
    return 0;
  }
  tableWindow = window;
  tableCached = window === ringWindow ? ringCached : windowCached[window] === 1;
  tableAt = locatedOffset >> 1;
  return bytes >> 4;
}

/** Walks the chain that begins at descriptor `head` (any 16-bit value) of the open split ring. False = it breaks a rule. */
export function walkSplit(head: number): boolean {
  let entry = head;
  let left = mostDescriptors;
  let more = true;
  beginChain();
  while (more) {
    // Heads and links out of range.
    if (entry >= size) {
      return false;
    }
    const at = ringAt + entry * 8;
    if (ringCached) {
      invalidate(ringWindow, at * 2, Descriptor.Bytes);
    }
    const flags = windowWords[ringWindow][at + 6];
    if ((flags & Descriptor.Indirect) !== 0) {
      // The chain goes on in the table and ends there.
      if (!walkSplitTable(findTable(at, flags), left)) {
        return false;
      }
      more = false;
    } else {
      if (!addElement(ringWindow, at, flags)) {
        return false;
      }
      more = (flags & Descriptor.Next) !== 0;
      if (more) {
        entry = windowWords[ringWindow][at + 7];
        // A loop is a chain with too many descriptors.
        left -= 1;
        if (left === 0) {
          return false;
        }
      }
    }
  }
  acceptChain();
  return true;
}

/** Walks the table of `entries` descriptors (0 = none, an error) that `findTable` found; the chain may have `most` (1..) more of them. */
function walkSplitTable(entries: number, most: number): boolean {
  let entry = 0;
  let left = most;
  let more = true;
  while (more) {
    if (entry >= entries) {
      return false;
    }
    const at = tableAt + entry * 8;
    if (tableCached) {
      invalidate(tableWindow, at * 2, Descriptor.Bytes);
    }
    const flags = windowWords[tableWindow][at + 6];
    // No table inside a table.
    if ((flags & Descriptor.Indirect) !== 0 || !addElement(tableWindow, at, flags)) {
      return false;
    }
    more = (flags & Descriptor.Next) !== 0;
    if (more) {
      entry = windowWords[tableWindow][at + 7];
      left -= 1;
      if (left === 0) {
        return false;
      }
    }
  }
  return true;
}

/**
 * Walks the chain that begins at descriptor `head` (0 .. size - 1) of the open packed ring, whose flags have been read already:
 * no field is read twice. Returns the ring's descriptors it takes, or 65536, more than any ring has, when it breaks a rule.
 */
export function walkPacked(head: number, headFlags: number): number {
  const ring = windowWords[ringWindow];
  let entry = head;
  let flags = headFlags;
  let slots = 0;
  let at = ringAt + head * 8;
  let more = true;
  beginChain();
  // The line may have been fetched before all of it was written: only the flags were known to be.
  if (ringCached) {
    invalidate(ringWindow, at * 2, Descriptor.Bytes);
  }
  while (more) {
    slots += 1;
    if ((flags & Descriptor.Indirect) !== 0) {
      // Only alone: never in a list linked by NEXT.
      if (slots !== 1 || !walkPackedTable(findTable(at, flags), ChainLimit.Descriptors - slots)) {
        return Walk.Broken;
      }
      more = false;
    } else {
      if (!addElement(ringWindow, at, flags)) {
        return Walk.Broken;
      }
      more = (flags & Descriptor.Next) !== 0;
      if (more) {
        // A list goes on at the start of the ring; more descriptors than there are would be a loop.
        if (slots === mostDescriptors) {
          return Walk.Broken;
        }
        entry = entry + 1 === size ? 0 : entry + 1;
        at = ringAt + entry * 8;
        if (ringCached) {
          invalidate(ringWindow, at * 2, Descriptor.Bytes);
        }
        flags = ring[at + 7];
      }
    }
  }
  bufferId = ring[at + 6];
  acceptChain();
  return slots;
}

/** Walks the `entries` descriptors of a table, at most `most`: consecutive, and only WRITE means something. */
function walkPackedTable(entries: number, most: number): boolean {
  if (entries === 0 || entries > most) {
    return false;
  }
  const end = tableAt + entries * 8;
  for (let at = tableAt; at < end; at += 8) {
    if (tableCached) {
      invalidate(tableWindow, at * 2, Descriptor.Bytes);
    }
    if (!addElement(tableWindow, at, windowWords[tableWindow][at + 7])) {
      return false;
    }
  }
  return true;
}
