// The split ring with indirect tables, event index, in-order use, notification data and areas anywhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake, windows } from '../../../hal/fake/port.js';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { nextAvailable, nextUsed, publishedUsed } from '../../../firmware/virtqueue/queue-table.hot.js';
import { closeQueue, finish, finishLater } from '../../../firmware/virtqueue/queue.hot.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import type { LabChain, LabOptions } from '../../support/lab.js';
import { at, CACHED, element, HIGH, inWindow, Lab, LAB_BUFFERS, MAIN, windowBytes } from '../../support/lab.js';
import { usedEntry, usedIdx, word } from '../../support/raw-ring.js';
import { atBarriers } from '../../support/watch.js';

class SplitLab extends Lab {
  constructor(options: LabOptions = {}) {
    super({ ...options, packed: false });
  }

  get ring(): SplitQueue {
    assert.ok(this.queue instanceof SplitQueue);
    return this.queue;
  }

  /** Offers `count` chains of one writable element of 8 bytes; returns their heads. */
  offer(count: number): number[] {
    return Array.from({ length: count }, () => this.ring.add([element(LAB_BUFFERS, 8, true)]));
  }

  /** Both halves go on as if `count` chains had been through the ring. */
  startAt(count: number): void {
    this.ring.startAt(count);
    closeQueue();
    [nextAvailable, nextUsed, publishedUsed].forEach((table) => (table[this.row] = count));
  }

  availEvent(): number {
    return word(this.ring.used + 4 + this.size * 8);
  }
}

test('R-330 the largest ring has 32768 descriptors; sizes that are no powers of two are refused', () => {
  const lab = new SplitLab({ size: 32768 });
  assert.equal(lab.sizeInForce(), 32768);
  for (let turn = 0; turn < 3; turn++) {
    Array.from({ length: 20000 }, () => lab.ring.add([element(0, 8, true, HIGH)]));
    lab.go();
    assert.equal(lab.taken().length, 20000);
  }
  [3, 5, 6, 7, 9, 12, 100, 32767].forEach((size) => {
    lab.resetQueue();
    lab.setQueue(1, 0, size, lab.ring.areas());
    assert.equal(lab.sizeInForce(), 0, 'size ' + size);
  });
  assert.ok(fake.guardsIntact());
});

test('R-330 R-331 R-355 each size from 1 to 32768: a full ring around the wrap of the index, over both ends of the ring', () => {
  for (let size = 1; size <= 32768; size *= 2) {
    const lab = new SplitLab({ size });
    const start = 65536 - Math.ceil(size / 2);
    lab.startAt(start);
    const heads = lab.offer(size);
    lab.go();
    assert.deepEqual(lab.taken().map((used) => used.head), heads, 'size ' + size);
    lab.ring.publish((start + size + size + 1) & 65535);
    lab.expectError(lab.kick());
  }
  assert.ok(fake.guardsIntact());
});

test('R-330 R-227 every area has to lie in its window with all its bytes: table 16 N, available 6 + 2 N, used 6 + 8 N', () => {
  const lab = new SplitLab({ size: 8 });
  const end = windows[MAIN]?.bytes ?? 0;
  const bytes = [128, 22, 70];
  const align = [16, 2, 4];
  bytes.forEach((length, area) => {
    const fits = (end - length) & ~((align[area] ?? 1) - 1);
    [fits, fits + (align[area] ?? 1)].forEach((offset, turn) => {
      lab.resetQueue();
      const areas = lab.ring.areas();
      areas[area] = at(MAIN, offset);
      lab.setQueue(1, 0, 8, areas);
      assert.equal(lab.sizeInForce(), turn === 0 ? 8 : 0, 'area ' + area + ' at ' + offset);
    });
  });
});

