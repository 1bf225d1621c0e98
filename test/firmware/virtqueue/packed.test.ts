// The packed ring served for a driver that keeps the rules.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake, windows, windowWords } from '../../../hal/fake/port.js';
import { fillChain, writeChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { finish, finishLater, queuePosition, setQueuePosition, take, untake } from '../../../firmware/virtqueue/queue.hot.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import type { Place } from '../../support/driver/ring-memory.js';
import { addressOf } from '../../support/driver/ring-memory.js';
import type { LabChain, LabOptions } from '../../support/lab.js';
import { at, element, HIGH, inWindow, Lab, LAB_BUFFERS, LAB_RING, MAIN, PRIVATE, windowBytes } from '../../support/lab.js';
import { word } from '../../support/raw-ring.js';
import { atBarriers } from '../../support/watch.js';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAILABLE = 0x80;
const USED = 0x8000;
const BOTH = AVAILABLE | USED;

class PackedLab extends Lab {
  constructor(options: LabOptions = {}) {
    super({ ...options, packed: true });
  }

  get ring(): PackedQueue {
    assert.ok(this.queue instanceof PackedQueue);
    return this.queue;
  }

  /** Flags, id and length of descriptor `slot` as memory holds them. */
  slot(slot: number): { flags: number; id: number; bytes: number } {
    const base = this.ring.descriptors + slot * 16;
    return { flags: word(base + 14), id: word(base + 12), bytes: word(base + 8) + word(base + 10) * 65536 };
  }

  /** Offers `count` lists of one writable element of 8 bytes. */
  offer(count: number): number[] {
    return Array.from({ length: count }, () => this.ring.add([element(LAB_BUFFERS, 8, true)]));
  }

  /** The device's event structure: offset and wrap, flags. */
  deviceEvent(): number[] {
    return [word(this.ring.deviceEvent), word(this.ring.deviceEvent + 2)];
  }
}

/** Takes chains and keeps them. */
function keeping(lab: Lab): LabChain[] {
  const kept: LabChain[] = [];
  lab.plan = (chain) => kept.push(chain);
  return kept;
}

test('R-380 any size from 1 on: full laps of rings of 1, 2, 3, 5, 7, 8, 13, 100 descriptors', () => {
  [1, 2, 3, 5, 7, 8, 13, 100].forEach((size) => {
    const lab = new PackedLab({ size });
    for (let lap = 0; lap < 5; lap++) {
      const ids = lab.offer(size);
      assert.deepEqual(lab.go(), ['used'], 'ring of ' + size);
      assert.deepEqual(lab.taken(), ids.map((head) => ({ head, written: 8 })), 'ring of ' + size + ', lap ' + lap);
    }
    lab.expectAlive();
  });
});

test('R-380 the largest ring: 32768 descriptors', () => {
  const lab = new PackedLab({ size: 32768 });
  assert.equal(lab.sizeInForce(), 32768);
  for (let turn = 0; turn < 3; turn++) {
    lab.offer(20000);
    lab.go();
    assert.equal(lab.taken().length, 20000);
  }
  assert.equal(lab.bus.readStatus(1), 0x0f);
  assert.ok(fake.guardsIntact());
});

test('R-380 R-390 each size from 1 to 32768: a list over the end of the ring', () => {
  const lab = new PackedLab({ size: 32768, places: [inWindow(MAIN, LAB_RING), inWindow(HIGH, 0x100), inWindow(HIGH, 0x104)] });
  const { descriptors } = lab.ring;
  const areas = lab.ring.areas();
  const memory = windowWords[MAIN] as Uint16Array;
  const write = (slot: number, flags: number): void => {
    const [low = 0, high = 0] = at(MAIN, LAB_BUFFERS);
    [low & 65535, low >>> 16, high & 65535, high >>> 16, 8, 0, slot & 65535, flags].forEach((half, word) => (memory[(descriptors >> 1) + slot * 8 + word] = half));
  };
  for (let size = 1; size <= 32768; size++) {
    lab.resetQueue();
    lab.setQueue(1, 0, size, areas);
    const last = size - 1;
    // The lap with wrap counter 1 ends with `last`; what lies behind the ring belongs to nobody.
    assert.ok(setQueuePosition(lab.row, last | 0x8000));
    write(size, WRITE | AVAILABLE);
    write(0, WRITE | USED);
    write(last, WRITE | AVAILABLE | (size > 1 ? NEXT : 0));
    assert.deepEqual(lab.kick(), ['used'], 'size ' + size);
    assert.deepEqual(lab.slot(last), { flags: WRITE | BOTH, id: 0, bytes: size > 1 ? 16 : 8 });
    assert.equal(queuePosition(lab.row), size > 1 ? 1 : 0);
    assert.equal(lab.slot(size).flags, WRITE | AVAILABLE);
  }
});

test('R-380 without RING_PACKED the same set-up is a split ring, for which 7 is no size', () => {
  const lab = new Lab({ size: 8 });
  lab.resetQueue();
  const packed = new PackedQueue(lab.queue.machine, LAB_RING, 7);
  lab.setQueue(1, 0, 7, packed.areas());
  assert.equal(lab.sizeInForce(), 0);
});

test('R-381 R-226 areas: 16, 4 and 4 bytes aligned, 16 bytes a descriptor and 4 an event structure inside their windows', () => {
  const lab = new PackedLab({ size: 8 });
  const end = windows[MAIN]?.bytes ?? 0;
  const good = [inWindow(MAIN, end - 128), inWindow(HIGH, 65532), inWindow(MAIN, LAB_RING)];
  const set = (change: (areas: number[][]) => void): number => {
    lab.resetQueue();
    const areas = good.map(addressOf);
    change(areas);
    lab.setQueue(1, 0, 8, areas);
    return lab.sizeInForce();
  };
  const shift = (area: number, by: number) => (areas: number[][]): void => {
    const one = areas[area];
    assert.ok(one !== undefined);
    one[0] = (one[0] ?? 0) + by;
  };
  assert.equal(set(() => undefined), 8);
  [1, 2, 4, 8].forEach((by) => assert.equal(set(shift(0, -by)), 0, 'descriptors off by ' + by));
  assert.equal(set(shift(0, -16)), 8);
  assert.equal(set(shift(0, 16)), 0, 'descriptors beyond the window');
  [1, 2].forEach((area) => {
    [1, 2].forEach((by) => assert.equal(set(shift(area, -by)), 0));
    assert.equal(set(shift(area, area === 1 ? -4 : 4)), 8);
  });
  assert.equal(set(shift(1, 4)), 0, 'driver event structure beyond the window');
});

test('R-380 areas that do not follow each other, in three windows', () => {
  const places: Place[] = [inWindow(HIGH, 0x100), inWindow(3, 0x40), inWindow(MAIN, LAB_RING + 4)];
  const lab = new PackedLab({ size: 5, places });
  for (let turn = 0; turn < 9; turn++) {
    lab.queue.add([element(turn, 3, false, HIGH), element(LAB_BUFFERS, 4, true), element(0x1000, 8, true, 3)]);
    lab.go();
    assert.equal(lab.taken()[0]?.written, 12);
  }
  assert.deepEqual(lab.chains[0]?.elements, [
    { window: HIGH, offset: 0, bytes: 3, writable: false },
    { window: MAIN, offset: LAB_BUFFERS, bytes: 4, writable: true },
    { window: 3, offset: 0x1000, bytes: 8, writable: true },
  ]);
});

test('R-382 R-242 R-246 after a queue reset and after a device reset index and wrap counters begin anew', () => {
  [(lab: PackedLab): void => lab.resetQueue(), (lab: PackedLab): void => void lab.bus.status(1, 0)].forEach((reset, turn) => {
    const lab = new PackedLab({ size: 3 });
    lab.offer(3);
    lab.go();
    lab.taken();
    lab.offer(1);
    lab.go();
    lab.taken();
    reset(lab);
    assert.equal(lab.sizeInForce(), 0);
    if (turn === 0) {
      lab.queue = lab.newQueue(4);
      lab.setQueue(1, 0, 4, lab.queue.areas());
      assert.equal(lab.sizeInForce(), 4);
    } else {
      lab.bringUp();
    }
    const ids = lab.offer(2);
    lab.go();
    assert.deepEqual(lab.taken().map((used) => used.head), ids);
    assert.equal(lab.slot(0).flags & BOTH, BOTH, 'wrap counter 1');
  });
});

test('R-383 only AVAIL equal and USED unequal to the wrap counter make the next descriptor available', () => {
  [0, 1].forEach((wrap) => {
    [0, AVAILABLE, USED, BOTH].forEach((bits) => {
      const lab = new PackedLab({ size: 1 });
      if (wrap === 0) {
        lab.offer(1);
        lab.go();
        lab.taken();
      }
      const seen = lab.chains.length;
      lab.ring.writeDescriptor(0, 0x80000000 + LAB_BUFFERS, 8, bits | WRITE, 0);
      lab.kick();
      const available = bits === (wrap === 1 ? AVAILABLE : USED);
      assert.equal(lab.chains.length - seen, available ? 1 : 0, 'wrap ' + wrap + ', bits ' + bits.toString(16));
    });
  });
});

test('R-383 R-392 a descriptor behind one that is not available waits, however available it looks', () => {
  const lab = new PackedLab({ size: 4 });
  lab.ring.writeDescriptor(1, 0x80000000 + LAB_BUFFERS, 8, AVAILABLE | WRITE, 1);
  lab.kick();
  assert.equal(lab.chains.length, 0);
  lab.ring.writeDescriptor(0, 0x80000000 + LAB_BUFFERS, 4, AVAILABLE | WRITE, 0);
  lab.kick();
  assert.deepEqual(lab.chains.map((chain) => chain.writableBytes), [4, 8]);
});

test('R-384 the other fields are read behind a barrier that follows the flags', () => {
  const lab = new PackedLab({ size: 4 });
  lab.ring.add([element(LAB_BUFFERS, 8, true)]);
  lab.queue.publish();
  lab.bus.kick(1, 0);
  // The driver's stores of the other fields become visible at the first barrier after the flags.
  const length = lab.ring.descriptors + 8;
  windowBytes(MAIN)[length] = 0;
  const stop = atBarriers(() => (windowBytes(MAIN)[length] = 6));
  lab.settle();
  stop();
  assert.equal(lab.chains[0]?.writableBytes, 6);
});

test('R-385 R-397 the id comes from the last descriptor of the list and may be any 16-bit value', () => {
  const lab = new PackedLab({ size: 8 });
  [0, 1, 7, 8, 255, 9999, 0x7fff, 0x8000, 0xffff].forEach((id) => {
    lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS + 8, 4, false), element(LAB_BUFFERS + 16, 4, true)], undefined, id);
    lab.go();
    assert.deepEqual(lab.taken(), [{ head: id, written: 4 }]);
  });
  assert.equal(lab.bus.readStatus(1), 0x0f);
});

