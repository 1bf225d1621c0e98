// Devices that come and go while the bus runs: events, numbers, the four classes of removal, the stub of layout A.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { plug, Removal, unplug } from '../../../firmware/device.hot.js';
import { pass } from '../../../firmware/loop.hot.js';
import { start } from '../../../firmware/main.js';
import { busyDevice } from '../../support/busy-device.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import type { Message, Profile } from '../../support/driver/message.js';
import { le16, le32, le64, read16, read32 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import type { BusSettings } from '../../support/fresh.js';
import { appWith, connectedTo, dropped, forget } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, bringUp, RING, settle } from '../../support/ring-bench.js';
import type { TestDevice } from '../../support/test-device.js';
import { testDevice } from '../../support/test-device.js';

const ADDED = 1;
const REMOVED = 2;
const SECOND = 1000000;

/** Lets time go by in steps, as the loop's sleeps do; returns what was sent meanwhile. */
function wait(bus: AmpBus, microseconds: number): Message[] {
  const seen: Message[] = [];
  for (let left = microseconds; left > 0; left -= 10000) {
    fake.microseconds += Math.min(left, 10000);
    pass();
    bus.poll();
    seen.push(...bus.events.splice(0));
  }
  return seen;
}

/** Number and state of each EVENT_DEVICE among `events`, which has to be nothing else. */
function deviceEvents(events: readonly Message[], profile: Profile = 'A'): number[][] {
  return events.map(({ type, id, device, token, payload, size }) => {
    assert.deepEqual([type, id, device, token], [2, 0x40, 0, 0]);
    assert.equal(size, profile === 'B' ? 26 : 12);
    return profile === 'B' ? [read32(payload, 0), read16(payload, 8)] : [read16(payload, 0), read16(payload, 2)];
  });
}

/** Device numbers below 64 that GET_DEVICES tells. */
function present(bus: AmpBus): number[] {
  const long = bus.profile === 'B';
  const answer = bus.busRequest('GET_DEVICES', 2, long ? le64(0, 0).concat(le16(64)) : le16(0).concat(le16(64)));
  const bitmap = answer.slice(long ? 18 : 6);
  return Array.from({ length: 64 }, (_, number) => number).filter((number) => (((bitmap[number >> 3] ?? 0) >> (number & 7)) & 1) === 1);
}

function benchWith(tested: TestDevice, settings: BusSettings = {}): AmpBus {
  return connectedTo([testDevice({ number: 1 }).model, tested.model], settings);
}

(['A', 'B', 'C'] as const).forEach((profile) => {
  test('R-303 R-305 R-319 a device that is plugged in is listed, then told, then usable; unplugged the other way round, profile ' + profile, () => {
    const tested = testDevice({ number: 5, config: [7] });
    const bus = benchWith({ ...tested, model: { ...tested.model, absent: true } }, { profile });
    assert.deepEqual(present(bus), [1]);
    assert.ok(plug(tested.row, 9));
    pass();
    bus.poll();
    assert.deepEqual(deviceEvents(bus.events.splice(0), profile), [[9, ADDED]]);
    assert.deepEqual(present(bus), [1, 9]);
    const device = new DriverDevice(bus, 9);
    assert.equal(device.info().configSize, 1);
    device.negotiate(0);
    assert.deepEqual(device.config(0, 1), [7]);
    assert.ok(unplug(tested.row, Removal.Gone));
    assert.deepEqual(present(bus), [1], 'absent before the event is read');
    assert.deepEqual(deviceEvents(settle(bus).concat(bus.events.splice(0)), profile), [[9, REMOVED]]);
  });
});

test('R-305 a device that GET_DEVICES has shown is not announced any more', () => {
  const tested = testDevice({ number: 5 });
  const bus = benchWith({ ...tested, model: { ...tested.model, absent: true } });
  assert.ok(plug(tested.row, 5));
  // The request is answered in the pass that would have sent the event.
  assert.deepEqual(present(bus), [1, 5]);
  assert.deepEqual(wait(bus, 2 * SECOND), []);
});

