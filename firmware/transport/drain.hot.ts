// Queues that take no new chains while those in flight may still be given back: before a suspension and before a removal.
import { isKicked } from '../virtqueue/kicks.hot.js';
import { queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { deviceType, firstQueue, queueCount } from './device.hot.js';
import { isUsedEventDue } from './events.hot.js';
import { busyHandlers } from './handlers.hot.js';
import { deviceWait, Wait } from './wait.hot.js';

/** True while the queues are held so that what is in flight comes to an end, before a suspension or a removal. */
export function isDraining(device: number): boolean {
  return deviceWait[device] === Wait.Suspend || deviceWait[device] === Wait.Drain;
}

/** No chain is taken from the device's queues any more. */
export function holdQueues(device: number): void {
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    if (queueState[first + index] === QueueState.Enabled) {
      queueState[first + index] = QueueState.Draining;
    }
  }
}

/** The queues go on where they were held; `announceAll` has them looked at. */
export function releaseQueues(device: number): void {
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    if (queueState[first + index] === QueueState.Draining) {
      queueState[first + index] = QueueState.Enabled;
    }
  }
}

/** True when nothing is in flight behind the device, every buffer given back has been shown and the driver told of it. */
export function isDrained(device: number): boolean {
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    if (isKicked(first + index) || isUsedEventDue(first + index)) {
      return false;
    }
  }
  return !busyHandlers[deviceType[device]](device);
}
