// Gives out the private window at start-up; nothing is given out later and nothing is given back.
import type { WindowDescription } from '../../hal/port.js';
import { privateWindow, setPrivateWindow } from './private.hot.js';

let bytesThere = 0;
let bytesGiven = 0;
let open = false;

/** Finds the board's window "private" and begins to give it out. */
export function openPrivateMemory(windows: readonly WindowDescription[]): void {
  const number = windows.map((window) => window.name).indexOf('private');
  setPrivateWindow(number);
  bytesThere = number < 0 ? 0 : windows[number].bytes;
  bytesGiven = 0;
  open = true;
}

/** Start-up is over: `allocate` refuses from now on. Returns the bytes given out. */
export function closePrivateMemory(): number {
  open = false;
  return bytesGiven;
}

/**
 * Takes `bytes` (1 .. 2^27) bytes of the private window for good. Returns the byte offset, a multiple of 8. Only while the
 * application starts, so from a model's `attach`; throws an Error with one sentence later, or when the window is full.
 */
export function allocate(bytes: number): number {
  if (!open) {
    throw new Error('memory is given out while the application starts, not later');
  }
  const offset = bytesGiven;
  const end = offset + Math.ceil(bytes / 8) * 8;
  if (!(bytes >= 1) || end > bytesThere) {
    const there = privateWindow < 0 ? 'the board has no private window' : 'the private window has ' + (bytesThere - bytesGiven) + ' bytes left';
    throw new Error('no room for ' + bytes + ' bytes: ' + there);
  }
  bytesGiven = end;
  return offset;
}
