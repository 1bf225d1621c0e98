// In-flight tracking (vhost-user specification, "Inflight I/O tracking"): a device process that is killed at any moment loses no request.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { queueEpoch, take, untake } from '../../../../firmware/device.hot.js';
import { fake } from '../../../../hal/fake/port.js';
import { fakeVhostUser, saveRecords } from '../../../../hal/fake/vhost-user.js';
import { busyDevice } from '../../../support/busy-device.js';
import { PackedQueue } from '../../../support/driver/packed-queue.js';
import { SplitQueue } from '../../../support/driver/split-queue.js';
import { watchWords } from '../../../support/watch-words.js';
import {
  begin, connectedFront, guestMachine, inflightPayload, kick, pass, readU64, refusals, request, RING_PACKED, send, settle, startRing, stopRing, u32, u64, VERSION_1,
} from '../../../support/vhost-front.js';

type Format = 'split' | 'packed';
type Queue = SplitQueue | PackedQueue;

/** The fake's windows: guest memory, and the messages, behind which the records lie. */
const guestWindow = 0;
const messageWindow = 2;
const recordsAt = 4096;

/** Offsets in bytes that the specification's structures have. */
const SPLIT = { version: 8, entries: 10, lastBatch: 12, usedIndex: 14, first: 16, bytes: 16, next: 6, counter: 8 };
const PACKED = {
  version: 8, entries: 10, free: 12, oldFree: 14, used: 16, oldUsed: 18, wrap: 20, oldWrap: 21, first: 32, bytes: 32, next: 2, last: 4, slots: 6, counter: 8, id: 16,
  flags: 18, length: 20, address: 24,
};

/** A device that has at most `most` chains in flight, and puts one more back. */
function limitedDevice(most: number, queues = 1): ReturnType<typeof busyDevice> {
  const device = busyDevice({ number: 1, queueSizes: new Array<number>(queues).fill(64) });
  Object.assign(device.model.type, {
    serve(queue: number): void {
      for (let handle = take(queue); handle >= 0; handle = take(queue)) {
        if (device.flying.length === most) {
          untake(queue);
          return;
        }
        device.flying.push({ queue, handle, epoch: queueEpoch[queue] ?? NaN });
      }
    },
  });
  return device;
}

/** Everything outside the device process: the guest's memory with its driver, and what QEMU keeps. */
class Machine {
  readonly queue: Queue;
  readonly file: number;
  readonly device: ReturnType<typeof busyDevice>;
  /** Buffers that the driver waits for. */
  readonly outstanding = new Set<number>();

  constructor(readonly format: Format, readonly entries: number, queueSize = entries, most = Infinity) {
    this.device = limitedDevice(most);
    connectedFront(this.device.model, [28, 34]);
    this.queue = format === 'split' ? new SplitQueue(guestMachine, 0x1000, queueSize) : new PackedQueue(guestMachine, 0x1000, queueSize);
    begin(this.features());
    const answer = send(request.GET_INFLIGHT_FD, inflightPayload(0n, 1, entries)) ?? [];
    this.file = fakeVhostUser.given[0] as number;
    this.bytes = readU64(answer);
    this.start();
  }

  private readonly bytes: bigint;

  private features(): bigint {
    return VERSION_1 | (1n << 28n) | (this.format === 'packed' ? RING_PACKED : 0n);
  }

  /** As QEMU starts a disk: the records, then features, memory and rings. Of a packed ring it knows only where it began. */
  start(): void {
    this.tryToStart();
    assert.deepEqual(refusals(), []);
  }

  tryToStart(): void {
    send(request.SET_INFLIGHT_FD, inflightPayload(this.bytes, 1, this.entries), [this.file]);
    begin(this.features());
    const { queue } = this;
    const areas = queue instanceof SplitQueue ? [queue.descriptors, queue.available, queue.used] : [queue.descriptors, queue.driverEvent, queue.deviceEvent];
    const base = queue instanceof SplitQueue ? this.word(guestWindow, queue.used + 2) : 0x80008000;
    startRing({ size: queue.size, base, areas });
    settle();
  }

