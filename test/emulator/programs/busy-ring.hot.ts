// Both halves of a busy split ring in one loop: a driver that only moves its index, and a device that gives everything back.
import { windowWords } from '#port';
import { writableBytes } from '../../../firmware/virtqueue/chain.hot.js';
import { beginQueue, endQueue, finish, take } from '../../../firmware/virtqueue/queue.hot.js';

/** The available index as the driver has written it last. */
let index = 0;

/**
 * Serves `passes` batches of `batch` (1..127) chains of `queue`, whose available index is word `at` of window 0. Returns false
 * when the driver broke a rule.
 */
export function serveBatches(queue: number, at: number, batch: number, passes: number): boolean {
  let left = passes;
  while (left > 0) {
    left -= 1;
    index = (index + batch) & 65535;
    windowWords[0][at] = index;
    if (!beginQueue(queue, batch + 1)) {
      return false;
    }
    let handle = 0;
    while (handle >= 0) {
      handle = take(queue);
      if (handle >= 0) {
        finish(queue, handle, writableBytes);
      }
    }
    endQueue(queue);
  }
  return true;
}
