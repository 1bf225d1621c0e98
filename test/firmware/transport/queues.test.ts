// GET_VQUEUE, SET_VQUEUE and RESET_VQUEUE: which set-ups are taken, which change nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { le32, le64, read32 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, bringUp, RING, RingBench, settle, usedIndex } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

type Address = readonly [low: number, high: number];

interface SetUp {
  index: number;
  size: number;
  descriptor: Address;
  driver: Address;
  device: Address;
  reserved0: number;
  reserved1: number;
}

/** A set-up of queue 0 that is right in every respect: 8 descriptors in the window at 0x8000_0000. */
const GOOD: SetUp = {
  index: 0,
  size: 8,
  descriptor: [0x80020000, 0],
  driver: [0x80020080, 0],
  device: [0x800200c0, 0],
  reserved0: 0,
  reserved1: 0,
};

function set(bus: BareBus, change: Partial<SetUp> = {}): void {
  const setUp = { ...GOOD, ...change };
  const areas = [setUp.descriptor, setUp.driver, setUp.device].reduce((bytes: number[], [low, high]) => bytes.concat(le64(low, high)), []);
  const payload = le32(setUp.index).concat(le32(setUp.reserved0), le32(setUp.size), le32(setUp.reserved1), areas);
  assert.deepEqual(bus.request(0x0a, 5, payload), [], 'R-239: the answer is empty');
}

/** Index, largest size, size, reserved and the three addresses. */
function get(bus: BareBus, index = 0): number[] {
  const payload = bus.request(9, 5, le32(index));
  assert.equal(payload.length, 40);
  return [0, 4, 8, 12, 16, 20, 24, 28, 32, 36].map((at) => read32(payload, at));
}

const UNCONFIGURED = [0, 64, 0, 0, 0, 0, 0, 0, 0, 0];
const CONFIGURED = [0, 64, 8, 0, 0x80020000, 0, 0x80020080, 0, 0x800200c0, 0];

/** Queue 0 holds up to 64 descriptors, queue 1 up to 32768; FEATURES_OK has been accepted. */
function ready(): BareBus {
  const bus = new BareBus([testDevice({ number: 5, queueSizes: [64, 32768] }).model, testDevice({ number: 6, queueSizes: [8] }).model]);
  assert.equal(bus.negotiate(5), 0x0b);
  return bus;
}

function expectRejected(change: Partial<SetUp>): void {
  const bus = ready();
  set(bus, change);
  assert.deepEqual(get(bus), UNCONFIGURED, JSON.stringify(change));
  set(bus);
  assert.deepEqual(get(bus), CONFIGURED, 'a good set-up is taken afterwards');
}

