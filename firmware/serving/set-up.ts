// What device types take at start-up: memory of the private window, rows for kept chains.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { privateWindow } from '../memory/private.hot.js';
import { Header, setHeaderAreas } from './request.hot.js';
import { Kept, keptAt, keptElements, keptRows, keptWords } from './keep.hot.js';
import { clearOutbox, outboxAt, outboxDropped, outboxSlots, outboxWords } from './outbox.hot.js';
import { clearWakes } from './wake.hot.js';

/** Forgets what devices had; takes the areas that all devices share. */
export function prepareServing(): void {
  clearWakes();
  for (let device = 0; device < Capacity.Devices; device++) {
    keptRows[device] = 0;
  }
  if (privateWindow >= 0) {
    setHeaderAreas(allocate(Header.Bytes) / 2, allocate(Header.Bytes) / 2);
  }
}

/**
 * Gives device row `device` `rows` (1..255) rows for chains of up to `elements` (1..64) elements: 32 + 10 * elements bytes
 * each. Call it in `attach`; throws an Error with one sentence when there is no room.
 */
export function keepRoom(device: number, rows: number, elements: number): void {
  if (!(rows >= 1 && rows <= 255 && elements >= 1 && elements <= Capacity.ChainElements)) {
    throw new Error('a device keeps 1 to 255 chains of 1 to ' + Capacity.ChainElements + ' elements');
  }
  const words = Kept.FirstElement + elements * Kept.ElementWords;
  keptAt[device] = allocate(rows * words * 2) / 2;
  keptRows[device] = rows;
  keptWords[device] = words;
  keptElements[device] = elements;
}

/** Writes the ASCII characters of `text` to byte `offset` (even) of the private window, padded with zeros to `bytes`. */
export function writeBytes(offset: number, text: string, bytes: number): void {
  const words = windowWords[privateWindow];
  for (let at = 0; at < bytes; at += 2) {
    const low = at < text.length ? text.charCodeAt(at) : 0;
    const high = at + 1 < text.length && at + 1 < bytes ? text.charCodeAt(at + 1) : 0;
    words[(offset + at) / 2] = (low & 255) | ((high & 255) << 8);
  }
}

/**
 * Gives device row `device` an outbox of `slots` (a power of two up to 128) messages of `words` (1..32767) words each. Call
 * it in `attach`; throws an Error with one sentence when there is no room.
 */
export function outboxRoom(device: number, slots: number, words: number): void {
  if (!(slots >= 1 && slots <= 128 && (slots & (slots - 1)) === 0)) {
    throw new Error('an outbox has a power of two of slots, 128 at most');
  }
  outboxAt[device] = allocate(slots * words * 2) / 2;
  outboxWords[device] = words;
  outboxSlots[device] = slots;
  outboxDropped[device] = 0;
  clearOutbox(device);
}