test('R-306 R-307 a number that is used or was used a moment ago is refused, and so is a device that is there', () => {
  const tested = testDevice({ number: 5 });
  const spare = testDevice({ number: 6 });
  const bus = connectedTo([testDevice({ number: 1 }).model, tested.model, { ...spare.model, absent: true }]);
  assert.ok(!plug(tested.row, 7), 'it is there');
  assert.ok(!plug(spare.row, 1), 'another one has the number');
  assert.ok(unplug(tested.row, Removal.Gone));
  assert.ok(!unplug(tested.row, Removal.Gone), 'it is gone');
  wait(bus, 29 * SECOND);
  assert.ok(!plug(tested.row, 5));
  assert.ok(!plug(spare.row, 5), 'quarantine holds for the number, not for the device');
  wait(bus, 2 * SECOND);
  assert.ok(plug(spare.row, 5));
  assert.ok(!plug(tested.row, 5));
  assert.ok(plug(tested.row, 40000), 'any other number');
  assert.equal(new DriverDevice(bus, 40000).status(), 0);
});

test('R-209 R-140 a device that comes back begins anew', () => {
  const tested = testDevice({ number: 5 });
  const bus = benchWith(tested);
  const device = new DriverDevice(bus, 5);
  device.negotiate(0);
  unplug(tested.row, Removal.Gone);
  wait(bus, 31 * SECOND);
  plug(tested.row, 5);
  wait(bus, SECOND);
  assert.equal(device.status(), 0);
  assert.equal(read32(device.request('GET_CONFIG', 5, le32(0).concat(le32(0))), 0), 0);
});

test('R-306 R-278 a device is not plugged in again while the driver has not heard of its removal', () => {
  const tested = testDevice({ number: 5 });
  const bus = connectedTo([tested.model], { elements: 2 });
  bus.send({ type: 2, id: 3, device: 0, token: 1, payload: [1, 2, 3, 4] });
  pass();
  unplug(tested.row, Removal.Gone);
  for (let second = 0; second < 40; second++) {
    fake.microseconds += SECOND;
    pass();
  }
  assert.ok(!plug(tested.row, 5), 'the answer to PING fills the ring, so REMOVED still waits');
  assert.equal(bus.take()?.[1], 3);
  assert.deepEqual(deviceEvents(settle(bus)), [[5, REMOVED]]);
  assert.ok(plug(tested.row, 5));
});

test('R-320 events of the bus go one at a time: the next after the effect of the last', () => {
  const devices = [5, 6, 7].map((number) => testDevice({ number }));
  const late = testDevice({ number: 8 });
  const bus = connectedTo([...devices, late].map(({ model }) => ({ ...model, absent: true })));
  devices.forEach((device, at) => plug(device.row, 5 + at));
  assert.deepEqual(deviceEvents(settle(bus)), [[5, ADDED]]);
  assert.deepEqual(wait(bus, SECOND / 2), []);
  assert.ok(plug(late.row, 8));
  assert.deepEqual(wait(bus, SECOND / 4), [], 'nor does a new one pass by');
  new DriverDevice(bus, 5).info();
  assert.deepEqual(deviceEvents(settle(bus).concat(bus.events.splice(0))), [[6, ADDED]], 'GET_DEVICE_INFO is the effect');
  new DriverDevice(bus, 5).info();
  assert.deepEqual(settle(bus), [], 'of another device it is not');
  new DriverDevice(bus, 6).setStatus(0);
  assert.deepEqual(deviceEvents(settle(bus).concat(bus.events.splice(0))), [[7, ADDED]]);
});

test('R-320 without an effect the next one comes after the pause', () => {
  const devices = [5, 6].map((number) => testDevice({ number }));
  const bus = connectedTo(devices.map(({ model }) => ({ ...model, absent: true })));
  devices.forEach((device, at) => plug(device.row, 5 + at));
  assert.deepEqual(deviceEvents(wait(bus, SECOND * 0.9)), [[5, ADDED]]);
  assert.deepEqual(deviceEvents(wait(bus, SECOND * 0.2)), [[6, ADDED]]);
});

