// The device status field: which writes count, what a reset does, and when a device asks for one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { needsReset } from '../../../firmware/transport/needs-reset.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read32 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, bringUp, RING, RingBench, settle, usedIndex } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

function bareBus(): BareBus {
  return new BareBus([testDevice({ number: 5, queueSizes: [8, 8], config: [1, 2, 3, 4], writable: [0, 4] }).model]);
}

/** A bench whose device asks for a reset when byte 3 of its configuration is written. */
function resettingBench(): RingBench {
  return new RingBench(8, { config: [0, 0, 0, 0], writable: [0, 4], onConfig: (row, offset) => (offset === 3 ? needsReset(row) : undefined) });
}

function fail(device: DriverDevice): void {
  device.request('SET_CONFIG', 6, le32(0).concat(le32(3), le32(1), [1]));
}

test('R-070 a device in status 0 answers every request as in any other state', () => {
  const bus = bareBus();
  assert.equal(read32(bus.request(2, 5), 0), 42);
  assert.deepEqual(bus.request(3, 5, le32(1).concat(le32(1))).slice(8), [1, 0, 0, 0]);
  assert.deepEqual(bus.request(5, 5, le32(0).concat(le32(4))).slice(12), [1, 2, 3, 4]);
  assert.equal(bus.readStatus(5), 0);
  assert.equal(bus.request(9, 5, le32(0)).length, 40);
  assert.equal(bus.request(0x0b, 5, le32(0)).length, 0);
});

test('R-141 the answer carries the resulting status', () => {
  const bus = bareBus();
  assert.equal(bus.status(5, 1), 1);
  assert.equal(bus.status(5, 3), 3);
  assert.equal(bus.status(5, 0x0b), 3);
});

test('R-142 a write that leaves out a set bit does not clear it', () => {
  const bus = bareBus();
  assert.equal(bus.negotiate(5), 0x0b);
  [1, 2, 8, 0x20, 0x100].forEach((value) => assert.equal(bus.status(5, value), 0x0b));
  assert.equal(bus.status(5, 4), 0x0f);
  assert.equal(bus.status(5, 1), 0x0f);
});

test('R-143 DEVICE_NEEDS_RESET is not the driver\'s to write', () => {
  const bus = bareBus();
  assert.equal(bus.status(5, 0x41), 1);
  assert.equal(bus.status(5, 64), 1);
});

test('R-154 R-169 unknown bits, SUSPEND and the upper 24 bits stay clear', () => {
  const bus = bareBus();
  assert.equal(bus.status(5, 0x33), 3);
  assert.equal(bus.negotiate(5), 0x0b);
  assert.equal(bus.status(5, 0x0f), 0x0f);
  assert.equal(bus.status(5, 0xffffff30), 0x0f);
  assert.equal(bus.status(5, 0x00010000), 0x0f, 'not a write of 0');
});

test('R-149 DRIVER_OK without accepted FEATURES_OK is not set', () => {
  const bus = bareBus();
  assert.equal(bus.status(5, 7), 3);
  assert.equal(bus.status(5, 0x0f), 3);
  bus.setFeatures(5, 0, [1, 1]);
  assert.equal(bus.status(5, 0x0f), 3, 'refused features refuse DRIVER_OK in the same write');
});

test('R-150 all bits in one write: FEATURES_OK is judged at that write', () => {
  const bus = bareBus();
  bus.setFeatures(5, 0, [0, 1]);
  assert.equal(bus.status(5, 0x0f), 0x0f);
});

test('R-148 R-162 FAILED is recorded and only a reset leaves it', () => {
  const bus = bareBus();
  bus.negotiate(5);
  assert.equal(bus.status(5, 0x8f), 0x8f);
  assert.equal(bus.status(5, 0x0f), 0x8f);
  assert.equal(bus.status(5, 0), 0);
  assert.equal(bus.negotiate(5), 0x0b);
});

test('R-148 R-261 a device that FAILED serves nothing', () => {
  const bench = new RingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.device.setStatus(0x8f);
  assert.deepEqual(bench.kick(), []);
  assert.equal(bench.queue.take(), undefined);
  bench.expectAlive();
});

test('R-140 R-159 R-206 a reset leaves status 0, queues in default state and the generation as it was', () => {
  const bus = bareBus();
  configGeneration[0] = 7;
  bus.negotiate(5);
  [0, 1].forEach((index) => {
    const base = 0x80010000 + index * 4096;
    bus.request(0x0a, 5, le32(index).concat(le32(0), le32(8), le32(0), le32(base), le32(0), le32(base + 256), le32(0), le32(base + 512), le32(0)));
    assert.equal(read32(bus.request(9, 5, le32(index)), 8), 8);
  });
  bus.status(5, 0x0f);
  assert.equal(bus.status(5, 0), 0);
  assert.equal(bus.readStatus(5), 0);
  [0, 1].forEach((index) => {
    assert.deepEqual(bus.request(9, 5, le32(index)), le32(index).concat(le32(8), new Array<number>(32).fill(0)));
  });
  assert.equal(read32(bus.request(5, 5, le32(0).concat(le32(0))), 0), 7);
});

