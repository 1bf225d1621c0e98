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

/**
 * The driver's write has been applied: the fields that follow from it can be set now (input: `size` and `u` after `select`),
 * with `setConfigByte` and without `configChanged`: the answer tells the driver, the generation count stays.
 */
export type ConfigWrittenHandler = (device: number, offset: number, length: number) => void;
/** The driver has proposed a subset of the offered features whose dependencies hold. Returns false to refuse FEATURES_OK. */
export type FeaturesHandler = (device: number) => boolean;
/**
 * True while something behind the device still works on chains it took (a UART, a flash). Asked after a reset, and before a
 * suspension or removal, which wait for it, within limits (Budget in capacity.ts); its late completions are dropped.
 */
export type BusyHandler = (device: number) => boolean;
/** The driver writes DRIVER_OK: start. Returns false when the device cannot; its status then has DEVICE_NEEDS_RESET instead. */
export type StartHandler = (device: number) => boolean;
/** The device's time has come (`wakeAfter`) or a peripheral's interrupt fired: look at the backend, finish kept chains, kick queues. */
export type WakeHandler = (device: number) => void;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const serveHandlers: ServeHandler[] = [];
export const resetHandlers: ResetHandler[] = [];
export const configHandlers: ConfigHandler[] = [];
export const configWrittenHandlers: ConfigWrittenHandler[] = [];
export const featuresHandlers: FeaturesHandler[] = [];
export const startHandlers: StartHandler[] = [];
export const wakeHandlers: WakeHandler[] = [];
export const busyHandlers: BusyHandler[] = [];
/* eslint-enable no-restricted-syntax */

/** For types without configuration space, or with one that only the device changes. */
export function rejectConfig(_device: number, _offset: number, _length: number): boolean {
  return false;
}

/** For types that keep nothing between requests, or wait for nothing. */
export function nothingToDo(_device: number): void {
  return;
}

/** For types in whose configuration space nothing follows from a write. */
export function nothingFollows(_device: number, _offset: number, _length: number): void {
  return;
}

/** For types that have nothing to say about a subset of their features, or about their start. */
export function agree(_device: number): boolean {
  return true;
}
