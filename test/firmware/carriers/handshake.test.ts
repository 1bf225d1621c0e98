// The life of the AMP carrier: INIT, READY, RUN, and drivers that leave, crash and come back.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { pass } from '../../../firmware/loop.hot.js';
import { encode, le32 } from '../../support/driver/message.js';
import { started } from '../../support/fresh.js';
import { GET_DEVICES, HEAD_MAGIC, INIT, PEER_DEAD, ping, Peer, READY, RUN, SHUTDOWN } from '../../support/peer.js';
import { testDevice } from '../../support/test-device.js';

const peer = new Peer();
let tested = testDevice({ number: 1 });

beforeEach(() => {
  tested = testDevice({ number: 1 });
  started([tested.model]);
});

/** Writes a message into `slot`, shows it and lets the firmware run; returns the device's element `answer`. */
function say(slot: number, frame: readonly number[], answer: number): number[] {
  peer.write(slot, frame);
  peer.step({ tail: (slot + 1) % 16 });
  return peer.element(answer);
}

const GET_STATUS = encode({ type: 0, id: 7, device: 1, token: 1, payload: [] });
const SET_STATUS_3 = encode({ type: 0, id: 8, device: 1, token: 1, payload: le32(3) });

/** The driver is running and its device has status 3: two messages have gone each way. */
function busy(): void {
  peer.shakeHands();
  say(0, GET_DEVICES, 0);
  assert.deepEqual(say(1, SET_STATUS_3, 1).slice(8, 12), [3, 0, 0, 0]);
  peer.step({ head: 2 });
}

/** A driver that begins anew finds device 1 reset and every index at 0. */
function expectFreshStart(): void {
  peer.set({ magic: 0, status: 0, tail: 0, head: 0 });
  peer.shakeHands();
  assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: 0, head: 0 });
  assert.equal(say(0, GET_DEVICES, 0)[1], 2);
  assert.deepEqual(say(1, GET_STATUS, 1).slice(0, 12), [1, 7, 1, 0, 1, 0, 12, 0, 0, 0, 0, 0], 'status 0');
}

test('without the driver\'s magic the device side stays in INIT, whatever else stands there', () => {
  assert.equal(peer.step({}).status, INIT);
  [READY, RUN, SHUTDOWN].forEach((status) => assert.equal(peer.step({ status }).status, INIT));
  assert.equal(peer.step({ magic: 0x4f51, status: READY }).status, INIT);
  assert.equal(peer.rings(), 0);
});

test('the magic alone brings READY, the driver\'s READY brings RUN', () => {
  assert.equal(peer.step({ magic: HEAD_MAGIC, status: INIT }).status, READY);
  assert.equal(peer.step({}).status, READY);
  assert.deepEqual(peer.step({ status: READY }), { magic: HEAD_MAGIC, status: RUN, tail: 0, head: 0 });
  assert.deepEqual(peer.step({ status: RUN }), { magic: HEAD_MAGIC, status: RUN, tail: 0, head: 0 });
});

test('a driver that is already in RUN when it is first seen is joined', () => {
  peer.set({ magic: HEAD_MAGIC, status: RUN, tail: 0, head: 0 });
  pass();
  pass();
  assert.equal(peer.device().status, RUN);
});

test('the device side never shows a status above RUN', () => {
  [INIT, READY, RUN, SHUTDOWN, PEER_DEAD, 31, RUN, INIT, READY].forEach((status) => {
    assert.ok(peer.step({ magic: HEAD_MAGIC, status }).status <= RUN);
  });
});

test('bits 15..5 of the driver\'s status are no part of the state', () => {
  assert.equal(peer.step({ magic: HEAD_MAGIC, status: 0x8000 }).status, READY);
  assert.equal(peer.step({ status: 0x8001 }).status, RUN);
  assert.equal(peer.step({ status: 0x8002 }).status, RUN);
  assert.deepEqual(say(0, GET_DEVICES, 0).slice(0, 2), [3, 2]);
});

test('R-277 no doorbell before the driver is READY', () => {
  peer.step({ magic: HEAD_MAGIC, status: INIT });
  pass();
  pass();
  assert.equal(peer.rings(), 0);
  peer.step({ status: READY });
  assert.ok(peer.rings() >= 1);
});