test('R-155 R-157 R-161 a reset is complete with its answer; one more changes nothing', () => {
  const tested = testDevice({ number: 5 });
  const bus = new BareBus([tested.model]);
  bus.negotiate(5);
  const before = tested.resets;
  assert.equal(bus.status(5, 0), 0);
  assert.ok(tested.resets > before, 'the device type was told');
  assert.equal(bus.status(5, 0), 0);
  assert.equal(bus.readStatus(5), 0);
});

test('R-159 a new life of a queue begins with ring indices 0', () => {
  const bench = new RingBench();
  for (let turn = 0; turn < 3; turn++) {
    bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    bench.queue.publish();
    bench.kick();
    assert.notEqual(bench.queue.take(), undefined);
  }
  // expectAlive resets, lays a fresh ring out in the same place and wants its first request served.
  bench.expectAlive();
});

test('R-158 R-279 nothing happens to rings after a reset, and no event is sent', () => {
  const bench = new RingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.device.setStatus(0);
  assert.deepEqual(bench.kick(), []);
  assert.equal(bench.queue.take(), undefined);
});

test('R-158 R-279 an event that waits is taken back by a reset', () => {
  const tested = testDevice({ number: 1 });
  const bus = connectedTo([tested.model], { elements: 4 });
  const { device, queue } = bringUp(bus, 1);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  // Kick and reset arrive in one pass, the kick first: the queue is never served, or its event is taken back.
  device.kick(0);
  assert.equal(device.setStatus(0), 0);
  assert.deepEqual(settle(bus), []);
});

test('R-151 before DRIVER_OK no ring is touched', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  const queue = new SplitQueue(hostMachine, RING, 8);
  device.setQueue(0, 8, queue.areas());
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  assert.deepEqual(settle(bus), []);
  assert.equal(queue.take(), undefined);
});

test('R-152 DRIVER_OK has every enabled queue looked at without a notification', () => {
  const tested = testDevice({ number: 1, queueSizes: [8, 8, 8] });
  const bus = connectedTo([tested.model]);
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  const queues = [0, 2].map((index) => {
    const queue = new SplitQueue(hostMachine, RING + index * 4096, 8);
    device.setQueue(index, 8, queue.areas());
    queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    queue.publish();
    return queue;
  });
  device.start();
  const events = settle(bus);
  assert.deepEqual(events.map(usedIndex).sort(), [0, 2]);
  queues.forEach((queue) => assert.notEqual(queue.take(), undefined));
  assert.deepEqual(tested.served.slice().sort(), [0, 2], 'once each; queue 1 is not enabled');
});

test('R-153 R-240 a queue set up after DRIVER_OK is looked at once by itself', () => {
  const tested = testDevice({ number: 1, queueSizes: [8, 8] });
  const bus = connectedTo([tested.model]);
  const { device } = bringUp(bus, 1);
  tested.served.length = 0;
  const queue = new SplitQueue(hostMachine, RING + 4096, 8);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.setQueue(1, 8, queue.areas());
  assert.deepEqual(settle(bus).map(usedIndex), [1]);
  assert.notEqual(queue.take(), undefined);
  assert.deepEqual(tested.served, [1]);
});

test('R-172 the answer to DRIVER_OK comes before the first EVENT_USED it makes possible', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  const queue = new SplitQueue(hostMachine, RING, 8);
  device.setQueue(0, 8, queue.areas());
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  bus.send({ type: 0, id: 8, device: 1, token: 3, payload: le32(0x0f) });
  bus.machine.wait(0);
  assert.deepEqual(bus.take()?.slice(0, 2), [1, 8]);
  assert.deepEqual(bus.take()?.slice(0, 2), [0, 0x42]);
});

test('R-144 R-145 R-162 a device that asks for a reset says so once, keeps the bit, and obeys the reset', () => {
  const bench = resettingBench();
  fail(bench.device);
  const events = settle(bench.bus);
  assert.deepEqual(events.map((event) => [event.id, event.device, event.payload.slice(0, 4)]), [[0x40, 1, [0x4f, 0, 0, 0]]]);
  assert.equal(bench.device.status(), 0x4f);
  assert.equal(bench.device.setStatus(0x0f), 0x4f);
  fail(bench.device);
  assert.deepEqual(settle(bench.bus), [], 'no second event');
  bench.expectAlive();
});

test('R-146 R-203 before DRIVER_OK the same event is sent', () => {
  const bench = resettingBench();
  bench.device.setStatus(0);
  bench.device.setStatus(3);
  fail(bench.device);
  assert.equal(bench.device.status(), 0x43);
  assert.deepEqual(settle(bench.bus).map((event) => event.payload), [[0x43].concat(new Array<number>(15).fill(0))]);
});

test('R-279 a device in status 0 sends no event, not even for an error', () => {
  const bench = resettingBench();
  bench.device.setStatus(0);
  fail(bench.device);
  assert.deepEqual(settle(bench.bus), []);
  assert.equal(bench.device.status(), 0);
});

test('R-147 a device that asked for a reset processes no ring any more', () => {
  const bench = resettingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  fail(bench.device);
  settle(bench.bus);
  assert.deepEqual(bench.kick().map((event) => event.id), []);
  assert.equal(bench.queue.take(), undefined);
});
