// Rings and buffers of one case in shared memory, and what must be true of that memory at the end of the case.
import type { DriverMachine } from '../../support/driver/machine.js';
import { DESCRIPTOR, WRITE } from '../../support/driver/ring-memory.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { equal, fail } from './failure.js';
import type { Element } from './vocabulary.js';

/** Memory that the runner may use: byte offset, a multiple of 4096, from the start of the shared memory. */
export interface Arena {
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes an arena must have. */
export const LEAST_ARENA = 0x18000;

/** Places for rings at the start of the arena; buffers follow. The last place is the `spare` of the facts. */
const RING_BYTES = 0x2000;
const RINGS = 8;
/** Bytes around every buffer that nobody may write, and what they and fresh buffers hold. */
const GUARD = 16;
const GUARD_BYTE = 0xa5;
const FRESH_BYTE = 0xee;

interface Part {
  readonly at: number;
  readonly bytes: number;
  readonly writable: boolean;
  readonly before: readonly number[];
}

interface Buffer {
  readonly head: number;
  readonly parts: readonly Part[];
}

interface Ring {
  readonly queue: SplitQueue;
  /** Buffers not yet back, oldest first, and all of them. */
  readonly offered: Buffer[];
  readonly all: Buffer[];
  /** Descriptors and available ring as the driver wrote them last. */
  driverAreas: number[];
  /** Used area and writable buffers that must stay, undefined = they may change. */
  frozen: number[] | undefined;
  /** Whether that includes the suppression fields of the used area. */
  frozenFlags: boolean;
}

/** The offset of a place that no ring of a case takes by default. */
export function spareOffset(arena: Arena): number {
  return arena.offset + (RINGS - 1) * RING_BYTES;
}

export class Rings {
  private readonly rings: (Ring | undefined)[] = [];
  /** Rings that another one has taken the place of: the device must not touch them any more. */
  private readonly retired: Ring[] = [];
  private free: number;

  constructor(private readonly machine: DriverMachine, private readonly arena: Arena) {
    this.free = arena.offset + RINGS * RING_BYTES;
  }

  has(queue: number): boolean {
    return this.rings[queue] !== undefined;
  }

  /** Makes a ring of `size` descriptors at `place`; the device is not told. */
  make(queue: number, size: number, place: number): void {
    const made = new SplitQueue(this.machine, this.arena.offset + place * RING_BYTES, size);
    const before = this.rings[queue];
    if (before !== undefined && before.queue.descriptors !== made.descriptors) {
      this.freezeRing(before, true);
      this.retired.push(before);
    }
    const ring: Ring = { queue: made, offered: [], all: [], driverAreas: [], frozen: undefined, frozenFlags: true };
    this.note(ring);
    this.rings[queue] = ring;
  }

  size(queue: number): number {
    return this.ring(queue).queue.size;
  }

  /** Addresses of the three areas. */
  areas(queue: number): number[] {
    return this.ring(queue).queue.areas().map((address) => address[0] + address[1] * 4294967296);
  }

  /** Asks for no used notifications. */
  suppress(queue: number): void {
    const ring = this.ring(queue);
    ring.queue.suppress(1);
    this.note(ring);
  }

  /** Makes buffers available. */
  offer(queue: number, buffers: readonly (readonly Element[])[]): void {
    const ring = this.ring(queue);
    buffers.forEach((elements) => {
      const parts = elements.map((element) => this.part(element));
      const head = ring.queue.add(parts.map((part) => ({ offset: part.at, bytes: part.bytes, writable: part.writable })));
      const buffer = { head, parts };
      ring.offered.push(buffer);
      ring.all.push(buffer);
    });
    ring.queue.publish();
    this.note(ring);
  }

  /** Memory for one element, between guards. */
  private part(element: Element): Part {
    const content = element.read;
    const bytes = content !== undefined ? content.length : element.write || 0;
    const at = this.free + GUARD;
    this.free += (bytes + 2 * GUARD + 15) & ~15;
    if (this.free > this.arena.offset + this.arena.bytes) {
      throw new Error('the case needs more memory than the runner was given');
    }
    for (let byte = -GUARD; byte < bytes + GUARD; byte++) {
      const inside = byte >= 0 && byte < bytes;
      this.setByte(at + byte, !inside ? GUARD_BYTE : content !== undefined ? content[byte] : FRESH_BYTE);
    }
    return { at, bytes, writable: content === undefined, before: this.bytes(at, bytes) };
  }

  /** A head index that no buffer has. */
  lieHead(queue: number, head: number): void {
    const ring = this.ring(queue);
    ring.queue.offer(head);
    ring.queue.publish();
    this.note(ring);
  }

