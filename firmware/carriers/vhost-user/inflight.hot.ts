// What `#inflight` names for vhost-user: notes each chain in flight in memory that the front side keeps when this process dies.
//
// The vhost-user specification, "Inflight I/O tracking", has the layout and the order of the writes: whenever the process is killed, the
// record tells the next one what was in flight. While a ring runs nothing of the record is read back that could lead anywhere.
import { windowWords } from '#port';
import { messageWindow } from '#vhost-user';
import { MachineLimit } from '../../../hal/vhost-user.js';
import { Capacity } from '../../capacity.js';
import { ringAt, ringWindow, size } from '../../virtqueue/open-queue.hot.js';

export const tracked: boolean = true;

/** Words of a ring's record. Split and packed have the version and the number of entries in the same place. */
export const enum Region {
  Version = 4,
  Entries = 5,
  /** Split: head of the list of the last batch given back, and the used index. */
  LastBatch = 6,
  UsedIndex = 7,
  SplitFirst = 8,
  /** Packed: the free list's head, the used index, and both as they were before the batch at hand. */
  FreeHead = 6,
  OldFreeHead = 7,
  Used = 8,
  OldUsed = 9,
  /** Two bytes, the used wrap counter and the old one. */
  Wraps = 10,
  PackedFirst = 16,
  /** What one entry takes in either format, the header of a packed ring's record included. */
  RowWords = 16,
}

/** Words of an entry: of a split ring's, which has eight of them, and of a packed ring's. */
export const enum Entry {
  InFlight = 0,
  SplitNext = 3,
  Counter = 4,
  SplitWords = 8,
  Next = 1,
  Last = 2,
  Slots = 3,
  Id = 8,
  Flags = 9,
  Length = 10,
  Address = 12,
  PackedWords = 16,
}

/** A descriptor of a packed ring, in words. */
export const enum Slot {
  Address = 0,
  Length = 4,
  Id = 6,
  Flags = 7,
  Words = 8,
}

export const enum Holds {
  Nothing = -1,
}

/** First word of each queue's record, 0 = it has none, and its first row in the tables below. */
export const recordAt = new Int32Array(Capacity.Queues);
export const rowOf = new Int32Array(Capacity.Queues);
/** Entries of a record, and of each queue's rows. */
export let entries = 0;

/** Entries whose chains were given back and are not shown yet, and how many. */
const batch = new Uint16Array(MachineLimit.InflightRows);
export const batched = new Uint16Array(Capacity.Queues);
/** Entries that an earlier process had in flight, in the order in which it took them; how many there are, and how many are still to be taken. */
export const again = new Uint16Array(MachineLimit.InflightRows);
export const againCount = new Uint16Array(Capacity.Queues);
export const againLeft = new Uint16Array(Capacity.Queues);
/** The counter of each queue's next chain, four halves. */
export const counters = new Uint16Array(Capacity.Queues * 4);

/** Packed rings. The entry behind each one, in the free list or in the same list; `entries` ends the free list. */
export const link = new Uint16Array(MachineLimit.InflightRows);
/** Of the entry that stands for a list: its last one; the buffer id or Holds.Nothing. */
export const lastOf = new Uint16Array(MachineLimit.InflightRows);
export const idOf = new Int32Array(MachineLimit.InflightRows);
/** The entry that a buffer id below `entries` was given last. */
const entryOf = new Uint16Array(MachineLimit.InflightRows);
export const freeHead = new Uint16Array(Capacity.Queues);

/** The open queue, its record and its first row. */
let open = 0;
let record = 0;
let row = 0;
/** The chain taken last: 1 = an earlier process had it in flight; and its entry. */
let takenAgain = 0;
let taken = 0;

export function setEntries(count: number): void {
  entries = count;
}

/** `queue` is the open one now. */
export function openRecord(queue: number): void {
  open = queue;
  record = recordAt[queue];
  row = rowOf[queue];
}

/** Gives the entry at word `at` the next counter. */
function stamp(at: number): void {
  const words = windowWords[messageWindow];
  const own = open * 4;
  for (let half = 0; half < 4; half++) {
    words[at + Entry.Counter + half] = counters[own + half];
  }
  let half = own;
  while (half < own + 4 && counters[half] === 65535) {
    counters[half] = 0;
    half += 1;
  }
  if (half < own + 4) {
    counters[half] = counters[half] + 1;
  }
}

/** Takes the next chain that an earlier process had in flight: true when there is one, left in `taken`. */
function takeAgain(): boolean {
  takenAgain = againLeft[open] !== 0 ? 1 : 0;
  if (takenAgain !== 0) {
    taken = again[row + againCount[open] - againLeft[open]];
    againLeft[open] = againLeft[open] - 1;
  }
  return takenAgain !== 0;
}

/** Notes that the chain of `entry` was given back. */
function addToBatch(entry: number): void {
  if (batched[open] < entries) {
    batch[row + batched[open]] = entry;
    batched[open] = batched[open] + 1;
  }
}

/** The head to take where the available ring has `listed`: first those that an earlier process had in flight. */
export function headToTake(listed: number): number {
  return record === 0 || againLeft[open] === 0 ? listed : again[row + againCount[open] - againLeft[open]];
}

/** The chain of `head` was taken. */
export function noteHead(head: number): void {
  if (record !== 0 && !takeAgain()) {
    taken = head;
    const at = record + Region.SplitFirst + head * Entry.SplitWords;
    stamp(at);
    windowWords[messageWindow][at + Entry.InFlight] = 1;
  }
}

/** The chain taken last was put back. */
export function forgetHead(): void {
  if (record === 0) {
    return;
  }
  if (takenAgain !== 0) {
    againLeft[open] = againLeft[open] + 1;
  } else {
    windowWords[messageWindow][record + Region.SplitFirst + taken * Entry.SplitWords + Entry.InFlight] = 0;
  }
}

