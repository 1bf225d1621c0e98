// A device whose requests make another one come and go: their first byte is the command, '+' or '-'.
import { windowWords } from '#port';
import { finish, plug, readableBytes, Removal, take, unplug } from 'virtio-msg-device/device';
import { elementOffset, elementWindow } from '../../../firmware/virtqueue/chain.hot.js';

export const enum Guest {
  /** Number of the device that comes and goes. */
  Number = 3,
  Come = 0x2b,
  Go = 0x2d,
}

/** Row of the guest. */
let guest = 0;

export function attachGuest(device: number, _firstQueue: number): void {
  guest = device;
}

export function serveCommands(queue: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    const command = readableBytes === 0 ? 0 : windowWords[elementWindow[0]][elementOffset[0] >> 1] & 255;
    finish(queue, handle, 0);
    if (command === Guest.Come) {
      plug(guest, Guest.Number);
    } else if (command === Guest.Go) {
      unplug(guest, Removal.Now);
    }
    handle = take(queue);
  }
}