test('R-330 R-246 areas that do not follow each other, in three windows; other ones after a queue reset', () => {
  const lab = new SplitLab({ size: 4, places: [inWindow(HIGH, 0x100), inWindow(CACHED, 0x42), inWindow(MAIN, 0x20004)] });
  for (let turn = 0; turn < 9; turn++) {
    const head = lab.queue.add([element(turn, 3, false, HIGH), element(0x1000, 4, true, CACHED), element(LAB_BUFFERS, 8, true)]);
    lab.go();
    assert.deepEqual(lab.taken(), [{ head, written: 12 }]);
  }
  assert.ok(windowBytes(CACHED).subarray(0x1000, 0x1004).every((byte) => byte === 0x5a));
  lab.resetQueue();
  lab.queue = new SplitQueue(lab.queue.machine, 0x30000, 2);
  lab.setQueue(1, 0, 2, lab.queue.areas());
  const old = Array.from(windowBytes(HIGH).subarray(0x100, 0x140));
  const head = lab.queue.add([element(LAB_BUFFERS, 8, true)]);
  lab.go();
  assert.deepEqual(lab.taken(), [{ head, written: 8 }]);
  assert.deepEqual(Array.from(windowBytes(HIGH).subarray(0x100, 0x140)), old);
});

test('R-350 R-351 a table alone, behind plain descriptors, referred to with WRITE; its entries linked in any order', () => {
  const lab = new SplitLab({ size: 8, indirect: true });
  const table = inWindow(HIGH, 0x202);
  const elements = [
    element(LAB_BUFFERS, 4, false),
    element(8, 5, false, HIGH),
    element(LAB_BUFFERS + 16, 6, true),
    element(64, 7, true, CACHED),
  ];
  [0, 1, 2, 3].forEach((direct) => {
    const head = lab.ring.add(elements, table, direct);
    lab.go();
    assert.deepEqual(lab.taken(), [{ head, written: 13 }], direct + ' plain descriptors');
    assert.deepEqual(lab.chains[direct]?.elements.map((one) => [one.window, one.offset, one.bytes, one.writable]), [
      [MAIN, LAB_BUFFERS, 4, false],
      [HIGH, 8, 5, false],
      [MAIN, LAB_BUFFERS + 16, 6, true],
      [CACHED, 64, 7, true],
    ]);
  });
  lab.ring.writeEntry(table, 2, at(MAIN, LAB_BUFFERS), 2, 2, 9999);
  lab.ring.writeEntry(table, 0, at(MAIN, LAB_BUFFERS), 1, 1, 2);
  lab.ring.writeEntry(inWindow(MAIN, lab.ring.descriptors), 7, at(HIGH, 0x202), 48, 4 | 2, 9999);
  lab.ring.offer(7);
  lab.go();
  assert.deepEqual(lab.chains[4]?.elements.map((one) => one.bytes), [1, 2]);
  assert.deepEqual(lab.bus.readStatus(1), 0x0f);
});

test('R-335 R-351 as many descriptors as the ring has, those of a table included, are legal; what refers to the table is none of them', () => {
  const lab = new SplitLab({ size: 4, indirect: true });
  [0, 1, 2, 3].forEach((direct) => {
    lab.ring.add(Array.from({ length: 4 }, () => element(LAB_BUFFERS, 1, true)), inWindow(HIGH, 0), direct);
    lab.go();
    assert.equal(lab.taken()[0]?.written, 4);
  });
});

test('R-343 tables are never written', () => {
  const lab = new SplitLab({ size: 8, indirect: true });
  lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS + 16, 4, true)], inWindow(HIGH, 0x100));
  const before = Array.from(windowBytes(HIGH));
  lab.go();
  assert.deepEqual(Array.from(windowBytes(HIGH)), before);
});

test('R-357 EVENT_IDX: a notification exactly when used_event lies in the batch, around the wrap of the index too', () => {
  [0, 3, 32765, 65533, 65535].forEach((start) => {
    for (let count = 1; count <= 4; count++) {
      for (let event = -3; event <= 6; event++) {
        const lab = new SplitLab({ size: 4, eventIdx: true });
        lab.startAt(start);
        lab.ring.setUsedEvent((start + event) & 65535);
        lab.offer(count);
        const expected = event >= 0 && event < count ? ['used'] : [];
        assert.deepEqual(lab.go(), expected, 'from ' + start + ' on ' + count + ', event ' + event);
        assert.equal(lab.taken().length, count);
      }
    }
  });
});