/** The chain of `head` was given back; the driver does not see it yet. */
export function noteUsedHead(head: number): void {
  if (record !== 0) {
    const words = windowWords[messageWindow];
    words[record + Region.SplitFirst + head * Entry.SplitWords + Entry.SplitNext] = words[record + Region.LastBatch];
    words[record + Region.LastBatch] = head;
    addToBatch(head);
  }
}

/** The driver sees the used index `index`, and all that was given back. */
export function noteUsedIndex(index: number): void {
  if (record !== 0) {
    endBatch(record + Region.SplitFirst, Entry.SplitWords);
    windowWords[messageWindow][record + Region.UsedIndex] = index;
  }
}

/** The entries of the batch, `words` words each from word `first` on, are in flight no more. */
function endBatch(first: number, words: number): void {
  const memory = windowWords[messageWindow];
  for (let at = row; at < row + batched[open]; at++) {
    memory[first + batch[at] * words + Entry.InFlight] = 0;
  }
  batched[open] = 0;
}

/** The list of `slots` descriptors from ring slot `slot` on was taken; `id` is its buffer. */
export function noteList(slot: number, slots: number, id: number): void {
  if (record === 0) {
    return;
  }
  if (!takeAgain()) {
    taken = freeHead[open];
    if (!copyList(slot, slots)) {
      // More than the free list has: only a record that another process writes to comes to that. It is given up.
      record = 0;
      recordAt[open] = 0;
      return;
    }
  }
  idOf[row + taken] = id;
  if (id < entries) {
    entryOf[row + id] = taken;
  }
}

/** Copies the list's descriptors into entries from the free list; false when there are too few. */
function copyList(slot: number, slots: number): boolean {
  const words = windowWords[messageWindow];
  const ring = windowWords[ringWindow];
  const first = record + Region.PackedFirst + taken * Entry.PackedWords;
  let entry = taken;
  let from = slot;
  for (let left = slots; left > 0; left--) {
    if (entry >= entries) {
      return false;
    }
    const at = record + Region.PackedFirst + entry * Entry.PackedWords;
    if (entry === taken) {
      stamp(at);
      words[at + Entry.InFlight] = 1;
    }
    const here = ringAt + from * Slot.Words;
    for (let half = 0; half < 4; half++) {
      words[at + Entry.Address + half] = ring[here + Slot.Address + half];
    }
    words[at + Entry.Length] = ring[here + Slot.Length];
    words[at + Entry.Length + 1] = ring[here + Slot.Length + 1];
    words[at + Entry.Id] = ring[here + Slot.Id];
    words[at + Entry.Flags] = ring[here + Slot.Flags];
    lastOf[row + taken] = entry;
    entry = link[row + entry];
    from = from + 1 === size ? 0 : from + 1;
  }
  words[first + Entry.Last] = lastOf[row + taken];
  words[first + Entry.Slots] = slots;
  setFree(entry);
  return true;
}

/** The free list begins at `entry`, before the batch at hand as well: from here on what was taken counts. */
function setFree(entry: number): void {
  freeHead[open] = entry;
  windowWords[messageWindow][record + Region.FreeHead] = entry;
  windowWords[messageWindow][record + Region.OldFreeHead] = entry;
}

/** The list taken last was put back. */
export function forgetList(): void {
  if (record === 0) {
    return;
  }
  if (takenAgain !== 0) {
    againLeft[open] = againLeft[open] + 1;
  } else {
    // Its entries are still linked to what was free behind them.
    setFree(taken);
    windowWords[messageWindow][record + Region.PackedFirst + taken * Entry.PackedWords + Entry.InFlight] = 0;
  }
  idOf[row + taken] = Holds.Nothing;
}

/** The list with buffer `id` was given back; the driver does not see it yet. */
export function noteUsedList(id: number): void {
  if (record !== 0) {
    const entry = entryWith(id);
    if (entry < entries) {
      idOf[row + entry] = Holds.Nothing;
      addToBatch(entry);
    }
  }
}

/** The entry of the list in flight with buffer `id`; `entries` = none. */
function entryWith(id: number): number {
  if (id < entries && idOf[row + entryOf[row + id]] === id) {
    return entryOf[row + id];
  }
  // A driver may choose any ids, and the same twice.
  let entry = 0;
  while (entry < entries && idOf[row + entry] !== id) {
    entry += 1;
  }
  return entry;
}

/** The driver is about to see all that was given back, up to `position`. */
export function noteUsedPosition(position: number): void {
  if (record !== 0) {
    const words = windowWords[messageWindow];
    let free = freeHead[open];
    for (let at = row; at < row + batched[open]; at++) {
      const last = lastOf[row + batch[at]];
      words[record + Region.PackedFirst + last * Entry.PackedWords + Entry.Next] = free;
      link[row + last] = free;
      free = batch[at];
    }
    freeHead[open] = free;
    words[record + Region.FreeHead] = free;
    words[record + Region.Used] = position & 0x7fff;
    words[record + Region.Wraps] = (words[record + Region.Wraps] & 0xff00) | (position >> 15);
  }
}

/** The driver sees it. */
export function noteShownLists(): void {
  if (record !== 0) {
    const words = windowWords[messageWindow];
    endBatch(record + Region.PackedFirst, Entry.PackedWords);
    // The free list's head first: while the two differ the old position and wrap counter tell what was before.
    words[record + Region.OldFreeHead] = freeHead[open];
    words[record + Region.OldUsed] = words[record + Region.Used];
    words[record + Region.Wraps] = (words[record + Region.Wraps] & 255) * 257;
  }
}