  private word(window: number, at: number): number {
    const bytes = fake.bytes[window] as Uint8Array;
    return (bytes[at] as number) + (bytes[at + 1] as number) * 256;
  }

  /** The file of the records as it is now. */
  records(): Uint8Array {
    saveRecords();
    return fakeVhostUser.files.get(this.file) as Uint8Array;
  }

  /** The process is gone, whatever it was doing; the next one starts when `start` is called. */
  kill(change: (records: Uint8Array) => void = () => undefined): void {
    const memory = fake.bytes[guestWindow]?.slice() as Uint8Array;
    const records = this.records().slice();
    this.device.flying.splice(0);
    connectedFront(this.device.model, [28, 34]);
    fake.bytes[guestWindow]?.set(memory);
    change(records);
    fakeVhostUser.files.set(this.file, records);
  }

  /** The driver offers a chain of `elements` descriptors, or of as many in a table. */
  add(elements = 1, indirect = false, id?: number): void {
    const parts = Array.from({ length: elements }, (_, at) => ({ offset: 0x80000 + at * 64, bytes: 64, writable: true }));
    const table = indirect ? { words: guestMachine.words, offset: 0x60000 + this.outstanding.size * 256, low: 0, high: 0 } : undefined;
    this.outstanding.add(this.queue instanceof SplitQueue ? this.queue.add(parts, table) : this.queue.add(parts, table, id));
    this.queue.publish();
  }

  /** The driver takes back what it is shown; each must be one it waits for. */
  collect(): number[] {
    const heads: number[] = [];
    for (let used = this.queue.take(); used !== undefined; used = this.queue.take()) {
      assert.ok(this.outstanding.delete(used.head), `buffer ${used.head} comes back once`);
      heads.push(used.head);
    }
    return heads;
  }

  /** The device gives back the chains at these places among those in flight, all in one pass. */
  land(...places: number[]): void {
    const chains = places.map((place) => this.device.flying[place] as (typeof this.device.flying)[number]);
    const rest = this.device.flying.filter((chain) => !chains.includes(chain));
    this.device.flying.splice(0, Infinity, ...chains, ...rest);
    chains.forEach(() => this.device.land(64));
    settle();
  }

  /** All that is in flight comes back, until nothing is. */
  finish(): void {
    while (this.device.flying.length > 0) {
      this.land(...this.device.flying.map((_, at) => at));
      this.collect();
    }
    assert.deepEqual([...this.outstanding], [], 'every buffer came back');
  }

  /** Heads or buffer ids of what the device has now, in the order in which it took them. */
  taken(): number[] {
    return this.device.flying.map(({ handle }) => handle & 65535);
  }
}

const read16 = (bytes: Uint8Array, at: number): number => (bytes[at] as number) + (bytes[at + 1] as number) * 256;
const write16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value & 255;
  bytes[at + 1] = value >> 8;
};

class Killed extends Error {}

/** Runs `work` and kills it at its write number `at` to the rings or the records; returns how many it made. */
function killAt(at: number, work: () => void): number {
  let writes = 0;
  const release = watchWords(() => undefined, (window, word) => {
    if (window === guestWindow || (window === messageWindow && word >= recordsAt / 2)) {
      writes++;
      if (writes === at) {
        throw new Killed();
      }
    }
  });
  try {
    work();
  } catch (error) {
    if (!(error instanceof Killed)) {
      throw error;
    }
  } finally {
    release();
  }
  return writes;
}

/** What happens until the process is killed, and how many chains the device has at once. */
interface Story {
  readonly what: string;
  readonly most: number;
  readonly steps: readonly ((machine: Machine) => void)[];
}

/** Out of order and in batches, with lists of several slots, tables and odd ids, often enough to go round the ring. */
const outOfOrder: Story = {
  what: 'out of order',
  most: Infinity,
  steps: [
    (machine) => { machine.add(); machine.add(2); machine.add(1, false, 40000); },
    (machine) => { machine.land(1); machine.collect(); },
    (machine) => { machine.add(3, true); machine.add(); },
    (machine) => { machine.land(3, 0); machine.collect(); },
    (machine) => { machine.add(2); machine.add(); },
    (machine) => { machine.land(2); machine.add(1); },
    (machine) => { machine.collect(); machine.land(1, 0); machine.collect(); },
    (machine) => { machine.add(2); },
    (machine) => { machine.land(1, 0); machine.collect(); machine.add(); machine.add(); },
  ],
};

