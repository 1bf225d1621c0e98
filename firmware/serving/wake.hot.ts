// Wakes devices: at a time of their own, and when a peripheral's interrupt fired.
import { clock } from '#port';
import { Capacity } from '../capacity.js';
import { deviceCount, deviceType } from '../transport/device.hot.js';
import { wakeHandlers } from '../transport/handlers.hot.js';

const enum Clock {
  /** The port's clock counts modulo 2^27. */
  Mask = 134217727,
  /** Differences from here on lie in the past. */
  Half = 67108864,
}

/** When each device wants to be woken; 1 = it does. */
const dueAt = new Int32Array(Capacity.Devices);
const armed = new Uint8Array(Capacity.Devices);
/** Devices that have a time. */
export let armedDevices = 0;

/** Has the device's `wake` called once, `microseconds` (0 .. 2^26 - 1, 67 s) from now; replaces an earlier time. */
export function wakeAfter(device: number, microseconds: number): void {
  if (armed[device] === 0) {
    armed[device] = 1;
    armedDevices += 1;
  }
  // Subtracted first: the sum of two 27-bit numbers has 28 bits and a sign.
  dueAt[device] = (clock() - (Clock.Mask - microseconds) - 1) & Clock.Mask;
}

/** Forgets the device's time. */
export function cancelWake(device: number): void {
  if (armed[device] === 1) {
    armed[device] = 0;
    armedDevices -= 1;
  }
}

/** Forgets all times: a new start. */
export function clearWakes(): void {
  armedDevices = 0;
  for (let device = 0; device < Capacity.Devices; device++) {
    armed[device] = 0;
  }
}

/** Wakes the devices whose time has come, each at most once. */
export function wakeDue(): void {
  const now = clock();
  for (let device = 0; device < deviceCount; device++) {
    if (armed[device] === 1 && ((now - dueAt[device]) & Clock.Mask) < Clock.Half) {
      cancelWake(device);
      wakeHandlers[deviceType[device]](device);
    }
  }
}

/** Wakes every device: a peripheral's interrupt fired, and the devices know whose it may be. */
export function wakeAll(): void {
  for (let device = 0; device < deviceCount; device++) {
    wakeHandlers[deviceType[device]](device);
  }
}

/** The shorter of `limit` microseconds and the time until the next device is due. */
export function untilDue(limit: number): number {
  const now = clock();
  let least = limit;
  for (let device = 0; device < deviceCount; device++) {
    if (armed[device] === 1) {
      const left = (dueAt[device] - now) & Clock.Mask;
      if (left >= Clock.Half) {
        return 0;
      }
      if (left < least) {
        least = left;
      }
    }
  }
  return least;
}