test('R-357 R-356 with EVENT_IDX flag 1 in the available ring is ignored', () => {
  [0, 1].forEach((flag) => {
    const lab = new SplitLab({ eventIdx: true });
    lab.ring.suppress(flag);
    lab.ring.setUsedEvent(0);
    lab.offer(1);
    assert.deepEqual(lab.go(), ['used']);
    lab.ring.setUsedEvent(0);
    lab.offer(1);
    assert.deepEqual(lab.go(), []);
  });
});

test('R-357 batches of several passes: no notification is lost and none is sent twice', () => {
  const lab = new SplitLab({ size: 256, eventIdx: true });
  lab.startAt(65400);
  lab.ring.setUsedEvent((65400 + 199) & 65535);
  lab.offer(256);
  assert.deepEqual(lab.go(), ['used']);
});

test('R-359 R-361 EVENT_IDX: used flags stay 0, avail_event stands behind the entries and names the next chain', () => {
  const lab = new SplitLab({ size: 4, eventIdx: true });
  const flags: number[] = [];
  const stop = atBarriers(() => flags.push(word(lab.ring.used)));
  lab.startAt(65530);
  for (let turn = 1; turn < 12; turn++) {
    lab.offer(1);
    assert.ok(turn === 1 || lab.ring.wantsKick());
    lab.go();
    lab.taken();
    assert.equal(lab.availEvent(), (65530 + turn) & 65535);
  }
  stop();
  assert.ok(flags.every((value) => value === 0));
});

test('R-360 after asking for notifications again the available index is read once more', () => {
  [false, true].forEach((eventIdx) => {
    const lab = new SplitLab({ size: 8, eventIdx });
    lab.offer(1);
    lab.queue.publish();
    lab.offer(1);
    lab.bus.kick(1, 0);
    const stop = atBarriers(() => {
      // The index of the second chain comes after the device has finished the first one: no doorbell follows it.
      if (usedIdx(lab.ring) === 1) {
        windowBytes(MAIN)[lab.ring.available + 2] = 2;
      }
    });
    lab.settle();
    stop();
    assert.equal(lab.chains.length, 2, 'served without a kick');
  });
});

test('R-362 R-363 IN_ORDER: completely used chains are one entry for the last one, the index moves by all of them', () => {
  const lab = new SplitLab({ size: 8, inOrder: true });
  const heads = lab.offer(3);
  const behind = [usedEntry(lab.ring, 1), usedEntry(lab.ring, 2)];
  assert.deepEqual(lab.go(), ['used']);
  assert.equal(usedIdx(lab.ring), 3);
  assert.deepEqual(usedEntry(lab.ring, 0), [heads[2], 8]);
  assert.deepEqual([usedEntry(lab.ring, 1), usedEntry(lab.ring, 2)], behind);
  assert.deepEqual(lab.taken(), heads.map((head) => ({ head, written: 8 })));
  lab.offer(1);
  lab.go();
  assert.equal(usedEntry(lab.ring, 3)[1], 8, 'the next entry stands where the index says');
});

test('R-363 IN_ORDER: a chain that was not completely used ends its batch', () => {
  const lab = new SplitLab({ size: 8, inOrder: true });
  const written = [8, 3, 8, 8, 0, 8];
  lab.plan = (chain) => finish(lab.row, chain.handle, fillChain(0, written[lab.chains.length - 1] ?? 0, 7));
  lab.offer(6);
  lab.go();
  assert.deepEqual([0, 2, 5].map((slot) => usedEntry(lab.ring, slot)[1]), [3, 0, 8]);
  assert.deepEqual(lab.taken().map((used) => used.written), written);
});

