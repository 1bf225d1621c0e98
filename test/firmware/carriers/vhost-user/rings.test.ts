// The vhost-user carrier with a front side that does everything right: rings start, serve, stop and go on where they were.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fake } from '../../../../hal/fake/port.js';
import { fakeVhostUser } from '../../../../hal/fake/vhost-user.js';
import { entropy } from '../../../../firmware/main.js';
import { busyDevice } from '../../../support/busy-device.js';
import { PackedQueue } from '../../../support/driver/packed-queue.js';
import { SplitQueue } from '../../../support/driver/split-queue.js';
import { testDevice } from '../../../support/test-device.js';
import {
  begin, connectedFront, guestMachine, message, pass, kick, PROTOCOL_FEATURES, readU64, refusals, REPLY_ACK, request, RING_PACKED, send, settle, startRing, STATUS,
  stopRing, tablePayload, u32, u64, oneRegion, userBase, VERSION_1,
} from '../../../support/vhost-front.js';

const device = entropy({ number: 1, queueSize: 64 });
const buffer = (at: number): { offset: number; bytes: number; writable: boolean } => ({ offset: 0x80000 + at * 64, bytes: 64, writable: true });
const areasOf = (queue: SplitQueue): number[] => [queue.descriptors, queue.available, queue.used];

function splitQueue(): SplitQueue {
  return new SplitQueue(guestMachine, 0x1000, 8);
}

/** Makes one buffer available, kicks, and counts what came back. */
function serve(queue: SplitQueue | PackedQueue, at: number): number {
  queue.add([buffer(at)]);
  queue.publish();
  kick();
  let count = 0;
  while (queue.take() !== undefined) {
    count++;
  }
  return count;
}

test('GET_FEATURES offers the device\'s features and protocol features, not those that vhost-user cannot carry', () => {
  connectedFront(device, [28, 29, 33, 34, 38, 40]);
  const features = readU64(send(request.GET_FEATURES, []) ?? []);
  assert.equal(features, (1n << 28n) | (1n << 29n) | (1n << 30n) | (1n << 32n) | (1n << 34n) | (1n << 40n));
});

test('a split ring is served: kick in, used buffer and call out', () => {
  connectedFront(device);
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  assert.equal(serve(queue, 0), 1);
  assert.deepEqual(fakeVhostUser.called.slice(-1), [0]);
  assert.ok(fake.bytes[0].subarray(0x80000, 0x80040).some((byte) => byte !== 0));
  assert.deepEqual(refusals(), []);
  assert.ok(fake.guardsIntact());
});

test('buffers made available before the ring starts are served without a kick', () => {
  connectedFront(device);
  begin(VERSION_1);
  const queue = splitQueue();
  queue.add([buffer(0)]);
  queue.publish();
  startRing({ size: 8, areas: areasOf(queue) });
  settle();
  assert.notEqual(queue.take(), undefined);
});

test('with protocol features a ring waits for SET_VRING_ENABLE', () => {
  connectedFront(device);
  begin(VERSION_1, REPLY_ACK);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  assert.equal(serve(queue, 0), 0);
  send(request.SET_VRING_ENABLE, [...u32(0), ...u32(1)]);
  assert.equal(serve(queue, 1), 2);
  send(request.SET_VRING_ENABLE, [...u32(0), ...u32(0)]);
  assert.equal(serve(queue, 2), 0);
  send(request.SET_VRING_ENABLE, [...u32(0), ...u32(1)]);
  assert.equal(serve(queue, 3), 2);
});

test('a split ring goes on at the base it was stopped at, and the driver is called once', () => {
  connectedFront(device);
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  for (let at = 0; at < 11; at++) {
    assert.equal(serve(queue, at), 1);
  }
  const base = stopRing();
  assert.equal(base, 11);
  assert.equal(serve(queue, 11), 0);
  fakeVhostUser.called = [];
  startRing({ size: 8, base, areas: areasOf(queue) });
  assert.notEqual(queue.take(), undefined);
  assert.ok(fakeVhostUser.called.length >= 1);
  assert.equal(serve(queue, 12), 1);
  assert.equal(stopRing(), 13);
});

