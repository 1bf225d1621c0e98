// The split ring served for a driver that keeps the rules: what is read, what is written, in which order, and who is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { kick } from '../../../firmware/virtqueue/kicks.hot.js';
import { queueEpoch } from '../../../firmware/virtqueue/queue-table.hot.js';
import { finish, finishLater } from '../../../firmware/virtqueue/queue.hot.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { hostMachine } from '../../support/host-driver.js';
import { connectedTo } from '../../support/fresh.js';
import { BUFFERS, bringUp, onePass, RING, RingBench, settle, usedIndex, WINDOW_BYTES } from '../../support/ring-bench.js';
import { bytesOf, expectSame, NEXT, setBytes, usedEntry, usedIdx, word, WRITE, writeDescriptor } from '../../support/raw-ring.js';
import { testDevice } from '../../support/test-device.js';
import { atBarriers, atDoorbells } from '../../support/watch.js';

const WRITABLE = { offset: BUFFERS, bytes: 8, writable: true };

/** Makes `count` chains of one writable buffer available. */
function offer(bench: RingBench, count: number): void {
  for (let turn = 0; turn < count; turn++) {
    bench.queue.add([WRITABLE]);
  }
  bench.queue.publish();
}

test('R-260 R-265 R-352 R-353 a chain is used once: its head, the bytes written, the data in place', () => {
  const bench = new RingBench();
  setBytes(BUFFERS, [1, 2, 3, 4, 5, 6]);
  bench.queue.add([{ offset: BUFFERS + 100, bytes: 1, writable: false }]);
  const head = bench.queue.add([
    { offset: BUFFERS, bytes: 6, writable: false },
    { offset: BUFFERS + 0x100, bytes: 16, writable: true },
  ]);
  bench.queue.publish();
  assert.deepEqual(bench.kick().map((event) => [event.type, event.id, event.device, event.token, event.payload]), [[0, 0x42, 1, 0, [0, 0, 0, 0]]]);
  assert.deepEqual(bench.queue.take(), { head: 0, written: 0 });
  assert.deepEqual(bench.queue.take(), { head, written: 6 });
  assert.equal(bench.queue.take(), undefined);
  assert.deepEqual(bytesOf(BUFFERS + 0x100, BUFFERS + 0x108), [1, 2, 3, 4, 5, 6, 0, 0]);
  bench.kick();
  assert.equal(bench.queue.take(), undefined);
});

test('R-340 a request may be split over its elements in any way', () => {
  const data = Array.from({ length: 24 }, (_, at) => at + 1);
  [[24], [1, 23], [5, 7, 12], [1, 1, 1, 1, 20], [23, 1]].forEach((cuts, turn) => {
    const bench = new RingBench(16);
    const into = [[24], [3, 21], [12, 12], [1, 1, 22], [2, 2, 20]][turn] ?? [];
    setBytes(BUFFERS, data);
    let at = BUFFERS;
    const place = (bytes: number, writable: boolean): { offset: number; bytes: number; writable: boolean } => {
      const element = { offset: at, bytes, writable };
      at += bytes;
      return element;
    };
    const elements = cuts.map((bytes) => place(bytes, false));
    bench.queue.add(elements.concat(into.map((bytes) => place(bytes, true))));
    bench.queue.publish();
    bench.kick();
    assert.equal(bench.queue.take()?.written, 24);
    assert.deepEqual(bytesOf(BUFFERS + 24, BUFFERS + 48), data);
  });
});

test('R-343 R-344 descriptors, available ring and readable buffers are never written', () => {
  const bench = new RingBench(8);
  setBytes(BUFFERS, Array.from({ length: 64 }, (_, at) => at));
  for (let turn = 0; turn < 3; turn++) {
    bench.queue.add([{ offset: BUFFERS + turn * 8, bytes: 8, writable: false }, { offset: BUFFERS + 0x100, bytes: 8, writable: true }]);
  }
  bench.queue.publish();
  const rings = bytesOf(bench.queue.descriptors, bench.queue.used);
  const readable = bytesOf(BUFFERS, BUFFERS + 0x100);
  bench.kick();
  assert.equal(usedIdx(bench.queue), 3);
  assert.deepEqual(bytesOf(bench.queue.descriptors, bench.queue.used), rings);
  assert.deepEqual(bytesOf(BUFFERS, BUFFERS + 0x100), readable);
});

