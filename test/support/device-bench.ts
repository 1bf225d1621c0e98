// A device under test with its queues up: requests are byte lists cut into elements as the test likes, answers are bytes.
//
// Every element lies between guard bytes; reading an answer checks that neither they nor the readable part have changed.
import assert from 'node:assert/strict';
import { fake, layouts } from '../../hal/fake/port.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { pass } from '../../firmware/loop.hot.js';
import { AmpBus } from './driver/amp-bus.js';
import { DriverDevice } from './driver/device.js';
import type { Message } from './driver/message.js';
import { read32 } from './driver/message.js';
import { PackedQueue } from './driver/packed-queue.js';
import { SplitQueue } from './driver/split-queue.js';
import type { BusSettings } from './fresh.js';
import { connectedTo, forget, settle } from './fresh.js';
import { hostMachine, startFirmware } from './host-driver.js';

/** Bytes of buffers before a request, and around elements. */
export const OLD = 0x5a;
const GUARD = 8;
/** Rings of queue q of the n-th device of a test lie at RINGS + (n * 8 + q) * 0x2000, for up to four devices; buffers of all behind them. */
const RINGS = 0x8000;
const BUFFERS = 0x50000;
const BUFFERS_END = 0x100000;

export interface BenchOptions {
  /** Feature bits to accept, 0..31. */
  features?: readonly number[];
  /** Queues to set up; 0 by default. */
  queues?: readonly number[];
  /** Ring size; 64 or the largest the queue has by default. */
  size?: number;
  packed?: boolean;
  /** Device number; the model's by default. */
  number?: number;
}

/** A request as it was offered. */
interface Offered {
  readonly readable: { readonly at: number; readonly bytes: readonly number[] }[];
  readonly writable: { readonly at: number; readonly length: number }[];
}

export interface Answer {
  readonly head: number;
  readonly written: number;
  /** All of the writable part, whatever was written of it. */
  readonly bytes: number[];
}

let nextBuffer = BUFFERS;
let benches = 0;

function memory(): Uint8Array {
  const bytes = fake.bytes[0];
  assert.ok(bytes !== undefined);
  return bytes;
}

/** A place for `length` bytes with guards around it, all of them OLD. */
function place(length: number): number {
  if (nextBuffer + length + 2 * GUARD > BUFFERS_END) {
    nextBuffer = BUFFERS;
  }
  const at = nextBuffer + GUARD;
  memory().fill(OLD, nextBuffer, at + length + GUARD);
  nextBuffer = at + length + GUARD;
  return at;
}

function expectGuards(at: number, length: number): void {
  const around = [...memory().subarray(at - GUARD, at), ...memory().subarray(at + length, at + length + GUARD)];
  assert.ok(around.every((byte) => byte === OLD), 'nothing around an element changes');
}

/** One device that a driver has started. */
export class DeviceBench {
  readonly device: DriverDevice;
  readonly number: number;
  private readonly place = benches++;
  private readonly queues = new Map<number, SplitQueue | PackedQueue>();
  private readonly offered = new Map<number, Map<number, Offered>>();
  /** Events that came and were not looked at, oldest first. */
  readonly events: Message[] = [];

  constructor(readonly bus: AmpBus, private readonly model: DeviceModel, readonly options: BenchOptions = {}) {
    this.number = options.number ?? model.number;
    this.device = new DriverDevice(bus, this.number);
    this.start();
  }

  /** Brings the device up, also again after a reset; requests of an earlier life are forgotten. */
  start(): void {
    this.negotiate();
    (this.options.queues ?? [0]).forEach((index) => this.setUp(index));
    this.device.start();
    this.settle();
  }

  /** Up to FEATURES_OK. */
  negotiate(): void {
    const block0 = (this.options.features ?? []).reduce((bits, bit) => bits + 2 ** bit, 0);
    // Bit 34 is RING_PACKED.
    this.device.negotiate(block0, this.options.packed === true ? 4 : 0);
  }

  setUp(index: number): void {
    const size = this.options.size ?? Math.min(64, this.model.queueSizes[index] ?? 0);
    const at = RINGS + (this.place * 8 + index) * 0x2000;
    assert.ok(at + 0x2000 <= BUFFERS && index < 8);
    const queue = this.options.packed === true ? new PackedQueue(hostMachine, at, size) : new SplitQueue(hostMachine, at, size);
    this.queues.set(index, queue);
    this.offered.set(index, new Map());
    this.device.setQueue(index, size, queue.areas());
    assert.equal(this.device.queue(index)[2], size, 'the device accepts the queue');
  }

