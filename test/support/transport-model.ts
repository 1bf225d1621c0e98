// The transport of one device in plain words: what every message is answered with and what follows from it, in any order.
//
// Nothing here is shared with the firmware; numbers are typed anew from the specification. Sources stand at the lines.
import type { Profile } from './driver/message.js';
import { headerBytes, le32, le64, read32 } from './driver/message.js';

export interface ModelQueue {
  readonly max: number;
  /** Feature bit without which the queue does not exist. */
  readonly feature?: number;
}

export interface ModelFacts {
  readonly profile: Profile;
  /** STRICT_CONFIG_GENERATION is agreed, or the profile is always strict. */
  readonly strict: boolean;
  /** Largest message of the bus. */
  readonly size: number;
  readonly deviceId: number;
  readonly vendorId: number;
  readonly uuid: readonly number[];
  /** Bits offered, VERSION_1 (32) among them, and blocks of 32 bits. */
  readonly offered: readonly number[];
  readonly blocks: number;
  /** Bits that need another one. */
  readonly requires: readonly (readonly [number, number])[];
  readonly config: readonly number[];
  /** First byte the driver may write, and the byte behind the last. */
  readonly writable: readonly [number, number];
  readonly queues: readonly ModelQueue[];
  readonly regions: readonly { readonly id: number; readonly address: bigint; readonly bytes: number }[];
  /** Memory the device reaches: address and bytes. */
  readonly windows: readonly (readonly [bigint, number])[];
}

interface Queue {
  state: 'disabled' | 'enabled' | 'broken';
  size: number;
  /** Descriptor, driver and device area. */
  areas: bigint[];
}

/** What a message leads to: the payload of the answer, none, or that the message is dropped and counted. */
export type Outcome = readonly number[] | 'no answer' | 'dropped';

const FEATURES_OK = 8;
const DRIVER_OK = 4;
const SUSPEND = 16;
const NEEDS_RESET = 64;
const FAILED = 128;
const RING_PACKED = 34;
const SUSPEND_FEATURE = 43;

function read64(bytes: readonly number[], at: number): bigint {
  return BigInt(read32(bytes, at)) + (BigInt(read32(bytes, at + 4)) << 32n);
}

function write64(value: bigint): number[] {
  return le64(Number(value & 0xffffffffn), Number(value >> 32n));
}

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function words(values: readonly number[]): number[] {
  return values.flatMap((value) => le32(value));
}

export class TransportModel {
  status = 0;
  generation = 0;
  config: number[];
  queues: Queue[];
  /** Something behind the device works: a reset takes until it has ended (profiles B and C only here). */
  busy = false;
  /** Payloads of the EVENT_CONFIG that have to come after the message or deed. */
  events: number[][] = [];
  /** Queues that have to be looked at after the message or deed. */
  looked: number[] = [];
  resetting = false;
  private driver = new Map<number, number>();
  /** bits in blocks of more than four groups of sixteen that the device does not have, or behind the last block: remembered until the reset. */
  private tooFar = false;
  /** A message has shown the count, so that the next change is a new step. */
  private shown = true;
  /** Range of a change that is told after the suspension. */
  private held: readonly [number, number] | undefined = undefined;

  constructor(readonly facts: ModelFacts) {
    this.config = [...facts.config];
    this.queues = facts.queues.map(() => this.freshQueue());
  }

  private freshQueue(): Queue {
    return { state: 'disabled', size: 0, areas: [0n, 0n, 0n] };
  }

  private get late(): boolean {
    return this.facts.profile !== 'A';
  }

  /** Payload bytes that a message may have. */
  private get room(): number {
    return this.facts.size - headerBytes(this.facts.profile);
  }

