// The driver's half of a packed ring in shared memory: makes lists available and takes used ones back.
import type { DriverMachine } from './machine.js';
import type { Element, Place, QueueOptions, Used } from './ring-memory.js';
import { addressOf, clearPlace, DESCRIPTOR, INDIRECT, NEXT, placeOf, readWord, writableBytes, WRITE, writeElement, writeWord } from './ring-memory.js';

const AVAILABLE = 0x80;
const USED = 0x8000;
/** Values of an event structure's flags. */
export const EVENT_ENABLE = 0;
export const EVENT_DISABLE = 1;
export const EVENT_DESCRIPTOR = 2;

/** A list in flight: its buffer id, ring slots and the bytes the device may write. */
interface List {
  id: number;
  slots: number;
  writable: number;
  /** The id comes from the queue's own and returns there. */
  own: boolean;
}

/** A descriptor index with its wrap counter. */
interface Position {
  index: number;
  wrap: number;
}

export class PackedQueue {
  /** Offsets of the three areas in their memories: descriptors, driver and device event structure. */
  readonly descriptors: number;
  readonly driverEvent: number;
  readonly deviceEvent: number;
  private readonly places: readonly Place[];
  private readonly lists: List[] = [];
  private readonly ids: number[] = [];
  private slotsFree: number;
  private next: Position = { index: 0, wrap: 1 };
  private nextUsed: Position = { index: 0, wrap: 1 };
  /** Flags of the first descriptor of each list that is not visible yet, and its place. */
  private hidden: number[][] = [];
  private batch: Used | undefined = undefined;
  private kicked: Position = { index: 0, wrap: 1 };

  /** Clears its three areas, which by default lie one behind the other from byte `offset` (a multiple of 16) of the shared memory on. */
  constructor(readonly machine: DriverMachine, offset: number, readonly size: number, readonly options: QueueOptions = {}) {
    const events = offset + size * DESCRIPTOR;
    this.places =
      options.places !== undefined ? options.places : [placeOf(machine, offset), placeOf(machine, events), placeOf(machine, events + 4)];
    this.descriptors = this.places[0].offset;
    this.driverEvent = this.places[1].offset;
    this.deviceEvent = this.places[2].offset;
    clearPlace(this.places[0], size * DESCRIPTOR);
    clearPlace(this.places[1], 4);
    clearPlace(this.places[2], 4);
    this.slotsFree = size;
    for (let id = size - 1; id >= 0; id--) {
      this.ids.push(id);
    }
  }

  /** First byte behind the areas when they lie one behind the other. */
  end(): number {
    return this.deviceEvent + 4;
  }

  /** The areas' addresses as SET_VQUEUE wants them: lower and upper 32 bits each. */
  areas(): number[][] {
    return this.places.map(addressOf);
  }

  /** Ring slots not in use. */
  room(): number {
    return this.slotsFree;
  }

  /** The next position as event structures have it: index, wrap counter in bit 15. */
  position(): number {
    return this.next.index | (this.next.wrap << 15);
  }

  /** Both sides have moved descriptors already: the next one is `index` with wrap counter `wrap`. */
  startAt(index: number, wrap: number): void {
    this.next = { index, wrap };
    this.nextUsed = { index, wrap };
    this.kicked = { index, wrap };
    // Behind the index stand used descriptors of this lap, before it those of the last one; none of them is available.
    for (let entry = 0; entry < this.size; entry++) {
      const lap = entry < index ? wrap : 1 - wrap;
      writeWord(this.places[0], entry * DESCRIPTOR + 14, lap === 1 ? AVAILABLE | USED : 0);
    }
  }

  private move(from: Position, slots: number): Position {
    const index = from.index + slots;
    return index >= this.size ? { index: index - this.size, wrap: 1 - from.wrap } : { index, wrap: from.wrap };
  }

  private flagsOf(position: Position): number {
    return position.wrap === 1 ? AVAILABLE : USED;
  }

  /** Writes a ring descriptor; `flags` as given. */
  writeDescriptor(entry: number, address: number, bytes: number, flags: number, id: number): void {
    this.writeEntry(this.places[0], entry, [address, this.machine.addressHigh], bytes, flags, id);
  }

  writeEntry(table: Place, entry: number, address: readonly number[], bytes: number, flags: number, id: number): void {
    writeElement(table, entry, address, bytes);
    writeWord(table, entry * DESCRIPTOR + 12, id);
    writeWord(table, entry * DESCRIPTOR + 14, flags);
  }

  /** Writes the next descriptor with any flags besides the availability bits; visible with `publish`. A lying driver's way. */
  offer(address: readonly number[], bytes: number, flags: number, id: number): void {
    const here = this.next;
    this.writeEntry(this.places[0], here.index, address, bytes, readWord(this.places[0], here.index * DESCRIPTOR + 14), id);
    this.hidden.push([here.index, flags | this.flagsOf(here)]);
    this.next = this.move(here, 1);
  }