  queue(index: number): SplitQueue | PackedQueue {
    const queue = this.queues.get(index);
    assert.ok(queue !== undefined);
    return queue;
  }

  /** Makes one request available: elements with these bytes, then elements of these lengths to write to. No kick. */
  offer(index: number, readable: readonly (readonly number[])[], writable: readonly number[] = []): number {
    const entry: Offered = {
      readable: readable.map((bytes) => ({ at: place(bytes.length), bytes })),
      writable: writable.map((length) => ({ at: place(length), length })),
    };
    entry.readable.forEach(({ at, bytes }) => memory().set(bytes, at));
    const queue = this.queue(index);
    const head = queue.add([
      ...entry.readable.map(({ at, bytes }) => ({ offset: at, bytes: bytes.length, writable: false })),
      ...entry.writable.map(({ at, length }) => ({ offset: at, bytes: length, writable: true })),
    ]);
    queue.publish();
    this.offered.get(index)?.set(head, entry);
    return head;
  }

  /** Rings for `index` and lets the firmware work until nothing is left to do at this moment. */
  kick(index: number): void {
    this.device.kick(index);
    this.settle();
  }

  settle(): void {
    this.events.push(...settle(this.bus));
  }

  /** Lets `microseconds` pass in steps of `step`, the firmware looking at each. */
  wait(microseconds: number, step = 1000): void {
    for (let passed = 0; passed < microseconds; passed += step) {
      fake.microseconds += step;
      pass();
    }
    this.settle();
  }

  /** The next request the device has finished, or undefined. */
  take(index: number): Answer | undefined {
    const used = this.queue(index).take();
    if (used === undefined) {
      return undefined;
    }
    const entry = this.offered.get(index)?.get(used.head);
    assert.ok(entry !== undefined, 'the device gives back what it was given, once');
    this.offered.get(index)?.delete(used.head);
    entry.readable.forEach(({ at, bytes }) => {
      expectGuards(at, bytes.length);
      assert.deepEqual(Array.from(memory().subarray(at, at + bytes.length)), Array.from(bytes), 'the readable part is left alone');
    });
    const bytes: number[] = [];
    entry.writable.forEach(({ at, length }) => {
      expectGuards(at, length);
      bytes.push(...memory().subarray(at, at + length));
    });
    assert.ok(used.written <= bytes.length, 'used length within the writable part');
    assert.ok(bytes.slice(used.written).length === 0 || fake.guardsIntact());
    return { head: used.head, written: used.written, bytes };
  }

  /** All that is finished. */
  takeAll(index: number): Answer[] {
    const answers: Answer[] = [];
    for (let answer = this.take(index); answer !== undefined; answer = this.take(index)) {
      answers.push(answer);
    }
    return answers;
  }

  /** One request and its answer, or undefined when the device keeps it. */
  ask(index: number, readable: readonly (readonly number[])[], writable: readonly number[] = []): Answer | undefined {
    this.offer(index, readable, writable);
    this.kick(index);
    return this.take(index);
  }

  /** The queue indices of the EVENT_USED that came, and forgets all events. */
  usedEvents(): number[] {
    return this.events
      .splice(0)
      .filter((event) => event.id === 0x42 && event.device === this.number)
      .map((event) => read32(event.payload, 0));
  }
}

/** A firmware with `models`, the first of which is up. */
export function benchOf(model: DeviceModel, options: BenchOptions = {}, others: readonly DeviceModel[] = [], settings: BusSettings = {}): DeviceBench {
  nextBuffer = BUFFERS;
  benches = 0;
  const ring = options.packed === true ? { ringFeatures: [34], ...settings } : settings;
  return new DeviceBench(connectedTo([model, ...others], ring), model, options);
}

/** A firmware with a bus for each of `models`, every one of them up with a driver side of its own. */
export function benchPerBus(models: readonly DeviceModel[], options: BenchOptions = {}): DeviceBench[] {
  nextBuffer = BUFFERS;
  benches = 0;
  forget();
  startFirmware({ buses: models.map((model) => ({ profile: 'A', devices: [model], ringFeatures: [] })) });
  return models.map((model, number) => {
    const bus = new AmpBus({ ...hostMachine, layout: layouts[number]?.offset ?? NaN });
    bus.connect();
    return new DeviceBench(bus, model, options);
  });
}
