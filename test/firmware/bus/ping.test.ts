// PING started by the device side, and messages of a carrier's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { ping, pingState } from '../../../firmware/bus/bus-events.hot.js';
import { answerAt, frameWindow, requestAt, requestBytes } from '../../../firmware/bus/frame.hot.js';
import { specificHandlers } from '../../../firmware/bus/handlers.hot.js';
import { plug } from '../../../firmware/device.hot.js';
import { pass } from '../../../firmware/loop.hot.js';
import { start } from '../../../firmware/main.js';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import type { Profile } from '../../support/driver/message.js';
import { decode, encode } from '../../support/driver/message.js';
import { appWith, connectedTo, dropped, droppedInAll } from '../../support/fresh.js';
import { busyDevice } from '../../support/busy-device.js';
import { bringUp, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const WAITING = 1;
const ANSWERED = 2;
const LOST = 3;

(['A', 'B', 'C'] as const).forEach((profile: Profile) => {
  test('R-301 R-012 a PING of the device side is a request with a token; its answer is recognised by its data, profile ' + profile, () => {
    const bus = connectedTo([], { profile });
    ping(0);
    pass();
    const frame = bus.take();
    assert.ok(frame !== undefined);
    const request = decode(frame, profile);
    assert.deepEqual([request.type, request.id, request.device, request.payload.length], [2, 3, 0, 4]);
    assert.notEqual(request.token, 0);
    assert.equal(pingState[0], WAITING);
    const answer = (payload: number[], change: Partial<typeof request> = {}): void => {
      bus.send({ type: 3, id: 3, device: 0, token: request.token, payload, ...change });
      pass();
      assert.equal(bus.take(), undefined);
    };
    const other = request.payload.map((byte, at) => (at === 1 ? byte ^ 1 : byte));
    answer(other);
    answer(request.payload.slice(0, 3));
    answer(request.payload, { device: 1 });
    answer(request.payload, { id: 2 });
    assert.equal(pingState[0], WAITING);
    assert.deepEqual([dropped('response'), dropped('payload')], [3, 1]);
    answer(request.payload);
    assert.equal(pingState[0], ANSWERED);
    answer(request.payload);
    assert.equal(dropped('response'), 4, 'nobody waits for a second one');
  });
});

test('R-301 a PING without an answer counts as lost after the pause and is logged', () => {
  const bus = connectedTo([]);
  ping(0);
  settle(bus);
  fake.microseconds += 900000;
  pass();
  assert.equal(pingState[0], WAITING);
  fake.microseconds += 200000;
  pass();
  assert.equal(pingState[0], LOST);
  assert.deepEqual(fake.logged.slice(-1), [{ code: 11, value: 0 }]);
});

test('R-301 with an interval the device side asks again and again, each time with other data', () => {
  const bus = connectedTo([], { pingSeconds: 2 });
  const seen: string[] = [];
  for (let step = 0; step < 70; step++) {
    fake.microseconds += 100000;
    pass();
    bus.poll();
    bus.events.splice(0).forEach((event) => {
      seen.push(event.payload.join());
      bus.send({ ...event, type: 3 });
    });
  }
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen).size, 3);
  assert.equal(pingState[0], ANSWERED);
});

test('an interval that cannot be is refused at start-up', () => {
  [0, -1, 121, NaN].forEach((pingSeconds) => assert.throws(() => start(appWith([], { pingSeconds })), /seconds between two PINGs/));
});

test('R-320 PING and EVENT_DEVICE share the turn', () => {
  const tested = testDevice({ number: 5 });
  const bus = connectedTo([{ ...tested.model, absent: true }]);
  plug(tested.row, 5);
  ping(0);
  const [request, ...rest] = settle(bus);
  assert.deepEqual([request?.id, rest.length], [3, 0]);
  assert.ok(request !== undefined);
  bus.send({ ...request, type: 3 });
  assert.deepEqual(settle(bus).map((event) => event.id), [0x40]);
  ping(0);
  assert.deepEqual(settle(bus), []);
  new DriverDevice(bus, 5).info();
  assert.deepEqual(settle(bus).concat(bus.events.splice(0)).map((event) => event.id), [3]);
});

test('R-302 the driver side\'s PING is answered while devices are busy, resetting, suspended or failed', () => {
  const tested = busyDevice({ number: 1 });
  const bus = connectedTo([tested.model, testDevice({ number: 2 }).model]);
  bringUp(bus, 1);
  new DriverDevice(bus, 2).setStatus(0x83);
  tested.stuck = true;
  bus.send({ type: 0, id: 8, device: 1, token: 5, payload: [0, 0, 0, 0] });
  settle(bus);
  assert.deepEqual(bus.busRequest('PING', 3, [1, 2, 3, 4]), [1, 2, 3, 4]);
});

test('R-317 ids of the carrier\'s own reach its handler, and are discarded without one', () => {
  const bus = new BareBus([]);
  const send = (id: number): number[] => bus.frame(encode({ type: 2, id, device: 0, token: 9, payload: [id, 1, 2] }));
  for (let id = 0x80; id < 0x100; id++) {
    assert.deepEqual(send(id), []);
  }
  assert.equal(dropped('unknown id'), 128);
  const seen: number[] = [];
  specificHandlers[0] = (number, id) => {
    assert.deepEqual([number, requestBytes], [0, 3]);
    seen.push(id);
    const words = new Uint16Array(fake.bytes[frameWindow]?.buffer ?? new ArrayBuffer(0), fake.bytes[frameWindow]?.byteOffset);
    assert.equal((words[requestAt] ?? 0) & 255, id);
    words[answerAt] = 0x1234;
    return 2;
  };
  for (let id = 0x80; id < 0xc0; id++) {
    assert.deepEqual(send(id), [3, id, 0, 0, 9, 0, 10, 0, 0x34, 0x12]);
  }
  for (let id = 0xc0; id < 0x100; id++) {
    assert.deepEqual(send(id), [], 'R-023: an event has no answer');
  }
  assert.deepEqual(seen, Array.from({ length: 128 }, (_, at) => 0x80 + at));
  // Transport ids of that range never go there.
  assert.deepEqual(bus.frame(encode({ type: 0, id: 0x80, device: 0, token: 9, payload: [] })), []);
  assert.equal(droppedInAll(), 129);
});