  /** An available index that is not the number of buffers. */
  lieIndex(queue: number, index: number): void {
    const ring = this.ring(queue);
    ring.queue.publish(index);
    this.note(ring);
  }

  /** A buffer of 64 writable bytes at any address below 2^53. */
  lieAddress(queue: number, address: number): void {
    const ring = this.ring(queue);
    const table = { words: this.machine.words, low: 0, high: 0, offset: ring.queue.descriptors };
    ring.queue.writeEntry(table, 0, [address % 4294967296, Math.floor(address / 4294967296)], 64, WRITE, 0);
    ring.queue.offer(0);
    ring.queue.publish();
    this.note(ring);
  }

  /** Takes the next used buffer: the oldest one offered, with `written` bytes of value `fill` (-1 = not looked at). False = none is there. */
  takeUsed(queue: number, written: number, fill: number): boolean {
    const ring = this.ring(queue);
    const found = ring.queue.take();
    if (found === undefined) {
      return false;
    }
    const buffer = ring.offered.shift();
    if (buffer === undefined || found.head !== buffer.head) {
      return fail('used id ' + found.head + ' is not the oldest buffer of queue ' + queue);
    }
    if (found.written !== written) {
      fail('used length is ' + found.written + ', not ' + written);
    }
    let left = fill < 0 ? 0 : written;
    buffer.parts.forEach((part) => {
      const here = part.writable ? Math.min(left, part.bytes) : 0;
      if (this.bytes(part.at, here).some((byte) => byte !== fill)) {
        fail('a byte of the used buffer is not ' + fill);
      }
      left -= here;
    });
    return true;
  }

  /** From now on the device's side of the ring must stay as it is. */
  freeze(queue: number, flags: boolean): void {
    this.freezeRing(this.ring(queue), flags);
  }

  /** What must hold whatever the case was about. */
  check(): void {
    this.rings.forEach((ring, queue) => {
      if (ring !== undefined) {
        this.checkRing(ring, 'queue ' + queue);
      }
    });
    this.retired.forEach((ring) => this.checkRing(ring, 'an earlier life'));
  }

  private checkRing(ring: Ring, owner: string): void {
    if (!equal(this.driverAreas(ring.queue), ring.driverAreas)) {
      fail('the device wrote into the descriptors or the available ring of ' + owner);
    }
    if (ring.frozen !== undefined && !equal(this.deviceAreas(ring, ring.frozenFlags), ring.frozen)) {
      fail('the device wrote into the used ring or a buffer of ' + owner + ' that is none of its any more');
    }
    ring.all.forEach((buffer) => {
      buffer.parts.forEach((part) => {
        const guards = this.bytes(part.at - GUARD, GUARD).concat(this.bytes(part.at + part.bytes, GUARD));
        if (guards.some((byte) => byte !== GUARD_BYTE)) {
          fail('the device wrote beside a buffer of ' + owner);
        }
        if (!part.writable && !equal(this.bytes(part.at, part.bytes), part.before)) {
          fail('the device wrote into a buffer of ' + owner + ' that it may only read');
        }
      });
    });
  }

  private ring(queue: number): Ring {
    const ring = this.rings[queue];
    if (ring === undefined) {
      throw new Error('queue ' + queue + ' has no ring: the case lacks a step');
    }
    return ring;
  }

  private note(ring: Ring): void {
    ring.driverAreas = this.driverAreas(ring.queue);
  }

  private freezeRing(ring: Ring, flags: boolean): void {
    ring.frozen = this.deviceAreas(ring, flags);
    ring.frozenFlags = flags;
  }

  private driverAreas(queue: SplitQueue): number[] {
    return this.bytes(queue.descriptors, queue.size * DESCRIPTOR).concat(this.bytes(queue.available, 6 + queue.size * 2));
  }

  /** The used ring, with or without flags and avail_event, and every buffer the device may write. */
  private deviceAreas(ring: Ring, flags: boolean): number[] {
    const { used, size } = ring.queue;
    let areas = flags ? this.bytes(used, 6 + size * 8) : this.bytes(used + 2, 2 + size * 8);
    ring.all.forEach((buffer) => {
      buffer.parts.forEach((part) => (areas = areas.concat(part.writable ? this.bytes(part.at, part.bytes) : [])));
    });
    return areas;
  }

  private bytes(at: number, count: number): number[] {
    const { words } = this.machine;
    const result: number[] = [];
    for (let byte = at; byte < at + count; byte++) {
      const word = words[byte >> 1];
      result.push((byte & 1) === 0 ? word & 255 : word >> 8);
    }
    return result;
  }

  private setByte(at: number, value: number): void {
    const { words } = this.machine;
    const word = words[at >> 1];
    words[at >> 1] = (at & 1) === 0 ? (word & 0xff00) | value : (word & 255) | (value << 8);
  }
}