/** The device takes one more than it can have, and puts it back. */
const puttingBack: Story = {
  what: 'putting back',
  most: 2,
  steps: [
    (machine) => { machine.add(); machine.add(2); machine.add(); machine.add(2); },
    (machine) => { machine.land(1); machine.collect(); },
    (machine) => { machine.add(2); machine.add(); },
    (machine) => { machine.land(1, 0); machine.collect(); },
    (machine) => { machine.add(); machine.land(0); },
  ],
};

/** Tells the story up to the write number `at`; what the driver had done by then stays. Returns how many there were. */
function tell(machine: Machine, { steps }: Story, at: number): number {
  let writes = 0;
  for (const step of steps) {
    writes += killAt(at - writes, () => {
      step(machine);
      kick();
    });
    if (writes >= at) {
      break;
    }
  }
  return writes;
}

for (const [format, entries, size] of [['split', 8, 8], ['packed', 8, 8], ['packed', 16, 7]] as const) {
  for (const story of [outOfOrder, puttingBack]) {
    const fresh = (): Machine => new Machine(format, entries, size, story.most);

    test(`${format}, ${size} entries, ${story.what}: killed at any write, the next process finishes what was in flight, once`, () => {
      const writes = tell(fresh(), story, Infinity);
      assert.ok(writes > 60, `${writes} writes`);
      for (let at = 1; at <= writes; at++) {
        const machine = fresh();
        tell(machine, story, at);
        machine.kill();
        machine.start();
        machine.collect();
        machine.finish();
        // And the ring goes on.
        machine.add(2);
        machine.add();
        kick();
        machine.finish();
        assert.ok(fake.guardsIntact());
      }
    });

    test(`${format}, ${size} entries, ${story.what}: killed again at any write of the next process's beginning`, () => {
      const writes = tell(fresh(), story, Infinity);
      for (let at = 3; at <= writes; at += 11) {
        let again = 1;
        for (let killed = true; killed; again++) {
          const machine = fresh();
          tell(machine, story, at);
          machine.kill();
          killed = killAt(again, () => machine.start()) === again;
          machine.kill();
          machine.start();
          machine.collect();
          machine.finish();
        }
        assert.ok(again > 2, 'the beginning writes');
      }
    });
  }

  test(`${format}, ${size} entries: what was in flight is taken in the order of old, also the second time, and new chains behind it`, () => {
    const machine = new Machine(format, entries, size);
    for (const place of [1, 1, 0]) {
      machine.add();
      machine.add();
      kick();
      machine.land(place);
      machine.collect();
    }
    const taken = machine.taken();
    assert.equal(taken.length, 3);
    assert.notDeepEqual(taken, [...taken].sort((a, b) => a - b), 'the numbers do not tell the order');
    for (let life = 0; life < 3; life++) {
      machine.kill();
      machine.start();
      assert.deepEqual(machine.taken(), taken);
      machine.add();
      kick();
      const [newest] = machine.taken().slice(-1);
      taken.push(newest as number);
      assert.deepEqual(machine.taken(), taken);
    }
    machine.finish();
  });

  test(`${format}, ${size} entries: a paused machine's backend that never ended is asked again`, () => {
    const machine = new Machine(format, entries, size);
    machine.add();
    machine.add();
    kick();
    const taken = machine.taken();
    machine.land(1);
    fakeVhostUser.send([...u32(request.GET_VRING_BASE), ...u32(1), ...u32(8), ...u32(0), ...u32(0)], []);
    pass();
    fake.microseconds += 2100000;
    settle();
    machine.device.flying.splice(0);
    machine.start();
    assert.deepEqual(machine.taken(), taken.slice(0, 1));
    machine.collect();
    machine.finish();
  });
}

