// The entropy device: which bytes it writes, how many, and what it does without any.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceModel } from '../../../firmware/main.js';
import { allocate, entropy, seededNotForCryptography } from '../../../firmware/main.js';
import { fake } from '../../../hal/fake/port.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import type { DriverDevice } from '../../support/driver/device.js';
import type { Element, SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { bytesOf, setBytes } from '../../support/raw-ring.js';
import { BUFFERS, bringUp, settle } from '../../support/ring-bench.js';

const OLD = 0x5a;

class Bench {
  readonly bus: AmpBus;
  readonly device: DriverDevice;
  readonly queue: SplitQueue;

  constructor(model: DeviceModel = entropy({ number: 4 })) {
    this.bus = connectedTo([model]);
    const { device, queue } = bringUp(this.bus, 4, 16);
    this.device = device;
    this.queue = queue;
    setBytes(BUFFERS, new Uint8Array(0x8000).fill(OLD));
  }

  /** Asks once; returns the used length, or undefined when the buffer was kept. */
  ask(elements: readonly Element[]): number | undefined {
    this.queue.add(elements);
    this.queue.publish();
    this.device.kick(0);
    settle(this.bus);
    return this.queue.take()?.written;
  }
}

function writable(offset: number, bytes: number): Element {
  return { offset: BUFFERS + offset, bytes, writable: true };
}

test('device id 4, one queue of 64 by default, no configuration space, no feature but VERSION_1', () => {
  const { device } = new Bench();
  assert.deepEqual(device.info(), { deviceId: 4, vendorId: 0x1af4, featureBits: 64, configSize: 0, queues: 1 });
  assert.deepEqual(device.features(), [0, 1]);
  assert.equal(device.queueMaximum(0), 64);
});

test('ENT-1 ENT-2 R-353 the writable part is filled, over element borders, and nothing else', () => {
  const bench = new Bench();
  assert.equal(bench.ask([writable(1, 7), writable(0x100, 1), writable(0x200, 33)]), 41);
  [[1, 7], [0x100, 1], [0x200, 33]].forEach(([offset, bytes]) => {
    const from = BUFFERS + (offset ?? 0);
    const to = from + (bytes ?? 0);
    assert.deepEqual([bytesOf(from - 1, from), bytesOf(to, to + 1)], [[OLD], [OLD]]);
  });
  assert.ok(bytesOf(BUFFERS + 0x200, BUFFERS + 0x221).some((byte) => byte !== OLD));
});

test('ENT-1 two requests give different bytes', () => {
  const bench = new Bench();
  bench.ask([writable(0, 32)]);
  bench.ask([writable(0x100, 32)]);
  assert.notDeepEqual(bytesOf(BUFFERS, BUFFERS + 32), bytesOf(BUFFERS + 0x100, BUFFERS + 0x120));
});

test('ENT-1 R-422 a huge buffer is answered with at least one byte, all of them at its start', () => {
  const bench = new Bench();
  const written = bench.ask([writable(0, 0x8000)]) ?? 0;
  assert.ok(written >= 1 && written <= 0x8000);
  assert.ok(bytesOf(BUFFERS + written, BUFFERS + 0x8000).every((byte) => byte === OLD));
});

test('ENT-3 a readable part is ignored and left alone', () => {
  const bench = new Bench();
  assert.equal(bench.ask([{ offset: BUFFERS, bytes: 8, writable: false }, writable(0x100, 8)]), 8);
  assert.deepEqual(bytesOf(BUFFERS, BUFFERS + 8), new Array<number>(8).fill(OLD));
});

test('ENT-3 a request without writable bytes is given back with length 0', () => {
  assert.equal(new Bench().ask([{ offset: BUFFERS, bytes: 8, writable: false }]), 0);
});

test('ENT-1 R-353 when the source has fewer bytes than asked for, those given stand together at the start', () => {
  [1, 5, 9].forEach((left) => {
    const bench = new Bench();
    fake.randomLeft = left;
    const before = bytesOf(BUFFERS, BUFFERS + 16);
    const written = bench.ask([writable(0, 8), writable(8, 8)]) ?? 0;
    assert.equal(written, left);
    assert.deepEqual(bytesOf(BUFFERS + written, BUFFERS + 16), before.slice(written));
  });
});

test('R-353 a source that gives less than an element wants leaves no hole before the next element', () => {
  const bench = new Bench();
  // The source is empty after 4 of 8 bytes and has more when the next element is tried.
  const give = [4, 8];
  let fills = 0;
  Object.defineProperty(fake, 'randomLeft', { configurable: true, get: () => give[Math.min(fills, 1)], set: () => (fills += 1) });
  try {
    const written = bench.ask([writable(0, 8), writable(8, 8)]) ?? 0;
    const bytes = bytesOf(BUFFERS, BUFFERS + 16);
    assert.ok(written <= 4 || bytes.slice(4, 8).some((byte) => byte !== OLD), 'length ' + written + ' counts bytes that were never written');
  } finally {
    Object.defineProperty(fake, 'randomLeft', { configurable: true, writable: true, value: -1 });
  }
});

test('ENT-4 without random data the buffer is kept until there is some', () => {
  const bench = new Bench();
  fake.randomLeft = 0;
  assert.equal(bench.ask([writable(0, 16)]), undefined, 'kept');
  assert.equal(bench.device.status(), 0x0f);
  fake.randomLeft = -1;
  bench.device.kick(0);
  settle(bench.bus);
  assert.equal(bench.queue.take()?.written, 16);
});

test('ENT-4 kept buffers are filled in their order as soon as there is data, without another kick', () => {
  const bench = new Bench();
  fake.randomLeft = 0;
  bench.ask([writable(0, 16)]);
  bench.ask([writable(0x100, 16)]);
  fake.randomLeft = 16;
  const events = settle(bench.bus);
  assert.equal(events.length, 1);
  assert.deepEqual([bench.queue.take(), bench.queue.take()], [{ head: 0, written: 16 }, undefined]);
  assert.ok(bytesOf(BUFFERS, BUFFERS + 16).some((byte) => byte !== OLD));
  fake.randomLeft = -1;
  settle(bench.bus);
  assert.deepEqual(bench.queue.take(), { head: 1, written: 16 });
});

test('ENT-4 a buffer that is kept does not keep the firmware busy, nor a reset waiting', () => {
  const bench = new Bench();
  fake.randomLeft = 0;
  bench.ask([writable(0, 16)]);
  assert.equal(bench.device.setStatus(0), 0);
  assert.deepEqual(settle(bench.bus), []);
});

/** xorshift32, the highest byte of each state. */
function generator(seed: number, bytes: number): number[] {
  let state = seed;
  return Array.from({ length: bytes }, () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state >>> 24;
  });
}

