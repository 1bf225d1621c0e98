// What a device does with a virtqueue: take a chain, use its elements (cursor.hot.ts), finish it.
//
// The ring format is chosen when the driver sets the queue up; devices never see it.
import { openRecord, tracked } from '#inflight';
import { windowWords } from '#port';
import { locate, locatedOffset, translateFor } from '../memory/window.hot.js';
import { deviceBus } from '../transport/device.hot.js';
import { cancelUsedEvent, raiseUsedEvent } from '../transport/events.hot.js';
import { coversRegion } from '../transport/shared-memory.hot.js';
import { QueueFlag } from '../wire/profile.js';
import { openChain, writableBytes } from './chain.hot.js';
import { kickLater } from './kicks.hot.js';
import {
  beginPacked,
  closePacked,
  endPacked,
  finishPacked,
  holdsPacked,
  openPacked,
  startPacked,
  takePacked,
  untakePacked,
} from './packed.hot.js';
import {
  descriptorAt,
  descriptorWindow,
  deviceAt,
  deviceWindow,
  driverAt,
  driverWindow,
  nextAvailable,
  nextUsed,
  PassEnd,
  publishedUsed,
  queueAddress,
  queueDevice,
  queueEpoch,
  queueRing,
  queueSize,
  queueState,
  QueueState,
  Ring,
  Take,
} from './queue-table.hot.js';
import { openAreas } from './open-queue.hot.js';
import { ringError } from './ring-error.hot.js';
import {
  beginSplit,
  closeSplit,
  endSplit,
  finishSplit,
  holdsSplit,
  openSplit,
  startSplit,
  takeSplit,
  untakeSplit,
} from './split.hot.js';

/** Row of the open queue, the one being worked on; -1 = none. It stays open until another one is needed or it ends. */
let openRow = -1;
let packed = false;
/** Row of the queue whose pass has begun and not ended, which `budget` and `emptied` are about; -1 = none. Messages come between passes, so it stays open. */
let served = -1;
/** Chains that may still be taken in this pass. */
let budget = 0;
/** Whether the device has taken all there was: otherwise it leaves the rest on purpose and looks again when it wants them. */
let emptied = false;

/** The three addresses of a set-up that has not been accepted yet, four halves each. */
const staged = new Uint16Array(12);
/** Where `locateArea` found the areas: windows and byte offsets. */
const stagedWindow = new Uint8Array(3);
const stagedOffset = new Int32Array(3);

/** True when the staged address of `area` (0..2) is a multiple of `align` and its `bytes` lie in one shared window, outside shared memory regions. @rare */
function locateArea(area: number, align: number, bytes: number): boolean {
  const half = area * 4;
  if ((staged[half] & (align - 1)) !== 0) {
    return false;
  }
  const window = locate(staged[half], staged[half + 1], staged[half + 2], staged[half + 3], bytes);
  if (window < 0 || coversRegion(window, locatedOffset, bytes)) {
    return false;
  }
  stagedWindow[area] = window;
  stagedOffset[area] = locatedOffset;
  return true;
}

/**
 * Reads the three addresses of a set-up from word `at` of `window` on, four halves each; those in `ignored` (bit 0 descriptor,
 * 1 driver, 2 device area) stay what they are.
 */
export function stageAreas(queue: number, ignored: number, window: number, at: number): void {
  const memory = windowWords[window];
  // Outside the loop of flattened code a local name for a table is cheaper than the table's own.
  const to = staged;
  const kept = queueAddress;
  for (let half = 0; half < 12; half++) {
    to[half] = ((ignored >> (half >> 2)) & 1) !== 0 ? kept[queue * 12 + half] : memory[at + half];
  }
}

/**
 * Sets a disabled queue up with `size` descriptors (0 = none set yet), the staged addresses and what was negotiated (`Ring`
 * bits). `flags` (`QueueFlag`) say which fields are new and whether the queue is to be enabled, which needs all of them in
 * order. Returns true when it was done; false changes nothing.
 */