test('R-386 a list as long as the ring is legal, from every position', () => {
  const lab = new PackedLab({ size: 5 });
  for (let turn = 0; turn < 7; turn++) {
    lab.ring.add(Array.from({ length: 5 }, (_, at) => element(LAB_BUFFERS + at * 8, 2, at > 2)));
    lab.go();
    assert.equal(lab.taken()[0]?.written, 4);
    lab.offer(1);
    lab.go();
    lab.taken();
  }
  assert.equal(lab.chains.length, 14);
});

test('R-387 R-383 the availability bits of later descriptors of a list do not matter', () => {
  [0, AVAILABLE, USED, BOTH].forEach((bits) => {
    const lab = new PackedLab({ size: 4 });
    lab.ring.writeDescriptor(1, 0x80000000 + LAB_BUFFERS + 8, 8, bits | WRITE, 3);
    lab.ring.writeDescriptor(0, 0x80000000 + LAB_BUFFERS, 8, AVAILABLE | NEXT, 0);
    lab.kick();
    assert.equal(lab.chains.length, 1);
    assert.equal(lab.slot(0).id, 3);
  });
});

test('R-388 R-389 a used descriptor: id, length, both bits the wrap counter of its own position, WRITE only if bytes were written', () => {
  const lab = new PackedLab({ size: 3 });
  const kept = keeping(lab);
  // Three lists; the used position is in the first lap while the position being read is in the second.
  lab.ring.add([element(LAB_BUFFERS, 8, true)], undefined, 70);
  lab.ring.add([element(LAB_BUFFERS, 8, false)], undefined, 71);
  lab.ring.add([element(LAB_BUFFERS, 8, true)], undefined, 72);
  lab.go();
  const [first, second, third] = kept;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  finishLater(lab.row, first.handle, 5, first.epoch);
  finishLater(lab.row, second.handle, 0, second.epoch);
  lab.kickRow();
  assert.deepEqual(lab.slot(0), { flags: BOTH | WRITE, id: 70, bytes: 5 });
  assert.deepEqual(lab.slot(1), { flags: BOTH, id: 71, bytes: 0 });
  lab.taken();
  lab.ring.add([element(LAB_BUFFERS, 8, true)], undefined, 73);
  lab.go();
  finishLater(lab.row, third.handle, 8, third.epoch);
  lab.kickRow();
  assert.deepEqual(lab.slot(2), { flags: BOTH | WRITE, id: 72, bytes: 8 }, 'still the first lap');
  const fourth = kept[3];
  assert.ok(fourth !== undefined);
  finishLater(lab.row, fourth.handle, 1, fourth.epoch);
  lab.kickRow();
  assert.deepEqual(lab.slot(0), { flags: WRITE, id: 73, bytes: 1 }, 'the second lap');
});

