// Buffers were made available: what EVENT_AVAIL says, and what out-of-band notifications stand for.
import { kick } from '../virtqueue/kicks.hot.js';
import { queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { firstQueue, isRunning, queueCount } from './device.hot.js';

/** Has `queue` of `device` served; false when it cannot be served now. */
export function announceQueue(device: number, queue: number): boolean {
  if (queueState[queue] !== QueueState.Enabled || !isRunning(device)) {
    return false;
  }
  kick(queue);
  return true;
}

/** Has every queue of `device` served that can be: at DRIVER_OK, and for a notification without a queue. */
export function announceAll(device: number): void {
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    announceQueue(device, first + index);
  }
}
