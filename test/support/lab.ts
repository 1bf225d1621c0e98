// One queue of either ring format with any features and its areas in any windows, a device that does with its chains what
// the test says, and a second device beside it. Messages go straight to the bus layer.
import assert from 'node:assert/strict';
import { fake, windows, windowWords } from '../../hal/fake/port.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { nextEvent } from '../../firmware/transport/events.hot.js';
import {
  elementBytes,
  elementOffset,
  elements,
  elementWindow,
  readableBytes,
  readableElements,
  writableBytes,
} from '../../firmware/virtqueue/chain.hot.js';
import { fillChain } from '../../firmware/virtqueue/cursor.hot.js';
import { kick } from '../../firmware/virtqueue/kicks.hot.js';
import { queueEpoch } from '../../firmware/virtqueue/queue-table.hot.js';
import { finish, take } from '../../firmware/virtqueue/queue.hot.js';
import { serveKicked } from '../../firmware/virtqueue/schedule.hot.js';
import { BareBus } from './bare-bus.js';
import { le32, le64, read32 } from './driver/message.js';
import { PackedQueue } from './driver/packed-queue.js';
import type { Element, Place, QueueOptions, Used } from './driver/ring-memory.js';
import { addressOf } from './driver/ring-memory.js';
import { SplitQueue } from './driver/split-queue.js';
import { hostMachine } from './host-driver.js';

/** Windows of the fake port. */
export const MAIN = 0;
export const HIGH = 1;
export const PRIVATE = 2;
export const CACHED = 3;

/** Where rings, buffers and the other device's ring lie in window 0. */
export const LAB_RING = 0x10000;
export const LAB_BUFFERS = 0xe1000;
const OTHER_RING = 0xf8000;
const OTHER_BUFFERS = 0xf9000;

/** The words of each window, past whatever a test puts in their place. */
const plainWords = windowWords.slice();
/** The first byte of each window as its driver side knows it; none of the private one. */
const starts = windows.map(({ driverAddress }, window): Omit<Place, 'offset'> | undefined => {
  const digits = driverAddress.replace(/^0x/, '');
  const words = plainWords[window];
  return words === undefined || digits === '' ? undefined : { words, low: parseInt(digits.slice(8), 16), high: parseInt(digits.slice(0, 8), 16) };
});

/** The place `offset` bytes into `window`. */
export function inWindow(window: number, offset: number): Place {
  const place = starts[window];
  assert.ok(place !== undefined);
  return { words: place.words, low: place.low, high: place.high, offset };
}

export function windowBytes(window: number): Uint8Array {
  const bytes = fake.bytes[window];
  assert.ok(bytes !== undefined);
  return bytes;
}

export interface SeenElement {
  readonly window: number;
  readonly offset: number;
  readonly bytes: number;
  readonly writable: boolean;
}

/** A chain as the device type sees it. */
export interface LabChain {
  readonly handle: number;
  readonly elements: readonly SeenElement[];
  readonly readableBytes: number;
  readonly writableBytes: number;
  readonly epoch: number;
}

export interface LabOptions {
  readonly packed?: boolean;
  readonly size?: number;
  readonly indirect?: boolean;
  readonly eventIdx?: boolean;
  readonly inOrder?: boolean;
  readonly notificationData?: boolean;
  /** ACCESS_PLATFORM and ORDER_PLATFORM. */
  readonly platform?: boolean;
  readonly places?: readonly Place[];
  /** Sizes of the tested device's queues; one that holds `size` by default. */
  readonly queueSizes?: readonly number[];
}

/** EVENT_USED of the tested queue, EVENT_CONFIG of the tested device, or anything else. */
export type LabEvent = 'used' | 'config' | 'other';

const CONFIG_EVENT = 128;

/** All ring features this stack offers in tests. */
export const RING_FEATURES = [28, 29, 33, 34, 35, 36, 38, 40];

