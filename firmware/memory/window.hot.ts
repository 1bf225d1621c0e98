// Translates 64-bit driver addresses, given as four 16-bit halves, to (window, byte offset).
import { translation, windowBarred, windowBase, windowLast } from '#tables';
import { Translation } from './found.hot.js';

/**
 * The window found last by the long way, which is nearly always the next one too: its number, the upper halves of its base,
 * and its last byte, -1 = none. Only windows that begin at a multiple of 64 KiB stand here: with them no half borrows.
 */
let usual = 0;
let usualHalf1 = 0;
let usualHalf2 = 0;
let usualHalf3 = 0;
let usualLast = -1;

/** What `locate` found: the byte offset inside the window it returned. */
export let locatedOffset = 0;

/** Makes `count` windows known; their table rows have been filled. */
export function setWindowCount(count: number): void {
  translation[Translation.Windows] = count;
  usualLast = -1;
}

/** The addresses translated next are those of `bus`'s driver side. */
export function translateFor(bus: number): void {
  const bit = 1 << bus;
  if (bit !== translation[Translation.Bus]) {
    translation[Translation.Bus] = bit;
    usualLast = -1;
  }
}

/**
 * Finds the window shared with that driver side that holds all of `bytes` (1 .. 2^27-1) bytes from the address a3:a2:a1:a0 on. Returns its
 * number and leaves the offset in `locatedOffset`, or returns -1. @often
 */
export function locate(a0: number, a1: number, a2: number, a3: number, bytes: number): number {
  const high = a1 - usualHalf1;
  // One test for three, since a test costs more than an operation: both upper halves, and 0 <= high < 2048.
  const elsewhere = (a2 ^ usualHalf2) | (a3 ^ usualHalf3) | (high & -2048);
  const offset = (high & 2047) * 65536 + a0;
  // A range that ends with the window's last byte goes the long way, too.
  if (elsewhere !== 0 || bytes > usualLast - offset) {
    return search(a0, a1, a2, a3, bytes);
  }
  locatedOffset = offset;
  return usual;
}

/** The long way of `locate`: looks at all windows. @rare */
function search(a0: number, a1: number, a2: number, a3: number, bytes: number): number {
  const windows = translation[Translation.Windows];
  const bus = translation[Translation.Bus];
  for (let window = 0; window < windows; window++) {
    const row = window * 4;
    // No window crosses a multiple of 4 GiB (checked at start-up), so the upper halves must be equal.
    if (windowBase[row + 2] === a2 && windowBase[row + 3] === a3 && (windowBarred[window] & bus) === 0) {
      let low = a0 - windowBase[row];
      let high = a1 - windowBase[row + 1];
      if (low < 0) {
        low += 65536;
        high -= 1;
      }
      if (high >= 0 && high < 2048) {
        const offset = high * 65536 + low;
        const last = windowLast[window];
        if (offset <= last && bytes - 1 <= last - offset) {
          if (windowBase[row] === 0) {
            usual = window;
            usualHalf1 = windowBase[row + 1];
            usualHalf2 = windowBase[row + 2];
            usualHalf3 = windowBase[row + 3];
            usualLast = last;
          }
          locatedOffset = offset;
          return window;
        }
      }
    }
  }
  return -1;
}