test('ENT-1 ENT-2 R-353 a seeded source gives its stream, request after request, over element borders and a reset', () => {
  [1, 7, 0xffffffff, 0x80000000].forEach((seed) => {
    const bench = new Bench(entropy({ number: 4, backend: seededNotForCryptography({ seed }) }));
    const stream = generator(seed, 64 + 5 + 20);
    assert.equal(bench.ask([writable(0, 200)]), 64);
    assert.deepEqual(bytesOf(BUFFERS, BUFFERS + 65), [...stream.slice(0, 64), OLD]);
    assert.equal(bench.ask([writable(0x200, 2), writable(0x300, 3)]), 5);
    assert.deepEqual([bytesOf(BUFFERS + 0x200, BUFFERS + 0x203), bytesOf(BUFFERS + 0x300, BUFFERS + 0x304)], [
      [...stream.slice(64, 66), OLD],
      [...stream.slice(66, 69), OLD],
    ]);
    assert.equal(bench.ask([{ offset: BUFFERS, bytes: 8, writable: false }]), 0);
    bench.device.setStatus(0);
    const { device, queue } = bringUp(bench.bus, 4, 16);
    queue.add([writable(0x400, 20)]);
    queue.publish();
    device.kick(0);
    settle(bench.bus);
    assert.equal(queue.take()?.written, 20);
    assert.deepEqual(bytesOf(BUFFERS + 0x400, BUFFERS + 0x414), stream.slice(69));
  });
});

test('ENT-4 DT-G3 a source of one\'s own may give fewer bytes than asked for, and none until it has some', () => {
  const asked: number[] = [];
  let has = 0;
  let at = 0;
  const give = (_device: number, offset: number, bytes: number): number => {
    assert.equal(offset, at);
    asked.push(bytes);
    const words = fake.bytes[2] as Uint8Array;
    words.fill(0xc3, offset, offset + 64);
    return Math.min(has, bytes);
  };
  const bench = new Bench(entropy({ number: 4, backend: { type: { give }, attach: (): void => void (at = allocate(8) - 64) } }));
  assert.equal(bench.ask([writable(0, 16)]), undefined);
  has = 3;
  settle(bench.bus);
  assert.equal(bench.queue.take()?.written, 3);
  assert.deepEqual(bytesOf(BUFFERS, BUFFERS + 4), [0xc3, 0xc3, 0xc3, OLD]);
  assert.ok(asked.length >= 2 && asked.every((bytes) => bytes === 16));
});

test('a seed that the generator cannot begin with is refused with one sentence', () => {
  [0, -1, 1.5, 4294967296, NaN].forEach((seed) => {
    assert.throws(() => seededNotForCryptography({ seed }), /^Error: the seed of an entropy source is a whole number from 1 to 2\^32 - 1$/);
  });
});
