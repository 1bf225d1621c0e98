// Drivers that break the rules of the split ring: the device stops, asks for a reset, touches nothing, and the rest lives on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUFFERS, DRIVER_BASE, RingBench, WINDOW_BYTES } from '../../support/ring-bench.js';
import type { RawDescriptor } from '../../support/raw-ring.js';
import { bytesOf, expectSame, INDIRECT, NEXT, usedIdx, WRITE, writeDescriptor } from '../../support/raw-ring.js';

const HERE = DRIVER_BASE + BUFFERS;
const END = DRIVER_BASE + WINDOW_BYTES;

/** Offers the chain that begins at descriptor 0 of a ring of 8 and expects the ring error it deserves. */
function expectRefused(name: string, descriptors: readonly RawDescriptor[], size = 8, head = 0): void {
  test(name, () => {
    const bench = new RingBench(size);
    descriptors.forEach((descriptor, entry) => writeDescriptor(bench.queue, entry, descriptor));
    bench.queue.offer(head);
    bench.queue.publish();
    const buffers = bytesOf(BUFFERS, BUFFERS + 0x1000);
    // The first word holds the device's own flags, the others what it has completed.
    const used = bytesOf(bench.queue.used + 2, bench.queue.end());
    bench.expectRingError(bench.kick());
    assert.deepEqual(bench.tested.chains, [], 'the device type never saw it');
    expectSame(BUFFERS, buffers);
    expectSame(bench.queue.used + 2, used);
    bench.expectAlive();
  });
}

[8, 9, 255, 256, 9999, 32768, 65535].forEach((head) => {
  expectRefused('R-333 R-364 head ' + head + ' in a ring of 8', [{ low: HERE, bytes: 4, flags: WRITE }], 8, head);
});
expectRefused('R-333 head 9999 in a ring of 256', [{ low: HERE, bytes: 4, flags: WRITE }], 256, 9999);

[8, 9, 256, 65535].forEach((next) => {
  expectRefused('R-334 next is ' + next + ' in a ring of 8', [{ low: HERE, bytes: 4, flags: NEXT, next }]);
});

expectRefused('R-335 a descriptor that is its own next', [{ low: HERE, bytes: 4, flags: NEXT, next: 0 }]);
expectRefused('R-335 a loop of two', [
  { low: HERE, bytes: 4, flags: NEXT, next: 1 },
  { low: HERE, bytes: 4, flags: NEXT, next: 0 },
]);
expectRefused('R-335 a loop of empty elements', [
  { low: 0, bytes: 0, flags: NEXT, next: 1 },
  { low: 0, bytes: 0, flags: NEXT | WRITE, next: 0 },
]);
expectRefused(
  'R-335 a loop through all descriptors of a large ring',
  Array.from({ length: 256 }, (_, entry) => ({ low: 0, bytes: 0, flags: NEXT, next: (entry + 1) % 256 })),
  256,
);

const outside: [string, RawDescriptor][] = [
  ['length FFFFFFFF', { low: HERE, bytes: 0xffffffff, flags: WRITE }],
  ['length 80000000', { low: HERE, bytes: 0x80000000, flags: 0 }],
  ['length 2^27', { low: DRIVER_BASE, bytes: 0x08000000, flags: WRITE }],
  ['length 2^27 - 1', { low: DRIVER_BASE, bytes: 0x07ffffff, flags: WRITE }],
  ['one byte over the end of the window', { low: END - 4, bytes: 5, flags: WRITE }],
  ['the first byte behind the window', { low: END, bytes: 1, flags: WRITE }],
  ['the last byte before the window', { low: DRIVER_BASE - 1, bytes: 1, flags: WRITE }],
  ['across the start of the window', { low: DRIVER_BASE - 1, bytes: 2, flags: WRITE }],
  ['the whole window and one byte', { low: DRIVER_BASE, bytes: WINDOW_BYTES + 1, flags: WRITE }],
  ['address 0', { low: 0, bytes: 4, flags: 0 }],
  ['upper half of the address wrong', { low: HERE, high: 1, bytes: 4, flags: WRITE }],
  ['bit 63 of the address', { low: HERE, high: 0x80000000, bytes: 4, flags: WRITE }],
  ['address + length beyond 2^64', { low: 0xfffffff0, high: 0xffffffff, bytes: 0x20, flags: WRITE }],
  ['out of the window that ends at 8 GiB - 64 KiB', { low: 0xfffefffc, high: 1, bytes: 5, flags: WRITE }],
  ['across a multiple of 4 GiB', { low: 0xfffffff8, high: 1, bytes: 16, flags: WRITE }],
  ['the offset 0 of a window that is private', { low: 0, high: 0, bytes: 16, flags: 0 }],
];
outside.forEach(([what, descriptor]) => {
  expectRefused('R-337 R-420 an element with ' + what, [descriptor]);
  expectRefused('R-337 R-420 a second element with ' + what, [{ low: HERE, bytes: 4, flags: NEXT | (descriptor.flags & WRITE), next: 1 }, descriptor]);
});

