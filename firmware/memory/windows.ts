// Enters the port's memory windows into the translation table at start-up.
import type { WindowDescription } from '../../hal/port.js';
import { Capacity } from '../capacity.js';
import { windowBarred, windowBase, windowCached, windowLast } from '#tables';
import { setWindowCount } from './window.hot.js';

/** Largest offset in a window: its numbers have 28 bits. */
const maximumLast = 134217727;

/** The four 16-bit halves of 16 hexadecimal digits, lowest first. */
function halves(digits: string): number[] {
  const plain = digits.replace(/^0x/, '');
  if (!(plain.length === 16 && /^[0-9a-fA-F]+$/.test(plain))) {
    throw new Error('window address "' + digits + '" is not 16 hexadecimal digits');
  }
  const result: number[] = [];
  for (let at = 12; at >= 0; at -= 4) {
    result.push(parseInt(plain.substring(at, at + 4), 16));
  }
  return result;
}

/** Checks and enters all windows; throws an Error with one sentence when a description breaks a rule of hal/port.ts. */
export function addWindows(windows: readonly WindowDescription[]): void {
  if (windows.length > Capacity.Windows) {
    throw new Error('the board has ' + windows.length + ' memory windows, the image holds ' + Capacity.Windows);
  }
  for (let number = 0; number < Capacity.Windows; number++) {
    windowLast[number] = -1;
    windowBarred[number] = 0;
  }
  windows.forEach((window, number) => {
    if (window.bytes < 16 || window.bytes - 1 > maximumLast || window.bytes % 16 !== 0) {
      throw new Error('window "' + window.name + '" has ' + window.bytes + ' bytes: a multiple of 16 up to 128 MiB is needed');
    }
    windowCached[number] = window.cached === true ? 1 : 0;
    windowLast[number] = window.driverAddress === '' ? -1 : window.bytes - 1;
    if (window.driverAddress !== '') {
      const base = halves(window.driverAddress);
      if (base[0] % 16 !== 0) {
        throw new Error('window "' + window.name + '" starts at ' + window.driverAddress + ', which is not a multiple of 16');
      }
      if (base[1] * 65536 + base[0] + window.bytes > 4294967296) {
        throw new Error('window "' + window.name + '" crosses a multiple of 4 GiB: split it there');
      }
      base.forEach((half, index) => {
        windowBase[number * 4 + index] = half;
      });
    }
  });
  setWindowCount(windows.length);
}

/**
 * Lets the driver side of `bus` name only the windows in `names` (all shared ones when undefined) in its queues and descriptors.
 * Throws an Error with one sentence for a name that no shared window has.
 */
export function shareWindows(bus: number, names: readonly string[] | undefined, windows: readonly WindowDescription[]): void {
  if (names === undefined) {
    return;
  }
  const shared = windows.filter((window) => window.driverAddress !== '').map((window) => window.name);
  names.forEach((name) => {
    if (shared.indexOf(name) < 0) {
      throw new Error('bus ' + bus + ' names a window "' + name + '": the board shares ' + shared.join(', '));
    }
  });
  windows.forEach((window, number) => {
    if (names.indexOf(window.name) < 0) {
      windowBarred[number] |= 1 << bus;
    }
  });
}