export function configureQueue(queue: number, size: number, flags: number, ring: number): boolean {
  const enable = (flags & QueueFlag.Operation) === QueueFlag.Enable;
  const isPacked = (ring & Ring.Packed) !== 0;
  // A split ring's size is a power of two.
  if ((!isPacked && (size & (size - 1)) !== 0) || (enable && size === 0)) {
    return false;
  }
  closeQueue();
  translateFor(deviceBus[queueDevice[queue]]);
  // Packed: descriptor ring 16 bytes each; two event structures of 4 bytes. Split: table 16 bytes a descriptor,
  // available ring 6 + 2 each, used ring 6 + 8 each. A field that is ignored was in order when it came.
  if (
    ((enable || (flags & QueueFlag.IgnoreDescriptors) === 0) && !locateArea(0, 16, size * 16)) ||
    ((enable || (flags & QueueFlag.IgnoreDriver) === 0) && !locateArea(1, isPacked ? 4 : 2, isPacked ? 4 : 6 + size * 2)) ||
    ((enable || (flags & QueueFlag.IgnoreDevice) === 0) && !locateArea(2, 4, isPacked ? 4 : 6 + size * 8))
  ) {
    return false;
  }
  const to = queueAddress;
  const from = staged;
  for (let half = 0; half < 12; half++) {
    to[queue * 12 + half] = from[half];
  }
  queueSize[queue] = size;
  if (!enable) {
    return true;
  }
  descriptorWindow[queue] = stagedWindow[0];
  descriptorAt[queue] = stagedOffset[0] >> 1;
  driverWindow[queue] = stagedWindow[1];
  driverAt[queue] = stagedOffset[1] >> 1;
  deviceWindow[queue] = stagedWindow[2];
  deviceAt[queue] = stagedOffset[2] >> 1;
  queueRing[queue] = ring;
  if (isPacked) {
    startPacked(queue);
  } else {
    startSplit(queue);
  }
  queueState[queue] = QueueState.Enabled;
  return true;
}

/** Brings the open queue's positions back into the tables of queue-table.hot.ts. */
export function closeQueue(): void {
  if (openRow >= 0) {
    if (packed) {
      closePacked(openRow);
    } else {
      closeSplit(openRow);
    }
    openRow = -1;
  }
}

/**
 * Where `queue` goes on when another device side takes it over: split, the free-running index; packed, the descriptor index
 * with the wrap counter in bit 15. Chains that were taken and not finished are taken again from there.
 */
export function queuePosition(queue: number): number {
  closeQueue();
  return nextUsed[queue];
}

/** Has an enabled queue that has not been served go on at `position`, as `queuePosition` tells it; false when the ring has no such place. */
export function setQueuePosition(queue: number, position: number): boolean {
  if ((queueRing[queue] & Ring.Packed) !== 0 && (position & 0x7fff) >= queueSize[queue]) {
    return false;
  }
  nextAvailable[queue] = position;
  nextUsed[queue] = position;
  publishedUsed[queue] = position;
  return true;
}

/** Makes `queue` the open one. */
function open(queue: number): void {
  closeQueue();
  openRow = queue;
  translateFor(deviceBus[queueDevice[queue]]);
  packed = (queueRing[queue] & Ring.Packed) !== 0;
  openAreas(queue);
  openChain();
  if (packed) {
    openPacked(queue);
  } else {
    openSplit(queue);
  }
  if (tracked) {
    openRecord(queue);
  }
}

/** The same in the middle of a pass: a device gives a chain of another queue back, or the pass goes on after that. @rare */
function reopen(queue: number): void {
  open(queue);
}

/** Forgets the driver's set-up: default state, nothing is written to the ring any more. @rare */
export function disableQueue(queue: number): void {
  closeQueue();
  queueState[queue] = QueueState.Disabled;
  queueSize[queue] = 0;
  const address = queueAddress;
  const end = (queue + 1) * 12;
  for (let half = queue * 12; half < end; half++) {
    address[half] = 0;
  }
  queueEpoch[queue] = (queueEpoch[queue] + 1) & 65535;
  cancelUsedEvent(queue);
}

/** Starts a pass over an enabled queue, at most `chains` chains long. False = ring error. */
export function beginQueue(queue: number, chains: number): boolean {
  budget = chains;
  emptied = false;
  if (queue !== openRow) {
    open(queue);
  }
  if (packed) {
    beginPacked();
  } else if (!beginSplit()) {
    ringError(queue);
    return false;
  }
  served = queue;
  return true;
}

