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

/** Own state and indices; what stands in shared memory is only a copy for the driver. */
const state = new Uint8Array(Capacity.Buses);
const tail = new Uint16Array(Capacity.Buses);
const head = new Uint16Array(Capacity.Buses);
/** The driver's head as last seen plausible. */
const peerHead = new Uint16Array(Capacity.Buses);
/** The tail the driver can see. */
const publishedTail = new Uint16Array(Capacity.Buses);

/** The head up to which elements were traced; used in traced builds only. */
const tracedHead = new Uint16Array(Capacity.Buses);

/** 1 = something waits for room in the outgoing ring. The driver rings nothing when it makes room, so the loop looks often. */
const blocked = new Uint8Array(Capacity.Buses);

/** Longest sleep of the loop in microseconds, for buses without doorbells. */
export const pollLimit = new Int32Array(Capacity.Buses);

let busCount = 0;

export function setBusCount(count: number): void {
  busCount = count;
}

/** Writes the own queue head's status, tail and head. */
function writeHead(bus: number): void {
  const memory = windowWords[layoutWindow[bus]];
  const at = deviceHeadAt[bus];
  memory[at + Layout.HeadTailWord] = tail[bus];
  memory[at + Layout.HeadHeadWord] = head[bus];
  barrier();
  memory[at + Layout.HeadStatusWord] = state[bus];
}

function enter(bus: number, next: number): void {
  state[bus] = next;
  writeHead(bus);
}

/** Starts the handshake from the beginning: INIT, indices 0, nothing left of an earlier life. */
export function restart(bus: number): void {
  tail[bus] = 0;
  head[bus] = 0;
  peerHead[bus] = 0;
  publishedTail[bus] = 0;
  if (traced) {
    tracedHead[bus] = 0;
  }
  blocked[bus] = 0;
  parkedCount[bus] = 0;
  restartWords(bus);
  resetAgreement(bus);
  forgetBusEvents(bus);
  enter(bus, Peer.Init);
}

/** The driver side vanished: all its devices are reset without a message, then the handshake begins anew. @rare */
function driverGone(bus: number, reason: number): void {
  log(reason, bus);
  resetBusDevices(bus);
  restart(bus);
}