test('split: the record as specified', () => {
  const machine = new Machine('split', 8);
  const entry = (head: number, field: number): number => read16(machine.records(), SPLIT.first + head * SPLIT.bytes + field);
  assert.deepEqual([SPLIT.version, SPLIT.entries, SPLIT.lastBatch, SPLIT.usedIndex].map((at) => read16(machine.records(), at)), [1, 8, 0, 0]);
  machine.add(2);
  machine.add();
  machine.add();
  kick();
  const [first, second, third] = machine.taken() as [number, number, number];
  assert.deepEqual([first, second, third].map((head) => [entry(head, 0), entry(head, SPLIT.counter)]), [[1, 0], [1, 1], [1, 2]]);
  machine.land(2, 0);
  assert.deepEqual([first, second, third].map((head) => entry(head, 0)), [0, 1, 0]);
  assert.equal(read16(machine.records(), SPLIT.usedIndex), 2);
  assert.equal(read16(machine.records(), SPLIT.lastBatch), first);
  assert.equal(entry(first, SPLIT.next), third);
});

test('packed: the record as specified', () => {
  const machine = new Machine('packed', 8);
  const field = (entry: number, at: number): number => read16(machine.records(), PACKED.first + entry * PACKED.bytes + at);
  const head = (): number[] => [PACKED.free, PACKED.oldFree, PACKED.used, PACKED.oldUsed].map((at) => read16(machine.records(), at));
  const wraps = (): number[] => [PACKED.wrap, PACKED.oldWrap].map((at) => machine.records()[at] as number);
  assert.deepEqual([PACKED.version, PACKED.entries].map((at) => read16(machine.records(), at)), [1, 8]);
  assert.deepEqual([0, 1, 7].map((entry) => field(entry, PACKED.next)), [1, 2, 8]);
  assert.deepEqual([...head(), ...wraps()], [0, 0, 0, 0, 1, 1]);
  machine.add(2);
  machine.add(1, false, 0x1234);
  kick();
  assert.deepEqual(head(), [3, 3, 0, 0]);
  assert.deepEqual([0, 2].map((entry) => [0, PACKED.last, PACKED.slots, PACKED.counter].map((at) => field(entry, at))), [[1, 1, 2, 0], [1, 2, 1, 1]]);
  // Both descriptors of the first list and the one of the second: 64 bytes from 0x80000 on, WRITE, available in the first lap, NEXT.
  assert.deepEqual([0, 1, 2].map((entry) => [PACKED.address, PACKED.address + 2, PACKED.length, PACKED.flags].map((at) => field(entry, at))), [
    [0, 8, 64, 0x83], [64, 8, 64, 0x82], [0, 8, 64, 0x82],
  ]);
  assert.equal(field(2, PACKED.id), 0x1234);
  machine.land(1);
  assert.deepEqual([...head(), ...wraps()], [2, 2, 1, 1, 1, 1]);
  assert.deepEqual([field(2, 0), field(2, PACKED.next), field(0, 0)], [0, 3, 1]);
  machine.land(0);
  assert.deepEqual([...head(), field(1, PACKED.next)], [0, 0, 3, 3, 2]);
});

test('a chain that the device put back is not in flight in the record', () => {
  for (const [format, bytes] of [['split', SPLIT.bytes], ['packed', PACKED.bytes]] as const) {
    const machine = new Machine(format, 8, 8, 1);
    machine.add();
    machine.add();
    kick();
    const first = format === 'split' ? SPLIT.first : PACKED.first;
    const inFlight = Array.from({ length: 8 }, (_, entry) => machine.records()[first + entry * bytes] as number);
    assert.equal(inFlight.reduce((sum, one) => sum + one, 0), 1, format);
  }
});

test('the counter of the record has 64 bits, and the next process counts on', () => {
  for (const [format, at] of [['split', SPLIT.first + SPLIT.counter], ['packed', PACKED.first + PACKED.counter]] as const) {
    const machine = new Machine(format, 8);
    machine.add();
    kick();
    machine.kill((records) => records.set(u64(0xffffffffffffn), at));
    machine.start();
    machine.add();
    machine.add();
    kick();
    const bytes = format === 'split' ? SPLIT.bytes : PACKED.bytes;
    assert.deepEqual([1, 2].map((entry) => readU64([...machine.records()], at + entry * bytes)), [0x1000000000000n, 0x1000000000001n]);
    machine.kill((records) => records.set(u64(0xffffn), at + bytes));
    machine.start();
    machine.add();
    kick();
    assert.equal(readU64([...machine.records()], at + 3 * bytes), 0x1000000000002n);
    machine.finish();
  }
});