test('R-304 R-015 after REMOVED messages to the number are dropped in B and C', () => {
  (['B', 'C'] as const).forEach((profile) => {
    const tested = testDevice({ number: 5 });
    const bus = benchWith(tested, { profile });
    unplug(tested.row, Removal.Gone);
    settle(bus);
    const before = dropped('no device');
    bus.send({ type: 0, id: 8, device: 5, token: 7, payload: le32(0) });
    pass();
    assert.equal(bus.take(), undefined);
    assert.equal(dropped('no device'), before + 1);
  });
});

test('R-318 R-304 layout A answers for a removed number as for a device in reset, until the quarantine ends', () => {
  const tested = testDevice({ number: 5, features: [1], config: [1, 2, 3, 4], regions: [{ id: 0, window: 0, offset: 0x80000, bytes: 16 }] });
  const bus = benchWith(tested);
  const { device, queue } = bringUp(bus, 5);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  unplug(tested.row, Removal.Gone);
  settle(bus);
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  // What the known driver does, and everything else.
  assert.equal(device.setStatus(0), 0);
  device.resetQueue(0);
  assert.equal(device.status(), 0);
  assert.equal(device.setStatus(1), 0, 'status always 0');
  assert.deepEqual(device.request('GET_DEVICE_INFO', 2, []), zeros(24));
  assert.deepEqual(device.request('GET_DEVICE_FEATURES', 3, le32(1).concat(le32(2))), le32(1).concat(le32(2), zeros(8)));
  assert.deepEqual(device.request('GET_DEVICE_FEATURES', 3, le32(0).concat(le32(1000))), le32(0).concat(le32(12), zeros(48)));
  assert.deepEqual(device.request('SET_DRIVER_FEATURES', 4, le32(0).concat(le32(1), le32(0))), []);
  assert.deepEqual(device.request('GET_CONFIG', 5, le32(2).concat(le32(1))), zeros(4).concat(le32(2), zeros(4)));
  assert.deepEqual(device.request('SET_CONFIG', 6, le32(9).concat(le32(3), le32(1), [1])), zeros(4).concat(le32(3), zeros(4)));
  assert.deepEqual(device.request('GET_VQUEUE', 9, le32(7)), le32(7).concat(zeros(36)));
  assert.deepEqual(device.request('SET_VQUEUE', 10, le32(0).concat(zeros(36))), []);
  assert.deepEqual(device.request('GET_SHM', 12, le32(0)), zeros(12));
  device.kick(0);
  assert.deepEqual(settle(bus), []);
  assert.equal(queue.take(), undefined);
  // R-024 holds here too.
  [3, 4, 5, 6, 8, 9, 10, 11, 12].forEach((id, at) => {
    bus.send({ type: 0, id, device: 5, token: 7, payload: [1, 2, 3] });
    pass();
    assert.equal(bus.take(), undefined);
    assert.equal(dropped('payload'), at + 1);
  });
  wait(bus, 31 * SECOND);
  bus.send({ type: 0, id: 7, device: 5, token: 7, payload: [] });
  pass();
  assert.equal(bus.take(), undefined);
});

test('R-310 R-309 class A: nothing more is written, at once REMOVED', () => {
  const tested = busyDevice({ number: 5 });
  const bus = benchWith(tested);
  const { device, queue } = bringUp(bus, 5);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  settle(bus);
  assert.equal(tested.flying.length, 1);
  unplug(tested.row, Removal.Gone);
  assert.deepEqual(deviceEvents(settle(bus)), [[5, REMOVED]]);
  tested.land(4);
  assert.deepEqual(wait(bus, SECOND), []);
  assert.equal(queue.take(), undefined);
});

test('R-311 class B: no new buffers, those in flight are used and told, then REMOVED', () => {
  const tested = busyDevice({ number: 5 });
  const bus = benchWith(tested);
  const { device, queue } = bringUp(bus, 5);
  const heads = [0, 1].map(() => queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]));
  queue.publish();
  device.kick(0);
  settle(bus);
  unplug(tested.row, Removal.Now);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  assert.deepEqual(settle(bus), []);
  assert.equal(tested.flying.length, 2);
  assert.equal(device.status(), 0x0f, 'requests are answered meanwhile');
  assert.deepEqual(present(bus), [1, 5]);
  tested.land(4);
  tested.land(3);
  assert.deepEqual(wait(bus, 20000).map(({ id, type }) => [type, id]), [[0, 0x42], [2, 0x40]]);
  assert.deepEqual([queue.take(), queue.take(), queue.take()], [{ head: heads[0], written: 4 }, { head: heads[1], written: 3 }, undefined]);
});