export class Lab {
  readonly bus: BareBus;
  readonly size: number;
  queue: SplitQueue | PackedQueue;
  readonly chains: LabChain[] = [];
  /** What the device does with a chain it has taken; by default it fills the writable part with 0x5a and finishes. */
  plan: (chain: LabChain) => void = (chain) => {
    finish(this.row, chain.handle, fillChain(0, chain.writableBytes, 0x5a));
  };
  /** Called before the chains of a pass are taken. */
  onServe: () => void = () => undefined;
  /** Row of the tested queue in the firmware's tables. */
  row = -1;
  private readonly other: SplitQueue;

  constructor(readonly options: LabOptions = {}) {
    this.size = options.size ?? 8;
    const maximum = 2 ** Math.ceil(Math.log2(this.size));
    this.bus = new BareBus([this.model(1, options.queueSizes ?? [maximum]), otherModel()], 64, 0x1af4, RING_FEATURES);
    this.bus.negotiate(2);
    this.other = new SplitQueue(hostMachine, OTHER_RING, 8);
    this.setQueue(2, 0, 8, this.other.areas());
    this.bus.status(2, 0x0f);
    this.queue = this.bringUp();
    this.settle();
  }

  private model(number: number, queueSizes: readonly number[]): DeviceModel {
    return {
      type: {
        name: 'lab',
        deviceId: 42,
        inOrder: true,
        serve: (queue: number): void => {
          if (queue === this.row) {
            this.onServe();
          }
          for (let handle = take(queue); handle >= 0; handle = take(queue)) {
            const chain = seenChain(queue, handle);
            this.chains.push(chain);
            this.plan(chain);
          }
        },
      },
      number,
      queueSizes,
      features: [],
      config: [],
      attach: (_device: number, firstQueue: number): void => {
        this.row = firstQueue;
      },
    };
  }

  /** Feature blocks 0 and 1 as the options say. */
  features(): number[] {
    const { indirect, eventIdx, packed, inOrder, notificationData, platform } = this.options;
    return [
      (indirect === true ? 1 << 28 : 0) | (eventIdx === true ? 1 << 29 : 0),
      1 | (platform === true ? (1 << 1) | (1 << 4) : 0) | (packed === true ? 1 << 2 : 0) | (inOrder === true ? 1 << 3 : 0) | (notificationData === true ? 1 << 6 : 0) | (1 << 8),
    ];
  }

  queueOptions(): QueueOptions {
    const { eventIdx, inOrder, places } = this.options;
    return { eventIdx: eventIdx === true, inOrder: inOrder === true, ...(places === undefined ? {} : { places }) };
  }

  /** A new driver's half on cleared areas. */
  newQueue(size = this.size): SplitQueue | PackedQueue {
    const Queue = this.options.packed === true ? PackedQueue : SplitQueue;
    return new Queue(hostMachine, LAB_RING, size, this.queueOptions());
  }

  /** Negotiates, sets queue 0 up, DRIVER_OK. */
  bringUp(): SplitQueue | PackedQueue {
    const [block0, block1] = this.features();
    assert.equal(this.bus.negotiate(1, block0, block1), 0x0b);
    this.queue = this.newQueue();
    this.setQueue(1, 0, this.size, this.queue.areas());
    assert.equal(this.bus.status(1, 0x0f), 0x0f);
    return this.queue;
  }

  setQueue(device: number, index: number, size: number, areas: readonly number[][]): void {
    const fields = areas.reduce((bytes: number[], [low, high]) => bytes.concat(le64(low ?? 0, high ?? 0)), []);
    assert.deepEqual(this.bus.request(0x0a, device, le32(index).concat(le32(0), le32(size), le32(0), fields)), []);
  }

  /** Size of queue 0 of the tested device in force, by GET_VQUEUE. */
  sizeInForce(): number {
    return read32(this.bus.request(0x09, 1, le32(0)), 8);
  }

  resetQueue(): void {
    assert.deepEqual(this.bus.request(0x0b, 1, le32(0)), []);
  }

  /** The events raised since the last look. */
  events(): LabEvent[] {
    const events: LabEvent[] = [];
    for (let entry = nextEvent(0); entry >= 0; entry = nextEvent(0)) {
      events.push(entry === this.row ? 'used' : entry === CONFIG_EVENT ? 'config' : 'other');
    }
    return events;
  }

  /** One pass over the queues waiting. */
  onePass(): boolean {
    return serveKicked();
  }