expectRefused('R-339 a readable element after a writable one', [
  { low: HERE, bytes: 4, flags: NEXT | WRITE, next: 1 },
  { low: HERE + 16, bytes: 4, flags: 0 },
]);
expectRefused('R-339 readable, writable, readable', [
  { low: HERE, bytes: 4, flags: NEXT, next: 1 },
  { low: HERE + 16, bytes: 4, flags: NEXT | WRITE, next: 2 },
  { low: HERE + 32, bytes: 4, flags: WRITE ^ WRITE },
]);

expectRefused(
  'R-336 R-341 elements that together exceed what a chain may hold',
  Array.from({ length: 256 }, (_, entry) => ({ low: DRIVER_BASE, bytes: WINDOW_BYTES, flags: WRITE | (entry < 255 ? NEXT : 0), next: entry + 1 })),
  256,
);

expectRefused('R-346 INDIRECT without the feature', [{ low: HERE, bytes: 16, flags: INDIRECT }]);
expectRefused('R-346 INDIRECT and WRITE', [{ low: HERE, bytes: 16, flags: INDIRECT | WRITE }]);
expectRefused('R-347 INDIRECT with NEXT', [
  { low: HERE, bytes: 16, flags: INDIRECT | NEXT, next: 1 },
  { low: HERE, bytes: 16, flags: WRITE },
]);
expectRefused('R-346 INDIRECT in the middle of a chain', [
  { low: HERE, bytes: 16, flags: NEXT, next: 1 },
  { low: HERE, bytes: 16, flags: INDIRECT },
]);

[9, 10, 40000, 32768, 65535].forEach((jump) => {
  test('R-331 R-364 an available index that jumps by ' + jump, () => {
    const bench = new RingBench(8);
    bench.queue.publish(jump);
    bench.expectRingError(bench.kick());
    assert.deepEqual(bench.tested.chains, []);
    bench.expectAlive();
  });
});

test('R-331 an index that goes back by one is a jump of 65535', () => {
  const bench = new RingBench(8);
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  bench.kick();
  assert.notEqual(bench.queue.take(), undefined);
  bench.queue.publish(0);
  bench.expectRingError(bench.kick());
  bench.expectAlive();
});

test('R-331 an index that goes back is a jump as well while the device keeps what it took', () => {
  const bench = new RingBench(8, { keep: true });
  for (let count = 0; count < 3; count++) {
    bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  }
  bench.queue.publish();
  bench.kick();
  assert.equal(bench.tested.chains.length, 3);
  bench.queue.publish(2);
  bench.expectRingError(bench.kick());
  assert.equal(bench.tested.chains.length, 3);
  bench.expectOtherServes();
});

test('R-331 an index as many entries ahead as the ring is large is legal, even if they are all the same chain', () => {
  const bench = new RingBench(8);
  writeDescriptor(bench.queue, 0, { low: HERE, bytes: 4, flags: WRITE });
  bench.queue.publish(8);
  bench.kick();
  assert.equal(usedIdx(bench.queue), 8);
  assert.equal(bench.device.status(), 0x0f);
});

test('R-364 good chains before the bad one are given back and told, nothing after it', () => {
  const bench = new RingBench(8);
  const good = bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  writeDescriptor(bench.queue, 7, { low: 0, bytes: 4, flags: WRITE });
  bench.queue.offer(7);
  bench.queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  bench.queue.publish();
  const events = bench.kick();
  assert.deepEqual(events.map((event) => event.id).sort(), [0x40, 0x42]);
  assert.deepEqual(bench.queue.take(), { head: good, written: 0 });
  assert.equal(bench.queue.take(), undefined);
  bench.expectAlive();
});

test('R-424 R-421 a ring error whose rings are full of rubbish ends the same way', () => {
  const bench = new RingBench(256);
  for (let at = bench.queue.descriptors; at < bench.queue.end(); at += 2) {
    bench.bus.setWord(at, 0xffff);
  }
  bench.queue.publish(1);
  bench.kick();
  assert.equal(bench.device.status(), 0x4f);
  bench.expectAlive();
});

test('R-423 after a ring error the other device serves and the bus answers', () => {
  const bench = new RingBench(8);
  bench.queue.publish(40000);
  bench.kick();
  for (let turn = 0; turn < 20; turn++) {
    bench.expectOtherServes();
  }
  assert.deepEqual(bench.bus.busRequest('PING', 3, [1, 2, 3, 4]), [1, 2, 3, 4]);
  bench.expectAlive();
});

test('R-420 R-421 rings that lie over each other, over buffers or over the message queues do no harm beyond themselves', () => {
  const bench = new RingBench(8);
  bench.device.setStatus(0);
  bench.device.negotiate(0);
  bench.device.setQueue(0, 8, [[DRIVER_BASE + BUFFERS, 0], [DRIVER_BASE + BUFFERS, 0], [DRIVER_BASE + BUFFERS, 0]]);
  bench.device.start();
  for (let turn = 0; turn < 50; turn++) {
    bench.bus.setWord(BUFFERS + 2, turn);
    bench.kick();
  }
  bench.expectAlive();
});
