// Whatever the driver side does with its ends of the rings, and whenever: of every used buffer and every change it hears, in every way.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { configChanged, setConfigByte } from '../../../firmware/device.hot.js';
import { pass } from '../../../firmware/loop.hot.js';
import type { NotificationOptions } from '../../../firmware/main.js';
import { DriverDevice } from '../../support/driver/device.js';
import { decode, EVENT_CONFIG, read32 } from '../../support/driver/message.js';
import { Notifier } from '../../support/driver/out-of-band.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { ping } from '../../support/peer.js';
import { BUFFERS, RING } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const NUMBERS = [1, 2];
const QUEUES = 3;

type Step =
  | { readonly kind: 'offer'; readonly device: number; readonly queue: number }
  | { readonly kind: 'change'; readonly device: number; readonly value: number }
  | { readonly kind: 'ping' | 'take' | 'hear' | 'pass' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('offer' as const), device: fc.nat(1), queue: fc.nat(QUEUES - 1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), device: fc.nat(1), value: fc.nat(255) }) },
  { weight: 8, arbitrary: fc.constantFrom<Step>({ kind: 'ping' }, { kind: 'ping' }, { kind: 'take' }, { kind: 'hear' }, { kind: 'pass' }, { kind: 'pass' }) },
);

/** A driver side that looks at a ring only when it heard of it, and at the configuration only in events. */
class Listener {
  readonly bus;
  private readonly tested;
  private readonly notifier: Notifier;
  private readonly queues: SplitQueue[][];
  /** Announcements for which there was no room yet. */
  private unsaid: { device: number; queue: number }[] = [];
  private rings = 0;
  private pinged = 0;
  private answered = 0;
  private offered = 0;
  private taken = 0;
  private readonly told: number[] = [0, 0];
  private readonly held: number[] = [0, 0];

  constructor(private readonly way: NotificationOptions, elements: number) {
    this.tested = NUMBERS.map((number) => testDevice({ number, queueSizes: [8, 8, 8], config: [0] }));
    this.bus = connectedTo(this.tested.map(({ model }) => model), { notifications: way, elements });
    this.notifier = new Notifier(this.bus, way);
    this.queues = NUMBERS.map((number, device) => {
      const driver = new DriverDevice(this.bus, number);
      driver.negotiate(0);
      const queues = Array.from({ length: QUEUES }, (_, index) => new SplitQueue(hostMachine, RING + (device * QUEUES + index) * 0x1000, 8));
      queues.forEach((queue, index) => driver.setQueue(index, 8, queue.areas()));
      driver.start();
      return queues;
    });
    this.rings = fake.rings[0] ?? NaN;
    this.notifier.heardFromWords();
  }

  private look(number: number, queue: number): void {
    const device = NUMBERS.indexOf(number);
    (queue < 0 ? [0, 1, 2] : [queue]).forEach((index) => {
      while (this.queues[device]?.[index]?.take() !== undefined) {
        this.taken += 1;
      }
    });
  }

  private say(): void {
    this.unsaid = this.unsaid.filter(({ device, queue }) => !this.notifier.put(device, queue));
  }

  /** Takes one message; false when there is none. */
  private take(): boolean {
    const frame = this.bus.take();
    if (frame === undefined) {
      return false;
    }
    const message = decode(frame);
    if (message.id === EVENT_CONFIG) {
      const device = NUMBERS.indexOf(message.device);
      assert.deepEqual([read32(message.payload, 8), read32(message.payload, 12)], [0, 1]);
      this.told[device] = message.payload[16] ?? NaN;
    } else if ((message.type & 1) === 1) {
      assert.deepEqual(frame.slice(0, 12), [3].concat(ping(this.answered).slice(1)), 'answers in order');
      this.answered += 1;
    }
    this.notifier.heardFrom(message).forEach(({ device, queue }) => this.look(device, queue));
    return true;
  }

  private hear(): void {
    const rings = fake.rings[0] ?? NaN;
    if (this.way.kind === 'doorbell' && rings !== this.rings) {
      NUMBERS.forEach((number) => this.look(number, -1));
    }
    this.rings = rings;
    this.notifier.heardFromWords().forEach(({ device, queue }) => this.look(device, queue));
  }

  run(one: Step): void {
    switch (one.kind) {
      case 'offer': {
        const queue = this.queues[one.device]?.[one.queue];
        if (queue !== undefined && queue.room() > 0) {
          queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
          queue.publish();
          this.offered += 1;
          this.unsaid.push({ device: NUMBERS[one.device] ?? NaN, queue: one.queue });
          this.say();
        }
        break;
      }
      case 'change': {
        const row = this.tested[one.device]?.row ?? NaN;
        setConfigByte(row, 0, one.value);
        configChanged(row, 0, 1);
        this.held[one.device] = one.value;
        break;
      }
      case 'ping':
        this.pinged += this.bus.put(ping(this.pinged)) ? 1 : 0;
        break;
      case 'take':
        this.take();
        break;
      case 'hear':
        this.hear();
        break;
      default:
        pass();
    }
  }

  /** In the end everything was heard. */
  finish(): void {
    for (let turn = 0; turn < 400; turn++) {
      this.say();
      pass();
      this.take();
      this.hear();
    }
    assert.deepEqual([this.taken, this.answered, this.told], [this.offered, this.pinged, this.held]);
    assert.ok(fake.guardsIntact());
  }
}

const ways: readonly (readonly [string, NotificationOptions])[] = [
  ['messages', { kind: 'messages' }],
  ['a doorbell alone', { kind: 'doorbell' }],
  ['direct words', { kind: 'words', words: 1, bitsPerDevice: 4 }],
  ['direct words whose last bit stands for several queues', { kind: 'words', words: 1, bitsPerDevice: 2 }],
  ['cascaded words with masks', { kind: 'words', words: 3, bitsPerDevice: 8, masked: true }],
];

ways.forEach(([name, way]) => {
  test('R-265 R-270 R-271 R-275 R-278 no EVENT_USED, EVENT_CONFIG or answer is ever lost, also with a full queue: ' + name, () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (elements, steps) => {
        const listener = new Listener(way, elements);
        steps.forEach((one) => listener.run(one));
        listener.finish();
      }),
      { seed: 20261125, numRuns: 150 },
    );
  });
});