test('R-311 class B of a device whose chains never come back ends all the same', () => {
  const tested = busyDevice({ number: 5 });
  const bus = benchWith(tested);
  bringUp(bus, 5);
  tested.stuck = true;
  unplug(tested.row, Removal.Now);
  assert.deepEqual(wait(bus, 1.9 * SECOND), []);
  assert.deepEqual(deviceEvents(wait(bus, 0.2 * SECOND)), [[5, REMOVED]]);
});

test('R-311 class B: a queue that is set up meanwhile, new or again, takes nothing', () => {
  const tested = busyDevice({ number: 5, queueSizes: [8, 8, 8] });
  const bus = benchWith(tested);
  const { device, queue } = bringUp(bus, 5);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.kick(0);
  const again = new SplitQueue(hostMachine, RING + 0x1000, 8);
  device.setQueue(1, 8, again.areas());
  settle(bus);
  unplug(tested.row, Removal.Now);
  device.resetQueue(1);
  const fresh = new SplitQueue(hostMachine, RING + 0x2000, 8);
  [again, fresh].forEach((one, at) => {
    one.add([{ offset: BUFFERS + 64, bytes: 4, writable: true }]);
    one.publish();
    device.setQueue(at + 1, 8, one.areas());
    assert.equal(device.queue(at + 1)[2], 8, 'the message has its effect all the same');
    device.kick(at + 1);
  });
  assert.deepEqual(wait(bus, SECOND), []);
  assert.equal(tested.flying.length, 1);
  tested.land(4);
  assert.deepEqual(wait(bus, 30000).map(({ id, type }) => [type, id]), [[0, 0x42], [2, 0x40]], 'and nothing holds the removal up');
  assert.deepEqual([again.take(), fresh.take()], [undefined, undefined]);
});

test('R-312 R-313 a device that goes already is not asked, and does not stay', () => {
  [Removal.Soon, Removal.Ask, Removal.Now].forEach((removal) => {
    const tested = busyDevice({ number: 5 });
    const bus = connectedTo([tested.model], { leaveState: 0x8004, askState: 0xfffc });
    bringUp(bus, 5);
    tested.stuck = true;
    unplug(tested.row, Removal.Now);
    assert.deepEqual(wait(bus, SECOND), []);
    assert.ok(unplug(tested.row, removal));
    assert.deepEqual(deviceEvents(wait(bus, 1.1 * SECOND)), [[5, REMOVED]]);
  });
  const tested = testDevice({ number: 5 });
  const bus = connectedTo([tested.model], { leaveState: 0x8004, askState: 0xfffc });
  bringUp(bus, 5);
  unplug(tested.row, Removal.Soon);
  assert.ok(unplug(tested.row, Removal.Ask));
  assert.deepEqual(deviceEvents(wait(bus, 6 * SECOND)), [[5, 0x8004], [5, REMOVED]]);
});

test('R-312 R-314 R-315 class C: the driver is told; its reset ends the removal, or the time limit does', () => {
  [true, false].forEach((obeys) => {
    const tested = testDevice({ number: 5 });
    const bus = connectedTo([tested.model], { leaveState: 0x8004 });
    const { device } = bringUp(bus, 5);
    unplug(tested.row, Removal.Soon);
    assert.deepEqual(deviceEvents(wait(bus, SECOND)), [[5, 0x8004]]);
    assert.equal(device.status(), 0x0f, 'it runs on');
    if (obeys) {
      assert.equal(device.setStatus(0), 0);
      assert.deepEqual(deviceEvents(wait(bus, 30000)), [[5, REMOVED]]);
    } else {
      assert.deepEqual(wait(bus, 3.9 * SECOND), []);
      assert.deepEqual(deviceEvents(wait(bus, 0.3 * SECOND)), [[5, REMOVED]]);
    }
  });
});

