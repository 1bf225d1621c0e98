// Drivers that break the rules, both ring formats, tables included: the queue stops, nothing is touched, the rest lives on.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fake, windows } from '../../../hal/fake/port.js';
import { addWindows } from '../../../firmware/memory/windows.js';
import { nextAvailable, publishedUsed, queueEpoch } from '../../../firmware/virtqueue/queue-table.hot.js';
import { closeQueue, finish, finishLater } from '../../../firmware/virtqueue/queue.hot.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import type { Descriptor, LabChain, LabOptions } from '../../support/lab.js';
import { at, element, HIGH, inWindow, Lab, LAB_BUFFERS, MAIN, PRIVATE } from '../../support/lab.js';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAILABLE = 0x80;

const HERE = at(MAIN, LAB_BUFFERS);
const TABLE = inWindow(HIGH, 0x1000);
const TABLE_ADDRESS = at(HIGH, 0x1000);
const END = (windows[MAIN]?.bytes ?? 0) - LAB_BUFFERS;

/** A digest of each window without the message slots and `keepOut` of window 0. */
function memoryBut(keepOut: readonly (readonly number[])[]): string[] {
  return fake.bytes.map((bytes, window) => {
    const copy = bytes.slice();
    if (window === MAIN) {
      copy.fill(0, 0x8000, 0x10000);
      keepOut.forEach(([from, to]) => copy.fill(0, from, to));
    }
    return createHash('sha1').update(copy).digest('hex');
  });
}

/** The device's own words: used ring flags, or the event structure's flags. They may change; nothing else may. */
function ownWords(lab: Lab): number[] {
  return lab.queue instanceof SplitQueue ? [lab.queue.used, lab.queue.used + 2] : [lab.queue.deviceEvent, lab.queue.deviceEvent + 4];
}

/** Writes `ring` from descriptor 0 on and `table`, offers `head`, and expects the ring error. */
function expectRefused(
  name: string,
  options: LabOptions,
  ring: readonly Descriptor[],
  table: readonly Descriptor[] = [],
  head = 0,
): void {
  test(name + (options.packed === true ? ', packed' : ', split'), () => {
    const lab = new Lab(options);
    const { queue } = lab;
    if (queue instanceof SplitQueue) {
      const place = inWindow(MAIN, queue.descriptors);
      ring.forEach((one, entry) => queue.writeEntry(place, entry, one.address, one.bytes, one.flags, one.next ?? 0));
      table.forEach((one, entry) => queue.writeEntry(TABLE, entry, one.address, one.bytes, one.flags, one.next ?? entry + 1));
      queue.offer(head);
    } else {
      ring.forEach((one) => queue.offer(one.address, one.bytes, one.flags, 0));
      table.forEach((one, entry) => queue.writeEntry(TABLE, entry, one.address, one.bytes, one.flags, 0));
    }
    queue.publish();
    const before = memoryBut([ownWords(lab)]);
    lab.expectError(lab.kick());
    assert.deepEqual(lab.chains, [], 'the device type never saw it');
    assert.deepEqual(memoryBut([ownWords(lab)]), before, 'nothing was written');
    lab.expectAlive();
  });
}

const both: readonly LabOptions[] = [{ packed: false }, { packed: true }];

