// Reads descriptors of both ring formats: each field once, addresses translated. `#descriptors` where an engine has no natives
// in C, and in the host tests; platforms/engine/descriptors.c does the same.
//
// A descriptor is eight words. 0-3 address, 4-5 length; split: 6 flags, 7 next; packed: 6 buffer id, 7 flags.
import { barrier, invalidate, windowWords } from '#port';
import { Descriptor, Found, Other } from './found.hot.js';
import { descriptorOther, elementBytes, elementOffset, elementWindow, windowCached } from './tables.hot.js';
import { locate, locatedOffset } from './window.hot.js';

/** Has the descriptor at word `at` of `window` come from memory. @often */
function fetch(window: number, at: number): void {
  if (windowCached[window] === 1) {
    invalidate(window, at * 2, Descriptor.Bytes);
  }
}

/** What the descriptor at word `at` of `window` with these `flags` (`Found`) describes, as row `place` of the elements. @often */
function element(window: number, at: number, flags: number, place: number): number {
  const words = windowWords[window];
  const lengthLow = words[at + 4];
  const lengthHigh = words[at + 5];
  // The address of an empty element is not looked at.
  if ((lengthLow | lengthHigh) === 0) {
    elementBytes[place] = 0;
    return flags;
  }
  if (lengthHigh >= 2048) {
    return Found.Broken;
  }
  const bytes = lengthHigh * 65536 + lengthLow;
  const found = locate(words[at], words[at + 1], words[at + 2], words[at + 3], bytes);
  if (found < 0) {
    return Found.Broken;
  }
  elementWindow[place] = found;
  elementOffset[place] = locatedOffset;
  elementBytes[place] = bytes;
  return flags | (found << Found.WindowShift);
}

/** Finds the table to which the descriptor at word `at` of `window` refers; false when that breaks a rule. WRITE is ignored. */
function findTable(window: number, at: number, flags: number): boolean {
  const words = windowWords[window];
  const bytes = words[at + 4];
  const low = words[at];
  // Not together with NEXT; whole descriptors, 1 to 256, which are read as 16-bit words.
  if (((flags & Descriptor.Next) | words[at + 5] | (low & 1) | ((bytes - Descriptor.Bytes) & ~((Descriptor.TableEntries - 1) * Descriptor.Bytes))) !== 0) {
    return false;
  }
  const found = locate(low, words[at + 1], words[at + 2], words[at + 3], bytes);
  if (found < 0) {
    return false;
  }
  descriptorOther[Other.TableWindow] = found;
  descriptorOther[Other.TableAt] = locatedOffset >> 1;
  descriptorOther[Other.TableEntries] = bytes >> 4;
  fetch(found, locatedOffset >> 1);
  return true;
}

/** Takes the descriptor at word `at` of `window` of a split ring, which does not refer to a table; `by` is Found.ByTable or 0. @often */
function splitElement(window: number, at: number, flags: number, by: number, place: number): number {
  if ((flags & Descriptor.Next) !== 0) {
    descriptorOther[Other.NextOrId] = windowWords[window][at + 7];
  }
  return element(window, at, (flags & Descriptor.NextAndWrite) | by, place);
}

/** Takes the first descriptor of the table to which the one at word `at` of `window` refers. @rare */
function splitTable(window: number, at: number, flags: number, place: number): number {
  if (!findTable(window, at, flags)) {
    return Found.Broken;
  }
  const table = descriptorOther[Other.TableWindow];
  const first = descriptorOther[Other.TableAt];
  const firstFlags = windowWords[table][first + 6];
  // No table inside a table.
  return (firstFlags & Descriptor.Indirect) !== 0 ? Found.Broken : splitElement(table, first, firstFlags, Found.ByTable, place);
}

/**
 * Reads descriptor `entry` of the table at word `base` of `window`, of a split ring; the caller knows that it lies in the window. Of
 * an indirect one it reads the first descriptor of its table instead. Window, offset and length of the bytes become row `place`
 * (0..64) of the elements; of an empty one the length only. Returns `Found`. @often
 */
export function splitDescriptor(window: number, base: number, entry: number, place: number): number {
  const at = base + entry * Descriptor.Words;
  fetch(window, at);
  const flags = windowWords[window][at + 6];
  return (flags & Descriptor.Indirect) !== 0 ? splitTable(window, at, flags, place) : splitElement(window, at, flags, 0, place);
}

/**
 * The same for packed rings. With a `sign`, AVAIL or USED, the descriptor is that of a list's start: it is `Found.Nothing` unless just
 * that one of the two bits is set, and leads to its table when it is indirect. With 0 it is a later one, and INDIRECT makes it
 * `Found.ByTable` as well: in a list that breaks a rule, in a table it means nothing.
 */
export function packedDescriptor(window: number, base: number, entry: number, place: number, sign: number): number {
  let table = window;
  let at = base + entry * Descriptor.Words;
  fetch(table, at);
  let flags = windowWords[table][at + 7];
  if (sign !== 0) {
    if ((flags & Descriptor.AvailableAndUsed) !== sign) {
      return Found.Nothing;
    }
    // The other fields are read after the flags; the line may have been fetched before all of it was written.
    barrier();
    fetch(table, at);
  }
  descriptorOther[Other.NextOrId] = windowWords[table][at + 6];
  const byTable = (flags & Descriptor.Indirect) !== 0 ? Found.ByTable : 0;
  flags &= Descriptor.NextAndWrite;
  if (sign !== 0 && byTable !== 0) {
    if (!findTable(table, at, flags)) {
      return Found.Broken;
    }
    table = descriptorOther[Other.TableWindow];
    at = descriptorOther[Other.TableAt];
    flags = windowWords[table][at + 7] & Descriptor.Write;
  }
  return element(table, at, flags | byTable, place);
}