test('each ring has its own record, one behind the other', () => {
  const device = limitedDevice(Infinity, 2);
  connectedFront(device.model);
  begin(VERSION_1);
  const bytes = readU64(send(request.GET_INFLIGHT_FD, inflightPayload(0n, 2, 8)) ?? []);
  const file = fakeVhostUser.given[0] as number;
  const queues = [new SplitQueue(guestMachine, 0x1000, 8), new SplitQueue(guestMachine, 0x4000, 4)];
  const startBoth = (): void => {
    send(request.SET_INFLIGHT_FD, inflightPayload(bytes, 2, 8), [file]);
    begin(VERSION_1);
    queues.forEach((queue, ring) => startRing({ ring, size: queue.size, areas: [queue.descriptors, queue.available, queue.used] }));
    settle();
  };
  startBoth();
  queues.forEach((queue, ring) => {
    for (let at = 0; at <= ring; at++) {
      queue.add([{ offset: 0x80000, bytes: 64, writable: true }]);
    }
    queue.publish();
    kick(ring);
  });
  saveRecords();
  const records = fakeVhostUser.files.get(file)?.slice() as Uint8Array;
  // 32 bytes for each of 8 entries and for the head.
  assert.deepEqual([0, 288].map((at) => [0, 1].map((head) => records[at + SPLIT.first + head * SPLIT.bytes])), [[1, 0], [1, 1]]);
  const memory = fake.bytes[guestWindow]?.slice() as Uint8Array;
  device.flying.splice(0);
  connectedFront(device.model);
  fake.bytes[guestWindow]?.set(memory);
  fakeVhostUser.files.set(file, records);
  startBoth();
  assert.deepEqual(device.flying.map(({ handle }) => handle), [0, 0, 1]);
  assert.deepEqual(refusals(), []);
});

test('GET_INFLIGHT_FD is answered with a file of zeros, the number of rings and of entries, in the size of the request', () => {
  connectedFront(limitedDevice(1, 3).model);
  for (const padding of [0, 4]) {
    const payload = inflightPayload(0n, 3, 128).slice(0, 20 + padding);
    const answer = send(request.GET_INFLIGHT_FD, payload) ?? [];
    // 3 rings of 129 rows of 32 bytes are 12,384 bytes: four pages.
    assert.deepEqual(answer.slice(12), inflightPayload(16384n, 3, 128).slice(0, 20 + padding));
    const file = fakeVhostUser.files.get(fakeVhostUser.given.pop() as number);
    assert.deepEqual([file?.length, file?.every((byte) => byte === 0)], [16384, true]);
  }
  assert.deepEqual(refusals(), []);
});

test('a front side that wants more in flight than is kept gets no file, and goes on without', () => {
  connectedFront(limitedDevice(1, 4).model);
  // 4 rings of 1024 entries would be 4100 rows, four more than there are.
  assert.deepEqual((send(request.GET_INFLIGHT_FD, inflightPayload(0n, 4, 1024)) ?? []).slice(12), inflightPayload(0n, 4, 1024));
  assert.deepEqual(fakeVhostUser.given, []);
  assert.deepEqual(refusals(), []);
});

/** Reasons as wire/vhost-user.ts numbers them. */
const reason = { size: 2, descriptors: 4, ring: 5, entries: 6, map: 13, running: 16, inflight: 18 };