test('R-388 the flags of the first used descriptor come last, behind a barrier', () => {
  const lab = new PackedLab({ size: 4 });
  lab.offer(2);
  lab.queue.publish();
  lab.bus.kick(1, 0);
  const before: number[][] = [];
  const stop = atBarriers(() => before.push([lab.slot(0).flags & BOTH, lab.slot(0).bytes, lab.slot(1).flags & BOTH]));
  lab.settle();
  stop();
  const shown = before.findIndex(([flags]) => flags === BOTH);
  assert.ok(shown > 0, 'a barrier follows the flags');
  assert.deepEqual(before[shown - 1], [AVAILABLE, 8, BOTH], 'at the barrier before, everything else stands');
});

test('R-390 one used descriptor for a list; the next one follows as many slots later as the list had', () => {
  const lab = new PackedLab({ size: 8 });
  lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS, 4, true)], undefined, 50);
  lab.ring.add([element(LAB_BUFFERS, 2, true)], undefined, 51);
  lab.queue.publish();
  const middle = [lab.slot(1), lab.slot(2)];
  lab.kick();
  assert.equal(lab.slot(0).id, 50);
  assert.deepEqual([lab.slot(1), lab.slot(2)], middle);
  assert.equal(lab.slot(3).id, 51);
  assert.equal(lab.slot(3).flags & BOTH, BOTH);
});

