// SUSPEND (feature 43): drain, stand still, go on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { configChanged, needsReset, Removal, unplug } from '../../../firmware/device.hot.js';
import type { BusyDevice } from '../../support/busy-device.js';
import { busyDevice } from '../../support/busy-device.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read32 } from '../../support/driver/message.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, RING, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const RUNNING = 0x0f;
const SUSPEND = 0x10;
const SUSPENDED = 0x1b;
/** Bit 43: bit 11 of block 1. */
const FEATURE = 1 << 11;
/** RING_PACKED, bit 34. */
const PACKED = 1 << 2;

interface Bench {
  bus: AmpBus;
  tested: BusyDevice;
  device: DriverDevice;
  queue: SplitQueue | PackedQueue;
}

function bench(accepted = FEATURE): Bench {
  const tested = busyDevice({ number: 1, config: [1, 2], writable: [0, 2], queueSizes: [8, 8] });
  const bus = connectedTo([tested.model], { ringFeatures: [34, 43] });
  const device = new DriverDevice(bus, 1);
  device.negotiate(0, accepted);
  const queue = (accepted & PACKED) !== 0 ? new PackedQueue(hostMachine, RING, 8) : new SplitQueue(hostMachine, RING, 8);
  device.setQueue(0, 8, queue.areas());
  assert.equal(device.setStatus(0x1b), 0x0b, 'R-169: not before DRIVER_OK');
  device.start();
  settle(bus);
  return { bus, tested, device, queue };
}

function offer({ device, queue, bus }: Bench): ReturnType<typeof settle> {
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  return settle(bus);
}

test('R-165 with nothing in flight the answer shows SUSPEND set and DRIVER_OK clear', () => {
  const { device } = bench();
  assert.equal(device.setStatus(RUNNING | SUSPEND), SUSPENDED);
  assert.equal(device.status(), SUSPENDED);
});

[FEATURE, FEATURE | PACKED].forEach((accepted) => {
  test('R-165 R-168 what is in flight is given back and told first, what came meanwhile is served later' + (accepted === FEATURE ? ', split' : ', packed'), () => {
    const on = bench(accepted);
    offer(on);
    assert.equal(on.device.setStatus(RUNNING | SUSPEND), RUNNING, 'not yet');
    offer(on);
    assert.equal(on.tested.flying.length, 1, 'nothing new is taken');
    assert.equal(on.device.status(), RUNNING);
    on.tested.land(3);
    assert.deepEqual(settle(on.bus).map((event) => event.id), [0x42]);
    assert.deepEqual(on.queue.take()?.written, 3);
    settle(on.bus);
    assert.equal(on.device.status(), SUSPENDED);
    assert.equal(on.device.setStatus(RUNNING), RUNNING);
    settle(on.bus);
    assert.equal(on.tested.flying.length, 1, 'what came meanwhile');
    on.tested.land(4);
    settle(on.bus);
    assert.equal(on.queue.take()?.written, 4);
  });
});

test('R-165 R-153 a queue that is set up while the others drain takes nothing before the device goes on', () => {
  const on = bench();
  offer(on);
  assert.equal(on.device.setStatus(RUNNING | SUSPEND), RUNNING);
  const second = new SplitQueue(hostMachine, RING + 0x1000, 8);
  second.add([{ offset: BUFFERS + 64, bytes: 4, writable: true }]);
  second.publish();
  on.device.setQueue(1, 8, second.areas());
  on.device.kick(1);
  settle(on.bus);
  assert.equal(on.tested.flying.length, 1);
  on.tested.land(3);
  settle(on.bus);
  settle(on.bus);
  assert.equal(on.device.status(), SUSPENDED);
  assert.equal(on.device.setStatus(RUNNING), RUNNING);
  settle(on.bus);
  assert.equal(on.tested.flying.length, 1, 'now it is looked at');
});

test('R-165 R-313 a device that drains for a suspension is not asked to leave before that has ended', () => {
  [Removal.Soon, Removal.Ask].forEach((removal) => {
    const tested = busyDevice({ number: 1 });
    const bus = connectedTo([tested.model], { ringFeatures: [43], leaveState: 0x8004, askState: 0xfffc });
    const device = new DriverDevice(bus, 1);
    device.negotiate(0, FEATURE);
    device.start();
    tested.stuck = true;
    assert.equal(device.setStatus(RUNNING | SUSPEND), RUNNING);
    assert.equal(unplug(tested.row, removal), false);
    assert.deepEqual(settle(bus), []);
    tested.stuck = false;
    settle(bus);
    assert.equal(device.status(), SUSPENDED);
    assert.equal(unplug(tested.row, removal), true);
    assert.deepEqual(settle(bus).map(({ id }) => id), [0x40]);
  });
});

