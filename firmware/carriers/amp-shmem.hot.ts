// The AMP shared-memory carrier, layout v1: handshake, message slots and one doorbell per pass.
//
// The device side writes a 64-byte header that describes the rest; each side has a queue head of four words (magic,
// status, tail = next element it writes, head = next element it reads from the peer) and a ring of 64-byte elements.
import { barrier, log, ring, windowWords } from '#port';
import { traced, traceElement } from '#trace';
import { Budget, Capacity } from '../capacity.js';
import { BusMessageId, MessageType } from '../wire/message.js';
import { Log } from '../wire/log.js';
import { Notification } from '../wire/notification.js';
import { receive } from '../bus/bus.hot.js';
import { logDiscarded } from '../bus/frame.hot.js';
import { forgetBusEvents } from '../bus/bus-events.hot.js';
import { ownFeatures } from '../bus/bus-table.hot.js';
import { sendNext } from '../bus/send.hot.js';
import { nextParked, parkedAt, parkedCount, unpark } from '../bus/stray.hot.js';
import { proposeRevision, resetAgreement, Revision } from '../bus/revision.hot.js';
import { deviceBus, deviceCount, deviceStatus } from '../transport/device.hot.js';
import { anyEvent } from '../transport/events.hot.js';
import { waits } from '../transport/wait.hot.js';
import { resetBusDevices } from '../transport/status.hot.js';
import { announceMessages, announceUsed, notification, restartWords, takeNotifications } from './amp-notify.hot.js';

export const enum Layout {
  Magic = 0x4c4f,
  HeadMagic = 0x514f,
  HeaderBytes = 64,
  Version = 1,
  /** Bytes of a queue element: the known driver reads and writes exactly 64. */
  ElementBytes = 64,
  ElementWords = 32,
  /** Words inside a queue head. */
  HeadMagicWord = 0,
  HeadStatusWord = 1,
  HeadTailWord = 2,
  HeadHeadWord = 3,
  /** The bits of the status word that hold the state; others are hints. */
  StatusMask = 31,
}

/** States of a queue head. */
export const enum Peer {
  Init = 0,
  Ready = 1,
  Run = 2,
  Shutdown = 3,
  Dead = 4,
}

/** Where each bus's layout lies: window, and the word indices of both queue heads and rings. */
export const layoutWindow = new Uint8Array(Capacity.Buses);
export const deviceHeadAt = new Int32Array(Capacity.Buses);
export const driverHeadAt = new Int32Array(Capacity.Buses);
export const deviceElementsAt = new Int32Array(Capacity.Buses);
export const driverElementsAt = new Int32Array(Capacity.Buses);
/** Elements of each ring; one always stays empty. */
export const elementCount = new Uint16Array(Capacity.Buses);

/** Own state and indices of the buses that are not open; what stands in shared memory is only a copy for the driver. */
const stateOf = new Uint8Array(Capacity.Buses);
const tailOf = new Uint16Array(Capacity.Buses);
const headOf = new Uint16Array(Capacity.Buses);
const peerHeadOf = new Uint16Array(Capacity.Buses);
const publishedTailOf = new Uint16Array(Capacity.Buses);
const blockedOf = new Uint8Array(Capacity.Buses);

/** The head up to which elements were traced; used in traced builds only. */
const tracedHead = new Uint16Array(Capacity.Buses);

/** The open bus; -1 = none. Its rows are held in variables, since every pass needs most of them (see virtqueue/split.hot.ts). */
let openRow = -1;
let window = 0;
let ownHeadAt = 0;
let peerHeadAt = 0;
let ownElementsAt = 0;
let peerElementsAt = 0;
let count = 0;
let state: number = Peer.Init;
let tail = 0;
let head = 0;
/** The driver's head as last seen plausible. */
let peerHead = 0;
/** The tail the driver can see. */
let publishedTail = 0;
/** Something waits for room in the outgoing ring. The driver rings nothing when it makes room, so the loop looks often. */
let blocked = false;
/** Buffers are announced out of band, too (amp-notify.hot.ts). */
let outOfBand = false;
/** Microseconds the loop may sleep at most, for this bus. */
let longestPause = 0;

