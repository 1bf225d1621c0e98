// The vhost-user carrier: messages and kicks in, calls out. The front side is a Linux process such as QEMU.
import { log } from '#port';
import { call, callCount, connection, endMessage, kickCount, messageBytes, nextKick, signalError } from '#vhost-user';
import { Connection } from '../../../hal/vhost-user.js';
import { Budget } from '../../capacity.js';
import { eventId, nextEvent } from '../../transport/events.hot.js';
import { firstQueue } from '../../transport/device.hot.js';
import { announceAll } from '../../transport/available.hot.js';
import { holdQueues, isDrained, releaseQueues } from '../../transport/drain.hot.js';
import { deviceWait, endWait, startWait, Wait, waits } from '../../transport/wait.hot.js';
import { queueDevice, queueIndex, queueState, QueueState } from '../../virtqueue/queue-table.hot.js';
import { Log } from '../../wire/log.js';
import { MessageId } from '../../wire/message.js';
import { askKick } from './ask.hot.js';
import { forgetShown, handleMessage, stopsRings } from './messages.hot.js';
import { dropRecords } from './inflight-region.hot.js';
import { dropRegions } from './regions.hot.js';
import { device, forgetRings, isRunning, rings } from './rings.hot.js';

let open = false;
/** No chain is taken: the message at hand stops rings. */
let held = false;

/** Before rings are stopped all that is in flight is given back, since only the used ring tells where they go on. True when it has been. */
function isStill(): boolean {
  if (!stopsRings()) {
    return true;
  }
  if (!held) {
    held = true;
    holdQueues(device);
    if (!isDrained(device)) {
      startWait(device, Wait.Stop, Budget.DrainLimit);
    }
  }
  return deviceWait[device] !== Wait.Stop;
}

/** Rings that were not stopped go on. */
function release(): void {
  if (held) {
    held = false;
    releaseQueues(device);
    announceAll(device);
  }
}

/** While this is so messages stay where they are. */
function isWaiting(): boolean {
  return deviceWait[device] === Wait.Reset || deviceWait[device] === Wait.Stop;
}

/** The connection is over, or the first one is still to come: nothing is left of it. */
export function forgetConnection(): void {
  if (deviceWait[device] === Wait.Stop) {
    endWait(device);
  }
  held = false;
  forgetRings();
  forgetShown();
  dropRecords();
  dropRegions();
  open = false;
}

function connectionLost(state: number): void {
  forgetConnection();
  log(Log.VhostKicks, kickCount());
  log(Log.VhostCalls, callCount());
  log(Log.VhostGone, state - Connection.Lost);
}

/**
 * First half of a pass: messages, then kicks. Returns true when messages are left that can be handled: while a reset or a stop
 * takes time both stay where they are.
 */
export function receiveAll(): boolean {
  const state = connection();
  if (state >= Connection.Lost) {
    connectionLost(state);
    return false;
  }
  if (state === Connection.Open && !open) {
    open = true;
    log(Log.VhostConnected, 0);
  }
  if (isWaiting()) {
    return false;
  }
  let budget: number = Budget.Messages;
  while (budget > 0 && messageBytes() !== 0 && !isWaiting() && isStill()) {
    handleMessage();
    endMessage();
    release();
    budget -= 1;
  }
  let ring = nextKick();
  while (ring >= 0) {
    // A kick may be older than the message that stopped its ring.
    if (isRunning(ring)) {
      askKick(ring);
    }
    ring = nextKick();
  }
  return messageBytes() !== 0 && !isWaiting();
}

/** Second half of a pass: tells the driver of used buffers, and the front side of rings that broke a rule. */
export function sendAll(): void {
  let entry = nextEvent(0);
  while (entry >= 0) {
    if (eventId(entry) !== MessageId.EventUsed) {
      tellErrors();
    } else if (queueDevice[entry] === device) {
      call(queueIndex[entry]);
    }
    entry = nextEvent(0);
  }
}

function tellErrors(): void {
  for (let ring = 0; ring < rings(); ring++) {
    if (queueState[firstQueue[device] + ring] === QueueState.Broken) {
      signalError(ring);
    }
  }
}

/** Microseconds the loop may sleep: everything here has a descriptor to wait for, but the end of a slow reset. */
export function pollInterval(): number {
  return waits !== 0 ? Budget.WaitPoll : Budget.RunningPoll;
}
