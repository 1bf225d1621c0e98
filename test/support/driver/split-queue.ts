// The driver's half of a split ring in shared memory: makes chains available and takes used ones back.
import type { DriverMachine } from './machine.js';
import type { Element, Place, QueueOptions, Used } from './ring-memory.js';
import { addressOf, clearPlace, DESCRIPTOR, INDIRECT, NEXT, placeOf, readWord, writableBytes, WRITE, writeElement, writeWord } from './ring-memory.js';

export type { Element, Used } from './ring-memory.js';

export class SplitQueue {
  /** Offsets of the three areas in their memories. */
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  private readonly places: readonly Place[];
  private readonly free: number[] = [];
  private readonly chainOf: number[][] = [];
  /** Heads in the order in which they were offered and the bytes the device may write, for IN_ORDER. */
  private readonly order: Used[] = [];
  /** IN_ORDER: the entry that stands for the chains up to its head. */
  private batch: Used | undefined = undefined;
  private availableIndex = 0;
  private usedIndex = 0;
  /** Available index when the device was asked last whether it wants a notification. */
  private kickedIndex = 0;

  /** Clears its three areas, which by default lie one behind the other from byte `offset` (a multiple of 16) of the shared memory on. */
  constructor(readonly machine: DriverMachine, offset: number, readonly size: number, readonly options: QueueOptions = {}) {
    const available = offset + size * DESCRIPTOR;
    this.places =
      options.places !== undefined
        ? options.places
        : [placeOf(machine, offset), placeOf(machine, available), placeOf(machine, (available + 6 + size * 2 + 3) & ~3)];
    this.descriptors = this.places[0].offset;
    this.available = this.places[1].offset;
    this.used = this.places[2].offset;
    clearPlace(this.places[0], size * DESCRIPTOR);
    clearPlace(this.places[1], 6 + size * 2);
    clearPlace(this.places[2], 6 + size * 8);
    for (let entry = size - 1; entry >= 0; entry--) {
      this.free.push(entry);
    }
  }

  /** First byte behind the areas when they lie one behind the other. */
  end(): number {
    return this.used + 6 + this.size * 8;
  }

  /** The areas' addresses as SET_VQUEUE wants them: lower and upper 32 bits each. */
  areas(): number[][] {
    return this.places.map(addressOf);
  }

  /** Both sides have moved `count` chains already: indices begin there. */
  startAt(count: number): void {
    this.availableIndex = count;
    this.usedIndex = count;
    this.kickedIndex = count;
    writeWord(this.places[1], 2, count);
    writeWord(this.places[2], 2, count);
  }

  /** Descriptors not in use. */
  room(): number {
    return this.free.length;
  }

  /** Writes one descriptor of the ring; `flags` and `next` as given. */
  writeDescriptor(entry: number, address: number, bytes: number, flags: number, next: number): void {
    this.writeEntry(this.places[0], entry, [address, this.machine.addressHigh], bytes, flags, next);
  }

  /** Writes entry `entry` of a table anywhere. */
  writeEntry(table: Place, entry: number, address: readonly number[], bytes: number, flags: number, next: number): void {
    writeElement(table, entry, address, bytes);
    writeWord(table, entry * DESCRIPTOR + 12, flags);
    writeWord(table, entry * DESCRIPTOR + 14, next);
  }

  private takeFree(): number {
    const entry = this.free.pop();
    if (entry === undefined) {
      throw new Error('the queue has no free descriptor');
    }
    return entry;
  }

