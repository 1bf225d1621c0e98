// Where a device's part of a table begins that all devices of one type share.
import { deviceId } from '../transport/device.hot.js';

/** Entries taken by the devices with id `id` in the rows before `device`; `counts` holds the entries of each row. */
export function rowsBefore(device: number, id: number, counts: { readonly [row: number]: number }): number {
  let rows = 0;
  for (let row = 0; row < device; row++) {
    rows += deviceId[row] === id ? counts[row] : 0;
  }
  return rows;
}
