// What stands behind a network device: itself (loop-back), or a switch that joins several.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { headerAt } from '../serving/request.hot.js';
import { deviceCount } from '../transport/device.hot.js';
import { readChain } from '../virtqueue/cursor.hot.js';
import { frameArrived, frameSlot, isOwnAddress, Net, netDropped, netMtu } from './network.hot.js';

/** Switch each device is plugged into, from 1 on; 0 = none. */
export const switchOf = new Uint8Array(Capacity.Devices);

/** What the driver sends comes back, in its order; it waits while all slots are in use, so none is lost. */
export function transmitLoopBack(device: number, bytes: number): boolean {
  const slot = frameSlot(device);
  if (slot < 0) {
    return false;
  }
  readChain(Net.HeaderBytes, privateWindow, slot, bytes);
  frameArrived(device, bytes);
  return true;
}

/**
 * To the device of the switch that has the destination's address, else to all but the sender. A receiver whose slots are in
 * use loses the frame: one driver that reads nothing must not stop the others.
 */
export function transmitSwitched(device: number, bytes: number): boolean {
  readChain(Net.HeaderBytes, privateWindow, headerAt * 2, 6);
  const known = (windowWords[privateWindow][headerAt] & 1) === 0 ? owner(switchOf[device]) : -1;
  for (let other = 0; other < deviceCount; other++) {
    if (other !== device && switchOf[other] === switchOf[device] && (known < 0 || known === other)) {
      deliver(other, bytes);
    }
  }
  return true;
}

/** The device of switch `number` whose address stands in the header area, or -1. */
function owner(number: number): number {
  for (let device = 0; device < deviceCount; device++) {
    if (switchOf[device] === number && isOwnAddress(device, headerAt)) {
      return device;
    }
  }
  return -1;
}

function deliver(to: number, bytes: number): void {
  const slot = frameSlot(to);
  if (slot < 0 || bytes > netMtu[to] + Net.TaggedBytes) {
    netDropped[to] = (netDropped[to] + 1) & 134217727;
  } else {
    readChain(Net.HeaderBytes, privateWindow, slot, bytes);
    frameArrived(to, bytes);
  }
}