test('a device that was paused goes on in its life: its rings go on; one whose driver begins anew begins a new life', () => {
  const tested = testDevice({ number: 1, queueSizes: [64] });
  connectedFront(tested.model, [29]);
  begin(VERSION_1);
  const queue = splitQueue();
  const [from, to] = [{ offset: 0x80000, bytes: 4, writable: false }, { offset: 0x80100, bytes: 4, writable: true }];
  const echoed = (): boolean => {
    queue.add([from, to]);
    queue.publish();
    kick();
    return queue.take() !== undefined;
  };
  startRing({ size: 8, areas: areasOf(queue) });
  assert.ok(echoed());
  const before = tested.resets;
  begin(VERSION_1);
  assert.equal(tested.resets, before, 'the same features again while rings run change nothing');
  const base = stopRing();
  begin(VERSION_1);
  startRing({ size: 8, base, areas: areasOf(queue) });
  assert.equal(tested.resets, before, 'stop and cont');
  assert.ok(echoed());
  stopRing();
  begin(VERSION_1);
  const anew = splitQueue();
  startRing({ size: 8, base: 0, areas: areasOf(anew) });
  assert.equal(tested.resets, before + 1, 'the driver has reset its device');
  anew.add([from, to]);
  anew.publish();
  kick();
  assert.notEqual(anew.take(), undefined);
  stopRing();
  begin(VERSION_1 | (1n << 29n));
  assert.equal(tested.resets, before + 2, 'other features');
  assert.deepEqual(refusals(), []);
});

test('a packed ring goes on at the base it was stopped at, wrap counters included', () => {
  connectedFront(device, [34]);
  begin(VERSION_1 | RING_PACKED);
  const queue = new PackedQueue(guestMachine, 0x1000, 8);
  const areas = [queue.descriptors, queue.driverEvent, queue.deviceEvent];
  startRing({ size: 8, base: 0x80008000, areas });
  for (let at = 0; at < 11; at++) {
    assert.equal(serve(queue, at), 1);
  }
  const base = stopRing();
  assert.equal(base, 0x00030003);
  startRing({ size: 8, base, areas });
  assert.equal(serve(queue, 11), 1);
  assert.deepEqual(refusals(), []);
});

test('a ring that never ran tells its beginning: index 0, packed with wrap counter 1', () => {
  connectedFront(device, [34]);
  begin(VERSION_1);
  assert.equal(stopRing(), 0);
  send(request.SET_FEATURES, u64(VERSION_1 | RING_PACKED));
  assert.equal(stopRing(), 0x80008000);
});

test('a new memory table and new addresses do not lose a running ring', () => {
  connectedFront(device);
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  assert.equal(serve(queue, 0), 1);
  send(request.SET_MEM_TABLE, tablePayload([oneRegion]), [8]);
  assert.equal(serve(queue, 1), 1);
  assert.equal(fakeVhostUser.mapped.get(0)?.descriptor, 8);
});

test('a connection that ends leaves nothing: no memory, no ring, no feature; the next one starts afresh', () => {
  connectedFront(device);
  begin(VERSION_1, REPLY_ACK);
  const first = splitQueue();
  startRing({ size: 8, areas: areasOf(first) });
  fakeVhostUser.hangUp();
  settle();
  assert.equal(fakeVhostUser.mapped.size, 0);
  fakeVhostUser.state = 1;
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  assert.equal(serve(queue, 0), 1);
});

test('SET_STATUS and GET_STATUS go to the device; a ring starts it where a front side never sends DRIVER_OK', () => {
  connectedFront(device);
  begin(VERSION_1, STATUS);
  const status = (): number => Number(readU64(send(request.GET_STATUS, []) ?? []));
  assert.equal(status(), 0);
  send(request.SET_STATUS, u64(8n));
  assert.equal(status() & 8, 8);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  send(request.SET_VRING_ENABLE, [...u32(0), ...u32(1)]);
  assert.equal(status() & 15, 15);
  assert.equal(serve(queue, 0), 1);
  send(request.SET_STATUS, u64(0n));
  assert.equal(status(), 0);
});

