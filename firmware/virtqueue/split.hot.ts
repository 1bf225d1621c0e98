// The split ring: available ring and used ring (virtio 1.4, Split Virtqueues).
//
// Available ring words: 0 flags, 1 index, 2.. heads, then used_event. Used ring: 0 flags, 1 index, then four words an
// entry (id 2, length 2), then avail_event.
import { forgetHead, headToTake, noteHead, noteUsedHead, noteUsedIndex, tracked } from '#inflight';
import { barrier, clean, invalidate, windowWords } from '#port';
import { walkSplit } from './chain.hot.js';
import { deviceArea, deviceAreaAt, deviceCached, driverArea, driverAreaAt, driverCached, eventIdx, inOrder, size } from './open-queue.hot.js';
import { nextAvailable, nextUsed, PassEnd, publishedUsed, Take } from './queue-table.hot.js';

/** Free-running positions: next chain to take, next used entry to write, used entries the driver can see. */
let available = 0;
let used = 0;
let published = 0;
/** The available index as read last: by the pass at hand, which reads it first. Giving back to another queue meanwhile reads none. */
let shown = 0;
/** IN_ORDER: whether the entry at `batchAt` stands for a batch that may still grow. */
let batchOpen = false;
let batchAt = 0;

/** A queue begins a life: all indices 0. */
export function startSplit(queue: number): void {
  nextAvailable[queue] = 0;
  nextUsed[queue] = 0;
  publishedUsed[queue] = 0;
}

/** Takes the open queue's positions from the tables. */
export function openSplit(queue: number): void {
  available = nextAvailable[queue];
  used = nextUsed[queue];
  published = publishedUsed[queue];
  batchOpen = false;
}

/** Puts the positions back into the tables. */
export function closeSplit(queue: number): void {
  nextAvailable[queue] = available;
  nextUsed[queue] = used;
  publishedUsed[queue] = published;
}

/** Reads the available index once; false when it claims more than the ring can hold. */
function readAvailable(): boolean {
  if (driverCached) {
    invalidate(driverArea, driverAreaAt * 2, 4);
  }
  const index = windowWords[driverArea][driverAreaAt + 1];
  // What the driver has made available and not yet seen used can never be more than the ring.
  if (((index - available) & 65535) > size || ((index - published) & 65535) > size) {
    return false;
  }
  shown = index;
  return true;
}

/** Starts a pass: asks the driver not to notify meanwhile, and looks at what is available. False = ring error. */
export function beginSplit(): boolean {
  if (!eventIdx) {
    windowWords[deviceArea][deviceAreaAt] = 1;
    if (deviceCached) {
      clean(deviceArea, deviceAreaAt * 2, 2);
    }
  }
  const fine = readAvailable();
  // Ring entries and descriptors are read after the index.
  barrier();
  return fine;
}

/** Takes the next available chain; returns its head, or a value of Take. */
export function takeSplit(): number {
  if (available === shown) {
    return Take.None;
  }
  const at = driverAreaAt + 2 + (available & (size - 1));
  // Fetched after the index that shows it, and not together with it.
  if (driverCached) {
    invalidate(driverArea, at * 2, 2);
  }
  let head = windowWords[driverArea][at];
  if (tracked) {
    head = headToTake(head);
  }
  if (!walkSplit(head)) {
    return Take.Error;
  }
  available = (available + 1) & 65535;
  if (tracked) {
    noteHead(head);
  }
  return head;
}

/** The chain taken last is the next one again. */
export function untakeSplit(): void {
  available = (available + 65535) & 65535;
  if (tracked) {
    forgetHead();
  }
}

/** True when a chain is taken and not yet used. */
export function holdsSplit(): boolean {
  return used !== available;
}

/** Writes a used entry; the driver sees it when the pass ends. `whole`: every writable byte was written. */
export function finishSplit(head: number, written: number, whole: boolean): void {
  let slot = used;
  if (inOrder) {
    // One entry, that of the last buffer, stands for all of a batch whose other buffers were completely used.
    if (batchOpen) {
      slot = batchAt;
    }
    batchOpen = whole;
    batchAt = slot;
  }
  const area = windowWords[deviceArea];
  const at = deviceAreaAt + 2 + (slot & (size - 1)) * 4;
  area[at] = head;
  area[at + 1] = 0;
  area[at + 2] = written & 65535;
  area[at + 3] = written >> 16;
  used = (used + 1) & 65535;
  if (tracked) {
    noteUsedHead(head);
  }
}

/** Cleans the used entries from position `from` to `used`, at most as many as the ring has. */
function cleanEntries(from: number): void {
  const at = deviceAreaAt * 2 + 4;
  const first = from & (size - 1);
  const count = (used - from) & 65535;
  const here = count < size - first ? count : size - first;
  clean(deviceArea, at + first * 8, here * 8);
  if (count > here) {
    clean(deviceArea, at, (count - here) * 8);
  }
}

/** The driver's wish, read anew: word `word` of its area. */
function readWish(word: number): number {
  const at = driverAreaAt + word;
  if (driverCached) {
    invalidate(driverArea, at * 2, 2);
  }
  return windowWords[driverArea][at];
}

/** True when the batch from `old` to `index` passes `event`. */
function passes(event: number, index: number, old: number): boolean {
  return ((index - event - 1) & 65535) < ((index - old) & 65535);
}

/**
 * Ends a pass: shows the driver all finished entries, asks for notifications again when `rearm`, and looks once more.
 * Returns PassEnd bits.
 */
export function endSplit(rearm: boolean): number {
  const area = windowWords[deviceArea];
  const old = published;
  batchOpen = false;
  if (used !== old) {
    if (deviceCached) {
      cleanEntries(old);
    }
    // Entries before the index.
    barrier();
    area[deviceAreaAt + 1] = used;
    published = used;
    if (tracked) {
      noteUsedIndex(used);
    }
  }
  if (rearm) {
    if (eventIdx) {
      area[deviceAreaAt + 2 + size * 4] = available;
      if (deviceCached) {
        clean(deviceArea, deviceAreaAt * 2 + 4 + size * 8, 2);
      }
    } else {
      area[deviceAreaAt] = 0;
    }
  }
  if (deviceCached) {
    clean(deviceArea, deviceAreaAt * 2, 4);
  }
  // What was written must be visible before the driver's wishes are read.
  barrier();
  let end = 0;
  if (rearm) {
    if (!readAvailable()) {
      end = PassEnd.Error;
    } else if (shown !== available) {
      end = PassEnd.More;
    }
  }
  if (used !== old) {
    if (eventIdx) {
      if (passes(readWish(2 + size), used, old)) {
        end |= PassEnd.Notify;
      }
    } else if ((readWish(0) & 1) === 0) {
      end |= PassEnd.Notify;
    }
  }
  return end;
}