/**
 * Takes the next chain of the queue being served, fully validated, and fills the tables of chain.hot.ts. Returns a handle
 * (0..2^27-1) to be given to `finish`, or Take.None. A chain that breaks a rule stops the queue and is never seen by the
 * device. Any other queue gives none: its chains come in its own pass, within its own budget and state.
 */
export function take(queue: number): number {
  if (budget === 0) {
    return Take.None;
  }
  // The open queue is the served one as long as its pass goes on.
  if (queue !== openRow) {
    return Take.None;
  }
  const handle = packed ? takePacked() : takeSplit();
  if (handle < 0) {
    if (handle === Take.Error) {
      budget = 0;
      ringError(queue);
    }
    emptied = true;
    return Take.None;
  }
  budget -= 1;
  return handle;
}

/**
 * Puts the chain taken last back, unserved: it is the next one again, and the loop looks at the queue within a
 * millisecond. For a device that has nothing to give now.
 */
export function untake(queue: number): void {
  if (packed) {
    untakePacked();
  } else {
    untakeSplit();
  }
  kickLater(queue);
}

/** True while chains of `queue` may be given back. */
export function givesBack(queue: number): boolean {
  return queueState[queue] === QueueState.Enabled || queueState[queue] === QueueState.Draining;
}

/**
 * Gives a chain back at once, while its elements are still those of chain.hot.ts, with `written` bytes (0 .. its writable
 * bytes) at the start of its writable part. A queue that was reset meanwhile is left alone.
 */
export function finish(queue: number, handle: number, written: number): void {
  if (queue !== openRow) {
    finishElsewhere(queue, handle, written);
    return;
  }
  const whole = written === writableBytes;
  if (packed) {
    finishPacked(handle, written, whole);
  } else {
    finishSplit(handle, written, whole);
  }
}

/** `finish` on a queue that is not open: outside a pass, or in that of another queue, which goes on afterwards. @rare */
function finishElsewhere(queue: number, handle: number, written: number): void {
  if (givesBack(queue)) {
    reopen(queue);
    // As in `finish`: one function for both is copied into neither, which costs a block request 690 instructions.
    const whole = written === writableBytes;
    if (packed) {
      finishPacked(handle, written, whole);
    } else {
      finishSplit(handle, written, whole);
    }
    if (served >= 0) {
      reopen(served);
    }
  }
}

/**
 * Gives a chain back that was taken in an earlier pass. `epoch` is what `queueEpoch` was then: if the queue was reset
 * meanwhile nothing happens, and neither does it with a chain the queue does not hold: a driver that resets it 65536
 * times finds the epoch of old again. Kick the queue afterwards, so that its next pass shows the driver.
 */
export function finishLater(queue: number, handle: number, written: number, epoch: number): void {
  if (queueEpoch[queue] === epoch && givesBack(queue)) {
    if (queue !== openRow) {
      reopen(queue);
    }
    if (packed) {
      if (holdsPacked(handle)) {
        finishPacked(handle, written, false);
      }
    } else if (holdsSplit()) {
      finishSplit(handle, written, false);
    }
    if (served >= 0 && queue !== served) {
      reopen(served);
    }
  }
}

/**
 * Ends the pass: makes all finished chains visible at once and has the driver notified if it wants to be.
 * Returns true when the queue must be served again: the budget is used up, or more was made available meanwhile. A device
 * that stopped taking while chains were left (buffers for data it does not have yet) kicks the queue itself when it wants
 * them; the driver need not say that there are more.
 */
export function endQueue(queue: number): boolean {
  served = -1;
  const running = queueState[queue] === QueueState.Enabled;
  const spent = running && budget === 0;
  // With work left the driver need not notify: the queue is looked at again anyway.
  const rearm = running && !spent && emptied;
  const end = packed ? endPacked(rearm) : endSplit(rearm);
  if ((end & PassEnd.Notify) !== 0) {
    raiseUsedEvent(queue);
  }
  if ((end & PassEnd.Error) !== 0) {
    ringError(queue);
  }
  return spent || (end & PassEnd.More) !== 0;
}