test('FEATURES_OK is not shown when the device refuses the features', () => {
  connectedFront(device);
  begin(0n, STATUS);
  send(request.SET_STATUS, u64(11n));
  assert.equal(Number(readU64(send(request.GET_STATUS, []) ?? [])) & 8, 0);
});

test('REPLY_ACK: a request without an answer of its own is answered with 0, a refused one with 1, and the connection stays', () => {
  connectedFront(device);
  begin(VERSION_1, REPLY_ACK);
  assert.equal(readU64(send(request.SET_VRING_NUM, [...u32(0), ...u32(8)], [], 9) ?? []), 0n);
  assert.equal(readU64(send(request.SET_VRING_NUM, [...u32(9), ...u32(8)], [], 9) ?? []), 1n);
  assert.equal(fakeVhostUser.state, 1);
  assert.notEqual(send(request.GET_FEATURES, []), undefined);
});

test('a wish for a reply is fulfilled without REPLY_ACK, too: a front side that connects again may not negotiate again, and waits', () => {
  connectedFront(device);
  assert.equal(readU64(send(request.SET_FEATURES, u64(VERSION_1), [], 9) ?? []), 0n);
});

test('guest memory larger than a window is cut into windows that overlap by an eighth', () => {
  connectedFront(device);
  send(request.SET_FEATURES, u64(VERSION_1));
  // 256 pages a window here: 480 pages make two, the second from page 256 - 31 on.
  send(request.SET_MEM_TABLE, tablePayload([{ guest: 0x40000000n, bytes: 480n * 4096n, user: userBase, file: 8192n }]), [7]);
  assert.deepEqual([...fakeVhostUser.mapped.values()], [
    { descriptor: 7, filePage: 2, pages: 256 },
    { descriptor: 7, filePage: 2 + 224, pages: 256 },
  ]);
  assert.deepEqual(refusals(), []);
});

test('no window crosses a multiple of 4 GiB', () => {
  connectedFront(device);
  send(request.SET_MEM_TABLE, tablePayload([{ guest: 0xffff0000n, bytes: 32n * 4096n, user: userBase, file: 0n }]), [7]);
  assert.deepEqual([...fakeVhostUser.mapped.values()].map(({ filePage, pages }) => [filePage, pages]), [[0, 16], [16, 16]]);
});

test('ring addresses are the front side\'s: an address below or behind every region is refused', () => {
  for (const [descriptors, good] of [[userBase + 0x1000n, true], [userBase - 16n, false], [userBase + 1048576n, false], [0x1000n, false]] as const) {
    connectedFront(device);
    begin(VERSION_1);
    send(request.SET_VRING_NUM, [...u32(0), ...u32(8)]);
    send(request.SET_VRING_KICK, u64(0n), [20]);
    send(request.SET_VRING_ADDR, [...u32(0), ...u32(0), ...u64(descriptors), ...u64(userBase + 0x3000n), ...u64(userBase + 0x2000n), ...u64(0n)]);
    assert.deepEqual(refusals(), good ? [] : [[9, 9]]);
  }
});

test('protocol features 0, 3, 9, 12, 13 and 16 are offered, and one ring is counted', () => {
  connectedFront(device);
  assert.equal(readU64(send(request.GET_PROTOCOL_FEATURES, []) ?? []), (1n << 0n) | (1n << 3n) | (1n << 9n) | (1n << 12n) | (1n << 13n) | (1n << 16n));
  assert.equal(readU64(send(request.GET_QUEUE_NUM, []) ?? []), 1n);
  assert.equal(PROTOCOL_FEATURES & readU64(send(request.GET_FEATURES, []) ?? []), PROTOCOL_FEATURES);
});

