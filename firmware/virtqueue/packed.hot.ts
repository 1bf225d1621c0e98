// The packed ring (virtio 1.4, Packed Virtqueues): one ring of descriptors that both sides write, two event structures.
//
// Positions are descriptor indices with the wrap counter in bit 15, as the event structures have them.
import { forgetList, noteList, noteShownLists, noteUsedList, noteUsedPosition, tracked } from '#inflight';
import { barrier, clean, invalidate, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { bufferId, walkPacked } from './chain.hot.js';
import { deviceArea, deviceAreaAt, deviceCached, driverArea, driverAreaAt, driverCached, eventIdx, inOrder, ringAt, ringCached, ringWindow, size } from './open-queue.hot.js';
import { nextAvailable, nextUsed, PassEnd, publishedUsed, Take } from './queue-table.hot.js';

const enum Packed {
  /** Word and bits of a descriptor's flags. */
  FlagsWord = 7,
  Write = 2,
  Available = 0x80,
  Used = 0x8000,
  AvailableAndUsed = 0x8080,
  /** The wrap counter in a position. */
  Wrap = 0x8000,
  Index = 0x7fff,
  /** Values of an event structure's flags. */
  EventEnable = 0,
  EventDisable = 1,
  EventDescriptor = 2,
  /** A chain's handle: its buffer id and, from here on, its ring slots. */
  SlotsShift = 16,
}

/**
 * The next chain to take: its descriptor, and the bit that shows it is available in this lap of the ring (Packed.Available while
 * the wrap counter is 1, Packed.Used while it is 0; the other bit is clear, R-383).
 */
let next = 0;
let sign: number = Packed.Available;
/** Positions: next used descriptor to write, used descriptors the driver can see. */
let used = 0;
let published = 0;
/** Ring slots taken from the driver and not yet shown as used; never more than the ring has. */
let slotsHeld = 0;
/** Flags of the first used descriptor since the last pass ended: written last, so that all become visible together. */
let firstFlags = 0;
/** Slots of the chain taken last, in case it is put back. */
let lastSlots = 0;
/** IN_ORDER: whether the descriptor at `batchAt` stands for a batch that may still grow. */
let batchOpen = false;
let batchAt = 0;

/** `slotsHeld` of the queues that are not open. */
const slotsHeldOf = new Uint16Array(Capacity.Queues);
/** `firstFlags` of the queues that are not open: chains may be given back between passes. */
const firstFlagsOf = new Uint16Array(Capacity.Queues);

/** A queue begins a life: index 0, wrap counters 1. */
export function startPacked(queue: number): void {
  nextAvailable[queue] = Packed.Wrap;
  nextUsed[queue] = Packed.Wrap;
  publishedUsed[queue] = Packed.Wrap;
  slotsHeldOf[queue] = 0;
}

/** Takes the open queue's positions from the tables. */
export function openPacked(queue: number): void {
  next = nextAvailable[queue] & Packed.Index;
  sign = (nextAvailable[queue] & Packed.Wrap) !== 0 ? Packed.Available : Packed.Used;
  used = nextUsed[queue];
  published = publishedUsed[queue];
  slotsHeld = slotsHeldOf[queue];
  firstFlags = firstFlagsOf[queue];
  batchOpen = false;
}

/** Puts the positions back into the tables. */
export function closePacked(queue: number): void {
  nextAvailable[queue] = nextPosition();
  nextUsed[queue] = used;
  publishedUsed[queue] = published;
  slotsHeldOf[queue] = slotsHeld;
  firstFlagsOf[queue] = firstFlags;
}

/** The position `slots` (0..size) behind `position`. */
function advance(position: number, slots: number): number {
  const index = (position & Packed.Index) + slots;
  if (index >= size) {
    return (index - size) | ((position & Packed.Wrap) ^ Packed.Wrap);
  }
  return index | (position & Packed.Wrap);
}

/** The next chain's position. */
function nextPosition(): number {
  return sign === Packed.Available ? next | Packed.Wrap : next;
}

/** Slots from `from` to `to`, which lies at most one lap ahead; negative when it lies behind in the same lap. */
function distance(from: number, to: number): number {
  const lap = ((from ^ to) & Packed.Wrap) !== 0 ? size : 0;
  return (to & Packed.Index) - (from & Packed.Index) + lap;
}

/** Reads the flags of the descriptor at the next position; true when it is available. */
function isNextAvailable(): boolean {
  const at = ringAt + next * 8;
  if (ringCached) {
    invalidate(ringWindow, at * 2, 16);
  }
  return (windowWords[ringWindow][at + Packed.FlagsWord] & Packed.AvailableAndUsed) === sign;
}

/** Starts a pass: asks the driver not to notify meanwhile. */
export function beginPacked(): void {
  windowWords[deviceArea][deviceAreaAt + 1] = Packed.EventDisable;
  if (deviceCached) {
    clean(deviceArea, (deviceAreaAt + 1) * 2, 2);
  }
}

/** Takes the next available chain; returns its handle, or a value of Take. */
export function takePacked(): number {
  if (slotsHeld === size) {
    return Take.None;
  }
  const slots = walkPacked(next, sign);
  if (slots === 0) {
    return Take.None;
  }
  // Broken, or more than the ring holds with what the driver has not been given back.
  if (slots > size - slotsHeld) {
    return Take.Error;
  }
  if (tracked) {
    noteList(next, slots, bufferId);
  }
  lastSlots = slots;
  slotsHeld += slots;
  next += slots;
  if (next >= size) {
    next -= size;
    sign ^= Packed.AvailableAndUsed;
  }
  return (slots << Packed.SlotsShift) | bufferId;
}

/** The chain taken last is the next one again. */
export function untakePacked(): void {
  if (tracked) {
    forgetList();
  }
  slotsHeld -= lastSlots;
  next -= lastSlots;
  if (next < 0) {
    next += size;
    sign ^= Packed.AvailableAndUsed;
  }
}

/** True when as many slots as the chain of `handle` has are taken and not yet used. */
export function holdsPacked(handle: number): boolean {
  return handle >> Packed.SlotsShift <= distance(used, nextPosition());
}

/** Writes a used descriptor; the driver sees it when the pass ends. `whole`: every writable byte was written. */
export function finishPacked(handle: number, written: number, whole: boolean): void {
  let place = used;
  if (inOrder) {
    if (batchOpen) {
      place = batchAt;
    }
    batchOpen = whole;
    batchAt = place;
  }
  const ring = windowWords[ringWindow];
  const at = ringAt + (place & Packed.Index) * 8;
  ring[at + 4] = written & 65535;
  ring[at + 5] = written >> 16;
  ring[at + 6] = handle & 65535;
  // Both bits show the wrap counter of this position.
  let flags = 0;
  if ((place & Packed.Wrap) !== 0) {
    flags = Packed.AvailableAndUsed;
  }
  if (written !== 0) {
    flags |= Packed.Write;
  }
  if (place === published) {
    firstFlags = flags;
  } else {
    ring[at + Packed.FlagsWord] = flags;
  }
  // Now: the next descriptor may lie on the same cache line, and reading it would drop this one.
  if (ringCached) {
    clean(ringWindow, at * 2, 16);
  }
  used = advance(used, handle >> Packed.SlotsShift);
  if (tracked) {
    noteUsedList(handle & 65535);
  }
}

/**
 * Ends a pass: shows the driver all used descriptors, asks for notifications again when `rearm`, and looks once more.
 * Returns PassEnd bits.
 */
export function endPacked(rearm: boolean): number {
  const old = published;
  const slots = distance(old, used);
  batchOpen = false;
  if (slots !== 0) {
    const ring = windowWords[ringWindow];
    const at = ringAt + (old & Packed.Index) * 8;
    // The flags of the first one show all of them.
    barrier();
    if (tracked) {
      noteUsedPosition(used);
    }
    ring[at + Packed.FlagsWord] = firstFlags;
    if (ringCached) {
      clean(ringWindow, at * 2, 16);
    }
    published = used;
    if (tracked) {
      noteShownLists();
    }
    slotsHeld -= slots;
  }
  if (rearm) {
    const device = windowWords[deviceArea];
    if (eventIdx) {
      device[deviceAreaAt] = nextPosition();
      barrier();
      device[deviceAreaAt + 1] = Packed.EventDescriptor;
    } else {
      device[deviceAreaAt + 1] = Packed.EventEnable;
    }
    if (deviceCached) {
      clean(deviceArea, deviceAreaAt * 2, 4);
    }
  }
  // What was written must be visible before the driver's wishes are read.
  barrier();
  let end = 0;
  if (rearm && slotsHeld < size && isNextAvailable()) {
    end = PassEnd.More;
  }
  if (slots !== 0 && wantsNotification(old, slots)) {
    end |= PassEnd.Notify;
  }
  return end;
}

/** The driver's wish for `slots` used slots from `old` on. */
function wantsNotification(old: number, slots: number): boolean {
  if (driverCached) {
    invalidate(driverArea, driverAreaAt * 2, 4);
  }
  const driver = windowWords[driverArea];
  const flags = driver[driverAreaAt + 1] & 3;
  if (flags === Packed.EventDescriptor && eventIdx) {
    const event = driver[driverAreaAt];
    const behind = distance(old, event);
    // An offset outside the ring names no descriptor: notify rather than leave the driver waiting.
    return (event & Packed.Index) >= size || (behind >= 0 && behind < slots);
  }
  return flags !== Packed.EventDisable;
}