  /**
   * Makes a list of `elements` available (not yet visible); returns its buffer id, `id` or a free one below the size.
   * With a `table` all elements are put there and one INDIRECT descriptor refers to it.
   */
  add(elements: readonly Element[], table?: Place, id?: number): number {
    const slots = table === undefined ? elements.length : 1;
    if (slots > this.slotsFree) {
      throw new Error('the queue has no free descriptor');
    }
    const own = id === undefined ? this.ids.pop() : undefined;
    const buffer = id !== undefined ? id : own === undefined ? 0 : own;
    const first = this.next;
    let here = first;
    elements.forEach((element, at) => {
      const place = element.place === undefined ? placeOf(this.machine, 0) : element.place;
      const address = [place.low + place.offset + element.offset, place.high];
      const write = element.writable ? WRITE : 0;
      if (table !== undefined) {
        this.writeEntry(table, at, address, element.bytes, write, 0);
        return;
      }
      const last = at + 1 === elements.length;
      const flags = this.flagsOf(here) | (last ? 0 : NEXT) | write;
      // The first descriptor's flags stay as they are until the list is shown; only the last one's id means something.
      const shown = at === 0 ? readWord(this.places[0], here.index * DESCRIPTOR + 14) : flags;
      this.writeEntry(this.places[0], here.index, address, element.bytes, shown, last ? buffer : 0xffff);
      if (at === 0) {
        this.hidden.push([here.index, flags]);
      }
      here = this.move(here, 1);
    });
    if (table !== undefined) {
      const old = readWord(this.places[0], first.index * DESCRIPTOR + 14);
      this.writeEntry(this.places[0], first.index, addressOf(table), elements.length * DESCRIPTOR, old, buffer);
      this.hidden.push([first.index, this.flagsOf(first) | INDIRECT]);
    }
    this.next = this.move(first, slots);
    this.slotsFree -= slots;
    this.lists.push({ id: buffer, slots, writable: writableBytes(elements), own: own !== undefined });
    return buffer;
  }

  /** Shows the device everything added, oldest first. */
  publish(): void {
    this.machine.barrier();
    this.hidden.forEach((flags) => {
      writeWord(this.places[0], flags[0] * DESCRIPTOR + 14, flags[1]);
    });
    this.hidden = [];
    this.machine.barrier();
  }

  /** Asks for no used notifications (flag 1), or for them (0); other values as they are. */
  suppress(flag: number): void {
    writeWord(this.places[1], 2, flag);
  }

  /** EVENT_IDX: asks for a notification when the used descriptor at `event` (index, wrap counter in bit 15) is written. */
  setUsedEvent(event: number): void {
    writeWord(this.places[1], 0, event);
    this.machine.barrier();
    writeWord(this.places[1], 2, EVENT_DESCRIPTOR);
  }

  /** EVENT_IDX: asks for a notification `after` further ring slots; 0 = the next one. */
  notifyAfter(after: number): void {
    const event = this.move(this.nextUsed, after);
    this.setUsedEvent(event.index | (event.wrap << 15));
  }

  /** True when the device wants to hear of what was shown since the last call. */
  wantsKick(): boolean {
    const old = this.kicked;
    this.kicked = this.next;
    const flags = readWord(this.places[2], 2);
    if (flags !== EVENT_DESCRIPTOR || this.options.eventIdx !== true) {
      return flags !== EVENT_DISABLE;
    }
    const event = readWord(this.places[2], 0);
    for (let here = old; here.index !== this.next.index || here.wrap !== this.next.wrap; here = this.move(here, 1)) {
      if ((here.index | (here.wrap << 15)) === event) {
        return true;
      }
    }
    return false;
  }

  /** What EVENT_AVAIL says with NOTIFICATION_DATA: the next position, offset in bits 0 to 14 and wrap counter in bit 15. */
  nextOffset(): number {
    return this.position();
  }

  /** The next list the device has given back, or undefined. */
  take(): Used | undefined {
    const at = this.nextUsed.index * DESCRIPTOR;
    if (this.batch === undefined) {
      const flags = readWord(this.places[0], at + 14);
      const wanted = this.nextUsed.wrap === 1 ? AVAILABLE | USED : 0;
      if ((flags & (AVAILABLE | USED)) !== wanted || this.lists.length === 0) {
        return undefined;
      }
      this.machine.barrier();
      const word = (byte: number): number => readWord(this.places[0], at + byte);
      this.batch = { head: word(12), written: word(8) + word(10) * 65536 };
    }
    let used = this.batch;
    let found = 0;
    if (this.options.inOrder === true) {
      if (this.lists[0].id !== used.head) {
        // Not the last of its batch: all of its buffer was used.
        used = { head: this.lists[0].id, written: this.lists[0].writable };
      }
    } else {
      while (found < this.lists.length && this.lists[found].id !== used.head) {
        found++;
      }
      if (found === this.lists.length) {
        throw new Error('the device gave back buffer ' + used.head + ', which it does not have');
      }
    }
    if (used === this.batch) {
      this.batch = undefined;
    }
    const list = this.lists.splice(found, 1)[0];
    if (list.own) {
      this.ids.push(list.id);
    }
    this.slotsFree += list.slots;
    this.nextUsed = this.move(this.nextUsed, list.slots);
    return used;
  }
}
