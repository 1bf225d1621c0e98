// Entropy device (id 4): fills the driver's buffers with random bytes from the port.
import { writableBytes } from '../virtqueue/chain.hot.js';
import { randomChain } from '../virtqueue/cursor.hot.js';
import { finish, take, untake } from '../virtqueue/queue.hot.js';

const enum Entropy {
  /** Most bytes for one request; a device may give fewer than asked for (ENT-1). Bounds the work of one request. */
  MostBytes = 4096,
}

/** Serves the request queue. A readable part is ignored, a request without writable bytes is given back with 0 (ENT-3). */
export function serveEntropy(queue: number): void {
  let handle = 0;
  while (handle >= 0) {
    handle = take(queue);
    if (handle >= 0) {
      const written = randomChain(Entropy.MostBytes);
      if (written === 0 && writableBytes !== 0) {
        // Nothing to be had now: the buffer stays the driver's next one until there is (ENT-4).
        untake(queue);
        return;
      }
      finish(queue, handle, written);
    }
  }
}