test('R-277 nor after a restart of the driver', () => {
  busy();
  peer.step({ status: SHUTDOWN });
  const before = peer.rings();
  pass();
  peer.step({ status: INIT, tail: 0, head: 0 });
  pass();
  assert.equal(peer.rings(), before);
});

test('the driver\'s indices do not count before its READY', () => {
  assert.equal(peer.step({ magic: HEAD_MAGIC, status: INIT, tail: 0x7777, head: 0x8888 }).status, READY);
  assert.equal(peer.step({ status: READY, tail: 0, head: 0 }).status, RUN);
  assert.deepEqual(say(0, GET_DEVICES, 0).slice(0, 2), [3, 2]);
});

test('R-053 messages are answered only in RUN', () => {
  peer.write(0, GET_DEVICES);
  peer.step({ magic: HEAD_MAGIC, status: INIT, tail: 1 });
  assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: READY, tail: 0, head: 0 });
});

test('R-280 SHUTDOWN resets every device without a message; own status INIT, head and tail 0', () => {
  busy();
  const resets = tested.resets;
  assert.deepEqual(peer.step({ status: SHUTDOWN }), { magic: HEAD_MAGIC, status: INIT, tail: 0, head: 0 });
  assert.equal(tested.resets, resets + 1);
  pass();
  assert.equal(peer.device().status, INIT, 'until the driver is back');
  expectFreshStart();
});

test('R-280 falling back to INIT, a dead peer and a lost magic are treated the same', () => {
  [{ status: INIT }, { status: PEER_DEAD }, { status: 9 }, { magic: 0 }, { magic: 0, status: 0, tail: 0, head: 0 }, { magic: 0x514e }].forEach((change) => {
    started([tested.model]);
    busy();
    const resets = tested.resets;
    const shown = peer.step(change);
    assert.equal(tested.resets, resets + 1, JSON.stringify(change));
    assert.deepEqual([shown.tail, shown.head], [0, 0]);
    assert.notEqual(shown.status, RUN);
    expectFreshStart();
  });
});

test('R-280 an implausible index is treated the same', () => {
  // Elements are numbered 0..15, and the driver has been given two: its head lies in 0..2 and does not go back.
  [{ tail: 16 }, { tail: 0xffff }, { head: 16 }, { head: 0xffff }, { head: 3 }, { head: 15 }, { head: 1 }].forEach((change) => {
    started([tested.model]);
    busy();
    const resets = tested.resets;
    peer.step(change);
    assert.equal(tested.resets, resets + 1, JSON.stringify(change));
    expectFreshStart();
  });
});

test('R-280 an implausible index leaves no answer and no doorbell storm behind', () => {
  busy();
  peer.step({ tail: 200, head: 200 });
  const before = peer.rings();
  for (let turn = 0; turn < 20; turn++) {
    pass();
  }
  assert.ok(peer.rings() <= before + 1);
  assert.notEqual(peer.device().status, RUN, 'no message flows with indices that mean nothing');
});

/** What the known driver does when it comes back while the device side still shows RUN: microseconds, no pass in between. */
function comeBackUnseen(): void {
  for (let slot = 0; slot < 16; slot++) {
    peer.write(slot, new Array<number>(64).fill(0));
  }
  peer.write(0, GET_DEVICES);
  peer.set({ magic: HEAD_MAGIC, status: RUN, tail: 1, head: 0 });
}

/** After `messages` messages both ways the driver crashes and comes back unseen. */
function crashAfter(messages: number): void {
  peer.shakeHands();
  say(0, GET_DEVICES, 0);
  say(1, SET_STATUS_3, 1);
  peer.set({ head: 2 });
  for (let count = 2; count < messages; count++) {
    say(count % 16, ping(count), count % 16);
    peer.set({ head: (count + 1) % 16 });
  }
  pass();
  comeBackUnseen();
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
}

test('R-280 a driver that crashed and came back unseen gets its first GET_DEVICES answered in element 0 and finds devices reset', () => {
  // 16 and 32: every index of the device side happens to be 0.
  [2, 3, 9, 15, 16, 17, 31, 32, 33, 48].forEach((messages) => {
    started([tested.model]);
    crashAfter(messages);
    assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: 1, head: 1 }, 'after ' + messages + ' messages');
    assert.deepEqual(peer.element(0).slice(0, 8), [3, 2, 0, 0, 1, 0, 18, 0]);
    peer.set({ head: 1 });
    assert.deepEqual(say(1, GET_STATUS, 1).slice(0, 12), [1, 7, 1, 0, 1, 0, 12, 0, 0, 0, 0, 0], 'status 0');
  });
});