test('R-220 R-224 an absent queue has all zeros but the index, and nothing is stored for it', () => {
  const bus = ready();
  [2, 3, 255, 65536, 65537, 0x08000000, 0x7fffffff, 0x80000000, 0xffffffff].forEach((index) => {
    set(bus, { index });
    assert.deepEqual(get(bus, index), [index, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(bus.request(0x0b, 5, le32(index)), []);
  });
  assert.deepEqual(get(bus, 0), UNCONFIGURED);
  bus.negotiate(6);
  assert.equal(read32(bus.request(9, 6, le32(0)), 8), 0, 'index 2 is not queue 0 of the next device');
});

test('R-221 R-249 an unconfigured queue shows its largest size, a power of two, and zeros', () => {
  const bus = ready();
  assert.deepEqual(get(bus), UNCONFIGURED);
  assert.deepEqual(get(bus, 1), [1, 32768, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('R-222 R-223 R-228 a configured queue shows exactly what was set', () => {
  const bus = ready();
  set(bus);
  assert.deepEqual(get(bus), CONFIGURED);
  set(bus, { index: 1, size: 4, descriptor: [0xfffe0010, 1], driver: [0xfffe0102, 1], device: [0xfffefff0 - 64, 1] });
  assert.deepEqual(get(bus, 1), [1, 32768, 4, 0, 0xfffe0010, 1, 0xfffe0102, 1, 0xfffeffb0, 1]);
});

test('R-225 a size of 0, above the maximum or not a power of two is rejected', () => {
  [0, 3, 5, 6, 7, 12, 63, 65, 128, 32768, 65536, 65544, 0x08000000, 0x80000008, 0xffffffff].forEach((size) => expectRejected({ size }));
  [1, 2, 4, 8, 16, 32, 64].forEach((size) => {
    const bus = ready();
    set(bus, { size, driver: [0x80021000, 0], device: [0x80022000, 0] });
    assert.equal(get(bus)[2], size);
  });
});

test('R-225 R-330 the largest ring of all is taken', () => {
  const bus = ready();
  set(bus, { index: 1, size: 32768, descriptor: [0x80000000, 0], driver: [0x80080000, 0], device: [0x800a0000, 0] });
  assert.equal(get(bus, 1)[2], 32768);
});

test('R-226 a misaligned area is rejected: 16 for descriptors, 2 for the available, 4 for the used ring', () => {
  for (let off = 1; off < 16; off++) {
    expectRejected({ descriptor: [0x80020000 + off, 0] });
  }
  expectRejected({ driver: [0x80020081, 0] });
  [1, 2, 3].forEach((off) => expectRejected({ device: [0x800200c0 + off, 0] }));
  const bus = ready();
  set(bus, { driver: [0x80020082, 0], device: [0x800200c4, 0] });
  assert.equal(get(bus)[2], 8, 'aligned to exactly 2 and 4');
});

test('R-227 R-330 an area that leaves its window by one byte is rejected, one that ends with it is taken', () => {
  // 8 descriptors: table 128 bytes, available ring 6 + 16, used ring 6 + 64. The window ends at 0x8010_0000.
  const border: [Partial<SetUp>, Partial<SetUp>][] = [
    [{ descriptor: [0x800fff80, 0] }, { descriptor: [0x800fff90, 0] }],
    [{ driver: [0x800fffea, 0] }, { driver: [0x800fffec, 0] }],
    [{ device: [0x800fffb8, 0] }, { device: [0x800fffbc, 0] }],
  ];
  border.forEach(([inside, outside]) => {
    const bus = ready();
    set(bus, inside);
    assert.equal(get(bus)[2], 8, JSON.stringify(inside));
    expectRejected(outside);
  });
});

test('R-227 R-420 an area outside every window, or whose end overflows, is rejected', () => {
  const addresses: Address[] = [
    [0, 0],
    [0x00020000, 0],
    [0x7fffff80, 0],
    [0x7ffffff0, 0],
    [0x80100000, 0],
    [0xfffffff0, 0],
    [0x80020000, 1],
    [0x80020000, 0x80000000],
    [0xfffdfff0, 1],
    [0xfffe0000, 0],
    [0xfffe0000, 2],
    [0xffff0000, 1],
    [0, 2],
    [0xfffffff0, 0xffffffff],
    [0, 0x80000000],
  ];
  addresses.forEach((address) => {
    expectRejected({ descriptor: address });
    expectRejected({ driver: address });
    expectRejected({ device: address });
  });
});

test('R-233 reserved fields are ignored', () => {
  [{ reserved0: 1 }, { reserved0: 0xffffffff }, { reserved1: 0xffffffff }].forEach((change) => {
    const bus = ready();
    set(bus, change);
    assert.deepEqual(get(bus), CONFIGURED);
  });
});

test('R-235 a rejected set-up stores none of its fields', () => {
  const bus = ready();
  set(bus, { device: [0x1000, 0] });
  assert.deepEqual(get(bus), UNCONFIGURED);
  set(bus);
  set(bus, { size: 16, descriptor: [0x80030000, 0], device: [0x1000, 0] });
  assert.deepEqual(get(bus), CONFIGURED);
});

test('R-237 an enabled queue is not reconfigured', () => {
  const bus = ready();
  set(bus);
  set(bus, { size: 16 });
  set(bus, { descriptor: [0x80030000, 0] });
  assert.deepEqual(get(bus), CONFIGURED);
});

test('R-238 setting an enabled queue up again leaves its ring indices alone', () => {
  const bench = new RingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.kick();
  assert.notEqual(bench.queue.take(), undefined);
  bench.device.setQueue(0, 8, bench.queue.areas());
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.kick();
  assert.notEqual(bench.queue.take(), undefined);
});

test('R-241 a set-up before FEATURES_OK is rejected', () => {
  const bus = new BareBus([testDevice({ number: 5, queueSizes: [64] }).model]);
  [0, 1, 3].forEach((status) => {
    bus.status(5, status);
    set(bus);
    assert.deepEqual(get(bus), UNCONFIGURED);
  });
  bus.negotiate(5);
  set(bus);
  assert.deepEqual(get(bus), CONFIGURED);
});

test('R-242 R-244 R-239 RESET_VQUEUE brings the default state back, RING_RESET negotiated or not', () => {
  const bus = ready();
  set(bus);
  assert.deepEqual(bus.request(0x0b, 5, le32(0)), []);
  assert.deepEqual(get(bus), UNCONFIGURED);
});

test('R-242 RESET_VQUEUE of one queue changes nothing of the next one', () => {
  const bus = ready();
  set(bus);
  // Nowhere a half that is zero anyway.
  set(bus, { index: 1, descriptor: [0x80021230, 0], driver: [0x800212b2, 0], device: [0x800212f4, 0] });
  assert.deepEqual(bus.request(0x0b, 5, le32(0)), []);
  assert.deepEqual(get(bus, 1), [1, 32768, 8, 0, 0x80021230, 0, 0x800212b2, 0, 0x800212f4, 0]);
});

test('R-245 RESET_VQUEUE of a disabled queue has an empty answer and no effect', () => {
  const bus = ready();
  set(bus, { index: 1, size: 4 });
  assert.deepEqual(bus.request(0x0b, 5, le32(0)), []);
  assert.equal(get(bus, 1)[2], 4, 'the other queue stays');
  bus.status(5, 0);
  [0, 1, 2].forEach((index) => assert.deepEqual(bus.request(0x0b, 5, le32(index)), [], 'as a driver sends it after its reset'));
});

test('R-250 the largest size is the same in every state', () => {
  const bus = ready();
  const seen = [get(bus)[1]];
  set(bus);
  seen.push(get(bus)[1]);
  bus.status(5, 0x0f);
  seen.push(get(bus)[1]);
  bus.request(0x0b, 5, le32(0));
  seen.push(get(bus)[1]);
  bus.status(5, 0);
  seen.push(get(bus)[1]);
  assert.deepEqual(seen, [64, 64, 64, 64, 64]);
});

test('R-242 R-243 after RESET_VQUEUE the old ring is not written and not spoken of', () => {
  const bench = new RingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.device.resetQueue(0);
  assert.deepEqual(bench.kick(), []);
  assert.equal(bench.queue.take(), undefined);
});

test('R-242 R-246 a queue set up again after RESET_VQUEUE begins at index 0 with its new size and areas', () => {
  const bench = new RingBench();
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.kick();
  bench.device.resetQueue(0);
  const queue = new SplitQueue(hostMachine, RING + 0x4000, 16);
  bench.device.setQueue(0, 16, queue.areas());
  const head = queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  assert.deepEqual(bench.kick().map(usedIndex), [0]);
  assert.deepEqual(queue.take(), { head, written: 0 });
});

test('R-262 R-261 R-276 kicks for absent, disabled and all queues are ignored, spurious ones tolerated', () => {
  const tested = testDevice({ number: 1, queueSizes: [8, 8] });
  const bus = connectedTo([tested.model]);
  const { device } = bringUp(bus, 1);
  tested.served.length = 0;
  [1, 2, 255, 0x10000, 0x80000000, 0xffffffff].forEach((index) => device.kick(index));
  assert.deepEqual(settle(bus), []);
  assert.deepEqual(tested.served, []);
  device.kick(0);
  assert.deepEqual(settle(bus), [], 'an empty ring is no reason to notify');
  assert.equal(device.status(), 0x0f);
});

test('R-263 next_offset is ignored without NOTIFICATION_DATA', () => {
  const bench = new RingBench();
  [0, 1, 0x7fff, 0x80000000, 0xffffffff].forEach((next) => {
    const head = bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    bench.queue.publish();
    bench.bus.send({ type: 0, id: 0x41, device: 1, token: 0, payload: le32(0).concat(le32(next)) });
    settle(bench.bus);
    assert.equal(bench.queue.take()?.head, head);
  });
});
