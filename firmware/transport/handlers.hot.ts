// What differs between device types: tables of functions, index = type row. Filled at start-up by transport/add-device.ts.

/** Serves a kicked queue: `while ((head = take(queue)) >= 0) { ...; finish(queue, head, written); }`. */
export type ServeHandler = (queue: number) => void;
/** The driver reset the device: forget requests in flight. */
export type ResetHandler = (device: number) => void;
/**
 * The driver wrote `length` bytes at `offset` of the configuration space; the bytes are in `configWrite`. Returns true when
 * the type accepts them (they are then applied), false to reject.
 */
export type ConfigHandler = (device: number, offset: number, length: number) => boolean;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const serveHandlers: ServeHandler[] = [];
export const resetHandlers: ResetHandler[] = [];
export const configHandlers: ConfigHandler[] = [];
/* eslint-enable no-restricted-syntax */

/** For types without configuration space, or with one that only the device changes. */
export function rejectConfig(_device: number, _offset: number, _length: number): boolean {
  return false;
}

/** For types that keep nothing between requests. */
export function nothingToReset(_device: number): void {
  return;
}
