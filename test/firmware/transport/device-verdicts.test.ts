// What a device type has a say in: its features, its queues, its start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFeature } from '../../../firmware/device.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read32 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, RING, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const QUEUE_AREAS = [0x80010000, 0x80010100, 0x80010200];

/** A fresh negotiation with these feature blocks; returns the status after FEATURES_OK. */
function verdict(bus: BareBus, blocks: readonly number[]): number {
  bus.status(5, 0);
  bus.status(5, 3);
  bus.setFeatures(5, 0, blocks);
  return bus.status(5, 0x0b);
}

test('R-110 a bit without the bit it requires is refused', () => {
  const tested = testDevice({ number: 5, features: [1, 2, 5, 70], type: { requires: [[2, 1], [5, 70]] } });
  // A neighbour with the opposite rule must not be asked.
  const bus = new BareBus([testDevice({ number: 4, features: [1, 2], type: { requires: [[1, 2]] } }).model, tested.model]);
  [[0, 0], [2, 0], [6, 0], [0x20, 0x40], [0x26, 0x40], [0, 0x40]].forEach(([block0, block2]) => {
    assert.equal(verdict(bus, [block0 ?? 0, 1, block2 ?? 0]), 0x0b);
  });
  [[4, 0], [0x20, 0], [0x24, 0x40], [6 | 0x20, 0]].forEach(([block0, block2]) => {
    assert.equal(verdict(bus, [block0 ?? 0, 1, block2 ?? 0]), 3);
  });
});

test('R-122 a device that would offer a bit without the bit it requires is refused at start-up', () => {
  const build = (features: readonly number[]): BareBus => new BareBus([testDevice({ number: 5, features, type: { requires: [[2, 1], [33, 3]] } }).model]);
  assert.throws(() => build([2]), /feature bit 2 needs bit 1/);
  [[], [1], [1, 2]].forEach((features) => assert.doesNotThrow(() => build(features)));
});

test('R-109 the device type may refuse a set, and is asked only about legal ones', () => {
  const asked: boolean[] = [];
  const tested = testDevice({
    number: 5,
    features: [0, 1],
    type: {
      checkFeatures(row: number): boolean {
        asked.push(hasFeature(row, 0));
        return hasFeature(row, 0);
      },
    },
  });
  const bus = new BareBus([tested.model]);
  assert.equal(verdict(bus, [2, 1]), 3);
  assert.equal(bus.readStatus(5), 3);
  bus.setFeatures(5, 0, [1]);
  assert.equal(bus.status(5, 0x0b), 0x0b, 'a second try without reset (R-113)');
  assert.equal(verdict(bus, [5, 1]), 3);
  assert.deepEqual(asked, [false, true]);
});

test('R-123 R-220 a queue whose feature was not accepted does not exist after FEATURES_OK', () => {
  const bus = new BareBus([testDevice({ number: 5, features: [1], queueSizes: [8, 16, 32], queueFeatures: [-1, 1] }).model]);
  const maxima = (): number[] => [0, 1, 2].map((index) => read32(bus.request(9, 5, le32(index)), 4));
  assert.deepEqual(maxima(), [8, 16, 32], 'before the verdict all are shown');
  assert.equal(verdict(bus, [0, 1]), 0x0b);
  assert.deepEqual(maxima(), [8, 0, 32]);
  assert.deepEqual(bus.request(9, 5, le32(1)), le32(1).concat(new Array<number>(36).fill(0)));
  const areas = QUEUE_AREAS.flatMap((address) => le32(address).concat(le32(0)));
  assert.deepEqual(bus.request(0x0a, 5, le32(1).concat(le32(0), le32(8), le32(0), areas)), []);
  assert.deepEqual(bus.request(0x0b, 5, le32(1)), []);
  assert.equal(verdict(bus, [2, 1]), 0x0b);
  assert.deepEqual(maxima(), [8, 16, 32]);
  assert.equal(read32(bus.request(9, 5, le32(1)), 8), 0, 'the refused set-up left nothing');
});

