// One transfer at a time on a bus behind a device (I2C, SPI): its data lie in the private window, it ends at once or later.
import { Capacity } from '../capacity.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { elements, readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { firstQueue } from '../transport/device.hot.js';
import { dropKept, keep, keptElements, recall } from './keep.hot.js';
import { wakeAfter } from './wake.hot.js';

/** What a backend says of a transfer. */
export const enum Transfer {
  Done = 0,
  Failed = 1,
  /** It goes on; `ended` tells when it is over. */
  Later = 2,
}

const enum Poll {
  /** Microseconds between two questions whether a transfer is over, unless an interrupt of the backend wakes the device before. */
  Interval = 200,
}

/** Byte offset in the private window where a device's transfers have their data, and the most bytes of one. */
export const transferAt = new Int32Array(Capacity.Devices);
export const transferRoom = new Int32Array(Capacity.Devices);
/** 1 = the backend works on a transfer, also when the driver has given its request up. */
const underWay = new Uint8Array(Capacity.Devices);

export function isUnderWay(device: number): boolean {
  return underWay[device] === 1;
}

/** True when the chain taken last leaves `head` readable bytes and a status aside, and its data fit the device's buffer. */
export function dataFit(device: number, head: number): boolean {
  const room = transferRoom[device];
  return elements <= keptElements[device] && readableBytes >= head && writableBytes > 0 && readableBytes - head <= room && writableBytes - 1 <= room;
}

/** The backend said Later: the chain taken last, for which `dataFit` held, is kept in row 0. */
export function waitForEnd(device: number, queue: number, handle: number): void {
  keep(device, queue, handle);
  occupy(device);
}

/** The backend said Later, but the chain is given back at once: the next one waits until the backend is free. */
export function occupy(device: number): void {
  underWay[device] = 1;
  wakeAfter(device, Poll.Interval);
}

/** Still Later: ask again in a while. */
export function waitOn(device: number): void {
  wakeAfter(device, Poll.Interval);
}

/**
 * The backend's transfer is over. Returns true when its chain is the current one again, to be given back with
 * `finishKept(device, 0, ...)`; false when the driver has reset the queue meanwhile: requests that wait are served.
 */
export function endTransfer(device: number): boolean {
  underWay[device] = 0;
  if (recall(device, 0)) {
    return true;
  }
  kick(firstQueue[device]);
  return false;
}

/** The driver reset the device: its request is forgotten, the backend's transfer runs to its end. */
export function abandonTransfer(device: number): void {
  dropKept(device);
}

/** No transfer is under way. Start-up only. */
export function clearTransfer(device: number): void {
  underWay[device] = 0;
}
