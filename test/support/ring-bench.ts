// A started device with one split ring, a second device beside it, and the questions every hostile test ends with.
import assert from 'node:assert/strict';
import { fake } from '../../hal/fake/port.js';
import { pass } from '../../firmware/loop.hot.js';
import type { AmpBus } from './driver/amp-bus.js';
import { DriverDevice } from './driver/device.js';
import type { Message } from './driver/message.js';
import { read32 } from './driver/message.js';
import { SplitQueue } from './driver/split-queue.js';
import type { BusSettings } from './fresh.js';
import { connectedTo, settle } from './fresh.js';
import { hostMachine } from './host-driver.js';
import type { TestDevice, TestDeviceOptions } from './test-device.js';
import { testDevice } from './test-device.js';

export { settle } from './fresh.js';

/** Where rings and buffers lie in window 0. */
export const RING = 0x10000;
export const BUFFERS = 0x40000;
export const WINDOW_BYTES = 0x100000;
export const DRIVER_BASE = 0x80000000;

/** One pass of the firmware's loop, as one doorbell causes it; returns the events it sent. */
export function onePass(bus: AmpBus): Message[] {
  pass();
  bus.poll();
  return bus.events.splice(0);
}

/** Brings device `number` up with queue `index` on a ring of `size` descriptors at `offset`. */
export function bringUp(bus: AmpBus, number: number, size = 8, offset = RING, index = 0): { device: DriverDevice; queue: SplitQueue } {
  const device = new DriverDevice(bus, number);
  device.negotiate(0);
  const queue = new SplitQueue(hostMachine, offset, size);
  device.setQueue(index, size, queue.areas());
  device.start();
  settle(bus);
  return { device, queue };
}

/** Queue index of an EVENT_USED. */
export function usedIndex(event: Message): number {
  return read32(event.payload, 0);
}

export class RingBench {
  readonly bus: AmpBus;
  readonly tested: TestDevice;
  readonly device: DriverDevice;
  readonly queue: SplitQueue;
  private readonly other: { device: DriverDevice; queue: SplitQueue };
  private turn = 0;

  /** Device 1 is the one under test, device 2 the other one; `options` are for device 1, `settings` for their bus. */
  constructor(readonly size = 8, options: Partial<TestDeviceOptions> = {}, settings: BusSettings = {}) {
    this.tested = testDevice({ number: 1, queueSizes: [256, 256], ...options });
    this.bus = connectedTo([this.tested.model, testDevice({ number: 2 }).model], settings);
    const one = bringUp(this.bus, 1, size);
    this.device = one.device;
    this.queue = one.queue;
    this.other = bringUp(this.bus, 2, 8, RING + 0x8000);
  }

  /** Kicks queue 0 and lets the firmware work; returns the events. */
  kick(): Message[] {
    this.device.kick(0);
    return settle(this.bus);
  }

  /** The device stopped: it asks for a reset, says so once, and gave nothing back. */
  expectRingError(events: readonly Message[]): void {
    assert.deepEqual(
      events.map((event) => [event.id, event.device, event.payload]),
      [[0x40, 1, [0x4f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]],
      'one EVENT_CONFIG with DEVICE_NEEDS_RESET',
    );
    assert.equal(this.device.status(), 0x4f);
    assert.equal(this.queue.take(), undefined, 'no chain is given back');
    this.kick();
    assert.equal(this.queue.take(), undefined, 'nor after another kick');
  }

  /** What must hold whatever the driver did: guards, the other device, status, reset, a new life. */
  expectAlive(): void {
    this.expectOtherServes();
    this.device.status();
    assert.equal(this.device.setStatus(0), 0);
    const again = bringUp(this.bus, 1, 8);
    const head = again.queue.add([{ offset: BUFFERS, bytes: 4, writable: false }, { offset: BUFFERS + 64, bytes: 4, writable: true }]);
    again.queue.publish();
    again.device.kick(0);
    settle(this.bus);
    assert.deepEqual(again.queue.take(), { head, written: 4 }, 'a reset device serves again');
    assert.ok(fake.guardsIntact());
  }

  /** The device beside the tested one answers a request through its ring. */
  expectOtherServes(): void {
    this.turn += 1;
    const memory = fake.bytes[0];
    assert.ok(memory !== undefined);
    memory.set([this.turn, 2, 3, 4], BUFFERS + 0x100);
    const elements = [
      { offset: BUFFERS + 0x100, bytes: 4, writable: false },
      { offset: BUFFERS + 0x200, bytes: 8, writable: true },
    ];
    const head = this.other.queue.add(elements);
    this.other.queue.publish();
    this.other.device.kick(0);
    settle(this.bus);
    assert.deepEqual(this.other.queue.take(), { head, written: 4 });
    assert.deepEqual(Array.from(memory.subarray(BUFFERS + 0x200, BUFFERS + 0x204)), [this.turn, 2, 3, 4]);
  }
}
