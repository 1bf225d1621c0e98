// Resets that take time: the answer held back in layout A, the status shown in B and C, and requests that wait in order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { configChanged, Removal, unplug } from '../../../firmware/device.hot.js';
import { pass } from '../../../firmware/loop.hot.js';
import type { BusyDevice } from '../../support/busy-device.js';
import { busyDevice } from '../../support/busy-device.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { decode, le32, read32 } from '../../support/driver/message.js';
import type { SplitQueue } from '../../support/driver/split-queue.js';
import type { BusSettings } from '../../support/fresh.js';
import { connectedTo, dropped } from '../../support/fresh.js';
import { BUFFERS, bringUp, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

interface Bench {
  bus: AmpBus;
  tested: BusyDevice;
  device: DriverDevice;
  other: DriverDevice;
  queue: SplitQueue;
}

/** Device 1 runs with one chain in flight; device 2 stands beside it. */
function bench(settings: BusSettings = {}): Bench {
  const tested = busyDevice({ number: 1, config: [1, 2], writable: [0, 2] });
  const bus = connectedTo([tested.model, testDevice({ number: 2 }).model], settings);
  const { device, queue } = bringUp(bus, 1);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  settle(bus);
  assert.equal(tested.flying.length, 1);
  return { bus, tested, device, other: new DriverDevice(bus, 2), queue };
}

/** Id, token and payload of everything sent, oldest first. */
function sent(bus: AmpBus): number[][] {
  const frames: number[][] = [];
  for (let turn = 0; turn < 4; turn++) {
    pass();
    for (let frame = bus.take(); frame !== undefined; frame = bus.take()) {
      const { type, id, token, payload } = decode(frame, bus.profile);
      frames.push([type, id, token].concat(payload));
    }
  }
  return frames;
}

const RESET_ANSWER = (token: number): number[] => [1, 8, token, 0, 0, 0, 0];

function sendReset(bus: AmpBus, token: number): void {
  bus.send({ type: 0, id: 8, device: 1, token, payload: le32(0) });
}

test('R-155 R-157 R-171 layout A: a reset that takes time holds its answer back, and never answers anything but 0', () => {
  const { bus, tested, queue } = bench();
  sendReset(bus, 77);
  assert.deepEqual(sent(bus), []);
  fake.microseconds += 5000000;
  assert.deepEqual(sent(bus), []);
  tested.land(4);
  assert.deepEqual(sent(bus), [RESET_ANSWER(77)]);
  assert.equal(queue.take(), undefined, 'R-163: what came back late is not written');
});

test('R-171 layout A: a backend that never ends is abandoned within 10 s', () => {
  const { bus, tested } = bench();
  sendReset(bus, 77);
  assert.deepEqual(sent(bus), []);
  fake.microseconds += 9900000;
  assert.deepEqual(sent(bus), [RESET_ANSWER(77)]);
  tested.land(4);
  assert.deepEqual(sent(bus), []);
});

test('R-156 R-157 R-313 layout C: a reset under way ends although the driver is asked meanwhile, and the device goes then', () => {
  [Removal.Soon, Removal.Ask].forEach((removal) => {
    const { bus, tested, device } = bench({ profile: 'C', leaveState: 0x8004, askState: 0xfffc });
    assert.equal(device.setStatus(0), 0x40);
    assert.ok(unplug(tested.row, removal));
    assert.deepEqual(settle(bus).map(({ id, payload }) => [id, ...payload]), [[0x40, 1, 0, ...(removal === Removal.Soon ? [4, 0x80] : [0xfc, 0xff])]]);
    fake.microseconds += 5000000;
    assert.deepEqual(settle(bus), []);
    assert.equal(device.status(), 0x40, 'the backend still works');
    tested.land(4);
    // The reset ends in one pass, the removal in a later one.
    assert.deepEqual([...settle(bus), ...settle(bus)].map(({ id, payload }) => [id, ...payload]), [[0x40, 1, 0, 2, 0]]);
  });
});

test('R-061 R-062 R-066 requests to the device wait in order behind it; other devices are answered meanwhile', () => {
  const { bus, tested, other } = bench();
  sendReset(bus, 20);
  [21, 22, 23].forEach((token, at) => bus.send({ type: 0, id: [7, 9, 2][at] ?? 0, device: 1, token, payload: at === 1 ? le32(0) : [] }));
  assert.deepEqual(sent(bus), []);
  assert.equal(other.setStatus(3), 3);
  bus.send({ type: 0, id: 8, device: 1, token: 24, payload: le32(1) });
  bus.send({ type: 0, id: 0x41, device: 1, token: 0, payload: le32(0).concat(le32(0)) });
  assert.deepEqual(sent(bus), []);
  assert.equal(dropped('no queue'), 1, 'an event does not wait');
  tested.land(4);
  const answers = sent(bus);
  assert.deepEqual(answers.map((answer) => answer.slice(0, 3)), [[1, 8, 20], [1, 7, 21], [1, 9, 22], [1, 2, 23], [1, 8, 24]]);
  assert.deepEqual([answers[1]?.[3], answers[4]?.[3]], [0, 1]);
});

test('R-066 R-278 more requests than can wait hold the whole bus back, and none is lost', () => {
  const { bus, tested } = bench({ elements: 64 });
  sendReset(bus, 100);
  for (let token = 101; token < 130; token++) {
    bus.send({ type: 0, id: 7, device: token === 120 ? 2 : 1, token, payload: [] });
  }
  assert.deepEqual(sent(bus), []);
  tested.land(4);
  assert.deepEqual(sent(bus).map((answer) => answer[2]), Array.from({ length: 30 }, (_, at) => 100 + at));
});

test('R-061 with one free element answers come one by one, still in order', () => {
  const { bus, tested } = bench({ elements: 2 });
  sendReset(bus, 50);
  pass();
  [51, 52, 53].forEach((token) => {
    bus.send({ type: 0, id: 7, device: 1, token, payload: [] });
    pass();
  });
  tested.land(4);
  assert.deepEqual(sent(bus).map((answer) => answer[2]), [50, 51, 52, 53]);
});

test('R-280 a driver that goes away while a reset takes time leaves nothing behind', () => {
  const { bus, device } = bench();
  sendReset(bus, 50);
  bus.send({ type: 0, id: 7, device: 1, token: 51, payload: [] });
  pass();
  bus.shutdown();
  bus.connect();
  assert.deepEqual(sent(bus), []);
  assert.equal(device.status(), 0);
});

test('R-069 a device removed while its reset is pending: the answers first, then REMOVED', () => {
  [Removal.Gone, Removal.Now].forEach((removal) => {
    const { bus, tested } = bench();
    sendReset(bus, 60);
    bus.send({ type: 0, id: 7, device: 1, token: 61, payload: [] });
    assert.deepEqual(sent(bus), []);
    tested.flying.length = 0;
    unplug(tested.row, removal);
    assert.deepEqual(sent(bus), [RESET_ANSWER(60), [1, 7, 61, 0, 0, 0, 0], [2, 0x40, 0, 1, 0, 2, 0]]);
  });
});

(['B', 'C'] as const).forEach((profile) => {
  test('R-156 R-157 R-160 R-161 a reset under way shows a status other than 0, answers reads and takes no writes, profile ' + profile, () => {
    const { bus, tested, device } = bench({ profile });
    const first = device.setStatus(0);
    assert.notEqual(first, 0);
    assert.equal(device.status(), first);
    assert.equal(device.setStatus(1), first, 'R-160');
    assert.equal(device.setStatus(0x0f), first);
    device.setFeatures(0, 1);
    assert.equal(read32(device.request('SET_CONFIG', 6, le32(0).concat(le32(0), le32(1), [9])), 8), 0);
    assert.deepEqual(device.config(0, 2), [1, 2], 'reads are answered');
    assert.equal(device.setStatus(0), first, 'R-161');
    configChanged(tested.row, 0, 1);
    assert.deepEqual(settle(bus), [], 'R-158: and nothing is told');
    tested.land(4);
    settle(bus);
    assert.equal(device.status(), 0);
    device.negotiate(0);
    device.start();
  });

  test('R-171 a backend that never ends is abandoned within 10 s, profile ' + profile, () => {
    const { bus, device } = bench({ profile });
    assert.notEqual(device.setStatus(0), 0);
    fake.microseconds += 9900000;
    settle(bus);
    assert.equal(device.status(), 0);
  });
});