test('R-362 IN_ORDER across the wrap of the index, with tables', () => {
  const lab = new SplitLab({ size: 4, inOrder: true, indirect: true });
  lab.startAt(65520);
  for (let turn = 0; turn < 20; turn++) {
    const heads = [
      lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS + 8, 6, true)], inWindow(HIGH, 0x100)),
      lab.ring.add([element(LAB_BUFFERS, 9, true)]),
    ];
    lab.go();
    assert.deepEqual(lab.taken(), [{ head: heads[0], written: 6 }, { head: heads[1], written: 9 }]);
  }
});

test('R-362 IN_ORDER: chains given back in later passes stand for themselves', () => {
  const lab = new SplitLab({ size: 8, inOrder: true });
  const kept: LabChain[] = [];
  lab.plan = (chain) => kept.push(chain);
  lab.offer(3);
  lab.go();
  kept.forEach((chain, turn) => finishLater(lab.row, chain.handle, turn, chain.epoch));
  lab.kickRow();
  assert.deepEqual(lab.taken().map((used) => used.written), [0, 1, 2]);
});

test('R-264 R-263 NOTIFICATION_DATA: both encodings of the index, right or wrong, only have the ring looked at', () => {
  [false, true].forEach((notificationData) => {
    [0, 1, 2, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0xffffffff].forEach((next) => {
      [false, true].forEach((packed) => {
        const lab = new Lab({ packed, notificationData });
        lab.queue.add([element(LAB_BUFFERS, 8, true)]);
        lab.queue.publish();
        assert.deepEqual(lab.kick(next), ['used']);
        assert.equal(lab.taken().length, 1);
        assert.deepEqual(lab.kick(next), [], 'what is not in the ring is not served');
        lab.queue.add([element(LAB_BUFFERS, 8, true)]);
        lab.queue.publish();
        lab.kick(lab.queue.nextOffset());
        assert.equal(lab.taken().length, 1);
        assert.equal(lab.bus.readStatus(1), 0x0f);
      });
    });
  });
});

test('R-119 R-120 with ACCESS_PLATFORM and ORDER_PLATFORM rings are served as without, behind the same barriers', () => {
  [false, true].forEach((packed) => {
    const barriers = [false, true].map((platform) => {
      const lab = new Lab({ packed, platform });
      lab.queue.add([element(LAB_BUFFERS, 8, true), element(LAB_BUFFERS + 64, 8, true)]);
      const before = fake.barriers;
      lab.go();
      const count = fake.barriers - before;
      assert.equal(lab.taken()[0]?.written, 16);
      lab.expectAlive();
      return count;
    });
    assert.ok(Number(barriers[0]) >= 2);
    assert.equal(barriers[1], barriers[0]);
  });
});

test('R-242 R-244 R-245 R-246 a queue reset brings everything to its default; other sizes and areas follow', () => {
  [false, true].forEach((packed) => {
    const lab = new Lab({ packed, size: 4, queueSizes: [16] });
    for (let turn = 0; turn < 3; turn++) {
      lab.queue.add([element(LAB_BUFFERS, 8, true)]);
      lab.go();
    }
    lab.resetQueue();
    assert.deepEqual(lab.bus.request(0x09, 1, [0, 0, 0, 0]).slice(8), new Array(32).fill(0), 'size, flags and addresses 0');
    lab.resetQueue();
    lab.queue = lab.newQueue(16);
    lab.setQueue(1, 0, 16, lab.queue.areas());
    for (let turn = 0; turn < 16; turn++) {
      lab.queue.add([element(LAB_BUFFERS, 8, true)]);
    }
    lab.go();
    assert.equal(lab.taken().length, 16);
    assert.equal(lab.bus.readStatus(1), 0x0f);
    assert.deepEqual(lab.bus.request(0x0b, 1, [9, 0, 0, 0]), [], 'an absent queue');
  });
});
