// Translates 64-bit driver addresses, given as four 16-bit halves, to (window, byte offset).
import { Capacity } from '../capacity.js';

/** Driver address of each window's first byte: four halves a window, lowest first. A multiple of 16. */
export const windowBase = new Uint16Array(Capacity.Windows * 4);
/** Offset of each window's last byte; -1 where the driver side's addresses must not lead. */
export const windowLast = new Int32Array(Capacity.Windows);
/** 1 = the CPU caches it: clean after writing, invalidate before reading. */
export const windowCached = new Uint8Array(Capacity.Windows);

let windowCount = 0;

/** What `locate` found: the byte offset inside the window it returned. */
export let locatedOffset = 0;

/** Makes `count` windows known; their table rows have been filled. */
export function setWindowCount(count: number): void {
  windowCount = count;
}

/**
 * Finds the shared window that holds all of `bytes` (1 .. 2^27-1) bytes from the address a3:a2:a1:a0 on. Returns its
 * number and leaves the offset in `locatedOffset`, or returns -1.
 */
export function locate(a0: number, a1: number, a2: number, a3: number, bytes: number): number {
  for (let window = 0; window < windowCount; window++) {
    const row = window * 4;
    // No window crosses a multiple of 4 GiB (checked at start-up), so the upper halves must be equal.
    if (windowBase[row + 2] === a2 && windowBase[row + 3] === a3) {
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
          locatedOffset = offset;
          return window;
        }
      }
    }
  }
  return -1;
}
