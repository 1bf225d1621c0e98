// Whether messages find a device by its number.
import { Capacity } from '../capacity.js';
import { directDevice } from '../bus/bus-table.hot.js';
import { deviceBus, deviceNumber, devicePresence, Presence } from './device.hot.js';

function enter(device: number, entry: number): void {
  if (deviceNumber[device] < Capacity.DirectNumbers) {
    directDevice[deviceBus[device] * Capacity.DirectNumbers + deviceNumber[device]] = entry;
  }
}

/** Messages to its number reach the device from now on. */
export function listDevice(device: number): void {
  devicePresence[device] = Presence.Present;
  enter(device, device + 1);
}

/** Messages to its number go the other way of bus/stray.hot.ts; `presence` is why. */
export function unlistDevice(device: number, presence: number): void {
  devicePresence[device] = presence;
  enter(device, 0);
}