test('R-391 lists given back out of order are used in the order of their completion', () => {
  const lab = new PackedLab({ size: 6 });
  const kept = keeping(lab);
  lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS, 9, true)], undefined, 1);
  lab.ring.add([element(LAB_BUFFERS, 9, true)], undefined, 2);
  lab.ring.add([element(LAB_BUFFERS, 9, false), element(LAB_BUFFERS, 9, true), element(LAB_BUFFERS, 9, true)], undefined, 3);
  lab.go();
  [2, 0, 1].forEach((which) => {
    const chain = kept[which];
    assert.ok(chain !== undefined);
    finishLater(lab.row, chain.handle, which, chain.epoch);
  });
  lab.kickRow();
  assert.deepEqual(lab.taken(), [{ head: 3, written: 2 }, { head: 1, written: 0 }, { head: 2, written: 1 }]);
});

test('R-393 a used descriptor that the driver can see does not change any more', () => {
  const lab = new PackedLab({ size: 4 });
  lab.offer(4);
  lab.go();
  const ring = lab.ring.descriptors;
  const before = Array.from(windowBytes(MAIN).subarray(ring, ring + 64));
  for (let turn = 0; turn < 5; turn++) {
    lab.kick();
    lab.kickRow();
  }
  assert.deepEqual(Array.from(windowBytes(MAIN).subarray(ring, ring + 64)), before);
});

