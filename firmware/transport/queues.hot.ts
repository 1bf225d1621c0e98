// GET_VQUEUE, SET_VQUEUE, RESET_VQUEUE and EVENT_AVAIL: the driver's view of a device's queues.
import { windowWords } from '#port';
import { Discard } from '../wire/discard.js';
import { Feature } from '../wire/features.js';
import { QueueFlag, Rule } from '../wire/profile.js';
import { Status } from '../wire/status.js';
import { busRules } from '../bus/bus-table.hot.js';
import { Answer, answerAt, discard, frameWindow, requestAt, requestBytes, wide } from '../bus/frame.hot.js';
import { queueAddress, queueFeature, QueueFeature, queueMaximum, queueSize, queueState, QueueState, Ring } from '../virtqueue/queue-table.hot.js';
import { configureQueue, disableQueue, stageAreas } from '../virtqueue/queue.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { announceQueue } from './available.hot.js';
import { deviceBus, deviceStatus, firstQueue, hasFeature, isRunning, queueCount } from './device.hot.js';
import { holdQueues, isDraining } from './drain.hot.js';

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

/** GET_VQUEUE: 40 bytes; all zero but the index for an absent queue, and but the maximum for one never set up. @rare */
export function getVqueue(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  const at = answerAt;
  memory[at] = low;
  memory[at + 1] = high;
  const queue = findQueue(device, low, high);
  if (queue >= 0) {
    memory[at + 2] = queueMaximum[queue];
    memory[at + 4] = queueSize[queue];
    memory[at + 6] = hasFlags(device) && queueState[queue] !== QueueState.Disabled ? 1 : 0;
    const address = queueAddress;
    for (let half = 0; half < 12; half++) {
      memory[at + 8 + half] = address[queue * 12 + half];
    }
  }
  return 40;
}

/** True where SET_VQUEUE has flags and GET_VQUEUE tells whether a queue is enabled. */
function hasFlags(device: number): boolean {
  return (busRules[deviceBus[device]] & Rule.QueueFlags) !== 0;
}

/**
 * SET_VQUEUE: sets a disabled queue up, all of it or nothing; whatever is wrong is answered and changes nothing
 * . An enabled queue never changes by this message. Without flags the queue is
 * enabled with all fields and the reserved fields are ignored; with flags they say what is applied and
 * whether the queue is enabled. @rare
 */
export function setVqueue(device: number): number {
  if (requestBytes < 40) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const queue = findQueue(device, memory[requestAt], memory[requestAt + 1]);
  let flags: number = QueueFlag.Enable;
  if (hasFlags(device)) {
    flags = memory[requestAt + 2];
    if (memory[requestAt + 3] !== 0 || (flags & ~QueueFlag.Defined) !== 0 || (flags & QueueFlag.Operation) > QueueFlag.Keep) {
      return 0;
    }
  }
  if (queue < 0 || (deviceStatus[device] & Status.FeaturesOk) === 0 || queueState[queue] !== QueueState.Disabled) {
    return 0;
  }
  let size: number = queueSize[queue];
  if ((flags & QueueFlag.IgnoreSize) === 0) {
    size = wide(memory[requestAt + 4], memory[requestAt + 5]);
    if (size <= 0 || size > queueMaximum[queue]) {
      return 0;
    }
  }
  stageAreas(queue, (flags >> 3) & 7, frameWindow, requestAt + 8);
  if (configureQueue(queue, size, flags, negotiatedRing(device)) && (flags & QueueFlag.Operation) === QueueFlag.Enable) {
    if (isDraining(device)) {
      // It waits like the others.
      holdQueues(device);
    } else if (isRunning(device)) {
      kick(queue);
    }
  }
  return 0;
}

/** RESET_VQUEUE: carried out whether or not RING_RESET was negotiated; nothing to do for a disabled queue. @rare */
export function resetVqueue(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const queue = findQueue(device, memory[requestAt], memory[requestAt + 1]);
  if (queue >= 0 && queueState[queue] !== QueueState.Disabled) {
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
  if (queue < 0 || !announceQueue(device, queue)) {
    return discard(Discard.NoQueue);
  }
  // An event is never answered.
  return Answer.None;
}
