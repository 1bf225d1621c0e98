// The memory in which chains in flight are noted: made for the front side, taken back from it, and read when a ring starts again.
//
// It lies behind the messages in their window. What an earlier process left there, or anybody else wrote, is checked as the driver's
// memory is: each field read once, indices below their limits, lists no longer than there are entries.
import { copy, fill, windowWords } from '#port';
import { map, messageWindow, share, unmap } from '#vhost-user';
import { MachineLimit, MessageWindow } from '../../../hal/vhost-user.js';
import { Capacity } from '../../capacity.js';
import { descriptorAt, descriptorWindow, deviceAt, deviceWindow, queueSize } from '../../virtqueue/queue-table.hot.js';
import { Message, Refusal } from '../../wire/vhost-user.js';
import {
  again, againCount, againLeft, batched, counters, Entry, entries, freeHead, Holds, idOf, lastOf, link, recordAt, Region, rowOf, setEntries, Slot,
} from './inflight.hot.js';
import { pagesAt } from './regions.hot.js';

const enum Place {
  In = (MessageWindow.Incoming >> 1) + Message.PayloadWord,
  Out = (MessageWindow.Outgoing >> 1) + Message.PayloadWord,
  /** Words of the payload: the memory's size, where it begins in its file, virtqueues, and entries of each. */
  Offset = 4,
  Queues = 8,
  Entries = 9,
  /** The memory in its window. */
  Record = MessageWindow.Bytes >> 1,
}

const enum Packed {
  Available = 0x80,
  Used = 0x8000,
  AvailableAndUsed = 0x8080,
  Wrap = 0x8000,
  Index = 0x7fff,
}

/** What `startRecord` answers besides a position. */
export const enum Start {
  /** There is no record: the ring goes on where the front side says. */
  Unrecorded = -1,
  /** The record makes no sense. */
  Senseless = -2,
}

/** Not reached in the walk through a record so far. */
const unseen = 65535;

/** Virtqueues that have a record; 0 = there is no memory for them. */
let recorded = 0;

/** Pages for `queues` rings of `size` entries, 0 = more than this process keeps. */
function pagesFor(queues: number, size: number): number {
  // A row for each entry and one for the head.
  const rows = queues * (size + 1);
  return rows > MachineLimit.InflightRows ? 0 : (rows + (1 << MachineLimit.RowsOfPageShift) - 1) >> MachineLimit.RowsOfPageShift;
}

/** Why the numbers of rings and entries in the message at hand cannot be, for a device with `rings` virtqueues. */
function refusalOf(size: number, rings: number): number {
  const memory = windowWords[messageWindow];
  if (size !== Message.InflightBytes && size !== Message.InflightPaddedBytes) {
    return Refusal.Size;
  }
  if (memory[Place.In + Place.Queues] === 0 || memory[Place.In + Place.Queues] > rings) {
    return Refusal.Ring;
  }
  return memory[Place.In + Place.Entries] === 0 || memory[Place.In + Place.Entries] > 32768 ? Refusal.Entries : Refusal.None;
}

/**
 * GET_INFLIGHT_FD with `size` bytes of payload: makes the memory, whose descriptor goes with the answer, and writes the answer's
 * payload. A front side that wants more than is kept is told so by a size of 0, and goes on without. @rare
 */
export function makeRecords(size: number, rings: number): number {
  const refusal = refusalOf(size, rings);
  if (refusal !== Refusal.None) {
    return refusal;
  }
  const memory = windowWords[messageWindow];
  let pages = pagesFor(memory[Place.In + Place.Queues], memory[Place.In + Place.Entries]);
  if (pages !== 0 && !share(pages)) {
    pages = 0;
  }
  fill(messageWindow, Place.Out * 2, Message.InflightPaddedBytes, 0);
  memory[Place.Out] = (pages & 15) << 12;
  memory[Place.Out + 1] = pages >> 4;
  copy(messageWindow, (Place.Out + Place.Queues) * 2, messageWindow, (Place.In + Place.Queues) * 2, 4);
  return Refusal.None;
}