test('R-394 R-396 an INDIRECT descriptor takes one slot; table entries follow each other, only WRITE counts there', () => {
  const lab = new PackedLab({ size: 4, indirect: true });
  const table = inWindow(HIGH, 0x200);
  const others = 0xffff & ~(WRITE | BOTH);
  [0, others, INDIRECT, NEXT, BOTH].forEach((extra, turn) => {
    lab.ring.writeEntry(table, 0, at(MAIN, LAB_BUFFERS), 8, extra, 0x1111);
    lab.ring.writeEntry(table, 1, at(HIGH, 16), 8, extra | WRITE, 0x2222);
    lab.ring.writeEntry(table, 2, at(MAIN, LAB_BUFFERS + 64), 5, extra | WRITE, 0x3333);
    const slot = turn % 4;
    const ring = inWindow(MAIN, lab.ring.descriptors);
    const flags = turn < 4 ? AVAILABLE : USED;
    // Every second one with WRITE, which means nothing here.
    lab.ring.writeEntry(ring, slot, addressOf(table), 48, flags | INDIRECT | (turn % 2) * WRITE, 77);
    lab.kick();
    assert.deepEqual(lab.chains[turn]?.elements, [
      { window: MAIN, offset: LAB_BUFFERS, bytes: 8, writable: false },
      { window: HIGH, offset: 16, bytes: 8, writable: true },
      { window: MAIN, offset: LAB_BUFFERS + 64, bytes: 5, writable: true },
    ], 'flags ' + extra.toString(16));
    assert.deepEqual([lab.slot(slot).id, lab.slot(slot).bytes], [77, 13]);
  });
  assert.equal(lab.bus.readStatus(1), 0x0f);
});

test('R-394 lists with tables and lists without them alternate over many laps', () => {
  const lab = new PackedLab({ size: 3, indirect: true });
  for (let turn = 0; turn < 20; turn++) {
    lab.ring.add([element(LAB_BUFFERS, 3, false), element(LAB_BUFFERS + 16, 7, true)], inWindow(HIGH, 0x400), 1000 + turn);
    lab.ring.add([element(LAB_BUFFERS, 3, false), element(LAB_BUFFERS + 32, 9, true)], undefined, 2000 + turn);
    lab.go();
    assert.deepEqual(lab.taken(), [{ head: 1000 + turn, written: 7 }, { head: 2000 + turn, written: 9 }]);
  }
});

test('R-341 R-394 a chain has 256 descriptors at most, the one in the ring that refers to the table among them', () => {
  [255, 256].forEach((entries) => {
    const lab = new PackedLab({ size: 4, indirect: true });
    lab.ring.add(Array.from({ length: entries }, (_, entry) => element(LAB_BUFFERS, entry + 1 === entries ? 8 : 0, true)), inWindow(HIGH, 0));
    const events = lab.go();
    if (entries === 255) {
      assert.deepEqual(lab.taken().map((used) => used.written), [8]);
    } else {
      lab.expectError(events);
    }
  });
});

test('R-394 a table may have more entries than the ring has descriptors', () => {
  const lab = new PackedLab({ size: 2, indirect: true });
  lab.ring.add(Array.from({ length: 64 }, (_, at) => element(LAB_BUFFERS + at, 1, at >= 32)), inWindow(HIGH, 0));
  lab.go();
  assert.deepEqual(lab.taken().map((used) => used.written), [32]);
});