/** A driver crashes with `messages` answers that it has not read, no device is in use, and comes back unseen. */
function crashUnread(messages: number): void {
  started([tested.model]);
  peer.shakeHands();
  for (let count = 0; count < messages; count++) {
    say(count, count === 0 ? GET_DEVICES : ping(count), count);
  }
  comeBackUnseen();
}

function expectFirstAnswer(what: string): void {
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
  assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: 1, head: 1 }, what);
  assert.deepEqual(peer.element(0).slice(0, 8), [3, 2, 0, 0, 1, 0, 18, 0]);
}

test('R-280 the same when it had read nothing and no device was in use: its cleared ring gives it away', () => {
  for (let messages = 1; messages < 16; messages++) {
    crashUnread(messages);
    expectFirstAnswer(`after ${messages} messages`);
  }
});

test('R-280 the same when a pass falls between the clearing and the first message, or between that and its tail', () => {
  for (let messages = 1; messages < 16; messages++) {
    for (const written of [false, true]) {
      crashUnread(messages);
      if (!written) {
        peer.write(0, new Array<number>(64).fill(0));
      }
      peer.step({ tail: 0 });
      peer.write(0, GET_DEVICES);
      peer.set({ tail: 1 });
      expectFirstAnswer(`after ${messages} messages`);
    }
  }
});

test('R-280 a driver that goes round with its answers unread is no driver that came back', () => {
  peer.shakeHands();
  for (let count = 0; count < 10; count++) {
    say(count, count === 0 ? GET_DEVICES : ping(count), count);
  }
  peer.step({ head: 9 });
  peer.step({ head: 10 });
  for (let count = 10; count < 16; count++) {
    peer.write(count, ping(count));
  }
  assert.deepEqual(peer.step({ tail: 0 }), { magic: HEAD_MAGIC, status: RUN, tail: 0, head: 0 });
});

test('R-280 a driver that asks for the devices again while none is in use goes on, also where its ring begins', () => {
  [1, 2, 15, 16, 17, 32].forEach((messages) => {
    started([tested.model]);
    peer.shakeHands();
    for (let count = 0; count < messages; count++) {
      say(count % 16, GET_DEVICES, count % 16);
      peer.set({ head: (count + 1) % 16 });
      assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: (count + 1) % 16, head: (count + 1) % 16 }, `message ${count} of ${messages}`);
    }
  });
});

test('R-280 the same when answers or unanswerable messages have moved the two directions apart', () => {
  // Events move only the driver's ring, so the device side's tail and head differ when the driver vanishes.
  for (let events = 0; events < 16; events++) {
    started([tested.model]);
    peer.shakeHands();
    say(0, GET_DEVICES, 0);
    say(1, SET_STATUS_3, 1);
    for (let count = 0; count < 14 + events; count++) {
      say((2 + count) % 16, count < 14 ? ping(count) : encode({ type: 0, id: 0x41, device: 1, token: 0, payload: le32(7).concat(le32(0)) }), 0);
      peer.set({ head: peer.device().tail });
    }
    pass();
    comeBackUnseen();
    for (let turn = 0; turn < 4; turn++) {
      pass();
    }
    assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: 1, head: 1 }, events + ' events');
    peer.set({ head: 1 });
    assert.deepEqual(say(1, GET_STATUS, 1).slice(0, 12), [1, 7, 1, 0, 1, 0, 12, 0, 0, 0, 0, 0]);
  }
});

test('a first GET_DEVICES, and one asked again before any device is in use, is only answered', () => {
  peer.shakeHands();
  assert.equal(say(0, GET_DEVICES, 0)[1], 2);
  peer.set({ head: 1 });
  assert.equal(say(1, GET_DEVICES, 1)[1], 2);
  assert.deepEqual(peer.device(), { magic: HEAD_MAGIC, status: RUN, tail: 2, head: 2 });
});

test('second start, third start: every new driver is served', () => {
  for (let life = 0; life < 5; life++) {
    expectFreshStart();
    say(2, SET_STATUS_3, 2);
    peer.step({ status: SHUTDOWN });
    assert.equal(peer.device().status, INIT);
  }
});