const outside: readonly (readonly [string, readonly number[], number])[] = [
  ['length FFFFFFFF', HERE, 0xffffffff],
  ['length 80000000', HERE, 0x80000000],
  ['length 2^27', at(MAIN, 0), 0x08000000],
  ['one byte over the end of the window', HERE, END + 1],
  ['the first byte behind the window', at(MAIN, windows[MAIN]?.bytes ?? 0), 1],
  ['the last byte before the window', [0x7fffffff, 0], 1],
  ['address 0, where only a private window would begin', [0, 0], 16],
  ['a wrong upper half', [HERE[0] ?? 0, 1], 4],
  ['bit 63', [HERE[0] ?? 0, 0x80000000], 4],
  ['address + length beyond 2^64', [0xfffffff0, 0xffffffff], 0x20],
  ['a piece across the end of the window above 4 GiB', [0xfffefffc, 1], 5],
];
both.forEach((options) => {
  outside.forEach(([what, address, bytes]) => {
    [0, WRITE].forEach((flags) => {
      expectRefused('R-337 R-403 R-420 an element with ' + what + ', flags ' + flags, options, [{ address, bytes, flags }]);
    });
    expectRefused('R-337 R-403 R-420 a second element with ' + what, options, [
      { address: HERE, bytes: 4, flags: NEXT | WRITE, next: 1 },
      { address, bytes, flags: WRITE },
    ]);
    expectRefused(
      'R-337 R-394 an entry of a table with ' + what,
      { ...options, indirect: true },
      [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }],
      [{ address: HERE, bytes: 4, flags: NEXT | WRITE }, { address, bytes, flags: WRITE }],
    );
    expectRefused('R-337 R-349 a table with ' + what, { ...options, indirect: true }, [{ address, bytes: (bytes + 15) & ~15, flags: INDIRECT }]);
  });

  expectRefused('R-339 R-403 a readable element after a writable one', options, [
    { address: HERE, bytes: 4, flags: NEXT | WRITE, next: 1 },
    { address: HERE, bytes: 4, flags: 0 },
  ]);
  expectRefused('R-339 a readable entry after a writable one in a table', { ...options, indirect: true }, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
    { address: HERE, bytes: 4, flags: NEXT | WRITE },
    { address: HERE, bytes: 4, flags: 0 },
  ]);
  expectRefused(
    'R-336 lengths that together exceed what a chain may hold',
    { ...options, size: 256 },
    Array.from({ length: 255 }, (_, entry) => ({ address: at(MAIN, 0), bytes: windows[MAIN]?.bytes ?? 0, flags: WRITE | (entry < 254 ? NEXT : 0), next: entry + 1 })),
  );

  [0, WRITE].forEach((write) => {
    expectRefused('R-346 INDIRECT without the feature, WRITE ' + write, options, [{ address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT | write }], [
      { address: HERE, bytes: 4, flags: WRITE },
    ]);
  });
  expectRefused('R-347 R-395 INDIRECT with NEXT', { ...options, indirect: true }, [
    { address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT | NEXT, next: 1 },
    { address: HERE, bytes: 16, flags: WRITE },
  ], [{ address: HERE, bytes: 4, flags: WRITE }]);
  [0, 1, 8, 15, 17, 31, 40, 65536, 65552, 0x80000010].forEach((bytes) => {
    expectRefused('R-349 a table of ' + bytes + ' bytes', { ...options, indirect: true }, [{ address: TABLE_ADDRESS, bytes, flags: INDIRECT }], [
      { address: HERE, bytes: 4, flags: WRITE },
      { address: HERE, bytes: 4, flags: WRITE },
    ]);
  });
  expectRefused('R-349 R-341 a table of 65536 entries', { ...options, indirect: true }, [{ address: at(MAIN, 0), bytes: 0x100000, flags: INDIRECT }]);
  expectRefused('R-349 a table at an odd address', { ...options, indirect: true }, [{ address: at(HIGH, 0x1001), bytes: 16, flags: INDIRECT }]);
  expectRefused('R-349 a table of FFFFFFF0 bytes', { ...options, indirect: true }, [{ address: TABLE_ADDRESS, bytes: 0xfffffff0, flags: INDIRECT }]);

  test('R-424 R-421 a ring error in a ring full of rubbish ends the same way' + (options.packed === true ? ', packed' : ', split'), () => {
    [0xff, 0x80, 0x7f].forEach((rubbish) => {
      const lab = new Lab({ ...options, size: 64, indirect: true, eventIdx: true });
      const { queue } = lab;
      fake.bytes[MAIN]?.fill(rubbish, queue.descriptors, queue.end());
      lab.kick();
      lab.expectAlive();
    });
  });

  test('R-423 R-364 with one queue of a device stopped, its other queue and the other device go on' + (options.packed === true ? ', packed' : ', split'), () => {
    const lab = new Lab({ ...options, queueSizes: [8, 8] });
    const Queue = options.packed === true ? PackedQueue : SplitQueue;
    const second = new Queue(lab.queue.machine, 0x20000, 8);
    lab.setQueue(1, 1, 8, second.areas());
    if (lab.queue instanceof SplitQueue) {
      lab.queue.publish(40000);
    } else {
      lab.queue.offer([0, 0], 4, WRITE, 0);
      lab.queue.publish();
    }
    assert.deepEqual(lab.kick(), ['config']);
    lab.plan = (chain) => finishLater(lab.row + 1, chain.handle, 0, chain.epoch);
    const head = second.add([element(LAB_BUFFERS, 4, true)]);
    second.publish();
    lab.bus.kick(1, 1);
    assert.deepEqual(lab.settle(), ['other']);
    assert.deepEqual(second.take(), { head, written: 0 });
    lab.resetQueue();
    assert.equal(lab.bus.readStatus(1), 0x4f, 'a queue reset does not take the wish for a reset back');
    lab.expectAlive();
  });

  test('R-163 R-420 a chain kept over 65536 resets of its queue is not given back into a ring that does not hold it' + (options.packed === true ? ', packed' : ', split'), () => {
    [{ descriptors: 60, size: 2 }, { descriptors: 2, size: 4 }].forEach(({ descriptors, size }) => {
      const lab = new Lab({ ...options, size: 64 });
      lab.plan = () => undefined;
      lab.queue.add(Array.from({ length: descriptors }, () => element(LAB_BUFFERS, 4, true)));
      lab.go();
      const [kept] = lab.chains;
      assert.ok(kept !== undefined);
      lab.resetQueue();
      lab.queue = lab.newQueue(size);
      lab.setQueue(1, 0, size, lab.queue.areas());
      lab.settle();
      queueEpoch[lab.row] = kept.epoch;
      const before = memoryBut([ownWords(lab)]);
      finishLater(lab.row, kept.handle, 4, kept.epoch);
      assert.deepEqual(lab.kickRow(), []);
      assert.deepEqual(memoryBut([ownWords(lab)]), before);
      lab.queue.add([element(LAB_BUFFERS, 4, true)]);
      lab.go();
      if (options.packed === true) {
        finishLater(lab.row, kept.handle, 4, kept.epoch);
        assert.deepEqual(lab.kickRow(), [], 'more slots than the ring holds');
      }
      lab.expectAlive();
    });
  });

  test('R-147 R-364 chains kept when the ring error came are not completed' + (options.packed === true ? ', packed' : ', split'), () => {
    const lab = new Lab(options);
    const kept: LabChain[] = [];
    lab.plan = (chain) => kept.push(chain);
    lab.queue.add([element(LAB_BUFFERS, 4, true)]);
    lab.go();
    if (lab.queue instanceof SplitQueue) {
      lab.queue.offer(9999);
    } else {
      lab.queue.offer([0, 0], 4, WRITE, 0);
    }
    lab.queue.publish();
    lab.expectError(lab.kick());
    const [first] = kept;
    assert.ok(first !== undefined);
    finishLater(lab.row, first.handle, 4, first.epoch);
    assert.deepEqual(lab.kickRow(), []);
    assert.equal(lab.queue.take(), undefined);
    lab.expectAlive();
  });
});