test('R-398 R-399 driver event flags: 0 and 3 notify, 1 does not, 2 without EVENT_IDX is 0', () => {
  [[0, 1], [1, 0], [2, 1], [3, 1], [0xfffd, 0], [0xfffc, 1]].forEach(([flags, events]) => {
    const lab = new PackedLab();
    lab.ring.suppress(flags ?? 0);
    lab.offer(2);
    assert.equal(lab.go().length, events, 'flags ' + String(flags));
    assert.equal(lab.taken().length, 2);
  });
  [[0, 1], [1, 0], [3, 1]].forEach(([flags, events]) => {
    const lab = new PackedLab({ eventIdx: true });
    lab.ring.suppress(flags ?? 0);
    lab.offer(2);
    assert.equal(lab.go().length, events, 'with EVENT_IDX, flags ' + String(flags));
  });
});

test('R-398 flags 2: a notification exactly when the batch covers the named position, in every lap', () => {
  const size = 5;
  for (let start = 0; start < 2 * size; start++) {
    for (let count = 1; count <= size; count++) {
      for (let event = 0; event < 2 * size; event++) {
        const lab = new PackedLab({ size, eventIdx: true });
        for (let before = 0; before < start; before++) {
          lab.offer(1);
          lab.go();
          lab.taken();
        }
        const position = (slot: number): number => (slot % size) | ((Math.floor(slot / size) % 2 === 0 ? 1 : 0) << 15);
        lab.ring.setUsedEvent(position(event));
        lab.offer(count);
        const covered = Array.from({ length: count }, (_, slot) => position(start + slot)).indexOf(position(event)) >= 0;
        assert.equal(lab.go().length, covered ? 1 : 0, 'from ' + start + ' on ' + count + ' slots, event ' + event);
      }
    }
  }
});

test('R-398 a named offset outside the ring notifies rather than never', () => {
  [5, 6, 0x7fff].forEach((offset) => {
    [0, 0x8000].forEach((wrap) => {
      const lab = new PackedLab({ size: 5, eventIdx: true });
      lab.ring.setUsedEvent(offset | wrap);
      lab.offer(1);
      assert.equal(lab.go().length, 1);
    });
  });
});

test('R-400 the device event structure: no reserved bits; at rest it asks for the next list', () => {
  const plain = new PackedLab({ size: 3 });
  const seen: number[] = [];
  const stop = atBarriers(() => seen.push(plain.deviceEvent()[1] ?? NaN));
  plain.offer(2);
  plain.go();
  stop();
  assert.ok(seen.every((flags) => flags === 0 || flags === 1) && seen.indexOf(1) >= 0);
  assert.equal(plain.deviceEvent()[1], 0);

  const indexed = new PackedLab({ size: 3, eventIdx: true });
  for (let turn = 0; turn < 8; turn++) {
    indexed.offer(1);
    assert.ok(indexed.ring.wantsKick(), 'the device wants to hear of the next list');
    indexed.go();
    indexed.taken();
    assert.deepEqual(indexed.deviceEvent(), [indexed.ring.position(), 2]);
  }
});

test('R-400 the offset of the device event structure stands behind a barrier before its flags say that it counts', () => {
  const lab = new PackedLab({ size: 4, eventIdx: true });
  const seen: (readonly number[])[] = [];
  const stop = atBarriers(() => seen.push(lab.deviceEvent()));
  lab.offer(1);
  lab.go();
  stop();
  const wanted = lab.ring.position();
  const first = seen.findIndex(([, flags], index) => flags === 2 && seen[index - 1]?.[1] === 1);
  assert.deepEqual(seen.slice(first - 1, first + 1), [[wanted, 1], [wanted, 2]], 'the offset alone, then both');
});

test('R-400 R-393 the driver event structure and buffers that are readable are never written', () => {
  const lab = new PackedLab({ size: 4, eventIdx: true });
  lab.ring.setUsedEvent(0x1234);
  lab.ring.add([element(LAB_BUFFERS, 64, false), element(LAB_BUFFERS + 64, 4, true)]);
  lab.go();
  assert.deepEqual([word(lab.ring.driverEvent), word(lab.ring.driverEvent + 2)], [0x1234, 2]);
  assert.ok(windowBytes(MAIN).subarray(LAB_BUFFERS, LAB_BUFFERS + 64).every((byte) => byte === 0));
});

