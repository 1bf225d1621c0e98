// A device that fills a request's writable part with its first readable byte; odd bytes come back with the next kick.
import { windowWords } from '#port';
import { finish, finishLater, fillChain, queueEpoch, readableBytes, take, writableBytes } from 'virtio-msg-device/device';
import { elementOffset, elementWindow } from '../../../firmware/virtqueue/chain.hot.js';

const enum Echo {
  /** Requests held at most. */
  Held = 16,
}

const heldHandle = new Int32Array(Echo.Held);
const heldBytes = new Int32Array(Echo.Held);
const heldEpoch = new Int32Array(Echo.Held);
let held = 0;

/**
 * Serves what is new, then gives back what an earlier kick left here: a driver that dies leaves its odd requests behind, and they
 * come up again while the next driver's are held.
 */
export function serveEcho(queue: number): void {
  const kept = held;
  let handle = take(queue);
  while (handle >= 0) {
    const value = readableBytes === 0 ? 0 : windowWords[elementWindow[0]][elementOffset[0] >> 1] & 255;
    const written = fillChain(0, writableBytes, value);
    if ((value & 1) === 1 && held < Echo.Held) {
      heldHandle[held] = handle;
      heldBytes[held] = written;
      heldEpoch[held] = queueEpoch[queue];
      held += 1;
    } else {
      finish(queue, handle, written);
    }
    handle = take(queue);
  }
  for (let at = 0; at < kept; at++) {
    finishLater(queue, heldHandle[at], heldBytes[at], heldEpoch[at]);
  }
  held -= kept;
  for (let at = 0; at < held; at++) {
    heldHandle[at] = heldHandle[at + kept];
    heldBytes[at] = heldBytes[at + kept];
    heldEpoch[at] = heldEpoch[at + kept];
  }
}