/** SET_INFLIGHT_FD: the memory is that of the message's descriptor from now on. No ring runs. @rare */
export function takeRecords(size: number, rings: number): number {
  const refusal = refusalOf(size, rings);
  if (refusal !== Refusal.None) {
    return refusal;
  }
  dropRecords();
  const memory = windowWords[messageWindow];
  const queues = memory[Place.In + Place.Queues];
  const pages = pagesFor(queues, memory[Place.In + Place.Entries]);
  const offset = pagesAt(Place.In + Place.Offset);
  if (pages === 0 || pagesAt(Place.In) !== pages || offset < 0) {
    return Refusal.Inflight;
  }
  if (!map(messageWindow, 0, offset, pages)) {
    return Refusal.RegionMap;
  }
  recorded = queues;
  setEntries(memory[Place.In + Place.Entries]);
  return Refusal.None;
}

/** The connection is over, or other memory comes: nothing is noted any more. @rare */
export function dropRecords(): void {
  if (recorded !== 0) {
    recorded = 0;
    unmap(messageWindow);
  }
  for (let queue = 0; queue < Capacity.Queues; queue++) {
    recordAt[queue] = 0;
  }
}

/** Nothing of `queue` is noted any more: it stops. What was in flight stays in the record. */
export function stopRecord(queue: number): void {
  recordAt[queue] = 0;
}

/**
 * `queue`, set up as virtqueue `ring` and not served yet, begins: at `position` as SET_VRING_BASE has it, or where its record says, and then
 * what is in flight there will be taken first. Returns the position or a value of `Start`. @rare
 */
export function startRecord(queue: number, ring: number, packed: boolean, position: number): number {
  if (ring >= recorded) {
    return Start.Unrecorded;
  }
  const words = windowWords[messageWindow];
  const at = Place.Record + ring * (entries + 1) * Region.RowWords;
  if (queueSize[queue] > entries) {
    return Start.Senseless;
  }
  rowOf[queue] = ring * entries;
  againCount[queue] = 0;
  againLeft[queue] = 0;
  batched[queue] = 0;
  for (let half = 0; half < 4; half++) {
    counters[queue * 4 + half] = 0;
  }
  const version = words[at + Region.Version];
  let from = position;
  if (version === 0) {
    beginRecord(queue, at, packed, position);
  } else if (version !== 1 || words[at + Region.Entries] !== entries) {
    return Start.Senseless;
  } else {
    from = packed ? resumePacked(queue, at) : resumeSplit(queue, at);
  }
  if (from >= 0) {
    recordAt[queue] = at;
    againLeft[queue] = againCount[queue];
  }
  return from;
}

/** Makes the record at word `at` that of a ring with nothing in flight. */
function beginRecord(queue: number, at: number, packed: boolean, position: number): void {
  const words = windowWords[messageWindow];
  fill(messageWindow, at * 2, (entries + 1) * Region.RowWords * 2, 0);
  words[at + Region.Entries] = entries;
  if (packed) {
    for (let entry = 0; entry < entries; entry++) {
      words[at + Region.PackedFirst + entry * Entry.PackedWords + Entry.Next] = entry + 1;
      link[rowOf[queue] + entry] = entry + 1;
      idOf[rowOf[queue] + entry] = Holds.Nothing;
    }
    freeHead[queue] = 0;
    settlePosition(at, position);
  } else {
    words[at + Region.UsedIndex] = position;
  }
  words[at + Region.Version] = 1;
}

/** A packed ring's used position, and the old one. */
function settlePosition(at: number, position: number): void {
  const words = windowWords[messageWindow];
  words[at + Region.Used] = position & Packed.Index;
  words[at + Region.OldUsed] = position & Packed.Index;
  words[at + Region.Wraps] = (position >> 15) * 257;
}

/** True when the counter at word `a` is below that at word `b`. */
function precedes(a: number, b: number): boolean {
  const words = windowWords[messageWindow];
  for (let half = 3; half >= 0; half--) {
    const low = words[a + half];
    const high = words[b + half];
    if (low !== high) {
      return low < high;
    }
  }
  return false;
}