test('a reset that takes time holds later messages back, and all of them are answered when it is over (R-155)', () => {
  const tested = busyDevice({ number: 1, writable: [0, 0] });
  connectedFront(tested.model, [29]);
  begin(VERSION_1, STATUS);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  send(request.SET_VRING_ENABLE, [...u32(0), ...u32(1)]);
  queue.add([buffer(0)]);
  queue.publish();
  kick();
  assert.equal(tested.flying.length, 1);
  const before = fakeVhostUser.replies.length;
  fakeVhostUser.send(message(request.RESET_DEVICE, [], 1), []);
  fakeVhostUser.send(message(request.GET_STATUS, [], 1), []);
  fakeVhostUser.send(message(request.GET_FEATURES, [], 1), []);
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
  assert.equal(fakeVhostUser.replies.length, before);
  tested.land(0);
  settle();
  assert.deepEqual(fakeVhostUser.replies.slice(before).map((reply) => reply[0]), [request.GET_STATUS, request.GET_FEATURES]);
  assert.equal(readU64(fakeVhostUser.replies[before] ?? []), 0n);
  // The chain of the old life is not given back in the new one.
  assert.equal(queue.take(), undefined);
});

/** A ring whose chains stay in flight until the test gives them back, with `count` of them. */
function inFlight(count: number): { tested: ReturnType<typeof busyDevice>; queue: SplitQueue } {
  const tested = busyDevice({ number: 1, queueSizes: [64] });
  connectedFront(tested.model);
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  for (let at = 0; at < count; at++) {
    queue.add([buffer(at)]);
  }
  queue.publish();
  kick();
  assert.equal(tested.flying.length, count);
  return { tested, queue };
}

test('GET_VRING_BASE is answered when all that is in flight has been given back, in whatever order; nothing new is taken, nothing is lost or done twice', () => {
  const { tested, queue } = inFlight(3);
  tested.flying.reverse();
  tested.land(0);
  settle();
  const before = fakeVhostUser.replies.length;
  fakeVhostUser.send(message(request.GET_VRING_BASE, [...u32(0), ...u32(0)], 1), []);
  queue.add([buffer(3)]);
  queue.publish();
  fakeVhostUser.kicked.push(0);
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
  assert.equal(tested.flying.length, 2, 'what was made available since is not taken');
  tested.land(0);
  pass();
  assert.equal(fakeVhostUser.replies.length, before);
  tested.land(0);
  fakeVhostUser.called = [];
  settle();
  assert.deepEqual(fakeVhostUser.called, [0], 'the driver is told before the answer');
  assert.equal(readU64(fakeVhostUser.replies[before] ?? []) >> 32n, 3n);
  startRing({ size: 8, base: 3, areas: areasOf(queue) });
  assert.equal(tested.flying.length, 1);
  tested.land(0);
  settle();
  const heads = [0, 1, 2, 3].map(() => queue.take()?.head);
  assert.deepEqual([...heads].sort(), [0, 1, 2, 3]);
  assert.equal(queue.take(), undefined);
});

test('status 0 waits for what is in flight, too: QEMU pauses a disk with it and asks for the base afterwards', () => {
  const { tested, queue } = inFlight(3);
  tested.flying.reverse();
  tested.land(0);
  settle();
  const before = fakeVhostUser.replies.length;
  fakeVhostUser.send(message(request.SET_STATUS, u64(0n), 1), []);
  fakeVhostUser.send(message(request.GET_VRING_BASE, [...u32(0), ...u32(0)], 1), []);
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
  assert.equal(fakeVhostUser.replies.length, before);
  tested.land(0);
  tested.land(0);
  settle();
  assert.equal(readU64(fakeVhostUser.replies[before] ?? []) >> 32n, 3n);
  const heads = [0, 1, 2].map(() => queue.take()?.head);
  assert.deepEqual([...heads].sort(), [0, 1, 2]);
});

