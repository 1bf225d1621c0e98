// The rings as the front side has described them; starts each one in the device core once everything is there.
//
// A ring needs its size, its addresses and a kick descriptor, and, with protocol features, to be enabled. It runs until
// GET_VRING_BASE, and its position outlives that: the driver goes on where it was.
import { log, windowWords } from '#port';
import { call, keepCall, keepError, keepKick, messageWindow } from '#vhost-user';
import { MachineLimit, MessageWindow } from '../../../hal/vhost-user.js';
import { deviceStatus, firstQueue, queueCount } from '../../transport/device.hot.js';
import { queuePosition, setQueuePosition } from '../../virtqueue/queue.hot.js';
import {
  descriptorAt,
  descriptorWindow,
  deviceAt,
  deviceWindow,
  driverAt,
  driverWindow,
  nextAvailable,
  queueState,
  QueueState,
} from '../../virtqueue/queue-table.hot.js';
import { Log } from '../../wire/log.js';
import { MessageId } from '../../wire/message.js';
import { Status } from '../../wire/status.js';
import { ask, askStatus, setWord } from './ask.hot.js';
import { Start, startRecord, stopRecord } from './inflight-region.hot.js';
import { guestAddress, toGuest } from './regions.hot.js';
import { Message, Refusal } from '../../wire/vhost-user.js';

/** Where a packed ring begins: entry 0, wrap counter 1. */
const firstPacked = 0x8000;

/** Words of a packed ring's descriptor, and which of them are its flags. */
const enum Entry {
  Words = 8,
  Flags = 7,
}

/** What is known of a ring. */
const enum Known {
  Size = 1,
  Addresses = 2,
  Kick = 4,
  All = 7,
}

const known = new Uint8Array(MachineLimit.Rings);
const size = new Uint16Array(MachineLimit.Rings);
/** Front side's addresses in the message's order (descriptors, used ring, available ring), four halves each. */
const addresses = new Uint16Array(MachineLimit.Rings * 12);
/** Where the ring goes on: split, the index; packed, index and wrap counter; -1 = at its beginning. */
const base = new Int32Array(MachineLimit.Rings);
const enabled = new Uint8Array(MachineLimit.Rings);
/** 1 = the device core has the queue. */
const running = new Uint8Array(MachineLimit.Rings);

/** The device's row. */
export let device = 0;
/** The features set by the front side, four halves; 1 = rings start disabled and are enabled by message. */
export const features = new Uint16Array(4);
let enabledByMessage = false;

/** The front side has agreed on the same features again: the next base tells whether this is the same life of the device. */
let resuming = false;

export function setEnabledByMessage(wanted: boolean): void {
  enabledByMessage = wanted;
}

export function setDevice(row: number): void {
  device = row;
}

/** Virtqueues of the device. */
export function rings(): number {
  return queueCount[device];
}

export function isRunning(ring: number): boolean {
  return running[ring] === 1;
}

/** True while any ring runs. */
export function anyRunning(): boolean {
  for (let ring = 0; ring < queueCount[device]; ring++) {
    if (running[ring] === 1) {
      return true;
    }
  }
  return false;
}

/** Hands the features to the device and asks for FEATURES_OK; true when it has accepted. */
export function agree(): boolean {
  if ((deviceStatus[device] & Status.FeaturesOk) !== 0) {
    return true;
  }
  askStatus(Status.Acknowledge | Status.Driver);
  setWord(0, 0);
  setWord(1, 0);
  setWord(2, 2);
  setWord(3, 0);
  for (let half = 0; half < 4; half++) {
    setWord(4 + half, features[half]);
  }
  ask(MessageId.SetDriverFeatures, 16);
  return (askStatus(Status.Acknowledge | Status.Driver | Status.FeaturesOk) & Status.FeaturesOk) !== 0;
}

/** Sets the word pair of an area of SET_VQUEUE from the ring's address number `from`; false when no region holds it. */
function setArea(ring: number, from: number, area: number): boolean {
  const at = ring * 12 + from * 4;
  if (!toGuest(addresses[at], addresses[at + 1], addresses[at + 2], addresses[at + 3])) {
    return false;
  }
  for (let half = 0; half < 4; half++) {
    setWord(8 + area * 4 + half, guestAddress[half]);
  }
  return true;
}

/** True when the stopped device has agreed on its features and may go on as it is. @rare */
export function mayResume(): boolean {
  resuming = (deviceStatus[device] & Status.FeaturesOk) !== 0;
  return resuming;
}

/** Where `ring` goes on as far as the front side has said, or begins: index 0 and, packed, wrap counter 1. */
function positionOf(ring: number): number {
  if (base[ring] < 0) {
    return isPacked() ? firstPacked : 0;
  }
  return base[ring];
}

/** Starts `ring` if everything is there and it does not run yet. Returns a Refusal; None also when something is still to come. @rare */
export function startRing(ring: number): number {
  if (running[ring] === 1 || known[ring] !== Known.All || (enabledByMessage && enabled[ring] === 0)) {
    return Refusal.None;
  }
  if (!agree()) {
    return Refusal.NotAgreed;
  }
  // Descriptor, driver and device area: descriptors, available ring, used ring.
  if (!setArea(ring, 0, 0) || !setArea(ring, 2, 1) || !setArea(ring, 1, 2)) {
    return Refusal.Address;
  }
  setWord(0, ring);
  setWord(1, 0);
  setWord(2, 0);
  setWord(3, 0);
  setWord(4, size[ring]);
  setWord(5, 0);
  setWord(6, 0);
  setWord(7, 0);
  ask(MessageId.SetVqueue, 40);
  const queue = firstQueue[device] + ring;
  if (queueState[queue] !== QueueState.Enabled) {
    return Refusal.Address;
  }
  const recorded = startRecord(queue, ring, isPacked(), positionOf(ring));
  if (recorded === Start.Senseless) {
    stopQueue(ring);
    return Refusal.Inflight;
  }
  const position = recorded === Start.Unrecorded ? base[ring] : recorded;
  if (position >= 0) {
    if (!setQueuePosition(queue, position)) {
      stopQueue(ring);
      return Refusal.Base;
    }
    // The driver may wait for what an earlier device side finished and did not announce.
    call(ring);
  }
  running[ring] = 1;
  // With this the device looks at its queues, as it does for buffers made available before DRIVER_OK.
  askStatus(Status.Acknowledge | Status.Driver | Status.FeaturesOk | Status.DriverOk);
  return Refusal.None;
}