/** One step of the handshake; returns true while messages may flow. */
function handshake(bus: number): boolean {
  const memory = windowWords[layoutWindow[bus]];
  const at = driverHeadAt[bus];
  const magic = memory[at + Layout.HeadMagicWord];
  const peer = memory[at + Layout.HeadStatusWord] & Layout.StatusMask;
  if (state[bus] === Peer.Run) {
    if (magic === Layout.HeadMagic && (peer === Peer.Run || peer === Peer.Ready)) {
      return true;
    }
    driverGone(bus, peer === Peer.Shutdown ? Log.DriverShutdown : Log.DriverLost);
    return false;
  }
  if (magic !== Layout.HeadMagic || peer > Peer.Run) {
    if (state[bus] !== Peer.Init) {
      restart(bus);
    }
    return false;
  }
  if (state[bus] === Peer.Init) {
    enter(bus, Peer.Ready);
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
  if (memory[at + Layout.HeadHeadWord] !== 0 || memory[at + Layout.HeadTailWord] >= elementCount[bus]) {
    return false;
  }
  // The layout has no field for revision or features: its version stands for revision 1, features are configured at both ends.
  if (!proposeRevision(bus, Revision.Newest, Layout.ElementBytes, ownFeatures[bus], 0)) {
    return false;
  }
  enter(bus, Peer.Run);
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

/** True when the slot at word `at` holds a GET_DEVICES: what a driver that starts sends first. */
function isGetDevices(window: number, at: number): boolean {
  const word = windowWords[window][at];
  return (word & MessageType.Defined) === MessageType.Bus && word >> 8 === BusMessageId.GetDevices;
}

/** Elements of the outgoing ring that are free, after a plausible look at the driver's head; -1 = implausible. */
function freeElements(bus: number): number {
  const count = elementCount[bus];
  const seen = windowWords[layoutWindow[bus]][driverHeadAt[bus] + Layout.HeadHeadWord];
  if (seen >= count) {
    return -1;
  }
  const unreadBefore = tail[bus] - peerHead[bus] + (tail[bus] < peerHead[bus] ? count : 0);
  const unread = tail[bus] - seen + (tail[bus] < seen ? count : 0);
  // The driver's head only moves towards our tail.
  if (unread > unreadBefore) {
    return -1;
  }
  peerHead[bus] = seen;
  return count - 1 - unread;
}

/**
 * Takes up to Budget.Messages messages of `bus` and answers them in place in the outgoing ring. Stops, without losing
 * order, when the outgoing ring is full. Returns true when messages are left that could be handled now.
 */
function receiveMessages(bus: number): boolean {
  const window = layoutWindow[bus];
  const memory = windowWords[window];
  const count = elementCount[bus];
  let free = freeElements(bus);
  const peerTail = memory[driverHeadAt[bus] + Layout.HeadTailWord];
  if (free < 0 || peerTail >= count) {
    driverGone(bus, Log.DriverLost);
    return true;
  }
  // A driver that came back unseen has asked for the devices in element 0 and read nothing yet, wherever we are.
  if (peerTail === 1 && peerHead[bus] === 0 && isGetDevices(window, driverElementsAt[bus]) && anyActive(bus)) {
    driverGone(bus, Log.DriverLost);
    return true;
  }
  // The elements are read after the tail that shows them.
  barrier();
  let budget: number = Budget.Messages;
  if (parkedCount[bus] !== 0) {
    free = receiveParked(bus, free);
  }
  while (head[bus] !== peerTail && free > 0 && budget > 0) {
    budget -= 1;
    const from = driverElementsAt[bus] + head[bus] * Layout.ElementWords;
    const to = deviceElementsAt[bus] + tail[bus] * Layout.ElementWords;
    const bytes = receive(bus, window, from, Layout.ElementBytes, to);
    if (bytes < 0) {
      // It waits for a device, in order; the loop looks again by itself.
      return false;
    }
    head[bus] = head[bus] + 1 === count ? 0 : head[bus] + 1;
    if (bytes !== 0) {
      tail[bus] = tail[bus] + 1 === count ? 0 : tail[bus] + 1;
      free -= 1;
    }
  }
  blocked[bus] = head[bus] !== peerTail && free <= 0 ? 1 : 0;
  return head[bus] !== peerTail && free > 0;
}

/** Handles requests that waited for their device, as far as `free` elements hold the answers; returns the elements left. */
function receiveParked(bus: number, free: number): number {
  const window = layoutWindow[bus];
  let left = free;
  let slot = nextParked(bus);
  while (slot >= 0 && left > 0) {
    const to = deviceElementsAt[bus] + tail[bus] * Layout.ElementWords;
    const bytes = receive(bus, window, parkedAt(bus, slot), Layout.ElementBytes, to);
    unpark(bus, window, slot);
    if (bytes > 0) {
      tail[bus] = tail[bus] + 1 === elementCount[bus] ? 0 : tail[bus] + 1;
      left -= 1;
    }
    slot = nextParked(bus);
  }
  return left;
}

/** Writes the events that wait into free elements. */
function sendEvents(bus: number): void {
  let free = freeElements(bus);
  while (free > 0) {
    if (sendNext(bus, layoutWindow[bus], deviceElementsAt[bus] + tail[bus] * Layout.ElementWords) === 0) {
      return;
    }
    tail[bus] = tail[bus] + 1 === elementCount[bus] ? 0 : tail[bus] + 1;
    free -= 1;
  }
  if (anyEvent(bus)) {
    blocked[bus] = 1;
  }
}

/** First half of a pass: handshake and messages of every bus. Returns true when work is left. */
export function receiveAll(): boolean {
  let left = false;
  for (let bus = 0; bus < busCount; bus++) {
    if (handshake(bus)) {
      if (receiveMessages(bus)) {
        left = true;
      }
      if (notification[bus] !== Notification.Messages) {
        takeNotifications(bus);
      }
    }
  }
  return left;
}

/** Traces what this pass took and made, before the driver side can write over it. */
function traceNew(bus: number): void {
  const window = layoutWindow[bus];
  const count = elementCount[bus];
  let at = tracedHead[bus];
  while (at !== head[bus]) {
    traceElement(1, window, (driverElementsAt[bus] + at * Layout.ElementWords) * 2, Layout.ElementBytes);
    at = at + 1 === count ? 0 : at + 1;
  }
  tracedHead[bus] = at;
  at = publishedTail[bus];
  while (at !== tail[bus]) {
    traceElement(0, window, (deviceElementsAt[bus] + at * Layout.ElementWords) * 2, Layout.ElementBytes);
    at = at + 1 === count ? 0 : at + 1;
  }
}

/** Shows the driver what was read and written since the last time; returns true when it is something new to read. */
function publish(bus: number): boolean {
  const memory = windowWords[layoutWindow[bus]];
  const at = deviceHeadAt[bus];
  if (traced) {
    traceNew(bus);
  }
  barrier();
  memory[at + Layout.HeadHeadWord] = head[bus];
  if (tail[bus] === publishedTail[bus]) {
    return false;
  }
  memory[at + Layout.HeadTailWord] = tail[bus];
  publishedTail[bus] = tail[bus];
  return true;
}

/** Second half of a pass: events, then the new tail and head in one step and one doorbell for all of it. */
export function sendAll(): void {
  for (let bus = 0; bus < busCount; bus++) {
    if (state[bus] === Peer.Run) {
      let rings = false;
      if (notification[bus] !== Notification.Messages) {
        rings = publish(bus) && announceMessages(bus);
        rings = announceUsed(bus) || rings;
      }
      if (anyEvent(bus)) {
        sendEvents(bus);
      }
      if (publish(bus) && announceMessages(bus)) {
        rings = true;
      }
      if (rings) {
        barrier();
        ring(bus);
      }
    }
  }
}

/** Microseconds the loop may sleep when no doorbell rings. */
export function pollInterval(): number {
  let interval: number = waits === 0 ? Budget.RunningPoll : Budget.WaitPoll;
  for (let bus = 0; bus < busCount; bus++) {
    if (blocked[bus] === 1) {
      return Budget.BlockedPoll;
    }
    if (pollLimit[bus] < interval) {
      interval = pollLimit[bus];
    }
    if (state[bus] !== Peer.Run && interval > Budget.HandshakePoll) {
      interval = Budget.HandshakePoll;
    }
  }
  return interval;
}