/** Puts `entry` among those to be taken again, by their counters; entries have `size` words from word `first` on. */
function insert(queue: number, entry: number, first: number, size: number): void {
  const row = rowOf[queue];
  let place = againCount[queue];
  while (place > 0 && precedes(first + entry * size + Entry.Counter, first + again[row + place - 1] * size + Entry.Counter)) {
    again[row + place] = again[row + place - 1];
    place -= 1;
  }
  again[row + place] = entry;
  againCount[queue] = againCount[queue] + 1;
}

/** Chains of `queue` taken from now on are counted behind those to be taken again. */
function countOn(queue: number, first: number, size: number): void {
  const count = againCount[queue];
  if (count !== 0) {
    const words = windowWords[messageWindow];
    const last = first + again[rowOf[queue] + count - 1] * size + Entry.Counter;
    let carry = 1;
    for (let half = 0; half < 4; half++) {
      const sum = words[last + half] + carry;
      counters[queue * 4 + half] = sum & 65535;
      carry = sum >> 16;
    }
  }
}

/** Finds out what is in flight in a split ring whose record is at word `at`; returns the used index, from which the ring goes on. */
function resumeSplit(queue: number, at: number): number {
  const words = windowWords[messageWindow];
  const first = at + Region.SplitFirst;
  const index = windowWords[deviceWindow[queue]][deviceAt[queue] + 1];
  // The driver has seen a batch whose entries were not all noted as given back.
  let torn = (index - words[at + Region.UsedIndex]) & 65535;
  let head = words[at + Region.LastBatch];
  if (torn > entries) {
    return Start.Senseless;
  }
  while (torn > 0) {
    if (head >= entries) {
      return Start.Senseless;
    }
    words[first + head * Entry.SplitWords + Entry.InFlight] = 0;
    head = words[first + head * Entry.SplitWords + Entry.SplitNext];
    torn -= 1;
  }
  words[at + Region.UsedIndex] = index;
  for (let entry = 0; entry < queueSize[queue]; entry++) {
    if ((words[first + entry * Entry.SplitWords + Entry.InFlight] & 255) === 1) {
      insert(queue, entry, first, Entry.SplitWords);
    }
  }
  countOn(queue, first, Entry.SplitWords);
  return index;
}

/** What the record at word `at` has behind its entry `entry`: another one, or `entries`. */
function nextOf(first: number, entry: number): number {
  const next = windowWords[messageWindow][first + entry * Entry.PackedWords + Entry.Next];
  return next < entries ? next : entries;
}

/** Walks the free list from `free` on, in which nothing is in flight; returns its length, or -1 when it makes no sense. */
function walkFree(row: number, first: number, free: number): number {
  let entry = free;
  let length = 0;
  while (entry < entries) {
    if (link[row + entry] !== unseen) {
      return -1;
    }
    link[row + entry] = nextOf(first, entry);
    windowWords[messageWindow][first + entry * Entry.PackedWords + Entry.InFlight] = 0;
    entry = link[row + entry];
    length += 1;
  }
  return length;
}

/** Walks the list in flight that begins at `entry`, which is to be taken again; returns its length, or 0 when it makes no sense. */
function walkList(queue: number, first: number, entry: number): number {
  const words = windowWords[messageWindow];
  const row = rowOf[queue];
  const slots = words[first + entry * Entry.PackedWords + Entry.Slots];
  let here = entry;
  let last = entry;
  for (let left = slots; left > 0; left--) {
    if (here >= entries || link[row + here] !== unseen) {
      return 0;
    }
    last = here;
    here = nextOf(first, last);
    link[row + last] = here;
  }
  if (last !== words[first + entry * Entry.PackedWords + Entry.Last]) {
    return 0;
  }
  lastOf[row + entry] = last;
  insert(queue, entry, first, Entry.PackedWords);
  return slots;
}