test('R-420 nothing but the buffers, the used ring and the message queue is written', () => {
  const bench = new RingBench(8);
  const pattern = Array.from({ length: 0x1000 }, (_, at) => (at * 7) & 255);
  setBytes(BUFFERS, pattern);
  bench.queue.add([{ offset: BUFFERS + 0x10, bytes: 5, writable: false }, { offset: BUFFERS + 0x101, bytes: 5, writable: true }]);
  bench.queue.publish();
  bench.kick();
  const expected = pattern.slice();
  pattern.slice(0x10, 0x15).forEach((byte, at) => (expected[0x101 + at] = byte));
  assert.deepEqual(bytesOf(BUFFERS, BUFFERS + 0x1000), expected);
  assert.ok(bytesOf(bench.queue.end(), bench.queue.end() + 64).every((byte) => byte === 0));
});

test('R-345 used index and entries are the device\'s own: what the driver writes there does not matter', () => {
  const bench = new RingBench(8);
  offer(bench, 2);
  bench.kick();
  setBytes(bench.queue.used, new Array<number>(4 + 64).fill(0x77));
  setBytes(bench.queue.available, [0, 0]);
  offer(bench, 1);
  bench.kick();
  assert.equal(usedIdx(bench.queue), 3);
  assert.deepEqual(usedEntry(bench.queue, 2), [2, 0]);
});

test('R-355 the used index runs freely over 65536 and its slot is the index modulo the size', () => {
  const bench = new RingBench(256);
  let expected = 0;
  for (let lap = 0; lap < 1100; lap++) {
    offer(bench, 64);
    bench.device.kick(0);
    onePass(bench.bus);
    for (let turn = 0; turn < 64; turn++) {
      assert.notEqual(bench.queue.take(), undefined);
      expected = (expected + 1) % 65536;
    }
    assert.equal(usedIdx(bench.queue), expected);
  }
  assert.equal(expected, (1100 * 64) % 65536);
  assert.equal(bench.device.status(), 0x0f);
});

test('R-355 the smallest rings work, a full one too', () => {
  [1, 2, 4].forEach((size) => {
    const bench = new RingBench(size);
    for (let turn = 0; turn < 5; turn++) {
      offer(bench, size);
      bench.kick();
      for (let chain = 0; chain < size; chain++) {
        assert.notEqual(bench.queue.take(), undefined, 'ring of ' + size);
      }
    }
  });
});

test('R-269 several used buffers of one batch bring one notification', () => {
  const bench = new RingBench(16);
  offer(bench, 10);
  assert.equal(bench.kick().length, 1);
  assert.equal(usedIdx(bench.queue), 10);
});

test('R-356 R-266 flag 1 in the available ring keeps the notification back, 0 has it sent', () => {
  const bench = new RingBench(8);
  bench.queue.suppress(1);
  offer(bench, 1);
  assert.deepEqual(bench.kick(), []);
  assert.notEqual(bench.queue.take(), undefined, 'used all the same');
  bench.queue.suppress(0);
  offer(bench, 1);
  assert.deepEqual(bench.kick().map(usedIndex), [0]);
});

test('R-356 used_event is ignored without EVENT_IDX', () => {
  [0, 1, 0x8000, 0xffff].forEach((usedEvent) => {
    const bench = new RingBench(8);
    setBytes(bench.queue.available + 4 + 16, [usedEvent & 255, usedEvent >> 8]);
    offer(bench, 1);
    assert.equal(bench.kick().length, 1);
  });
});

test('R-359 R-361 used flags are 0 or 1 and avail_event stays untouched without EVENT_IDX', () => {
  const bench = new RingBench(8);
  offer(bench, 3);
  const stop = atBarriers(() => assert.ok(word(bench.queue.used) <= 1));
  bench.kick();
  stop();
  assert.deepEqual(bytesOf(bench.queue.used + 4 + 64, bench.queue.used + 6 + 64), [0, 0]);
});