test('a queue that needs a feature the device does not offer is refused at start-up', () => {
  assert.throws(() => new BareBus([testDevice({ number: 5, features: [1], queueFeatures: [2] }).model]), /a queue needs a feature bit/);
});

test('R-170 a device that cannot start answers DRIVER_OK with DEVICE_NEEDS_RESET and leaves its rings alone', () => {
  let able = false;
  const tested = testDevice({ number: 1, type: { start: () => able } });
  const bus = connectedTo([tested.model]);
  const device = new DriverDevice(bus, 1);
  const tryToStart = (): { status: number; queue: SplitQueue } => {
    device.negotiate(0);
    const queue = new SplitQueue(hostMachine, RING, 8);
    device.setQueue(0, 8, queue.areas());
    queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    queue.publish();
    return { status: device.setStatus(0x0f), queue };
  };
  const refused = tryToStart();
  assert.equal(refused.status & 0x44, 0x40);
  assert.equal(device.status(), refused.status);
  device.kick(0);
  assert.deepEqual(settle(bus), [], 'the answer tells: no event (R-205)');
  assert.equal(refused.queue.take(), undefined);
  assert.deepEqual(tested.served, []);
  able = true;
  assert.equal(tryToStart().status, 0x0f, 'a reset gives another try');
});

test('R-119 R-120 R-124 a bus may require features: without them FEATURES_OK is refused', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model], { ringFeatures: [33, 36, 29], requiredFeatures: [33, 36] });
  const device = new DriverDevice(bus, 1);
  const verdictOf = (block0: number, block1: number): number => {
    device.setStatus(0);
    device.setStatus(3);
    device.setFeatures(block0, block1);
    return device.setStatus(0x0b);
  };
  assert.deepEqual(device.features(), [0x20000000, 0x13]);
  [[0, 1], [0, 3], [0, 0x11], [0x20000000, 1]].forEach(([block0, block1]) => assert.equal(verdictOf(block0 ?? 0, block1 ?? 0), 3));
  assert.equal(verdictOf(0, 0x13), 0x0b);
  assert.throws(() => connectedTo([testDevice({ number: 1 }).model], { requiredFeatures: [33] }), /needs bit 33, which is not offered/);
});

test('R-091 R-100 R-106 more than 4 feature blocks where the bus is configured for them', () => {
  const model = testDevice({ number: 1, features: [0, 128, 255] }).model;
  assert.throws(() => connectedTo([model]), /0 to 23 or 50 to 127/);
  [1, 9, 2.5].forEach((mostFeatureBlocks) => assert.throws(() => connectedTo([model], { mostFeatureBlocks }), /2 to 8 are possible/));
  const bus = connectedTo([model], { mostFeatureBlocks: 8, profile: 'C' });
  const device = new DriverDevice(bus, 1);
  assert.equal(read32(device.request('GET_DEVICE_INFO', 2, []), 24), 8);
  assert.deepEqual(device.request('GET_DEVICE_FEATURES', 3, le32(4).concat(le32(4))).slice(8), le32(1).concat(le32(0), le32(0), le32(0x80000000)));
  device.setStatus(3);
  device.request('SET_DRIVER_FEATURES', 4, le32(1).concat(le32(1), le32(1)));
  device.request('SET_DRIVER_FEATURES', 4, le32(7).concat(le32(1), le32(0x80000000)));
  assert.equal(device.setStatus(0x0b), 0x0b);
  device.setStatus(0);
  device.setStatus(3);
  device.request('SET_DRIVER_FEATURES', 4, le32(1).concat(le32(1), le32(1)));
  device.request('SET_DRIVER_FEATURES', 4, le32(6).concat(le32(1), le32(1)));
  assert.equal(device.setStatus(0x0b), 3, 'a bit that is not offered, in a block that is there');
});