/** Finds all that is in flight; every entry must be free or in flight, once. False when that is not so, or more is in flight than the ring has. */
function walkLists(queue: number, first: number, free: number): boolean {
  const row = rowOf[queue];
  for (let entry = 0; entry < entries; entry++) {
    link[row + entry] = unseen;
    idOf[row + entry] = Holds.Nothing;
  }
  const length = walkFree(row, first, free);
  let slots = 0;
  for (let entry = 0; entry < entries; entry++) {
    if (link[row + entry] === unseen && (windowWords[messageWindow][first + entry * Entry.PackedWords + Entry.InFlight] & 255) === 1) {
      const found = walkList(queue, first, entry);
      if (found === 0) {
        return false;
      }
      slots += found;
    }
  }
  return length >= 0 && length + slots === entries && slots <= queueSize[queue];
}

/** Writes the descriptor of `entry` into the ring at `position`, available as if it had been put there; returns the next position. */
function putBack(queue: number, at: number, position: number): number {
  const words = windowWords[messageWindow];
  const ring = windowWords[descriptorWindow[queue]];
  const index = position & Packed.Index;
  const wrap = position & Packed.Wrap;
  const slot = descriptorAt[queue] + index * Slot.Words;
  for (let half = 0; half < 4; half++) {
    ring[slot + Slot.Address + half] = words[at + Entry.Address + half];
  }
  ring[slot + Slot.Length] = words[at + Entry.Length];
  ring[slot + Slot.Length + 1] = words[at + Entry.Length + 1];
  ring[slot + Slot.Id] = words[at + Entry.Id];
  ring[slot + Slot.Flags] = (words[at + Entry.Flags] & ~Packed.AvailableAndUsed) | (wrap === 0 ? Packed.Used : Packed.Available);
  return index + 1 === queueSize[queue] ? wrap ^ Packed.Wrap : position + 1;
}

/**
 * Puts what is in flight back into the ring, in its order from `position` on. Those slots are the device's until it gives them back, and
 * what stood there may be used descriptors by now, or lists given back already. The driver sees no difference: none of them is used.
 */
function putAllBack(queue: number, first: number, position: number): void {
  const row = rowOf[queue];
  let to = position;
  for (let place = row; place < row + againCount[queue]; place++) {
    const last = lastOf[row + again[place]];
    let entry = again[place];
    let more = true;
    while (more) {
      to = putBack(queue, first + entry * Entry.PackedWords, to);
      more = entry !== last;
      entry = link[row + entry];
    }
  }
}

/** Finds out what is in flight in a packed ring whose record is at word `at`, and puts it back; returns the position of the used descriptor to be written next. */
function resumePacked(queue: number, at: number): number {
  const words = windowWords[messageWindow];
  const first = at + Region.PackedFirst;
  const oldFree = words[at + Region.OldFreeHead];
  const oldUsed = words[at + Region.OldUsed];
  const wraps = words[at + Region.Wraps];
  let free = words[at + Region.FreeHead];
  let used = words[at + Region.Used];
  let wrap = wraps & 1;
  if (oldUsed >= queueSize[queue] || used >= queueSize[queue]) {
    return Start.Senseless;
  }
  // A batch was cut short. Unless the driver sees it, it never was.
  const flags = windowWords[descriptorWindow[queue]][descriptorAt[queue] + oldUsed * Slot.Words + Slot.Flags] & Packed.AvailableAndUsed;
  const undone = free !== oldFree && flags === ((wraps & 256) === 0 ? Packed.Used : Packed.Available);
  if (undone) {
    free = oldFree;
    used = oldUsed;
    wrap = (wraps >> 8) & 1;
  }
  const position = used | (wrap << 15);
  if (!walkLists(queue, first, free)) {
    return Start.Senseless;
  }
  putAllBack(queue, first, position);
  // In an order that leaves the same to be found whenever this, too, is cut short.
  words[at + Region.OldFreeHead] = free;
  settlePosition(at, position);
  words[at + Region.FreeHead] = free;
  freeHead[queue] = free;
  countOn(queue, first, Entry.PackedWords);
  return position;
}
