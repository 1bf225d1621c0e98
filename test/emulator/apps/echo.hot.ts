// A device that fills a request's writable part with its first readable byte; odd bytes come back a pass later.
import { windowWords } from '#port';
import { finish, finishLater, kickLater, fillChain, queueEpoch, readableBytes, take, writableBytes } from 'virtio-msg-device/device';
import { elementOffset, elementWindow } from '../../../firmware/virtqueue/chain.hot.js';

const enum Echo {
  /** Requests held at most. */
  Held = 16,
}

const heldHandle = new Int32Array(Echo.Held);
const heldBytes = new Int32Array(Echo.Held);
const heldEpoch = new Int32Array(Echo.Held);
let held = 0;

/** Gives back what an earlier pass kept, then serves what is new. */
export function serveEcho(queue: number): void {
  for (let at = 0; at < held; at++) {
    finishLater(queue, heldHandle[at], heldBytes[at], heldEpoch[at]);
  }
  held = 0;
  let handle = take(queue);
  while (handle >= 0) {
    const value = readableBytes === 0 ? 0 : windowWords[elementWindow[0]][elementOffset[0] >> 1] & 255;
    const written = fillChain(0, writableBytes, value);
    if ((value & 1) === 1 && held < Echo.Held) {
      heldHandle[held] = handle;
      heldBytes[held] = written;
      heldEpoch[held] = queueEpoch[queue];
      held += 1;
      kickLater(queue);
    } else {
      finish(queue, handle, written);
    }
    handle = take(queue);
  }
}