/** Longest sleep of the loop in microseconds, for buses without doorbells. */
export const pollLimit = new Int32Array(Capacity.Buses);

let busCount = 0;
/** Microseconds the loop may sleep, for all buses: found out at the end of each pass. */
let interval = 0;

/** Puts the open bus's rows back into the tables. */
function close(): void {
  if (openRow >= 0) {
    stateOf[openRow] = state;
    tailOf[openRow] = tail;
    headOf[openRow] = head;
    peerHeadOf[openRow] = peerHead;
    publishedTailOf[openRow] = publishedTail;
    blockedOf[openRow] = blocked ? 1 : 0;
    openRow = -1;
  }
}

/** `number` buses have their tables filled. */
export function setBusCount(number: number): void {
  close();
  busCount = number;
}

/** Makes `bus` the open one. */
function open(bus: number): void {
  close();
  openRow = bus;
  window = layoutWindow[bus];
  ownHeadAt = deviceHeadAt[bus];
  peerHeadAt = driverHeadAt[bus];
  ownElementsAt = deviceElementsAt[bus];
  peerElementsAt = driverElementsAt[bus];
  count = elementCount[bus];
  state = stateOf[bus];
  tail = tailOf[bus];
  head = headOf[bus];
  peerHead = peerHeadOf[bus];
  publishedTail = publishedTailOf[bus];
  blocked = blockedOf[bus] === 1;
  outOfBand = notification[bus] !== Notification.Messages;
  longestPause = pollLimit[bus] < Budget.RunningPoll ? pollLimit[bus] : Budget.RunningPoll;
}

/** Enters `next` and shows it in the own queue head, tail and head before it. */
function enter(next: number): void {
  const memory = windowWords[window];
  state = next;
  memory[ownHeadAt + Layout.HeadTailWord] = tail;
  memory[ownHeadAt + Layout.HeadHeadWord] = head;
  barrier();
  memory[ownHeadAt + Layout.HeadStatusWord] = state;
}

/** Starts the handshake from the beginning: INIT, indices 0, nothing left of an earlier life. @rare */
export function restart(bus: number): void {
  if (bus !== openRow) {
    open(bus);
  }
  tail = 0;
  head = 0;
  peerHead = 0;
  publishedTail = 0;
  if (traced) {
    tracedHead[bus] = 0;
  }
  blocked = false;
  parkedCount[bus] = 0;
  restartWords(bus);
  resetAgreement(bus);
  forgetBusEvents(bus);
  enter(Peer.Init);
}

/** The driver side vanished: all its devices are reset without a message, then the handshake begins anew. @rare */
function driverGone(bus: number, reason: number): void {
  logDiscarded();
  log(reason, bus);
  resetBusDevices(bus);
  restart(bus);
}

/** One step of the handshake; returns true while messages may flow. */
function handshake(bus: number): boolean {
  const memory = windowWords[window];
  const magic = memory[peerHeadAt + Layout.HeadMagicWord];
  const peer = memory[peerHeadAt + Layout.HeadStatusWord] & Layout.StatusMask;
  if (state === Peer.Run) {
    if (magic === Layout.HeadMagic && (peer === Peer.Run || peer === Peer.Ready)) {
      return true;
    }
    driverGone(bus, peer === Peer.Shutdown ? Log.DriverShutdown : Log.DriverLost);
    return false;
  }
  if (magic !== Layout.HeadMagic || peer > Peer.Run) {
    if (state !== Peer.Init) {
      restart(bus);
    }
    return false;
  }
  if (state === Peer.Init) {
    enter(Peer.Ready);
    log(Log.Ready, bus);
    // Before READY a doorbell finds the driver without its tables.
    if (peer !== Peer.Init) {
      ring(bus);
    }
  }
  if (peer === Peer.Init) {
    return false;
  }
  // The driver's indices count from its READY on; nothing has been sent to it, so it cannot have read anything.
  barrier();
  if (memory[peerHeadAt + Layout.HeadHeadWord] !== 0 || memory[peerHeadAt + Layout.HeadTailWord] >= count) {
    return false;
  }
  // The layout has no field for revision or features: its version stands for revision 1, features are configured at both ends.
  if (!proposeRevision(bus, Revision.Newest, Layout.ElementBytes, ownFeatures[bus], 0)) {
    return false;
  }
  enter(Peer.Run);
  log(Log.Run, bus);
  ring(bus);
  return true;
}

