// The descriptor chain taken last: walks and validates it, for both ring formats and indirect tables.
import { packedDescriptor, splitDescriptor } from '#descriptors';
import { descriptorOther, elementBytes } from '#tables';
import { Capacity } from '../capacity.js';
import { Found, Other } from '../memory/found.hot.js';
import { indirectOffered, ringAt, ringWindow, size } from './open-queue.hot.js';

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
export { elementBytes, elementOffset, elementWindow } from '#tables';
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

/** Takes row `count` of the elements, of which `found`, less than Found.Broken, has been said. False = it breaks a rule. @often */
function takeElement(found: number): boolean {
  const bytes = elementBytes[count];
  // An empty element is skipped.
  if (bytes === 0) {
    return true;
  }
  if (count === Capacity.ChainElements) {
    return false;
  }
  count += 1;
  if ((found & Found.Write) !== 0) {
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

/** Walks the chain that begins at descriptor `head` (any 16-bit value) of the open split ring. False = it breaks a rule. */
export function walkSplit(head: number): boolean {
  // Where the chain goes on: in the ring, and from an indirect descriptor on in its table, where it ends.
  let window = ringWindow;
  let base = ringAt;
  let entries = size;
  let inTable = false;
  let entry = head;
  let left = mostDescriptors;
  let more = true;
  beginChain();
  while (more) {
    // Heads and links out of range.
    if (entry >= entries) {
      return false;
    }
    const found = splitDescriptor(window, base, entry, count);
    if (found >= Found.ByTable) {
      // It breaks a rule, or a table was not negotiated or is inside a table.
      if (found >= Found.Broken || !indirectOffered || inTable) {
        return false;
      }
      inTable = true;
    }
    if (!takeElement(found)) {
      return false;
    }
    more = (found & Found.Next) !== 0;
    if (more) {
      if (found >= Found.ByTable) {
        window = descriptorOther[Other.TableWindow];
        base = descriptorOther[Other.TableAt];
        entries = descriptorOther[Other.TableEntries];
      }
      entry = descriptorOther[Other.NextOrId];
      // A loop is a chain with too many descriptors.
      left -= 1;
      if (left === 0) {
        return false;
      }
    }
  }
  acceptChain();
  return true;
}

/**
 * Walks the chain that begins at descriptor `head` (0 .. size - 1) of the open packed ring, if it is available: just the bit `sign` of
 * AVAIL and USED is set. Returns the ring's descriptors it takes, 0 when it is not available, or 65536, more than any ring has,
 * when it breaks a rule.
 */
export function walkPacked(head: number, sign: number): number {
  let found = packedDescriptor(ringWindow, ringAt, head, 0, sign);
  if (found === Found.Nothing) {
    return 0;
  }
  beginChain();
  if (found >= Found.ByTable) {
    bufferId = descriptorOther[Other.NextOrId];
    if (found === Found.Broken || !indirectOffered || !takeElement(found) || !walkPackedTable()) {
      return Walk.Broken;
    }
    acceptChain();
    return 1;
  }
  let entry = head;
  let slots = 1;
  let more = true;
  while (more) {
    if (!takeElement(found)) {
      return Walk.Broken;
    }
    more = (found & Found.Next) !== 0;
    if (more) {
      // A list goes on at the start of the ring; more descriptors than there are would be a loop.
      if (slots === mostDescriptors) {
        return Walk.Broken;
      }
      slots += 1;
      entry = entry + 1 === size ? 0 : entry + 1;
      found = packedDescriptor(ringWindow, ringAt, entry, count, 0);
      // It breaks a rule, or refers to a table: that is only done alone, never in a list linked by NEXT.
      if (found >= Found.ByTable) {
        return Walk.Broken;
      }
    }
  }
  bufferId = descriptorOther[Other.NextOrId];
  acceptChain();
  return slots;
}

/** Takes the descriptors of a table behind its first one: consecutive, and only WRITE means something. */
function walkPackedTable(): boolean {
  const entries = descriptorOther[Other.TableEntries];
  if (entries === 1) {
    return true;
  }
  // With the one in the ring no more than a chain may have.
  if (entries === ChainLimit.Descriptors) {
    return false;
  }
  const window = descriptorOther[Other.TableWindow];
  const base = descriptorOther[Other.TableAt];
  for (let entry = 1; entry < entries; entry++) {
    const found = packedDescriptor(window, base, entry, count, 0);
    if (found >= Found.Broken || !takeElement(found)) {
      return false;
    }
  }
  return true;
}
