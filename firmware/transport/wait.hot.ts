// What devices wait for, each with a time limit: one entry a device, looked at once per pass by waits.hot.ts.
import { clock } from '#port';
import { Capacity } from '../capacity.js';

export const enum Wait {
  None = 0,
  /** The driver reset it while something behind the device still worked; the reset is complete when that has ended. */
  Reset = 1,
  /** The driver suspended it: chains in flight are given back first. */
  Suspend = 2,
  /** It is being removed: chains in flight are given back first. */
  Drain = 3,
  /** The driver was told that it will be removed. */
  Leave = 4,
  /** The driver was asked whether it may be removed. */
  Ask = 5,
  /** It was removed; its number is not used again yet. */
  Quarantine = 6,
  /** What carries its bus stops queues: chains in flight are given back first (vhost-user). */
  Stop = 7,
}

/** What each device waits for (`Wait`), and the microseconds that are left. */
export const deviceWait = new Uint8Array(Capacity.Devices);
export const waitLeft = new Int32Array(Capacity.Devices);

/** How many devices and buses wait: while 0, nobody looks. */
export let waits = 0;

/** When `sinceLastLook` was called last. */
let lastLook = 0;

/** Microseconds since the last call, or since the first wait began; `now` is the port's clock. */
export function sinceLastLook(now: number): number {
  const elapsed = (now - lastLook) & 0x7ffffff;
  lastLook = now;
  return elapsed;
}

function count(change: number): void {
  if (waits === 0) {
    lastLook = clock();
  }
  waits += change;
}

/** A bus waits for something, or no longer (bus/bus-events.hot.ts). */
export function countBusWait(change: number): void {
  count(change);
}

/** `device` waits for `reason`, at most `limit` microseconds (0..2^27-1), and no longer for anything else. */
export function startWait(device: number, reason: number, limit: number): void {
  if (deviceWait[device] === Wait.None) {
    count(1);
  }
  deviceWait[device] = reason;
  waitLeft[device] = limit;
}

export function endWait(device: number): void {
  if (deviceWait[device] !== Wait.None) {
    waits -= 1;
    deviceWait[device] = Wait.None;
  }
}

/** Forgets everything: a new start. */
export function clearWaits(): void {
  waits = 0;
  for (let device = 0; device < Capacity.Devices; device++) {
    deviceWait[device] = Wait.None;
  }
}