/** True when any device of the bus has left its reset state. */
function anyActive(bus: number): boolean {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus && deviceStatus[device] !== 0) {
      return true;
    }
  }
  return false;
}

/**
 * True when a driver whose indices say "nothing read, `peerTail` (0 or 1) written" is one that came back unseen: it has
 * asked for the devices in element 0 while one is in use; or it has cleared its ring, so that the next element, which would
 * be there if it had gone round, holds nothing; or it is about to.
 */
function cameBack(bus: number, peerTail: number): boolean {
  const memory = windowWords[window];
  const first = memory[peerElementsAt];
  if (peerTail === 1 && (first & MessageType.Defined) === MessageType.Bus && first >> 8 === BusMessageId.GetDevices && anyActive(bus)) {
    return true;
  }
  if (head === peerTail) {
    return false;
  }
  // No message is without id and size, whatever the profile: they stand in the first four words.
  const next = peerElementsAt + head * Layout.ElementWords;
  const header = memory[next] | memory[next + 1] | memory[next + 2] | memory[next + 3];
  return header === 0 || memory[peerHeadAt + Layout.HeadMagicWord] !== Layout.HeadMagic;
}

/** Elements of the outgoing ring that are free, after a plausible look at the driver's head; -1 = implausible. */
function freeElements(): number {
  const seen = windowWords[window][peerHeadAt + Layout.HeadHeadWord];
  if (seen >= count) {
    return -1;
  }
  const unreadBefore = tail - peerHead + (tail < peerHead ? count : 0);
  const unread = tail - seen + (tail < seen ? count : 0);
  // The driver's head only moves towards our tail.
  if (unread > unreadBefore) {
    return -1;
  }
  peerHead = seen;
  return count - 1 - unread;
}

/**
 * Takes up to Budget.Messages messages of `bus` and answers them in place in the outgoing ring. Stops, without losing
 * order, when the outgoing ring is full. Returns true when messages are left that could be handled now.
 */
function receiveMessages(bus: number): boolean {
  let free = freeElements();
  const peerTail = windowWords[window][peerHeadAt + Layout.HeadTailWord];
  if (free < 0 || peerTail >= count) {
    driverGone(bus, Log.DriverLost);
    return true;
  }
  // The elements are read after the tail that shows them.
  barrier();
  if (peerTail < 2 && peerHead === 0 && cameBack(bus, peerTail)) {
    driverGone(bus, Log.DriverLost);
    return true;
  }
  let budget: number = Budget.Messages;
  if (parkedCount[bus] !== 0) {
    free = receiveParked(bus, free);
  }
  while (head !== peerTail && free > 0 && budget > 0) {
    budget -= 1;
    const from = peerElementsAt + head * Layout.ElementWords;
    const to = ownElementsAt + tail * Layout.ElementWords;
    const bytes = receive(bus, window, from, Layout.ElementBytes, to);
    if (bytes < 0) {
      // It waits for a device, in order; the loop looks again by itself.
      return false;
    }
    head = head + 1 === count ? 0 : head + 1;
    if (bytes !== 0) {
      tail = tail + 1 === count ? 0 : tail + 1;
      free -= 1;
    }
  }
  blocked = head !== peerTail && free <= 0;
  return head !== peerTail && free > 0;
}