test('a backend that never ends holds GET_VRING_BASE for two seconds, and what it does later is dropped', () => {
  const { tested, queue } = inFlight(2);
  const before = fakeVhostUser.replies.length;
  fakeVhostUser.send(message(request.GET_VRING_BASE, [...u32(0), ...u32(0)], 1), []);
  pass();
  fake.microseconds += 1900000;
  pass();
  assert.equal(fakeVhostUser.replies.length, before);
  fake.microseconds += 200000;
  pass();
  settle();
  assert.equal(readU64(fakeVhostUser.replies[before] ?? []) >> 32n, 0n);
  tested.land(0);
  settle();
  assert.equal(queue.take(), undefined);
});

test('a front side that goes while a ring is being stopped leaves nothing behind: the next one is served', () => {
  const { tested } = inFlight(2);
  fakeVhostUser.send(message(request.GET_VRING_BASE, [...u32(0), ...u32(0)], 1), []);
  pass();
  tested.flying.splice(0);
  fakeVhostUser.clear();
  fakeVhostUser.state = 2;
  pass();
  fakeVhostUser.state = 1;
  settle();
  begin(VERSION_1);
  const queue = splitQueue();
  startRing({ size: 8, areas: areasOf(queue) });
  queue.add([buffer(0)]);
  queue.publish();
  kick();
  assert.equal(tested.flying.length, 1);
});

test('stopping one ring for a moment lets the device\'s other rings go on', () => {
  const tested = testDevice({ number: 1, queueSizes: [64, 64] });
  connectedFront(tested.model);
  begin(VERSION_1);
  const [first, second] = [new SplitQueue(guestMachine, 0x1000, 8), new SplitQueue(guestMachine, 0x4000, 8)];
  startRing({ size: 8, areas: areasOf(first) });
  startRing({ ring: 1, size: 8, areas: areasOf(second) });
  stopRing();
  second.add([buffer(0)]);
  second.publish();
  kick(1);
  assert.notEqual(second.take(), undefined);
});

test('a ring that does not run yet is described without waiting for what another one has in flight', () => {
  const busy = busyDevice({ number: 1, queueSizes: [64, 64] });
  connectedFront(busy.model);
  begin(VERSION_1);
  const [first, second] = [new SplitQueue(guestMachine, 0x1000, 8), new SplitQueue(guestMachine, 0x4000, 8)];
  startRing({ size: 8, areas: areasOf(first) });
  first.add([buffer(0)]);
  first.publish();
  kick();
  assert.equal(busy.flying.length, 1);
  fakeVhostUser.send(message(request.SET_VRING_ADDR, [...u32(1), ...u32(0), ...[second.descriptors, second.used, second.available].flatMap((offset) => u64(userBase + BigInt(offset))), ...u64(0n)], 1), []);
  pass();
  assert.equal(fakeVhostUser.waiting.length, 0);
  assert.equal(busy.flying.length, 1);
});

test('a ring that is stopped tells where it stood: what was taken and given back, and what stands in memory', () => {
  const { queue } = inFlight(2);
  queue.add([buffer(2)]);
  queue.publish();
  fake.logged = [];
  fakeVhostUser.send(message(request.GET_VRING_BASE, [...u32(0), ...u32(0)], 1), []);
  pass();
  fake.microseconds += 2100000;
  settle();
  // Ring 0: given back 0, taken 2; available index 3, used index 0.
  assert.deepEqual(fake.logged, [[71, 0], [72, 2], [73, 3], [74, 0], [75, request.GET_VRING_BASE]].map(([code, value]) => ({ code, value })));
});

test('a packed ring that is stopped tells the flags of the descriptors it would look at next', () => {
  connectedFront(device, [34]);
  begin(VERSION_1 | RING_PACKED);
  const queue = new PackedQueue(guestMachine, 0x1000, 8);
  startRing({ size: 8, base: 0x80008000, areas: [queue.descriptors, queue.driverEvent, queue.deviceEvent] });
  assert.equal(serve(queue, 0), 1);
  fake.logged = [];
  stopRing();
  // Entry 1 with wrap counter 1 on both sides, and nothing in it yet.
  assert.deepEqual(fake.logged.slice(0, 4), [[71, 0x8001], [72, 0x8001], [73, 0], [74, 0]].map(([code, value]) => ({ code, value })));
});