for (const { what, id, payload, descriptors = [], because } of [
  { what: 'no rings', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 0, 8), because: reason.ring },
  { what: 'more rings than the device has', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 2, 8), because: reason.ring },
  { what: 'no entries', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 1, 0), because: reason.entries },
  { what: 'more entries than a ring may have', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 1, 32769), because: reason.entries },
  { what: 'a short description', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 1, 8).slice(0, 19), because: reason.size },
  { what: 'a long description', id: request.SET_INFLIGHT_FD, payload: [...inflightPayload(4096n, 1, 8), 0], descriptors: [5], because: reason.size },
  { what: 'GET_INFLIGHT_FD with a descriptor', id: request.GET_INFLIGHT_FD, payload: inflightPayload(0n, 1, 8), descriptors: [5], because: reason.descriptors },
  { what: 'SET_INFLIGHT_FD without one', id: request.SET_INFLIGHT_FD, payload: inflightPayload(4096n, 1, 8), because: reason.descriptors },
  { what: 'memory of another size', id: request.SET_INFLIGHT_FD, payload: inflightPayload(8192n, 1, 8), descriptors: [5], because: reason.inflight },
  { what: 'memory of half a page', id: request.SET_INFLIGHT_FD, payload: inflightPayload(2048n, 1, 8), descriptors: [5], because: reason.inflight },
  { what: 'memory off a page', id: request.SET_INFLIGHT_FD, payload: inflightPayload(4096n, 1, 8, 16n), descriptors: [5], because: reason.inflight },
  { what: 'memory of more entries than are kept', id: request.SET_INFLIGHT_FD, payload: inflightPayload(1n << 20n, 1, 32768), descriptors: [5], because: reason.inflight },
  { what: 'memory behind its file\'s end', id: request.SET_INFLIGHT_FD, payload: inflightPayload(4096n, 1, 8, 4096n), descriptors: [5], because: reason.map },
  { what: 'a file that cannot be mapped', id: request.SET_INFLIGHT_FD, payload: inflightPayload(4096n, 1, 8), descriptors: [6], because: reason.map },
]) {
  test(`refused: ${what}`, () => {
    connectedFront(limitedDevice(1).model);
    fakeVhostUser.files.set(5, new Uint8Array(4096));
    send(id, payload, descriptors);
    assert.deepEqual(refusals(), [[id, because]]);
    assert.equal(fakeVhostUser.recorded, -1);
  });
}

test('refused while a ring runs: other memory; and a ring with more entries than its record', () => {
  const machine = new Machine('split', 8);
  send(request.SET_INFLIGHT_FD, inflightPayload(4096n, 1, 8), [machine.file], 9);
  assert.deepEqual(refusals(), [[request.SET_INFLIGHT_FD, reason.running]]);
  stopRing();
  fake.logged = [];
  send(request.SET_INFLIGHT_FD, inflightPayload(4096n, 1, 4), [machine.file]);
  startRing({ size: 8, areas: [0x1000, 0x2000, 0x3000] });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.inflight]]);
});

/** A machine whose process was killed with three lists in flight, 1 + 2 + 1 slots, of five: entries 0, 1 and 2, and 3. */
function killedWith(format: Format, change: (records: Uint8Array) => void, entries = 8, size = entries): Machine {
  const machine = new Machine(format, entries, size);
  machine.add();
  machine.add(2);
  machine.add();
  kick();
  machine.kill(change);
  machine.tryToStart();
  return machine;
}

const splitField = (head: number, field: number): number => SPLIT.first + head * SPLIT.bytes + field;
const packedField = (entry: number, field: number): number => PACKED.first + entry * PACKED.bytes + field;