test('R-267 R-354 an entry stands before the index moves, with a barrier between, and both before the doorbell', () => {
  const bench = new RingBench(8);
  offer(bench, 2);
  bench.device.kick(0);
  let entriesBeforeIndex = false;
  let barrierAfterIndex = false;
  const stopBarriers = atBarriers(() => {
    if (usedIdx(bench.queue) === 0 && usedEntry(bench.queue, 1)[0] === 1) {
      entriesBeforeIndex = true;
    }
    if (usedIdx(bench.queue) === 2) {
      barrierAfterIndex = true;
    }
  });
  const atRing: number[] = [];
  const stopDoorbells = atDoorbells(() => atRing.push(usedIdx(bench.queue)));
  settle(bench.bus);
  stopBarriers();
  stopDoorbells();
  assert.ok(entriesBeforeIndex);
  assert.ok(barrierAfterIndex);
  assert.deepEqual(atRing, [2]);
});

test('R-358 the driver\'s wish is read behind a barrier that follows the used index', () => {
  const bench = new RingBench(8);
  offer(bench, 1);
  bench.device.kick(0);
  // The driver asks for silence at the last moment it may: its store becomes visible at the barrier after the index.
  const stop = atBarriers(() => (usedIdx(bench.queue) === 1 ? bench.queue.suppress(1) : undefined));
  const events = settle(bench.bus);
  stop();
  assert.deepEqual(events, []);
  assert.notEqual(bench.queue.take(), undefined);
});

test('R-331 the available index is read once per pass: what the driver adds meanwhile waits for the next one', () => {
  let meanwhile = (): void => undefined;
  const bench = new RingBench(8, { onServe: () => meanwhile() });
  offer(bench, 1);
  bench.queue.add([WRITABLE]);
  meanwhile = () => bench.queue.publish();
  bench.device.kick(0);
  onePass(bench.bus);
  assert.equal(usedIdx(bench.queue), 1);
  bench.kick();
  assert.equal(usedIdx(bench.queue), 2);
});

test('R-332 a barrier stands between the read of the available index and the device\'s turn', () => {
  let barriers = 0;
  let beforeServe = 0;
  const bench = new RingBench(8, { onServe: () => (beforeServe = barriers) });
  bench.queue.add([WRITABLE]);
  const passWith = (look: () => void): void => {
    barriers = 0;
    bench.device.kick(0);
    const stop = atBarriers(() => {
      barriers += 1;
      look();
    });
    onePass(bench.bus);
    stop();
  };
  passWith(() => undefined);
  const last = beforeServe;
  assert.ok(last > 0);
  // What the driver shows at that last barrier comes after the read: it has to wait for the next pass.
  passWith(() => (barriers === last ? bench.queue.publish() : undefined));
  assert.equal(usedIdx(bench.queue), 0);
  passWith(() => undefined);
  assert.equal(usedIdx(bench.queue), 1);
});

test('R-335 a chain of as many descriptors as the ring has is legal', () => {
  const bench = new RingBench(8);
  bench.queue.add(Array.from({ length: 8 }, (_, at) => ({ offset: BUFFERS + at * 16, bytes: 4, writable: at >= 4 })));
  bench.queue.publish();
  bench.kick();
  assert.equal(bench.queue.take()?.written, 16);
});

test('R-338 an empty element is skipped and its address not looked at', () => {
  const bench = new RingBench(8);
  setBytes(BUFFERS, [1, 2, 3, 4]);
  writeDescriptor(bench.queue, 0, { low: 0xdead0001, high: 0xffffffff, bytes: 0, flags: NEXT, next: 1 });
  writeDescriptor(bench.queue, 1, { low: 0x80000000 + BUFFERS, bytes: 4, flags: NEXT, next: 2 });
  writeDescriptor(bench.queue, 2, { low: 0, bytes: 0, flags: NEXT | WRITE, next: 3 });
  writeDescriptor(bench.queue, 3, { low: 0x80000000 + BUFFERS + 16, bytes: 4, flags: WRITE });
  bench.queue.offer(0);
  bench.queue.publish();
  bench.kick();
  assert.deepEqual(bench.tested.chains, [{ queue: 0, head: 0, readable: 1, writable: 1, readableBytes: 4, writableBytes: 4 }]);
  assert.deepEqual(usedEntry(bench.queue, 0), [0, 4]);
});