test('R-360 after asking for notifications again the ring is looked at once more', () => {
  [false, true].forEach((eventIdx) => {
    const lab = new PackedLab({ size: 8, eventIdx });
    lab.offer(1);
    lab.queue.publish();
    lab.offer(1);
    lab.bus.kick(1, 0);
    // The second list becomes visible at the last moment at which the driver was still told not to notify.
    let armed = false;
    const stop = atBarriers(() => {
      if (!armed && lab.chains.length === 1 && lab.deviceEvent()[1] !== 1) {
        armed = true;
        stop();
        lab.queue.publish();
      }
    });
    lab.settle();
    assert.equal(armed, true);
    assert.equal(lab.chains.length, 2, 'served without a kick');
  });
});

test('R-401 R-362 R-363 IN_ORDER: completely used lists are one used descriptor with the id of the last one', () => {
  const lab = new PackedLab({ size: 8, inOrder: true });
  lab.ring.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS, 4, true)], undefined, 1);
  lab.ring.add([element(LAB_BUFFERS, 6, true)], undefined, 2);
  lab.ring.add([element(LAB_BUFFERS, 4, false)], undefined, 3);
  lab.queue.publish();
  const behind = [lab.slot(2), lab.slot(3)];
  assert.deepEqual(lab.kick(), ['used']);
  assert.deepEqual([lab.slot(0).id, lab.slot(0).bytes, lab.slot(0).flags & BOTH], [3, 0, BOTH]);
  assert.deepEqual([lab.slot(2), lab.slot(3)], behind, 'nothing is written for the lists it stands for');
  assert.deepEqual(lab.taken(), [{ head: 1, written: 4 }, { head: 2, written: 6 }, { head: 3, written: 0 }]);
  lab.ring.add([element(LAB_BUFFERS, 5, true)], undefined, 4);
  lab.go();
  assert.deepEqual([lab.slot(4).id, lab.slot(4).bytes], [4, 5], 'the index advanced over all slots');
});

test('R-401 R-363 IN_ORDER: a list that was not completely used ends its batch', () => {
  const lab = new PackedLab({ size: 8, inOrder: true });
  const written = [8, 3, 8, 8, 0, 8];
  lab.plan = (chain) => finish(lab.row, chain.handle, fillChain(0, written[lab.chains.length - 1] ?? 0, 7));
  lab.offer(6);
  lab.go();
  assert.deepEqual([0, 2, 5].map((slot) => lab.slot(slot).bytes), [3, 0, 8]);
  assert.deepEqual(lab.taken().map((used) => used.written), written);
});

test('R-401 IN_ORDER over many laps of a ring of 5', () => {
  const lab = new PackedLab({ size: 5, inOrder: true, indirect: true });
  let turn = 0;
  lab.plan = (chain) => {
    turn += 1;
    finish(lab.row, chain.handle, fillChain(0, turn % 3 === 0 ? 1 : chain.writableBytes, 7));
  };
  let expected = 0;
  for (let lap = 0; lap < 40; lap++) {
    const count = 1 + (lap % 5);
    lab.offer(count);
    lab.go();
    lab.taken().forEach((used) => {
      expected += 1;
      assert.equal(used.written, expected % 3 === 0 ? 1 : 8);
    });
    assert.equal(lab.ring.room(), 5);
  }
});

test('R-402 the used descriptors of a pass become visible with the first one', () => {
  const lab = new PackedLab({ size: 8 });
  const kept = keeping(lab);
  lab.offer(3);
  lab.go();
  kept.forEach((chain) => {
    finishLater(lab.row, chain.handle, 8, chain.epoch);
    assert.equal(lab.ring.take(), undefined, 'nothing is visible before the pass ends');
  });
  lab.kickRow();
  assert.equal(lab.taken().length, 3);
});