const split = { packed: false, indirect: true };
const packed = { packed: true, indirect: true };

expectRefused('R-348 a table inside a table', split, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
  { address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT },
  { address: HERE, bytes: 4, flags: WRITE },
]);
expectRefused('R-348 a table inside a table behind a plain entry', split, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
  { address: HERE, bytes: 4, flags: NEXT, next: 1 },
  { address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT },
]);
[2, 3, 9, 65535].forEach((next) => {
  expectRefused('R-334 next ' + next + ' in a table of 2', split, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
    { address: HERE, bytes: 4, flags: NEXT, next },
    { address: HERE, bytes: 4, flags: WRITE },
  ]);
});
expectRefused('R-335 a table entry that is its own next', split, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
  { address: HERE, bytes: 4, flags: NEXT, next: 0 },
]);
expectRefused('R-335 a loop of two in a table', split, [{ address: TABLE_ADDRESS, bytes: 32, flags: INDIRECT }], [
  { address: HERE, bytes: 0, flags: NEXT, next: 1 },
  { address: HERE, bytes: 0, flags: NEXT, next: 0 },
]);
expectRefused(
  'R-335 9 entries in a table in a ring of 8',
  split,
  [{ address: TABLE_ADDRESS, bytes: 144, flags: INDIRECT }],
  Array.from({ length: 9 }, (_, entry) => ({ address: HERE, bytes: 1, flags: entry < 8 ? NEXT : 0 })),
);
expectRefused(
  'R-335 a plain descriptor and 8 entries in a table in a ring of 8',
  split,
  [{ address: HERE, bytes: 1, flags: NEXT, next: 1 }, { address: TABLE_ADDRESS, bytes: 128, flags: INDIRECT }],
  Array.from({ length: 8 }, (_, entry) => ({ address: HERE, bytes: 1, flags: entry < 7 ? NEXT : 0 })),
);
expectRefused(
  'R-335 a loop through a large ring of plain descriptors',
  { packed: false, size: 256 },
  Array.from({ length: 256 }, (_, entry) => ({ address: HERE, bytes: 1, flags: NEXT, next: (entry + 1) % 256 })),
);
[8, 9999, 32768, 65535].forEach((head) => {
  expectRefused('R-333 head ' + head + ' with every feature', { ...split, eventIdx: true, inOrder: true }, [{ address: HERE, bytes: 4, flags: WRITE }], [], head);
});