test('R-313 class D: a driver that resets the device lets it go, one that does not keeps it', () => {
  const tested = testDevice({ number: 5 });
  const bus = connectedTo([tested.model], { askState: 0xfffc });
  const { device } = bringUp(bus, 5);
  unplug(tested.row, Removal.Ask);
  assert.deepEqual(deviceEvents(wait(bus, 20 * SECOND)), [[5, 0xfffc]]);
  assert.equal(device.status(), 0x0f);
  device.setStatus(0);
  assert.deepEqual(wait(bus, SECOND), [], 'the question is over');
  device.negotiate(0);
  unplug(tested.row, Removal.Ask);
  assert.deepEqual(deviceEvents(wait(bus, SECOND)), [[5, 0xfffc]]);
  device.setStatus(0);
  assert.deepEqual(deviceEvents(wait(bus, 30000)), [[5, REMOVED]]);
});

test('R-314 classes C and D go like class B where no state is agreed on', () => {
  [Removal.Soon, Removal.Ask].forEach((removal) => {
    const tested = testDevice({ number: 5 });
    const bus = benchWith(tested);
    bringUp(bus, 5);
    unplug(tested.row, removal);
    assert.deepEqual(deviceEvents(wait(bus, 30000)), [[5, REMOVED]]);
  });
});

test('R-314 a state that a known driver reads as ADDED or REMOVED is refused at start-up', () => {
  [1, 2, 0x7ffc, 0x8001, 0x8002, 0xffff].forEach((state) => {
    assert.throws(() => start(appWith([], { leaveState: state })), /removal state/);
    assert.throws(() => start(appWith([], { askState: state })), /removal state/);
  });
});

test('R-315 a removal that is in no hurry may be hurried', () => {
  const tested = testDevice({ number: 5 });
  const bus = connectedTo([tested.model], { leaveState: 0x8000 });
  bringUp(bus, 5);
  unplug(tested.row, Removal.Soon);
  settle(bus);
  assert.ok(unplug(tested.row, Removal.Gone));
  assert.deepEqual(deviceEvents(wait(bus, 1.1 * SECOND)), [[5, REMOVED]]);
});

test('R-303 R-280 what was to be told is forgotten when the driver begins anew', () => {
  const devices = [5, 6].map((number) => testDevice({ number }));
  const bus = connectedTo(devices.map(({ model }) => ({ ...model, absent: true })));
  devices.forEach((device, at) => plug(device.row, 5 + at));
  settle(bus);
  bus.shutdown();
  bus.connect();
  assert.deepEqual(present(bus), [5, 6]);
  assert.deepEqual(wait(bus, 2 * SECOND), []);
});

test('R-423 a removal touches no other device', () => {
  const tested = testDevice({ number: 5 });
  const bus = benchWith(tested);
  const one = bringUp(bus, 1);
  bringUp(bus, 5, 8, RING + 4096);
  unplug(tested.row, Removal.Now);
  one.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  one.queue.publish();
  one.device.kick(0);
  assert.deepEqual(wait(bus, 30000).map(({ id, device }) => [id, device]).sort(), [[0x40, 0], [0x42, 1]]);
  assert.notEqual(one.queue.take(), undefined);
});

test('R-290 R-298 64 devices with gaps are found', () => {
  forget();
  const numbers = Array.from({ length: 64 }, (_, at) => at * 3 + (at > 40 ? 1000 : 0));
  const { model } = testDevice({ number: 0, queueSizes: [2] });
  const bus = connectedTo(numbers.map((number) => ({ ...model, number })));
  const found: number[] = [];
  let offset = 0;
  do {
    const answer = bus.busRequest('GET_DEVICES', 2, le16(offset).concat(le16(32)));
    for (let bit = 0; bit < read16(answer, 2); bit++) {
      if ((((answer[6 + (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1) {
        found.push(offset + bit);
      }
    }
    offset = read16(answer, 4);
  } while (offset !== 0);
  assert.deepEqual(found, numbers);
  numbers.forEach((number) => assert.equal(new DriverDevice(bus, number).info().deviceId, 42));
});