test('R-404 with every slot taken the device does not go on, even if the driver makes the next slot look available', () => {
  const lab = new PackedLab({ size: 2 });
  const kept = keeping(lab);
  lab.offer(2);
  lab.go();
  assert.equal(kept.length, 2);
  lab.ring.writeDescriptor(0, 0x80000000 + LAB_BUFFERS, 4, USED | WRITE, 5);
  lab.kick();
  assert.equal(kept.length, 2, 'slot 0 is not taken twice');
  assert.equal(lab.bus.readStatus(1), 0x0f);
  const [first] = kept;
  assert.ok(first !== undefined);
  finishLater(lab.row, first.handle, 8, first.epoch);
  lab.kickRow();
  assert.equal(kept.length, 2, 'a used descriptor is not available');
});

test('R-404 used descriptors that the driver has not consumed are not overwritten', () => {
  const lab = new PackedLab({ size: 3 });
  lab.offer(3);
  lab.go();
  for (let turn = 0; turn < 4; turn++) {
    lab.kick();
  }
  assert.equal(lab.chains.length, 3);
  assert.equal(lab.taken().length, 3);
});

test('R-405 the elements of a list are used in the order of the list', () => {
  const lab = new PackedLab({ size: 8 });
  const from = windowBytes(PRIVATE);
  lab.plan = (chain) => finish(lab.row, chain.handle, writeChain(0, PRIVATE, 0, chain.writableBytes));
  from.set([1, 2, 3, 4, 5, 6], 0);
  lab.ring.add([element(LAB_BUFFERS + 40, 1, true), element(0x300, 3, true, HIGH), element(LAB_BUFFERS, 2, true)]);
  lab.go();
  assert.deepEqual(Array.from(windowBytes(HIGH).subarray(0x300, 0x303)), [2, 3, 4]);
  assert.equal(windowBytes(MAIN)[LAB_BUFFERS + 40], 1);
  assert.deepEqual(Array.from(windowBytes(MAIN).subarray(LAB_BUFFERS, LAB_BUFFERS + 2)), [5, 6]);
  from.fill(0, 0, 6);
});

test('R-422 one pass serves a limited number of lists, the rest follows without a kick', () => {
  const lab = new PackedLab({ size: 256 });
  lab.offer(256);
  lab.queue.publish();
  lab.bus.kick(1, 0);
  lab.onePass();
  const served = lab.chains.length;
  assert.ok(served > 0 && served < 256);
  lab.settle();
  assert.equal(lab.chains.length, 256);
});

test('a list put back is the next one again', () => {
  const lab = new PackedLab({ size: 3 });
  // Each of them, the last one too, behind which the ring begins anew.
  const putBack = new Set<number>();
  const finishAll = lab.plan;
  lab.plan = (chain) => {
    if (!putBack.has(chain.handle)) {
      putBack.add(chain.handle);
      untake(lab.row);
    } else {
      finishAll(chain);
    }
  };
  const ids = lab.offer(3);
  lab.go();
  for (let turn = 0; turn < 5; turn++) {
    lab.kickRow();
  }
  assert.deepEqual(lab.taken().map((used) => used.head), ids);
  assert.equal(take(lab.row), -1);
});

test('R-163 R-243 a list given back after a reset writes nothing into the old ring nor into the next one', () => {
  [(lab: PackedLab): void => lab.resetQueue(), (lab: PackedLab): void => void lab.bus.status(1, 0)].forEach((reset) => {
    const lab = new PackedLab({ size: 4 });
    const kept = keeping(lab);
    lab.offer(2);
    lab.go();
    reset(lab);
    const [first, second] = kept;
    assert.ok(first !== undefined && second !== undefined);
    const ring = (): number[] => Array.from(windowBytes(MAIN).subarray(LAB_RING, LAB_RING + 80));
    let before = ring();
    finishLater(lab.row, first.handle, 8, first.epoch);
    assert.deepEqual(lab.kickRow(), []);
    assert.deepEqual(ring(), before);
    lab.bus.status(1, 0);
    lab.bringUp();
    lab.settle();
    before = ring();
    finishLater(lab.row, second.handle, 8, second.epoch);
    lab.kickRow();
    assert.deepEqual(ring(), before);
  });
});