function stopQueue(ring: number): void {
  stopRecord(firstQueue[device] + ring);
  setWord(0, ring);
  setWord(1, 0);
  ask(MessageId.ResetVqueue, 4);
}

/** Tells where `ring` stands, for the report of a hang. */
function logPlace(ring: number): void {
  const queue = firstQueue[device] + ring;
  const taken = nextAvailable[queue];
  const available = isPacked()
    ? windowWords[descriptorWindow[queue]][descriptorAt[queue] + (taken & 0x7fff) * Entry.Words + Entry.Flags]
    : windowWords[driverWindow[queue]][driverAt[queue] + 1];
  const used = isPacked()
    ? windowWords[descriptorWindow[queue]][descriptorAt[queue] + (base[ring] & 0x7fff) * Entry.Words + Entry.Flags]
    : windowWords[deviceWindow[queue]][deviceAt[queue] + 1];
  log(Log.VhostStopped, ring * 65536 + base[ring]);
  log(Log.VhostTaken, ring * 65536 + taken);
  log(Log.VhostAvailable, ring * 65536 + available);
  log(Log.VhostUsed, ring * 65536 + used);
}

/** Stops `ring`; `base` is where it goes on. @rare */
export function stopRing(ring: number): void {
  if (running[ring] === 1) {
    base[ring] = queuePosition(firstQueue[device] + ring);
    logPlace(ring);
    running[ring] = 0;
    stopQueue(ring);
  }
}

/** Starts every ring that can run; returns the first Refusal. */
export function startRings(): number {
  let refusal: number = Refusal.None;
  for (let ring = 0; ring < queueCount[device]; ring++) {
    const found = startRing(ring);
    if (refusal === Refusal.None) {
      refusal = found;
    }
  }
  return refusal;
}

export function stopRings(): void {
  for (let ring = 0; ring < queueCount[device]; ring++) {
    stopRing(ring);
  }
}

/** The device forgets everything, the rings stop; what the front side has said of them stays. */
export function resetRings(): void {
  stopRings();
  resuming = false;
  askStatus(0);
}

/** True when the front side set RING_PACKED (bit 34). */
export function isPacked(): boolean {
  return (features[2] & 4) !== 0;
}

/** Rings begin at their beginning, disabled. */
export function forgetPositions(): void {
  for (let ring = 0; ring < queueCount[device]; ring++) {
    base[ring] = -1;
    enabled[ring] = 0;
  }
}

/** The connection begins or is over: nothing is known. @rare */
export function forgetRings(): void {
  resetRings();
  enabledByMessage = false;
  for (let half = 0; half < 4; half++) {
    features[half] = 0;
  }
  for (let ring = 0; ring < queueCount[device]; ring++) {
    known[ring] = 0;
    keepKick(ring, -1);
    keepCall(ring, -1);
    keepError(ring, -1);
  }
  forgetPositions();
}

/** Sets a stopped ring's number of entries, 1..32768; its queue has its own limit. */
export function setSize(ring: number, entries: number): void {
  size[ring] = entries;
  known[ring] = known[ring] | Known.Size;
}

/** Takes the addresses from the message at hand; a ring that runs goes on with the new ones. */
export function setAddresses(ring: number): number {
  const memory = windowWords[messageWindow];
  const from = (MessageWindow.Incoming >> 1) + Message.PayloadWord + 4;
  stopRing(ring);
  for (let half = 0; half < 12; half++) {
    addresses[ring * 12 + half] = memory[from + half];
  }
  known[ring] = known[ring] | Known.Addresses;
  return startRing(ring);
}

/**
 * Where a stopped ring goes on. A paused machine and a driver that has reset its device look alike but for this: after a pause
 * the rings go on where they were, and so does the device; a ring that begins at its beginning begins a new life.
 */
export function setBase(ring: number, position: number): void {
  if (resuming) {
    resuming = false;
    if (position === (isPacked() ? firstPacked : 0)) {
      resetRings();
    }
  }
  base[ring] = position;
}

/** The kick descriptor has come. */
export function setKicked(ring: number): number {
  known[ring] = known[ring] | Known.Kick;
  return startRing(ring);
}

/** Stops `ring` for GET_VRING_BASE; it starts again with a new kick descriptor. Returns its position. */
export function takeBase(ring: number): number {
  stopRing(ring);
  known[ring] = known[ring] & ~Known.Kick;
  keepKick(ring, -1);
  return positionOf(ring);
}

/** SET_VRING_ENABLE: a disabled ring is not looked at and keeps its position. */
export function setEnabled(ring: number, wanted: boolean): number {
  enabled[ring] = wanted ? 1 : 0;
  if (!wanted) {
    stopRing(ring);
    return Refusal.None;
  }
  return startRing(ring);
}