expectRefused('R-395 R-347 a table at the end of a list of plain descriptors', packed, [
  { address: HERE, bytes: 4, flags: NEXT },
  { address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT | NEXT },
], [{ address: HERE, bytes: 4, flags: WRITE }]);
expectRefused('R-395 a table that ends a list linked by NEXT', packed, [
  { address: HERE, bytes: 4, flags: NEXT },
  { address: TABLE_ADDRESS, bytes: 16, flags: INDIRECT },
], [{ address: HERE, bytes: 4, flags: WRITE }]);
expectRefused(
  'R-386 a list that wraps onto itself',
  { packed: true, size: 5 },
  Array.from({ length: 5 }, () => ({ address: HERE, bytes: 4, flags: NEXT })),
);
expectRefused(
  'R-386 a list of empty elements that wraps onto itself',
  { packed: true, size: 256 },
  Array.from({ length: 256 }, () => ({ address: [0, 0], bytes: 0, flags: NEXT })),
);
expectRefused('R-386 a ring of one descriptor with NEXT', { packed: true, size: 1 }, [{ address: HERE, bytes: 4, flags: NEXT }]);

[false, true].forEach((packed) =>
  [false, true].forEach((writable) => {
    test(`R-336 R-403 in a window of 128 MiB a direction may have 2^27 - 1 bytes and not one more${writable ? ', writable' : ', readable'}${packed ? ', packed' : ', split'}`, () => {
      try {
        [0x4000000 - 1, 0x4000000].forEach((second) => {
          const lab = new Lab({ packed });
          // The window is only said to be so large: this device touches no byte of it.
          addWindows(windows.map((window, number) => (number === MAIN ? { ...window, bytes: 0x8000000 } : window)));
          lab.plan = (chain) => finish(lab.row, chain.handle, 0);
          lab.queue.add([element(0, 0x4000000, writable), element(0x2000000, second, writable)]);
          const events = lab.go();
          if (second < 0x4000000) {
            assert.deepEqual(lab.chains.map(({ readableBytes, writableBytes }) => readableBytes + writableBytes), [0x7ffffff]);
          } else {
            lab.expectError(events);
            assert.deepEqual(lab.chains, []);
          }
        });
      } finally {
        addWindows(windows);
      }
    });
  }),
);

[false, true].forEach((packed) =>
  test('R-335 R-341 R-405 a ring of more may have 256 descriptors in a chain, empty ones counted, and not one more' + (packed ? ', packed' : ', split'), () => {
    [256, 257].forEach((descriptors) => {
      const lab = new Lab({ packed, size: 512 });
      lab.queue.add(Array.from({ length: descriptors }, (_, number) => element(LAB_BUFFERS, number === descriptors - 1 ? 4 : 0, true)));
      const events = lab.go();
      if (descriptors === 256) {
        assert.deepEqual(lab.taken().map(({ written }) => written), [4]);
      } else {
        lab.expectError(events);
      }
    });
  }),
);