  private has(bit: number): boolean {
    return (((this.driver.get(bit >> 5) ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  get suspended(): boolean {
    return (this.status & SUSPEND) !== 0;
  }

  /** The device may touch its rings. */
  get running(): boolean {
    return (this.status & (DRIVER_OK | FAILED)) === DRIVER_OK;
  }

  /** Takes a message with a legal header. */
  message(id: number, payload: readonly number[]): Outcome {
    this.events = [];
    this.looked = [];
    // Bytes of the fixed part of each message.
    const least = new Map([[0x02, 0], [0x03, 8], [0x04, 8], [0x05, 8], [0x06, 12], [0x07, 0], [0x08, 4], [0x09, 4], [0x0a, 40], [0x0b, 4], [0x0c, 4], [0x41, 8]]).get(id);
    if (least === undefined || payload.length < least || payload.length > this.room) {
      return 'dropped';
    }
    switch (id) {
      case 0x02:
        return this.info();
      case 0x03:
        return this.deviceFeatures(read32(payload, 0), read32(payload, 4));
      case 0x04:
        return this.driverFeatures(payload);
      case 0x05:
        return this.readConfig(read32(payload, 0), read32(payload, 4));
      case 0x06:
        return this.writeConfig(payload);
      case 0x07:
        return le32(this.status);
      case 0x08:
        this.writeStatus(read32(payload, 0));
        return le32(this.status);
      case 0x09:
        return this.queueInfo(read32(payload, 0));
      case 0x0a:
        this.setQueue(payload);
        return [];
      case 0x0b:
        this.resetQueue(read32(payload, 0));
        return [];
      case 0x0c:
        return this.region(read32(payload, 0));
      default:
        return this.available(read32(payload, 0));
    }
  }

  private info(): number[] {
    const { deviceId, vendorId, uuid, blocks, queues } = this.facts;
    // no admin queue.
    return this.late
      ? [...words([deviceId, vendorId]), ...uuid, ...words([blocks, this.config.length, queues.length, 0, 0])]
      : words([deviceId, vendorId, blocks * 32, this.config.length, queues.length, 0]);
  }

  private deviceFeatures(first: number, asked: number): number[] {
    // as many as fit: zero beyond.
    const count = Math.min(asked, Math.floor((this.room - 8) / 4));
    const block = (number: number): number => this.facts.offered.reduce((bits, bit) => (Math.floor(bit / 32) === number ? bits + 2 ** (bit % 32) : bits), 0);
    return words([first, count, ...Array.from({ length: count }, (_, at) => block(first + at))]);
  }

  private driverFeatures(payload: readonly number[]): Outcome {
    const first = read32(payload, 0);
    const count = read32(payload, 4);
    if (payload.length < 8 + count * 4) {
      //
      return 'dropped';
    }
    //
    if ((this.status & FEATURES_OK) === 0 && !this.resetting) {
      for (let at = 0; at < count; at++) {
        const bits = read32(payload, 8 + at * 4);
        this.driver.set(first + at, bits);
        const far = [...this.driver].filter(([block, set]) => block >= this.facts.blocks && set !== 0).map(([block]) => Math.floor(block / 16));
        this.tooFar ||= new Set(far).size > 4 || far.some((group) => group >= 2 ** 28);
      }
    }
    return [];
  }

  /** */
  private acceptable(): boolean {
    const offered = new Set(this.facts.offered);
    for (const [block, bits] of this.driver) {
      for (let bit = 0; bit < 32; bit++) {
        if (((bits >>> bit) & 1) === 1 && !offered.has(block * 32 + bit)) {
          return false;
        }
      }
    }
    return !this.tooFar && this.has(32) && this.facts.requires.every(([bit, needed]) => !this.has(bit) || this.has(needed));
  }

  /** The count as messages tell it; it has been seen then. */
  private tellGeneration(): number {
    this.shown = true;
    return !this.facts.strict && this.facts.profile === 'B' ? 0 : this.generation;
  }

  private readConfig(offset: number, asked: number): number[] {
    //
    const length = offset + asked <= this.config.length && asked <= this.room - 12 ? asked : 0;
    return [...words([this.tellGeneration(), offset, length]), ...this.config.slice(offset, offset + length)];
  }

  private writeConfig(payload: readonly number[]): Outcome {
    const offset = read32(payload, 4);
    const length = read32(payload, 8);
    if (payload.length < 12 + length) {
      //
      return 'dropped';
    }
    // in any other status.
    const accepted =
      !this.resetting &&
      !this.suspended &&
      (!this.facts.strict || read32(payload, 0) === this.generation) &&
      offset >= this.facts.writable[0] &&
      offset + length <= this.facts.writable[1];
    if (accepted) {
      // applied whole, without an event or a step of the count.
      this.config.splice(offset, length, ...payload.slice(12, 12 + length));
    }
    return words([this.tellGeneration(), offset, accepted ? length : 0]);
  }

  private writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    if (this.resetting) {
      //
      return;
    }
    // bits are only added, and only the driver's.
    this.status |= value & (1 | 2 | FAILED);
    if ((value & FEATURES_OK) !== 0 && (this.status & FEATURES_OK) === 0 && this.acceptable()) {
      //
      this.status |= FEATURES_OK;
    }
    if (this.suspended) {
      if ((value & DRIVER_OK) !== 0) {
        //
        this.status = (this.status | DRIVER_OK) & ~SUSPEND;
        if (this.held !== undefined) {
          this.tellChange(this.held);
        }
        this.lookAtAll();
      }
    } else if ((this.status & DRIVER_OK) !== 0) {
      if ((value & SUSPEND) !== 0 && this.has(SUSPEND_FEATURE)) {
        // nothing is ever in flight here.
        this.status = (this.status | SUSPEND) & ~DRIVER_OK;
      }
    } else if ((value & DRIVER_OK) !== 0 && (this.status & FEATURES_OK) !== 0) {
      //
      this.status |= DRIVER_OK;
      this.lookAtAll();
    }
  }

  private lookAtAll(): void {
    this.queues.forEach((_, index) => this.look(index));
  }

  /** True when the queue is looked at. */
  private look(index: number): boolean {
    const seen = this.queues[index]?.state === 'enabled' && this.running;
    if (seen) {
      this.looked.push(index);
    }
    return seen;
  }

  /** all but identity, offered features, configuration and its count. */
  private reset(): void {
    if (this.resetting) {
      //
      return;
    }
    this.driver.clear();
    this.tooFar = false;
    this.held = undefined;
    this.queues = this.queues.map(() => this.freshQueue());
    //
    this.resetting = this.late && this.busy;
    this.status = this.resetting ? NEEDS_RESET : 0;
  }

  /** Deed: what works behind the device has ended, or has begun. */
  setBusy(busy: boolean): void {
    this.events = [];
    this.looked = [];
    this.busy = busy;
    if (!busy && this.resetting) {
      this.resetting = false;
      this.status = 0;
    }
  }

  /** Deed: the device changes `bytes` of its configuration at `offset`. */
  change(offset: number, bytes: readonly number[]): void {
    this.events = [];
    this.looked = [];
    this.config.splice(offset, bytes.length, ...bytes);
    if (this.shown) {
      this.generation += 1;
      this.shown = false;
    }
    if (this.status === 0 || this.resetting) {
      return;
    }
    if (this.suspended) {
      const [first, end] = this.held ?? [offset, offset];
      this.held = [Math.min(first, offset), Math.max(end, offset + bytes.length)];
    } else {
      this.tellChange([offset, offset + bytes.length]);
    }
  }

  /** EVENT_CONFIG for the bytes from `first` to before `end`. */
  private tellChange([first, end]: readonly [number, number]): void {
    const { profile } = this.facts;
    const fits = end - first <= this.room - 16;
    const offset = fits || profile !== 'C' ? first : 0;
    const length = fits || profile === 'B' ? end - first : 0;
    this.events.push([...words([this.status, this.tellGeneration(), offset, length]), ...(fits ? this.config.slice(first, end) : [])]);
    this.held = undefined;
  }

  /** Deed: the device cannot go on; in its reset state it has nobody to tell. */
  fail(): void {
    this.events = [];
    this.looked = [];
    this.queues.forEach((queue) => {
      if (queue.state === 'enabled') {
        queue.state = 'broken';
      }
    });
    if (this.status !== 0 && (this.status & NEEDS_RESET) === 0) {
      this.status |= NEEDS_RESET;
      //
      this.events.push(words([this.status, this.tellGeneration(), 0, 0]));
    }
  }

  /** */
  private findQueue(index: number): Queue | undefined {
    const feature = this.facts.queues[index]?.feature;
    return feature !== undefined && (this.status & FEATURES_OK) !== 0 && !this.has(feature) ? undefined : this.queues[index];
  }

  private queueInfo(index: number): number[] {
    const queue = this.findQueue(index);
    if (queue === undefined) {
      return [...words([index]), ...zeros(36)];
    }
    //
    const enabled = this.late && queue.state !== 'disabled' ? 1 : 0;
    return [...words([index, this.facts.queues[index]?.max ?? NaN, queue.size, enabled]), ...queue.areas.flatMap(write64)];
  }

  private setQueue(payload: readonly number[]): void {
    const index = read32(payload, 0);
    const queue = this.findQueue(index);
    // layout A ignores the field.
    const flags = this.late ? read32(payload, 4) : 1;
    const operation = flags % 4;
    //
    if (queue === undefined || queue.state !== 'disabled' || (this.status & FEATURES_OK) === 0 || flags > 63 || operation === 3) {
      return;
    }
    //
    const applies = (bit: number): boolean => (flags & bit) === 0;
    const size = applies(4) ? read32(payload, 8) : queue.size;
    const areas = queue.areas.map((old, at) => (applies(8 << at) ? read64(payload, 16 + at * 8) : old));
    const enable = operation === 1;
    if ((applies(4) || enable) && !this.isSize(size, this.facts.queues[index]?.max ?? 0)) {
      return;
    }
    if (!areas.every((address, area) => (!enable && !applies(8 << area)) || this.isArea(area, address, size))) {
      return;
    }
    //
    queue.size = size;
    queue.areas = areas;
    if (enable) {
      queue.state = 'enabled';
      //
      this.look(index);
    }
  }

  /** */
  private isSize(size: number, max: number): boolean {
    return size >= 1 && size <= max && (this.has(RING_PACKED) || (size & (size - 1)) === 0);
  }

  /** */
  private isArea(area: number, address: bigint, size: number): boolean {
    const packed = this.has(RING_PACKED);
    const align = [16, packed ? 4 : 2, 4][area] ?? NaN;
    const bytes = [16 * size, packed ? 4 : 6 + 2 * size, packed ? 4 : 6 + 8 * size][area] ?? NaN;
    const end = address + BigInt(bytes);
    const inside = this.facts.windows.some(([base, length]) => address >= base && address < base + BigInt(length) && end <= base + BigInt(length));
    const covered = this.facts.regions.some((region) => address < region.address + BigInt(region.bytes) && end > region.address);
    return address % BigInt(align) === 0n && inside && !covered;
  }

  /** */
  private resetQueue(index: number): void {
    const queue = this.findQueue(index);
    if (queue !== undefined && queue.state !== 'disabled') {
      this.queues[index] = this.freshQueue();
    }
  }

  /** */
  private region(id: number): number[] {
    const found = this.facts.regions.find((region) => region.id === id);
    const hidden = found === undefined || (!this.late && found.address >= 0x100000000n);
    const [length, address] = hidden ? [0, 0n] : [found.bytes, found.address];
    return this.late ? [...words([id, 0]), ...write64(BigInt(length)), ...write64(address)] : words([id, length, Number(address)]);
  }

  /** */
  private available(index: number): Outcome {
    return this.look(index) ? 'no answer' : 'dropped';
  }
}
