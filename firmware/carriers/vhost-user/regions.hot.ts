// The front side's memory table: which windows show guest memory, and from its own addresses to the guest's.
//
// Guest memory is cut into windows that overlap by an eighth, so that a buffer across a cut lies whole in one of them.
import { windowWords } from '#port';
import { windowBase, windowLast } from '#tables';
import { firstGuestWindow, guestWindowPages, guestWindows, map, messageWindow, unmap } from '#vhost-user';
import { MessageWindow } from '../../../hal/vhost-user.js';
import { setWindowCount } from '../../memory/window.hot.js';
import { Message, Refusal } from '../../wire/vhost-user.js';

const enum Table {
  /** Words of the message: the first region, and inside a region guest address, size, front side's address, file offset. */
  First = (MessageWindow.Incoming >> 1) + Message.PayloadWord + Message.TableWords,
  Guest = 0,
  Size = 4,
  User = 8,
  File = 12,
  /** Bytes of a page as a shift; pages in 4 GiB. */
  PageShift = 12,
  PagesOf4GiB = 1048576,
}

/** The table in force: each region's four 64-bit numbers as in the message. */
const regions = new Uint16Array(Message.Regions * Message.RegionWords);
let regionCount = 0;

/** What `toGuest` found: four halves, lowest first. */
export const guestAddress = new Uint16Array(4);

/** Takes all guest memory away; the rings have been stopped. */
export function dropRegions(): void {
  regionCount = 0;
  for (let window = firstGuestWindow; window < firstGuestWindow + guestWindows; window++) {
    if (windowLast[window] >= 0) {
      windowLast[window] = -1;
      unmap(window);
    }
  }
  setWindowCount(firstGuestWindow + guestWindows);
}

/** The page number of the 64-bit number at word `at`, or -1 when it is not a whole page or not below 2^27 pages (512 GiB). */
export function pagesAt(at: number): number {
  const memory = windowWords[messageWindow];
  const low = memory[at];
  const upper = memory[at + 2];
  if ((low & 4095) !== 0 || memory[at + 3] !== 0 || upper > 127) {
    return -1;
  }
  return (upper << 20) | (memory[at + 1] << 4) | (low >> Table.PageShift);
}

/** True when the 64-bit sum of the numbers at words `a` and `b` wraps around. */
function wraps(a: number, b: number): boolean {
  const memory = windowWords[messageWindow];
  let carry = 0;
  for (let half = 0; half < 4; half++) {
    carry = (memory[a + half] + memory[b + half] + carry) >> 16;
  }
  return carry !== 0;
}

/** Shows `pages` pages of guest memory from page `guest` on in `window`; `filePage` is where they lie in the region's file. */
function showWindow(window: number, descriptor: number, guest: number, filePage: number, pages: number): boolean {
  if (!map(window, descriptor, filePage, pages)) {
    return false;
  }
  windowBase[window * 4] = (guest & 15) << Table.PageShift;
  windowBase[window * 4 + 1] = (guest >> 4) & 65535;
  windowBase[window * 4 + 2] = guest >> 20;
  windowBase[window * 4 + 3] = 0;
  windowLast[window] = pages * 4096 - 1;
  return true;
}

/** Shows one region, cut where it must be; returns the next free window, or a negative Refusal. */
function showRegion(first: number, descriptor: number, at: number): number {
  const size = pagesAt(at + Table.Size);
  const guest = pagesAt(at + Table.Guest);
  const filePage = pagesAt(at + Table.File);
  if (size <= 0 || guest < 0 || filePage < 0 || size > 134217727 - guest || size > 134217727 - filePage || wraps(at + Table.User, at + Table.Size)) {
    return -Refusal.RegionShape;
  }
  let window = first;
  let done = 0;
  let more = true;
  while (more) {
    if (window === firstGuestWindow + guestWindows) {
      return -Refusal.RegionSpace;
    }
    let pages = size - done < guestWindowPages ? size - done : guestWindowPages;
    // No window crosses a multiple of 4 GiB (memory/window.hot.ts).
    const toBorder = Table.PagesOf4GiB - ((guest + done) & (Table.PagesOf4GiB - 1));
    const cut = pages > toBorder;
    if (cut) {
      pages = toBorder;
    }
    if (!showWindow(window, descriptor, guest + done, filePage + done, pages)) {
      return -Refusal.RegionMap;
    }
    window += 1;
    more = done + pages < size;
    done += cut || !more ? pages : pages - (guestWindowPages >> 3);
  }
  return window;
}

/** Puts the `count` regions of the message at hand in force; their files are the descriptors that came with it. Returns a Refusal; then there is no guest memory. @rare */
export function takeRegions(count: number): number {
  dropRegions();
  const memory = windowWords[messageWindow];
  let window: number = firstGuestWindow;
  for (let region = 0; region < count; region++) {
    const at = Table.First + region * Message.RegionWords;
    window = showRegion(window, region, at);
    if (window < 0) {
      dropRegions();
      return -window;
    }
    for (let word = 0; word < Message.RegionWords; word++) {
      regions[region * Message.RegionWords + word] = memory[at + word];
    }
  }
  regionCount = count;
  setWindowCount(firstGuestWindow + guestWindows);
  return Refusal.None;
}

/** An address less the start of a region. */
const difference = new Uint16Array(4);

/** True when `difference` is below the 64-bit number at word `at` of the regions. */
function below(at: number): boolean {
  for (let half = 3; half >= 0; half--) {
    if (difference[half] !== regions[at + half]) {
      return difference[half] < regions[at + half];
    }
  }
  return false;
}

/**
 * Translates the front side's address u3:u2:u1:u0 into the guest's, left in `guestAddress`; false when no region holds it.
 * What lies behind it is checked by the device core.
 */
export function toGuest(u0: number, u1: number, u2: number, u3: number): boolean {
  for (let region = 0; region < regionCount; region++) {
    const row = region * Message.RegionWords;
    let part = u0 - regions[row + Table.User];
    difference[0] = part & 65535;
    part = u1 - regions[row + Table.User + 1] + (part >> 16);
    difference[1] = part & 65535;
    part = u2 - regions[row + Table.User + 2] + (part >> 16);
    difference[2] = part & 65535;
    part = u3 - regions[row + Table.User + 3] + (part >> 16);
    difference[3] = part & 65535;
    // A borrow out of the highest half: the address lies before the region.
    if (part >= 0 && below(row + Table.Size)) {
      let carry = 0;
      for (let half = 0; half < 4; half++) {
        carry += difference[half] + regions[row + Table.Guest + half];
        guestAddress[half] = carry & 65535;
        carry >>= 16;
      }
      return true;
    }
  }
  return false;
}