/** Handles requests that waited for their device, as far as `free` elements hold the answers; returns the elements left. @rare */
function receiveParked(bus: number, free: number): number {
  let left = free;
  let slot = nextParked(bus);
  while (slot >= 0 && left > 0) {
    const to = ownElementsAt + tail * Layout.ElementWords;
    const bytes = receive(bus, window, parkedAt(bus, slot), Layout.ElementBytes, to);
    unpark(bus, window, slot);
    if (bytes > 0) {
      tail = tail + 1 === count ? 0 : tail + 1;
      left -= 1;
    }
    slot = nextParked(bus);
  }
  return left;
}

/** Writes the events that wait into free elements. */
function sendEvents(bus: number): void {
  let free = freeElements();
  while (free > 0) {
    if (sendNext(bus, window, ownElementsAt + tail * Layout.ElementWords) === 0) {
      return;
    }
    tail = tail + 1 === count ? 0 : tail + 1;
    free -= 1;
  }
  if (anyEvent(bus)) {
    blocked = true;
  }
}

/** First half of a pass: handshake and messages of every bus. Returns true when work is left. */
export function receiveAll(): boolean {
  let left = false;
  for (let bus = 0; bus < busCount; bus++) {
    if (bus !== openRow) {
      open(bus);
    }
    if (handshake(bus)) {
      if (receiveMessages(bus)) {
        left = true;
      }
      if (outOfBand) {
        takeNotifications(bus);
      }
    }
  }
  return left;
}

/** Traces what this pass took and made, before the driver side can write over it. */
function traceNew(bus: number): void {
  let at = tracedHead[bus];
  while (at !== head) {
    traceElement(1, window, (peerElementsAt + at * Layout.ElementWords) * 2, Layout.ElementBytes);
    at = at + 1 === count ? 0 : at + 1;
  }
  tracedHead[bus] = at;
  at = publishedTail;
  while (at !== tail) {
    traceElement(0, window, (ownElementsAt + at * Layout.ElementWords) * 2, Layout.ElementBytes);
    at = at + 1 === count ? 0 : at + 1;
  }
}

/** Shows the driver what was read and written since the last time; returns true when it is something new to read. */
function publish(bus: number): boolean {
  const memory = windowWords[window];
  if (traced) {
    traceNew(bus);
  }
  barrier();
  memory[ownHeadAt + Layout.HeadHeadWord] = head;
  if (tail === publishedTail) {
    return false;
  }
  memory[ownHeadAt + Layout.HeadTailWord] = tail;
  publishedTail = tail;
  return true;
}

/** Out of band: shows the answers of this pass, then announces queues; returns true when a doorbell is due. @rare */
function announceOutOfBand(bus: number): boolean {
  const answers = publish(bus) && announceMessages(bus);
  return announceUsed(bus) || answers;
}

/** Second half of a pass: events, then the new tail and head in one step and one doorbell for all of it. */
export function sendAll(): void {
  interval = Budget.RunningPoll;
  for (let bus = 0; bus < busCount; bus++) {
    if (bus !== openRow) {
      open(bus);
    }
    let pause = longestPause;
    if (state === Peer.Run) {
      let rings = false;
      if (outOfBand) {
        rings = announceOutOfBand(bus);
      }
      if (anyEvent(bus)) {
        sendEvents(bus);
      }
      if (publish(bus) && (!outOfBand || announceMessages(bus))) {
        rings = true;
      }
      if (rings) {
        barrier();
        ring(bus);
      }
      if (blocked && pause > Budget.BlockedPoll) {
        pause = Budget.BlockedPoll;
      }
    } else if (pause > Budget.HandshakePoll) {
      pause = Budget.HandshakePoll;
    }
    if (pause < interval) {
      interval = pause;
    }
  }
}

/** Microseconds the loop may sleep after a pass when no doorbell rings. */
export function pollInterval(): number {
  return waits !== 0 && interval > Budget.WaitPoll ? Budget.WaitPoll : interval;
}