test('R-165 a device that cannot drain asks for a reset', () => {
  const on = bench();
  offer(on);
  on.device.setStatus(RUNNING | SUSPEND);
  fake.microseconds += 3000000;
  assert.deepEqual(settle(on.bus).map((event) => [event.id, event.payload[0]]), [[0x40, 0x4f]]);
  assert.equal(on.device.status(), 0x4f);
  on.tested.flying.length = 0;
  assert.equal(on.device.setStatus(0), 0);
});

test('R-166 a suspended device touches no queue, tells nothing and takes no write', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  assert.deepEqual(offer(on), []);
  assert.equal(on.tested.flying.length, 0);
  assert.equal(read32(on.device.request('SET_CONFIG', 6, le32(0).concat(le32(0), le32(1), [9])), 8), 0);
  assert.deepEqual(on.device.config(0, 2), [1, 2]);
});

test('R-167 a change made meanwhile is told after the device went on', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  configChanged(on.tested.row, 1, 1);
  assert.deepEqual(settle(on.bus), []);
  assert.equal(on.device.setStatus(RUNNING), RUNNING);
  const events = settle(on.bus).concat(on.bus.events.splice(0));
  assert.deepEqual(events.map((event) => [event.id, event.payload.slice(0, 4), event.payload.slice(8)]), [[0x40, [RUNNING, 0, 0, 0], le32(1).concat(le32(1), [2])]]);
});

test('R-168 DRIVER_OK has the device go on where it was', () => {
  const on = bench();
  offer(on);
  on.tested.land(1);
  settle(on.bus);
  on.device.setStatus(RUNNING | SUSPEND);
  offer(on);
  assert.equal(on.device.setStatus(RUNNING), RUNNING);
  settle(on.bus);
  assert.equal(on.tested.flying.length, 1, 'the queue is looked at without a notification');
  on.tested.land(2);
  settle(on.bus);
  assert.deepEqual([on.queue.take()?.written, on.queue.take()?.written], [1, 2]);
  assert.equal(on.device.setStatus(RUNNING | SUSPEND), SUSPENDED, 'and again');
});

test('R-167 a failure while suspended tells of the status alone; the change still comes after the device went on', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  configChanged(on.tested.row, 1, 1);
  needsReset(on.tested.row);
  assert.deepEqual(settle(on.bus).map((event) => event.payload), [[SUSPENDED | 0x40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
  on.device.setStatus(RUNNING);
  const events = settle(on.bus).concat(on.bus.events.splice(0));
  assert.deepEqual(events.map((event) => event.payload.slice(8)), [le32(1).concat(le32(1), [2])]);
});

test('R-147 a device that failed while suspended serves nothing when it is told to go on', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  needsReset(on.tested.row);
  offer(on);
  on.device.setStatus(RUNNING);
  settle(on.bus);
  offer(on);
  assert.equal(on.tested.flying.length, 0);
});

test('R-153 R-168 a queue set up while suspended is looked at when the device goes on', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  const late = new SplitQueue(hostMachine, RING + 0x4000, 8);
  on.device.setQueue(1, 8, late.areas());
  late.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  late.publish();
  settle(on.bus);
  assert.equal(on.tested.flying.length, 0);
  on.device.setStatus(RUNNING);
  settle(on.bus);
  assert.equal(on.tested.flying.length, 1, 'without a notification');
});

test('R-311 a device on its way out takes nothing new when its driver has it go on', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  on.tested.stuck = true;
  unplug(on.tested.row, Removal.Now);
  on.device.setStatus(RUNNING);
  offer(on);
  assert.equal(on.tested.flying.length, 0);
});

test('R-169 without the feature SUSPEND is ignored', () => {
  const on = bench(0);
  assert.equal(on.device.setStatus(RUNNING | SUSPEND), RUNNING);
  offer(on);
  assert.equal(on.tested.flying.length, 1);
});

test('R-162 a suspended device can be reset, and FAILED', () => {
  const on = bench();
  on.device.setStatus(RUNNING | SUSPEND);
  assert.equal(on.device.setStatus(SUSPENDED | 0x80), SUSPENDED | 0x80);
  assert.equal(on.device.setStatus(0), 0);
  on.device.negotiate(0, 0);
});

test('R-117 a device that does not offer SUSPEND has no such state', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const device = new DriverDevice(bus, 1);
  assert.deepEqual(device.features(), [0, 1]);
});