  /** Lets all queues be served until none waits for its turn; returns the events. */
  settle(): LabEvent[] {
    let passes = 0;
    while (serveKicked()) {
      passes += 1;
      assert.ok(passes < 10000, 'the firmware comes to rest');
    }
    return this.events();
  }

  /** EVENT_AVAIL for queue 0, then everything that follows from it. */
  kick(next = 0): LabEvent[] {
    this.bus.kick(1, 0, next);
    return this.settle();
  }

  /** Publishes, kicks and settles. */
  go(): LabEvent[] {
    this.queue.publish();
    return this.kick();
  }

  /** Has the firmware look at the queue again, as a device does that has finished something late. */
  kickRow(): LabEvent[] {
    kick(this.row);
    return this.settle();
  }

  /** Everything the device has given back, in order. */
  taken(): Used[] {
    const all: Used[] = [];
    for (let used = this.queue.take(); used !== undefined; used = this.queue.take()) {
      all.push(used);
    }
    return all;
  }

  /** The ring error and nothing else happened; the device stays stopped. */
  expectError(events: readonly LabEvent[]): void {
    assert.deepEqual(events, ['config'], 'one EVENT_CONFIG');
    assert.equal(this.bus.readStatus(1), 0x4f);
    const seen = this.chains.length;
    assert.deepEqual(this.kick(), [], 'a kick changes nothing');
    assert.equal(this.chains.length, seen);
  }

  /** Whatever the driver did: guards, the other device, status, reset, a new life. */
  expectAlive(): void {
    const head = this.other.add([
      { offset: OTHER_BUFFERS, bytes: 4, writable: false },
      { offset: OTHER_BUFFERS + 16, bytes: 8, writable: true },
    ]);
    this.other.publish();
    this.bus.kick(2, 0);
    this.settle();
    assert.deepEqual(this.other.take(), { head, written: 8 }, 'the other device serves');
    this.bus.readStatus(1);
    assert.equal(this.bus.status(1, 0), 0);
    this.plan = (chain) => finish(this.row, chain.handle, chain.writableBytes);
    this.onServe = () => undefined;
    this.bringUp();
    const again = this.queue.add([{ offset: LAB_BUFFERS, bytes: 4, writable: true }]);
    this.go();
    assert.deepEqual(this.taken(), [{ head: again, written: 4 }], 'a reset device serves again');
    assert.equal(this.bus.status(1, 0), 0);
    assert.ok(fake.guardsIntact());
    assert.ok(windowBytes(PRIVATE).every((byte) => byte === 0), 'the private window is untouched');
  }
}

/** Device 2: its chains are filled and given back. */
export function otherModel(): DeviceModel {
  return {
    type: {
      name: 'other',
      deviceId: 43,
      serve(queue: number): void {
        for (let handle = take(queue); handle >= 0; handle = take(queue)) {
          finish(queue, handle, fillChain(0, writableBytes, 1));
        }
      },
    },
    number: 2,
    queueSizes: [8],
    features: [],
    config: [],
  };
}

/** The chain in the firmware's tables as a device type sees it. */
export function seenChain(queue: number, handle: number): LabChain {
  const list: SeenElement[] = [];
  for (let at = 0; at < elements; at++) {
    list.push({
      window: elementWindow[at] ?? NaN,
      offset: elementOffset[at] ?? NaN,
      bytes: elementBytes[at] ?? NaN,
      writable: at >= readableElements,
    });
  }
  return { handle, elements: list, readableBytes, writableBytes, epoch: queueEpoch[queue] ?? NaN };
}

/** An element of window 0 or another one. */
export function element(offset: number, bytes: number, writable: boolean, window = MAIN): Element {
  return { offset, bytes, writable, place: inWindow(window, 0) };
}

/** A descriptor a driver may write anywhere: 64-bit address, length, flags, and what follows. */
export interface Descriptor {
  readonly address: readonly number[];
  readonly bytes: number;
  readonly flags: number;
  readonly next?: number;
}

/** An address inside a window, as lower and upper half. */
export function at(window: number, offset: number): number[] {
  return addressOf(inWindow(window, offset));
}