  /**
   * Makes a chain of `elements` available (not yet visible); returns its head. With a `table`, the elements from number
   * `direct` on are put there and one INDIRECT descriptor refers to it.
   */
  add(elements: readonly Element[], table?: Place, direct = 0): number {
    const inRing = table === undefined ? elements.length : direct;
    const chain: number[] = [];
    for (let at = 0; at < inRing + (table === undefined ? 0 : 1); at++) {
      chain.push(this.takeFree());
    }
    elements.forEach((element, at) => {
      const place = element.place === undefined ? placeOf(this.machine, 0) : element.place;
      const address = [place.low + place.offset + element.offset, place.high];
      const write = element.writable ? WRITE : 0;
      if (table === undefined || at < direct) {
        const last = at + 1 === chain.length;
        this.writeEntry(this.places[0], chain[at], address, element.bytes, (last ? 0 : NEXT) | write, last ? 0 : chain[at + 1]);
      } else {
        const last = at + 1 === elements.length;
        this.writeEntry(table, at - direct, address, element.bytes, (last ? 0 : NEXT) | write, last ? 0 : at - direct + 1);
      }
    });
    if (table !== undefined) {
      this.writeEntry(this.places[0], chain[direct], addressOf(table), (elements.length - direct) * DESCRIPTOR, INDIRECT, 0);
    }
    this.chainOf[chain[0]] = chain;
    this.order.push({ head: chain[0], written: writableBytes(elements) });
    this.offer(chain[0]);
    return chain[0];
  }

  /** Puts any head into the available ring, not yet visible. */
  offer(head: number): void {
    writeWord(this.places[1], 4 + (this.availableIndex % this.size) * 2, head);
    this.availableIndex = (this.availableIndex + 1) % 65536;
  }

  /** Shows the device everything added; `index` overrides the available index (a lying driver). */
  publish(index?: number): void {
    this.machine.barrier();
    writeWord(this.places[1], 2, index === undefined ? this.availableIndex : index);
    this.machine.barrier();
  }

  /** Asks for no used notifications (flag 1), or for them (0). */
  suppress(flag: number): void {
    writeWord(this.places[1], 0, flag);
  }

  /** EVENT_IDX: asks for a notification when the used entry with index `event` is shown. */
  setUsedEvent(event: number): void {
    writeWord(this.places[1], 4 + this.size * 2, event);
  }

  /** EVENT_IDX: asks for a notification `after` further chains; 0 = the next one. */
  notifyAfter(after: number): void {
    this.setUsedEvent((this.usedIndex + after) % 65536);
  }

  /** True when the device wants to hear of what was shown since the last call. */
  wantsKick(): boolean {
    const old = this.kickedIndex;
    this.kickedIndex = this.availableIndex;
    if (this.options.eventIdx !== true) {
      return (readWord(this.places[2], 0) & 1) === 0;
    }
    const event = readWord(this.places[2], 4 + this.size * 8);
    return ((this.availableIndex - event - 1) & 65535) < ((this.availableIndex - old) & 65535);
  }

  /** What EVENT_AVAIL says with NOTIFICATION_DATA: the next available index. */
  nextOffset(): number {
    return this.availableIndex;
  }

  /** The next chain the device has given back, or undefined. */
  take(): Used | undefined {
    if (this.batch === undefined) {
      if (this.usedIndex === readWord(this.places[2], 2)) {
        return undefined;
      }
      this.machine.barrier();
      const at = 4 + (this.usedIndex % this.size) * 8;
      const word = (byte: number): number => readWord(this.places[2], at + byte);
      this.batch = { head: word(0) + word(2) * 65536, written: word(4) + word(6) * 65536 };
    }
    let used = this.batch;
    const oldest = this.order[0];
    if (this.options.inOrder === true && oldest !== undefined && oldest.head !== used.head) {
      // Not the last of its batch: all of its buffer was used.
      used = oldest;
    } else {
      this.batch = undefined;
    }
    this.order.shift();
    const chain = this.chainOf[used.head];
    if (chain !== undefined) {
      for (let entry = chain.length - 1; entry >= 0; entry--) {
        this.free.push(chain[entry]);
      }
      delete this.chainOf[used.head];
    }
    this.usedIndex = (this.usedIndex + 1) % 65536;
    return used;
  }
}