test('R-338 a chain of nothing but empty elements is a chain without bytes', () => {
  const bench = new RingBench(8);
  writeDescriptor(bench.queue, 5, { low: 0, bytes: 0, flags: WRITE });
  bench.queue.offer(5);
  bench.queue.publish();
  bench.kick();
  assert.deepEqual(usedEntry(bench.queue, 0), [5, 0]);
  assert.equal(bench.device.status(), 0x0f);
});

test('R-337 buffers that end exactly with their window are legal, in the window above 4 GiB too', () => {
  const bench = new RingBench(8);
  writeDescriptor(bench.queue, 0, { low: 0x80000000 + WINDOW_BYTES - 4, bytes: 4, flags: NEXT, next: 1 });
  writeDescriptor(bench.queue, 1, { low: 0xfffefffc, high: 1, bytes: 4, flags: WRITE });
  setBytes(WINDOW_BYTES - 4, [9, 8, 7, 6]);
  bench.queue.offer(0);
  bench.queue.publish();
  bench.kick();
  assert.deepEqual(usedEntry(bench.queue, 0), [0, 4]);
  assert.deepEqual(Array.from(fake.bytes[1]?.subarray(65532) ?? []), [9, 8, 7, 6]);
  bench.expectAlive();
});

test('R-337 R-353 one element may be as large as its window', () => {
  const bench = new RingBench(8);
  writeDescriptor(bench.queue, 0, { low: 0xfffe0000, high: 1, bytes: 65536, flags: WRITE });
  bench.queue.offer(0);
  bench.queue.publish();
  bench.kick();
  assert.equal(bench.tested.chains[0]?.writableBytes, 65536);
});

test('R-422 one pass serves a limited number of chains, and requests are answered between passes', () => {
  const bench = new RingBench(256);
  offer(bench, 256);
  bench.device.kick(0);
  onePass(bench.bus);
  const served = usedIdx(bench.queue);
  assert.ok(served > 0 && served < 256, 'one pass served ' + served);
  assert.equal(bench.device.status(), 0x0f);
  assert.ok(usedIdx(bench.queue) < 256, 'the answer came before all was done');
  settle(bench.bus);
  assert.equal(usedIdx(bench.queue), 256, 'no second kick was needed');
});

test('R-423 a busy queue does not keep another device waiting', () => {
  const bench = new RingBench(256);
  offer(bench, 256);
  bench.device.kick(0);
  bench.expectOtherServes();
});

/** The device type keeps a chain; `change` ends the queue's life; then the chain is given back, at once and late. */
function givenBackAfter(change: (bench: RingBench) => void): RingBench {
  const bench = new RingBench(8, { keep: true });
  offer(bench, 1);
  bench.kick();
  assert.equal(bench.tested.chains.length, 1);
  const queue = bench.tested.firstQueue;
  const epoch = queueEpoch[queue] ?? -1;
  change(bench);
  const before = bytesOf(RING, BUFFERS);
  finishLater(queue, 0, 8, epoch);
  kick(queue);
  assert.deepEqual(settle(bench.bus), []);
  expectSame(RING, before);
  return bench;
}

test('R-159 R-163 a chain given back after a reset writes nothing into the old ring', () => {
  const bench = givenBackAfter((live) => live.device.setStatus(0));
  const before = bytesOf(RING, BUFFERS);
  finish(bench.tested.firstQueue, 0, 8);
  expectSame(RING, before);
});

test('R-242 R-243 the same after RESET_VQUEUE', () => {
  givenBackAfter((live) => live.device.resetQueue(0));
});

test('R-163 a chain of an earlier life is not given back into the ring of the next one', () => {
  givenBackAfter((live) => {
    live.device.resetQueue(0);
    live.device.setQueue(0, 8, live.queue.areas());
  });
});

test('queues of one device have rings and indices of their own', () => {
  const tested = testDevice({ number: 1, queueSizes: [8, 16] });
  const bus = connectedTo([tested.model]);
  const { device, queue: first } = bringUp(bus, 1);
  const second = new SplitQueue(hostMachine, RING + 0x4000, 16);
  device.setQueue(1, 16, second.areas());
  second.add([WRITABLE]);
  second.publish();
  device.kick(1);
  assert.deepEqual(settle(bus).map(usedIndex), [1]);
  assert.notEqual(second.take(), undefined);
  assert.equal(first.take(), undefined);
});