for (const [what, format, changes] of [
  ['of version 2', 'split', [[SPLIT.version, 2]]],
  ['of another number of entries', 'split', [[SPLIT.entries, 16]]],
  ['with a batch longer than the ring', 'split', [[SPLIT.usedIndex, 65536 - 9]]],
  ['whose last batch begins nowhere', 'split', [[SPLIT.usedIndex, 65535], [SPLIT.lastBatch, 8]]],
  ['whose last batch leads nowhere', 'split', [[SPLIT.usedIndex, 65534], [SPLIT.lastBatch, 1], [splitField(1, SPLIT.next), 8]]],
  ['of version 2', 'packed', [[PACKED.version, 2]]],
  ['of another number of entries', 'packed', [[PACKED.entries, 7]]],
  ['that is behind the ring', 'packed', [[PACKED.used, 8]]],
  ['that was behind the ring', 'packed', [[PACKED.oldUsed, 8]]],
  ['whose free list goes round', 'packed', [[packedField(5, PACKED.next), 4]]],
  ['whose free list has what is in flight', 'packed', [[packedField(7, PACKED.next), 1]]],
  ['whose free list lacks an entry', 'packed', [[packedField(5, PACKED.next), 7]]],
  ['whose free list begins nowhere', 'packed', [[PACKED.free, 65535], [PACKED.oldFree, 65535]]],
  ['with a list of no slots', 'packed', [[packedField(0, PACKED.slots), 0]]],
  ['with a list longer than it is', 'packed', [[packedField(3, PACKED.slots), 9]]],
  ['with a list that ends elsewhere', 'packed', [[packedField(1, PACKED.last), 1]]],
  ['with a list that leads nowhere', 'packed', [[packedField(1, PACKED.next), 65535]]],
  ['with two lists that share an entry', 'packed', [[packedField(1, PACKED.next), 3], [packedField(1, PACKED.last), 3]]],
] as const) {
  test(`${format}: a record ${what} is refused, and the next front side is served`, () => {
    const machine = killedWith(format, (records) => changes.forEach(([at, value]) => write16(records, at, value)));
    assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.inflight]]);
    assert.equal(fakeVhostUser.state, 0);
    assert.deepEqual(machine.taken(), []);
    assert.ok(fake.guardsIntact());
    fakeVhostUser.state = 1;
    machine.kill((records) => records.fill(0));
    machine.start();
    machine.finish();
  });
}

test('packed: a record with more in flight than the ring has slots is refused', () => {
  // 16 entries for a ring of 7; two more lists of two.
  killedWith('packed', (records) => {
    for (const entry of [4, 6]) {
      [[0, 1], [PACKED.last, entry + 1], [PACKED.slots, 2]].forEach(([field, value]) => write16(records, packedField(entry, field as number), value as number));
    }
    [PACKED.free, PACKED.oldFree].forEach((at) => write16(records, at, 8));
  }, 16, 7);
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.inflight]]);
});

test('packed: what was being taken when the process was killed is free again, and not in flight', () => {
  const machine = killedWith('packed', (records) => write16(records, packedField(4, 0), 1));
  assert.equal(read16(machine.records(), packedField(4, 0)), 0);
  machine.finish();
});

test('split: a list of the last batch that goes round is walked as often as the batch is long', () => {
  const machine = killedWith('split', (records) => {
    [[SPLIT.usedIndex, 65536 - 8], [SPLIT.lastBatch, 3], [splitField(3, SPLIT.next), 3]].forEach(([at, value]) => write16(records, at as number, value as number));
  });
  assert.deepEqual(refusals(), []);
  assert.equal(machine.taken().length, 3);
});

test('split: a record with more in flight than the driver made available gives the device no more than that', () => {
  const machine = killedWith('split', (records) => {
    for (let head = 0; head < 8; head++) {
      records[splitField(head, 0)] = 1;
    }
  });
  assert.equal(machine.device.flying.length, 3);
  assert.ok(fake.guardsIntact());
});

test('property: whatever the records hold, nothing throws and nothing outside the windows changes', () => {
  const word = fc.oneof(fc.constantFrom(0, 1, 2, 7, 8, 9, 15, 16, 0x7fff, 0x8000, 65535), fc.nat(65535));
  const writes = fc.array(fc.tuple(fc.nat(255), word), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom('split' as const, 'packed' as const), writes, writes, (format, before, during) => {
      const machine = killedWith(format, (records) => before.forEach(([at, value]) => write16(records, at * 2, value)));
      // Another process writes to the records while they are in use.
      during.forEach(([at, value]) => {
        write16(fake.bytes[messageWindow]?.subarray(recordsAt) as Uint8Array, at * 2, value);
        if (machine.device.flying.length > 0) {
          machine.land(at % machine.device.flying.length);
        }
        kick();
      });
      assert.ok(fake.guardsIntact());
    }),
    { numRuns: 300 },
  );
});