test('R-386 R-404 a list that runs into slots the device still holds', () => {
  const lab = new Lab({ packed: true, size: 4 });
  const { queue } = lab;
  assert.ok(queue instanceof PackedQueue);
  lab.plan = () => undefined;
  queue.add([element(LAB_BUFFERS, 4, true)]);
  queue.add([element(LAB_BUFFERS, 4, true)]);
  lab.go();
  const place = inWindow(MAIN, queue.descriptors);
  queue.writeEntry(place, 3, HERE, 4, NEXT | WRITE, 0);
  queue.writeEntry(place, 0, HERE, 4, WRITE | NEXT, 0);
  queue.writeEntry(place, 1, HERE, 4, WRITE, 0);
  queue.writeEntry(place, 2, HERE, 4, NEXT | WRITE | AVAILABLE, 0);
  lab.expectError(lab.kick());
  lab.expectAlive();
});

[9, 10, 255, 32768, 40000, 65535].forEach((jump) => {
  test('R-331 an available index that jumps by ' + jump + ', at any point of its range', () => {
    [0, 1, 30000, 65530].forEach((start) => {
      const lab = new Lab({ eventIdx: true });
      const { queue } = lab;
      assert.ok(queue instanceof SplitQueue);
      queue.startAt(start);
      closeQueue();
      [nextAvailable, publishedUsed].forEach((table) => (table[lab.row] = start));
      queue.publish((start + jump) & 65535);
      lab.expectError(lab.kick());
      assert.deepEqual(lab.chains, []);
      lab.expectAlive();
    });
  });
});

test('R-331 more chains than the ring has while the device keeps some', () => {
  const lab = new Lab({ size: 4 });
  const { queue } = lab;
  assert.ok(queue instanceof SplitQueue);
  lab.plan = () => undefined;
  for (let turn = 0; turn < 3; turn++) {
    queue.add([element(LAB_BUFFERS, 4, true)]);
  }
  lab.go();
  assert.equal(lab.chains.length, 3);
  queue.publish(5);
  lab.expectError(lab.kick());
  lab.expectAlive();
});

test('R-331 R-360 an index that jumps while the device serves is found at the end of the pass', () => {
  const lab = new Lab({ size: 4 });
  const { queue } = lab;
  assert.ok(queue instanceof SplitQueue);
  queue.add([element(LAB_BUFFERS, 4, true)]);
  lab.onServe = () => queue.publish(40000);
  queue.publish();
  assert.deepEqual(lab.kick().sort(), ['config', 'used']);
  assert.equal(lab.bus.readStatus(1), 0x4f);
  assert.equal(lab.chains.length, 1);
  lab.expectAlive();
});

test('a driver that never says DRIVER_OK has no ring read, however often it kicks', () => {
  [false, true].forEach((kind) => {
    const lab = new Lab({ packed: kind });
    lab.bus.status(1, 0);
    const [block0, block1] = lab.features();
    lab.bus.negotiate(1, block0, block1);
    lab.queue = lab.newQueue();
    lab.setQueue(1, 0, 8, lab.queue.areas());
    lab.queue.add([element(LAB_BUFFERS, 4, true)]);
    lab.queue.publish();
    const before = memoryBut([]);
    for (let turn = 0; turn < 50; turn++) {
      assert.deepEqual(lab.kick(), []);
    }
    assert.deepEqual(memoryBut([]), before);
    assert.equal(lab.chains.length, 0);
    lab.expectAlive();
  });
});

test('R-420 R-421 areas over each other, over a table and over the buffers, in both formats', () => {
  [false, true].forEach((kind) => {
    [0, 16, 32].forEach((shift) => {
      const lab = new Lab({ packed: kind, indirect: true, eventIdx: true });
      lab.resetQueue();
      lab.setQueue(1, 0, 8, [HERE, at(MAIN, LAB_BUFFERS + shift), HERE]);
      assert.equal(lab.sizeInForce(), 8);
      for (let turn = 0; turn < 64; turn++) {
        fake.bytes[MAIN]?.fill(turn * 37, LAB_BUFFERS, LAB_BUFFERS + 200);
        lab.kick();
      }
      lab.expectAlive();
    });
  });
});

test('R-420 no area may lie in a window that is private to the core', () => {
  [false, true].forEach((kind) => {
    const lab = new Lab({ packed: kind });
    lab.resetQueue();
    lab.setQueue(1, 0, 8, [[0, 0], [0x100, 0], [0x200, 0]]);
    assert.equal(lab.sizeInForce(), 0);
    assert.ok(fake.bytes[PRIVATE]?.every((byte) => byte === 0));
  });
});
