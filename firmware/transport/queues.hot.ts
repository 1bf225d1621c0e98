// GET_VQUEUE, SET_VQUEUE, RESET_VQUEUE and EVENT_AVAIL: the driver's view of a device's queues.
import { windowWords } from '#port';
import { Discard } from '../wire/discard.js';
import { Feature } from '../wire/features.js';
import { Status } from '../wire/status.js';
import { Answer, answerAt, discard, frameWindow, requestAt, requestBytes, wide } from '../bus/frame.hot.js';
import { queueAddress, queueFeature, QueueFeature, queueMaximum, queueSize, queueState, QueueState, Ring } from '../virtqueue/queue-table.hot.js';
import { disableQueue, enableQueue } from '../virtqueue/queue.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { deviceStatus, firstQueue, hasFeature, isRunning, queueCount } from './device.hot.js';

/** Row in the queue tables for queue index high:low of `device`, or -1. */
function queueRow(device: number, low: number, high: number): number {
  const index = wide(low, high);
  return index >= 0 && index < queueCount[device] ? firstQueue[device] + index : -1;
}

/** The same for a queue that need not be enabled: -1 also for one that the accepted features do not include. */
function findQueue(device: number, low: number, high: number): number {
  const queue = queueRow(device, low, high);
  if (queue < 0 || queueFeature[queue] === QueueFeature.None || (deviceStatus[device] & Status.FeaturesOk) === 0) {
    return queue;
  }
  return hasFeature(device, queueFeature[queue]) ? queue : -1;
}

/** What the driver accepted of the ring features, as `Ring` bits. */
function negotiatedRing(device: number): number {
  return (
    (hasFeature(device, Feature.RingPacked) ? Ring.Packed : 0) |
    (hasFeature(device, Feature.IndirectDesc) ? Ring.Indirect : 0) |
    (hasFeature(device, Feature.EventIdx) ? Ring.EventIdx : 0) |
    (hasFeature(device, Feature.InOrder) ? Ring.InOrder : 0)
  );
}

/** GET_VQUEUE: 40 bytes; all zero but the index for an absent queue. */
export function getVqueue(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  memory[answerAt] = low;
  memory[answerAt + 1] = high;
  const queue = findQueue(device, low, high);
  if (queue >= 0) {
    memory[answerAt + 2] = queueMaximum[queue];
    if (queueState[queue] !== QueueState.Disabled) {
      memory[answerAt + 4] = queueSize[queue];
      for (let half = 0; half < 12; half++) {
        memory[answerAt + 8 + half] = queueAddress[queue * 12 + half];
      }
    }
  }
  return 40;
}

/**
 * SET_VQUEUE, v1 layout: a valid set-up of a disabled queue makes it usable; everything else is answered and
 * changes nothing. Reserved fields are ignored.
 */
export function setVqueue(device: number): number {
  if (requestBytes < 40) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const queue = findQueue(device, memory[requestAt], memory[requestAt + 1]);
  const size = wide(memory[requestAt + 4], memory[requestAt + 5]);
  if (
    queue >= 0 &&
    (deviceStatus[device] & Status.FeaturesOk) !== 0 &&
    queueState[queue] === QueueState.Disabled &&
    size > 0 &&
    size <= queueMaximum[queue] &&
    enableQueue(queue, size, frameWindow, requestAt + 8, negotiatedRing(device)) &&
    isRunning(device)
  ) {
    kick(queue);
  }
  return 0;
}

/** RESET_VQUEUE: carried out whether or not RING_RESET was negotiated. */
export function resetVqueue(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const queue = findQueue(device, memory[requestAt], memory[requestAt + 1]);
  if (queue >= 0) {
    disableQueue(queue);
  }
  return 0;
}

/** EVENT_AVAIL: has the queue served later in this pass; ignored for a queue that cannot be served. */
export function eventAvail(device: number): number {
  if (requestBytes < 8) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const queue = queueRow(device, memory[requestAt], memory[requestAt + 1]);
  if (queue < 0 || queueState[queue] !== QueueState.Enabled || !isRunning(device)) {
    return discard(Discard.NoQueue);
  }
  kick(queue);
  // An event is never answered.
  return Answer.None;
}
