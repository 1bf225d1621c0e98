// Moves bytes between the chain taken last and other windows, across element borders and with cache maintenance.
//
// Positions count bytes from the start of the readable or of the writable part, however the driver split them.
import { clean, copy, fill, invalidate, random } from '#port';
import { windowCached } from '#tables';
import { elementBytes, elementOffset, elements, elementWindow, readableElements } from './chain.hot.js';

/**
 * Copies up to `length` bytes from `position` of the readable part to `offset` of `window`. Returns the bytes copied:
 * fewer when the part ends before.
 */
export function readChain(position: number, window: number, offset: number, length: number): number {
  let skip = position;
  let done = 0;
  for (let element = 0; element < readableElements && done < length; element++) {
    const bytes = elementBytes[element];
    if (skip >= bytes) {
      skip -= bytes;
    } else {
      const from = elementOffset[element] + skip;
      const here = bytes - skip < length - done ? bytes - skip : length - done;
      if (windowCached[elementWindow[element]] === 1) {
        invalidate(elementWindow[element], from, here);
      }
      copy(window, offset + done, elementWindow[element], from, here);
      done += here;
      skip = 0;
    }
  }
  return done;
}

/** Copies up to `length` bytes from `offset` of `window` to `position` of the writable part; returns the bytes copied. */
export function writeChain(position: number, window: number, offset: number, length: number): number {
  let skip = position;
  let done = 0;
  for (let element = readableElements; element < elements && done < length; element++) {
    const bytes = elementBytes[element];
    if (skip >= bytes) {
      skip -= bytes;
    } else {
      const to = elementOffset[element] + skip;
      const here = bytes - skip < length - done ? bytes - skip : length - done;
      copy(elementWindow[element], to, window, offset + done, here);
      if (windowCached[elementWindow[element]] === 1) {
        clean(elementWindow[element], to, here);
      }
      done += here;
      skip = 0;
    }
  }
  return done;
}

/** Sets up to `length` bytes from `position` of the writable part on to `value`; returns the bytes set. */
export function fillChain(position: number, length: number, value: number): number {
  let skip = position;
  let done = 0;
  for (let element = readableElements; element < elements && done < length; element++) {
    const bytes = elementBytes[element];
    if (skip >= bytes) {
      skip -= bytes;
    } else {
      const to = elementOffset[element] + skip;
      const here = bytes - skip < length - done ? bytes - skip : length - done;
      fill(elementWindow[element], to, here, value);
      if (windowCached[elementWindow[element]] === 1) {
        clean(elementWindow[element], to, here);
      }
      done += here;
      skip = 0;
    }
  }
  return done;
}

/** Fills up to `length` bytes from the start of the writable part with random ones; returns the bytes placed. */
export function randomChain(length: number): number {
  let done = 0;
  for (let element = readableElements; element < elements && done < length; element++) {
    const to = elementOffset[element];
    const here = elementBytes[element] < length - done ? elementBytes[element] : length - done;
    const placed = random(elementWindow[element], to, here);
    if (windowCached[elementWindow[element]] === 1) {
      clean(elementWindow[element], to, placed);
    }
    done += placed;
    if (placed !== here) {
      return done;
    }
  }
  return done;
}
