// The block device: every request type, every way to get one wrong, caches, latency, and a model disk under random requests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BlockBackend, BlockBackendType, BlockOptions } from '../../../firmware/main.js';
import { block, delayedDisk, flashDisk, ramDisk } from '../../../firmware/main.js';
import { blockDone, blockResize, blockRow, blockSector, blockSectors, BlockStatus, blockType, blockUnmap, recallBlock } from '../../../firmware/devices/block.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { Answer, BenchOptions, DeviceBench } from '../../support/device-bench.js';
import { benchOf, OLD } from '../../support/device-bench.js';
import { le32, le64, read16, read32 } from '../../support/driver/message.js';

const IN = 0;
const OUT = 1;
const FLUSH = 4;
const GET_ID = 8;
const DISCARD = 11;
const WRITE_ZEROES = 13;
const OK = 0;
const IOERR = 1;
const UNSUPP = 2;
const SECTORS = 64;

const F_FLUSH = 9;
const F_CONFIG_WCE = 11;
const F_MQ = 12;

function header(type: number, sector = 0, sectorHigh = 0): number[] {
  return le32(type).concat(le32(0), le64(sector, sectorHigh));
}

function segment(sector: number, sectors: number, flags = 0): number[] {
  return le64(sector, 0).concat(le32(sectors), le32(flags));
}

function pattern(sectors: number, seed: number): number[] {
  return Array.from({ length: sectors * 512 }, (_, at) => (at * 7 + seed * 31 + (at >> 8)) & 255);
}

function disk(options: Partial<BlockOptions> = {}, bench: BenchOptions = {}): DeviceBench {
  return benchOf(block({ number: 3, backend: ramDisk({ sectors: SECTORS }), ...options }), bench);
}

/** The status of an answer: the last byte. Everything before it has been counted or is untouched. */
function statusOf(answer: Answer | undefined): number {
  assert.ok(answer !== undefined && answer.bytes.length > 0, 'answered');
  return answer.bytes[answer.bytes.length - 1] ?? NaN;
}

function write(bench: DeviceBench, sector: number, data: readonly number[]): number {
  const answer = bench.ask(0, [header(OUT, sector), data], [1]);
  assert.equal(answer?.written, 1);
  return statusOf(answer);
}

function read(bench: DeviceBench, sector: number, sectors: number): number[] {
  const answer = bench.ask(0, [header(IN, sector)], [sectors * 512, 1]);
  assert.equal(statusOf(answer), OK);
  assert.equal(answer?.written, sectors * 512 + 1);
  return answer.bytes.slice(0, -1);
}

/** All of the disk. */
function content(bench: DeviceBench): number[] {
  return read(bench, 0, SECTORS);
}

test('device id 2, the features it can do, and a configuration space that fits them', () => {
  const { device } = disk({ queues: 2 });
  const { deviceId, queues } = device.info();
  assert.deepEqual([deviceId, queues], [2, 2]);
  // SIZE_MAX SEG_MAX GEOMETRY BLK_SIZE FLUSH TOPOLOGY CONFIG_WCE MQ DISCARD WRITE_ZEROES
  const bits = [1, 2, 4, 6, 9, 10, 11, 12, 13, 14];
  assert.equal(device.features()[0], bits.reduce((sum, bit) => sum + 2 ** bit, 0));
  const first = device.config(0, 40);
  const config = first.concat(device.config(40, 20));
  assert.deepEqual([read32(config, 0), read32(config, 4)], [SECTORS, 0]);
  assert.deepEqual([read32(config, 8), read32(config, 12)], [131072, 62]);
  assert.equal(read16(config, 16) * (config[18] ?? 0) * (config[19] ?? 0), SECTORS);
  assert.equal(read32(config, 20), 512);
  assert.deepEqual(config.slice(24, 34), [0, 0, 1, 0, 8, 0, 0, 0, 1, 0], 'topology and writeback');
  assert.equal(read16(config, 34), 2);
  assert.deepEqual([36, 40, 44, 48, 52].map((at) => read32(config, at)), [SECTORS, 1, 1, SECTORS, 1]);
  assert.deepEqual(config.slice(56, 60), [0, 0, 0, 0], 'BLK-8 BLK-14 nothing is released, padding is 0');
});

test('R-335 SEG_MAX leaves room for header and status in the smallest queue a driver may be given', () => {
  for (const [queueSize, most] of [[64, 62], [32, 30], [4, 2], [256, 62]] as const) {
    const { device } = disk({ queueSize });
    assert.equal(read32(device.config(12, 4), 0), most, `${queueSize} entries`);
  }
  assert.throws(() => disk({ queueSize: 2 }), /a queue has at least 4 entries/);
});

test('what was written is read back, the rest stays zero', () => {
  const bench = disk();
  assert.equal(write(bench, 3, pattern(2, 1)), OK);
  assert.deepEqual(content(bench), [...new Array<number>(3 * 512).fill(0), ...pattern(2, 1), ...new Array<number>((SECTORS - 5) * 512).fill(0)]);
});

test('DT-G1 header, data and status are found by position however they are split', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1039 }), { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 1024 }), { maxLength: 6 }), (r, w) => {
      const bench = disk();
      const all = header(OUT, 5).concat(pattern(2, 9));
      const cuts = [...new Set(r)].sort((a, b) => a - b);
      const parts = [...cuts, all.length].map((end, at) => all.slice(at === 0 ? 0 : cuts[at - 1], end)).filter((part) => part.length > 0);
      assert.equal(statusOf(bench.ask(0, parts, [1])), OK);
      const ends = [...new Set(w)].sort((a, b) => a - b);
      const sizes = [...ends, 1025].map((end, at) => end - (at === 0 ? 0 : (ends[at - 1] ?? 0)));
      const answer = bench.ask(0, [header(IN, 5).slice(0, 3), header(IN, 5).slice(3)], sizes);
      assert.deepEqual(answer?.bytes, [...pattern(2, 9), OK]);
      assert.equal(answer.written, 1025);
    }),
    { numRuns: 60 },
  );
});

test('DT-G4 without a byte for the status nothing is carried out and the used length is 0', () => {
  const bench = disk();
  assert.equal(bench.ask(0, [header(OUT, 0), pattern(1, 1)])?.written, 0);
  assert.deepEqual(content(bench), new Array<number>(SECTORS * 512).fill(0));
});

test('a header that is cut short ends in IOERR', () => {
  const bench = disk();
  [1, 4, 8, 15].forEach((length) => assert.equal(statusOf(bench.ask(0, [header(OUT).slice(0, length)], [1])), IOERR, `${length} bytes`));
  assert.equal(statusOf(bench.ask(0, [], [1])), IOERR);
});

test('BLK-4 beyond the end, overflow, and lengths that are not whole sectors end in IOERR and write nothing', () => {
  const bench = disk();
  const outs: [number, number, number][] = [
    [SECTORS, 0, 1], [SECTORS - 1, 0, 2], [0, 1, 1], [0xffffffff, 0xffffffff, 1], [0x7ffffff, 0, 1], [0x8000000, 0, 1], [0x10000, 0, 1],
  ];
  outs.forEach(([low, high, sectors]) => {
    assert.equal(statusOf(bench.ask(0, [header(OUT, low, high), pattern(sectors, 1)], [1])), IOERR, `write ${low} ${high}`);
    assert.equal(statusOf(bench.ask(0, [header(IN, low, high)], [512 * sectors, 1])), IOERR, `read ${low} ${high}`);
  });
  [1, 511, 513, 1023].forEach((bytes) => {
    assert.equal(statusOf(bench.ask(0, [header(OUT), new Array<number>(bytes).fill(1)], [1])), IOERR);
    assert.equal(statusOf(bench.ask(0, [header(IN)], [bytes, 1])), IOERR);
  });
  assert.deepEqual(content(bench), new Array<number>(SECTORS * 512).fill(0));
});

test('DT-G3 a read that fails is zero-filled and counted, so the status is inside the used length', () => {
  const answer = disk().ask(0, [header(IN, SECTORS)], [512, 1]);
  assert.equal(answer?.written, 513);
  assert.deepEqual(answer.bytes, [...new Array<number>(512).fill(0), IOERR]);
});

test('data in the wrong direction ends in IOERR', () => {
  const bench = disk();
  assert.equal(statusOf(bench.ask(0, [header(OUT)], [512, 1])), IOERR);
  assert.equal(statusOf(bench.ask(0, [header(IN), pattern(1, 1)], [1])), IOERR);
});

test('a request without data is answered OK at any place on the disk, its end included', () => {
  const bench = disk();
  [0, SECTORS].forEach((sector) => assert.equal(statusOf(bench.ask(0, [header(OUT, sector)], [1])), OK));
  assert.equal(statusOf(bench.ask(0, [header(OUT, SECTORS + 1)], [1])), IOERR);
});

test('BLK-5 BLK-11 unknown types, and those of features not offered, are UNSUPP', () => {
  const bench = disk();
  [2, 3, 5, 10, 14, 15, 16, 18, 20, 22, 24, 26, 0x10000, 0x10001, 0xffffffff].forEach((type) =>
    assert.equal(statusOf(bench.ask(0, [header(type)], [1])), UNSUPP, `type ${type}`),
  );
  const bare = disk({ backend: custom({ writeZeroes: false }) });
  [DISCARD, WRITE_ZEROES].forEach((type) => assert.equal(statusOf(bare.ask(0, [header(type), segment(0, 1)], [1])), UNSUPP));
});

test('GET_ID gives 20 bytes, padded with zeros, and IOERR for a buffer that cannot hold them', () => {
  const text = (bytes: readonly number[] = []): string => String.fromCharCode(...bytes.slice(0, 20));
  const short = disk({ id: 'abc' }).ask(0, [header(GET_ID)], [20, 1]);
  assert.equal(text(short?.bytes), 'abc' + '\0'.repeat(17));
  assert.equal(short?.written, 21);
  const full = disk({ id: 'exactly-twenty-chars' });
  assert.equal(text(full.ask(0, [header(GET_ID)], [20, 1])?.bytes), 'exactly-twenty-chars');
  assert.equal(statusOf(full.ask(0, [header(GET_ID)], [19, 1])), IOERR);
});

test('BLK-3 a read-only disk answers every kind of write with IOERR and changes nothing', () => {
  fake.bytes[0]?.fill(0);
  [{ readOnly: true }, { backend: flashDisk({ window: 'private', offset: 0x8000, sectors: SECTORS }) }].forEach((options) => {
    const bench = disk(options);
    assert.equal(((bench.device.features()[0] ?? 0) >> 5) & 1, 1, 'RO is offered');
    const before = content(bench);
    assert.equal(write(bench, 0, pattern(1, 1)), IOERR);
    [DISCARD, WRITE_ZEROES].forEach((type) => assert.equal(statusOf(bench.ask(0, [header(type), segment(0, 1)], [1])), IOERR));
    assert.equal(statusOf(bench.ask(0, [header(FLUSH)], [1])), OK);
    assert.deepEqual(content(bench), before);
  });
});

test('flash that the core sees as memory is read where it lies', () => {
  const bench = disk({ backend: flashDisk({ window: 'private', offset: 0x8000, sectors: 8 }) });
  fake.bytes[2]?.set(pattern(1, 77), 0x8000 + 512);
  assert.deepEqual(read(bench, 1, 1), pattern(1, 77));
});

test('BLK-7 WRITE_ZEROES leaves zeros, with and without UNMAP', () => {
  [0, 1].forEach((flags) => {
    const bench = disk();
    write(bench, 0, pattern(4, 3));
    assert.equal(statusOf(bench.ask(0, [header(WRITE_ZEROES), segment(1, 2, flags)], [1])), OK);
    assert.deepEqual(read(bench, 0, 4), [...pattern(4, 3).slice(0, 512), ...new Array<number>(1024).fill(0), ...pattern(4, 3).slice(1536)]);
  });
});

test('BLK-6 unknown flags, and UNMAP of DISCARD, are UNSUPP and change nothing', () => {
  const bench = disk();
  write(bench, 0, pattern(4, 3));
  const refused: [number, number][] = [[DISCARD, 1], [DISCARD, 2], [WRITE_ZEROES, 2], [WRITE_ZEROES, 0x80000000], [WRITE_ZEROES, 0x10001]];
  refused.forEach(([type, flags]) => assert.equal(statusOf(bench.ask(0, [header(type), segment(0, 4, flags)], [1])), UNSUPP));
  assert.deepEqual(read(bench, 0, 4), pattern(4, 3));
});

test('BLK-13 no segment, a part of one, two, and one beyond the disk end in IOERR and change nothing', () => {
  const bench = disk();
  write(bench, 0, pattern(4, 3));
  const lists = [[], segment(0, 1).slice(0, 15), [...segment(0, 1), ...segment(2, 1)], [...segment(0, 1), 0], segment(SECTORS, 1), segment(0, SECTORS + 1), segment(1, 0xffffffff), segment(0xffffffff, 1)];
  [DISCARD, WRITE_ZEROES].forEach((type) =>
    lists.forEach((list) => assert.equal(statusOf(bench.ask(0, list.length === 0 ? [header(type)] : [header(type), list], [1])), IOERR)),
  );
  assert.deepEqual(read(bench, 0, 4), pattern(4, 3));
});

test('DISCARD is carried out inside its range only', () => {
  const bench = disk();
  write(bench, 0, pattern(4, 3));
  assert.equal(statusOf(bench.ask(0, [header(DISCARD), segment(1, 1)], [1])), OK);
  assert.deepEqual(read(bench, 0, 1), pattern(4, 3).slice(0, 512));
  assert.deepEqual(read(bench, 2, 2), pattern(4, 3).slice(1024));
});

test('F_MQ every queue serves; without the feature there is one', () => {
  const bench = disk({ queues: 4 }, { features: [F_MQ], queues: [0, 1, 2, 3] });
  [0, 1, 2, 3].forEach((index) => assert.equal(statusOf(bench.ask(index, [header(OUT, index), pattern(1, index)], [1])), OK));
  [3, 2, 1, 0].forEach((index) => assert.deepEqual(bench.ask(3 - index, [header(IN, index)], [512, 1])?.bytes, [...pattern(1, index), OK]));
  assert.equal(disk({ queues: 4 }).device.queueMaximum(1), 0);
});

/** A RAM disk of the test's own that counts flushes; writes are in a cache until one. */
function custom({ writeZeroes = true }: { writeZeroes?: boolean } = {}): BlockBackend & { flushes: number } {
  const ram = ramDisk({ sectors: SECTORS });
  const type: BlockBackendType = {
    read: ram.type.read,
    ...(ram.type.write === undefined ? {} : { write: ram.type.write }),
    flush: (): number => {
      backend.flushes += 1;
      return OK;
    },
    ...(writeZeroes && ram.type.writeZeroes !== undefined ? { writeZeroes: ram.type.writeZeroes } : {}),
  };
  const backend = { type, sectors: SECTORS, flushes: 0, attach: ram.attach };
  return backend;
}

test('BLK-9 a write is followed by a flush unless the driver has FLUSH, or CONFIG_WCE with writeback 1', () => {
  const cases: [number[], number][] = [[[], 1], [[F_FLUSH], 0], [[F_FLUSH, F_CONFIG_WCE], 0], [[F_CONFIG_WCE], 1]];
  cases.forEach(([features, expected]) => {
    const backend = custom();
    const bench = disk({ backend }, { features });
    assert.equal(write(bench, 0, pattern(1, 1)), OK);
    assert.equal(backend.flushes, expected, `features ${features.join(' ')}`);
    assert.equal(statusOf(bench.ask(0, [header(WRITE_ZEROES), segment(0, 1)], [1])), OK);
    assert.equal(backend.flushes, 2 * expected);
    read(bench, 0, 1);
    assert.equal(backend.flushes, 2 * expected, 'reads need none');
  });
});

test('BLK-9 a write, a zeroing and a discard that a backend finishes later are stable before they are answered; a read needs no flush', () => {
  [1, 0].forEach((expected) => {
    const asked: string[] = [];
    const rows: number[] = [];
    let flushLater = false;
    const later = (name: string) => (): number => {
      asked.push(name);
      rows.push(blockRow);
      return BlockStatus.Later;
    };
    const type: BlockBackendType = {
      read: later('read'), write: later('write'), writeZeroes: later('zero'), discard: later('discard'),
      flush: (): number => {
        asked.push('flush');
        return flushLater ? BlockStatus.Later : BlockStatus.Ok;
      },
    };
    const bench = disk({ backend: { type, sectors: SECTORS, requests: 4, attach: (): void => undefined } }, { features: expected === 1 ? [] : [F_FLUSH] });
    const done = (status: number): number | undefined => {
      blockDone(0, rows[rows.length - 1] ?? NaN, status);
      bench.settle();
      return bench.take(0)?.bytes.slice(-1)[0];
    };
    const requests: [string, number, readonly number[]][] = [['write', OUT, pattern(1, 1)], ['zero', WRITE_ZEROES, segment(0, 1)], ['discard', DISCARD, segment(0, 1)]];
    requests.forEach(([name, number, data]) => {
      [false, true].forEach((isLate) => {
        flushLater = isLate;
        asked.length = 0;
        assert.equal(bench.ask(0, [header(number, 0), data], [1]), undefined);
        const first = done(OK);
        assert.equal(first, isLate && expected === 1 ? undefined : OK);
        assert.deepEqual(asked, expected === 1 ? [name, 'flush'] : [name]);
        assert.equal(first ?? done(OK), OK);
        assert.equal(asked.length, 1 + expected, 'flushed once');
      });
      asked.length = 0;
      assert.equal(bench.ask(0, [header(number, 0), data], [1]), undefined);
      assert.deepEqual([done(IOERR), asked], [IOERR, [name]], 'what failed is not flushed');
    });
    asked.length = 0;
    assert.equal(bench.ask(0, [header(IN, 0)], [512, 1]), undefined);
    assert.deepEqual([done(OK), asked], [OK, ['read']]);
  });
});

test('BLK-12 a kept request comes back to its backend as it was: type, first sector, sectors, UNMAP, and its data', () => {
  const rows: number[] = [];
  const later = (): number => {
    rows.push(blockRow);
    return BlockStatus.Later;
  };
  const type: BlockBackendType = { read: later, write: later, writeZeroes: later, discard: later, flush: later };
  const bench = disk({ backend: { type, sectors: 0x12345, requests: 8, attach: (): void => undefined } }, { features: [F_FLUSH] });
  bench.offer(0, [header(OUT, 0x10007), pattern(2, 5)], [1]);
  bench.offer(0, [header(WRITE_ZEROES), segment(0x12300, 5, 1)], [1]);
  bench.offer(0, [header(WRITE_ZEROES), segment(1, 6, 0)], [1]);
  bench.offer(0, [header(DISCARD), segment(2, 7)], [1]);
  bench.offer(0, [header(IN, 3)], [512, 1]);
  bench.kick(0);
  const kept = rows.map((row) => {
    assert.ok(recallBlock(0, row));
    return [blockType(), blockSector(), blockSectors(), blockUnmap()];
  });
  assert.deepEqual(kept, [[OUT, 0x10007, 2, 0], [WRITE_ZEROES, 0x12300, 5, 1], [WRITE_ZEROES, 1, 6, 0], [DISCARD, 2, 7, 0], [IN, 3, 1, 0]]);
  rows.slice().reverse().forEach((row) => blockDone(0, row, BlockStatus.Ok));
  bench.settle();
  assert.deepEqual(bench.takeAll(0).map((answer) => statusOf(answer)), [OK, OK, OK, OK, OK]);
  bench.device.setStatus(0);
  assert.equal(recallBlock(0, rows[0] ?? NaN), false, 'after a reset it is forgotten');
});

/** SET_CONFIG with the present generation count; returns how many bytes were applied. */
function setConfig(bench: DeviceBench, offset: number, bytes: readonly number[]): number {
  const generation = bench.device.request('GET_CONFIG', 5, le32(0).concat(le32(1))).slice(0, 4);
  const answer = bench.device.request('SET_CONFIG', 6, [...generation, ...le32(offset), ...le32(bytes.length), ...bytes]);
  return read32(answer, 8);
}

test('BLK-1 BLK-2 writeback starts at 1 with FLUSH and at 0 without it, and a reset brings it back', () => {
  const bench = disk({}, { features: [F_CONFIG_WCE] });
  assert.deepEqual(bench.device.config(32, 1), [0]);
  bench.device.setStatus(0);
  assert.deepEqual(bench.device.config(32, 1), [1]);
  assert.deepEqual(disk({}, { features: [F_FLUSH, F_CONFIG_WCE] }).device.config(32, 1), [1]);
});

test('BLK-9 with CONFIG_WCE the driver turns the cache off and on; nothing else of the space can be written', () => {
  const backend = custom();
  const bench = disk({ backend }, { features: [F_FLUSH, F_CONFIG_WCE] });
  assert.equal(setConfig(bench, 32, [0]), 1);
  write(bench, 0, pattern(1, 1));
  assert.equal(backend.flushes, 1);
  assert.equal(setConfig(bench, 32, [1]), 1);
  write(bench, 0, pattern(1, 1));
  assert.equal(backend.flushes, 1);
  assert.deepEqual([setConfig(bench, 32, [2]), setConfig(bench, 32, [0, 0]), setConfig(bench, 0, [9]), setConfig(bench, 31, [0])], [0, 0, 0, 0]);
  assert.equal(setConfig(disk({}, { features: [F_FLUSH] }), 32, [0]), 0, 'not without the feature');
});

test('BLK-10 a disk that shrinks and grows tells the driver once each time, and its new end is the end', () => {
  const bench = disk();
  const sizes = (): number[] => [[0, 4], [4, 4], [36, 4], [48, 4]].map(([offset, length]) => read32(bench.device.config(offset as number, length as number), 0));
  assert.deepEqual([sizes(), read16(bench.device.config(16, 2), 0)], [[64, 0, 64, 64], 64]);
  write(bench, 31, pattern(1, 5));
  const generation = (): number => read32(bench.device.request('GET_CONFIG', 5, le32(0).concat(le32(1))), 0);
  const before = generation();
  bench.events.splice(0);
  blockResize(0, 32);
  bench.settle();
  assert.deepEqual(bench.events.splice(0).map(({ id, payload }) => [id, read32(payload, 8), read32(payload, 12)]), [[0x40, 0, 8]]);
  assert.notEqual(generation(), before, 'R-205 the generation moves');
  assert.deepEqual([sizes(), read16(bench.device.config(16, 2), 0)], [[32, 0, 32, 32], 32]);
  assert.deepEqual(read(bench, 31, 1), pattern(1, 5));
  assert.deepEqual([32, 31].map((sector) => statusOf(bench.ask(0, [header(OUT, sector), pattern(2, 6)], [1]))), [IOERR, IOERR]);
  assert.equal(statusOf(bench.ask(0, [header(WRITE_ZEROES), segment(0, 33)], [1])), IOERR);
  blockResize(0, SECTORS);
  bench.settle();
  assert.equal(bench.events.filter(({ id }) => id === 0x40).length, 1);
  assert.equal(write(bench, 63, pattern(1, 7)), OK);
  assert.deepEqual(read(bench, 32, 1), pattern(1, 0).map(() => 0), 'what was refused was not written');
});

test('BLK-10 the geometry of a large disk follows, a disk that cannot discard keeps its zeros', () => {
  const type: BlockBackendType = { read: (): number => 0 };
  const bench = benchOf(block({ number: 3, backend: { type, sectors: 100000000, attach: (): void => undefined } }));
  assert.deepEqual([read16(bench.device.config(16, 2), 0), ...bench.device.config(18, 2)], [65535, 16, 63]);
  blockResize(0, 1008 * 300 + 5);
  assert.deepEqual([read32(bench.device.config(0, 4), 0), read16(bench.device.config(16, 2), 0)], [302405, 300]);
  assert.deepEqual([36, 40, 44, 48, 52].map((offset) => read32(bench.device.config(offset, 4), 0)), [0, 0, 0, 0, 0]);
  blockResize(0, 134217727);
  assert.equal(read32(bench.device.config(0, 4), 0), 134217727);
});

test('BLK-12 a disk with latency answers when it is done, several requests at once, and its queue is told', () => {
  const bench = disk({ backend: delayedDisk({ sectors: SECTORS, microseconds: 5000, requests: 4 }) });
  bench.offer(0, [header(OUT, 0), pattern(1, 1)], [1]);
  bench.kick(0);
  bench.wait(3000);
  bench.offer(0, [header(OUT, 1), pattern(1, 2)], [1]);
  bench.kick(0);
  assert.equal(bench.take(0), undefined);
  bench.usedEvents();
  bench.wait(2000);
  assert.equal(statusOf(bench.take(0)), OK);
  assert.deepEqual(bench.usedEvents(), [0]);
  assert.equal(bench.take(0), undefined);
  bench.wait(3000);
  assert.equal(statusOf(bench.take(0)), OK);
  bench.offer(0, [header(IN, 0)], [1024, 1]);
  bench.kick(0);
  bench.wait(5000);
  assert.deepEqual(bench.take(0)?.bytes, [...pattern(1, 1), ...pattern(1, 2), OK]);
});

test('a disk with uneven latency finishes requests out of order, each with its own data', () => {
  const bench = disk({ backend: delayedDisk({ sectors: SECTORS, microseconds: 1000, requests: 4, uneven: true }) });
  const heads = [0, 1, 2].map((sector) => bench.offer(0, [header(OUT, sector), pattern(1, sector + 1)], [1]));
  bench.kick(0);
  bench.wait(1500);
  assert.deepEqual(bench.takeAll(0).map(({ head }) => head), [heads[0], heads[2]]);
  bench.wait(7000);
  assert.deepEqual(bench.takeAll(0).map(({ head }) => head), [heads[1]]);
  bench.offer(0, [header(IN)], [3 * 512, 1]);
  bench.kick(0);
  bench.wait(1500);
  assert.deepEqual(bench.take(0)?.bytes.slice(0, -1), [1, 2, 3].flatMap((value) => [...pattern(1, value)]));
});

test('more requests than a backend takes at once wait in the queue and are all carried out', () => {
  const bench = disk({ backend: delayedDisk({ sectors: SECTORS, microseconds: 2000, requests: 2 }) });
  for (let sector = 0; sector < 9; sector++) {
    bench.offer(0, [header(OUT, sector), pattern(1, sector)], [1]);
  }
  bench.kick(0);
  bench.wait(20000);
  assert.deepEqual(bench.takeAll(0).map(statusOf), new Array<number>(9).fill(OK));
  bench.offer(0, [header(IN)], [9 * 512, 1]);
  bench.kick(0);
  bench.wait(3000);
  assert.deepEqual(bench.take(0)?.bytes.slice(0, -1), Array.from({ length: 9 }, (_, sector) => pattern(1, sector)).flat());
});

test('DT-G6 a request with more elements than a backend that answers later keeps ends in IOERR', () => {
  const bench = disk({ backend: delayedDisk({ sectors: SECTORS, microseconds: 1000 }) });
  assert.equal(read32(bench.device.config(12, 4), 0), 16, 'seg_max says so');
  const data = pattern(1, 1);
  assert.equal(statusOf(bench.ask(0, [header(OUT), ...Array.from({ length: 17 }, (_, at) => data.slice(at * 30, at === 16 ? 512 : at * 30 + 30))], [1])), IOERR);
});

test('R-163 a reset forgets requests under way: they are not carried out and nothing of an earlier life is touched', () => {
  const bench = disk({ backend: delayedDisk({ sectors: SECTORS, microseconds: 5000 }) });
  bench.offer(0, [header(OUT, 0), pattern(1, 1)], [1]);
  bench.kick(0);
  bench.device.setStatus(0);
  const before = fake.bytes[0]?.slice(0x8000);
  bench.wait(10000);
  assert.deepEqual(fake.bytes[0]?.slice(0x8000), before);
  bench.start();
  bench.offer(0, [header(IN, 0)], [512, 1]);
  bench.kick(0);
  bench.wait(6000);
  assert.deepEqual(bench.take(0)?.bytes, [...new Array<number>(512).fill(0), OK]);
});

test('two disks of one type keep their sectors apart', () => {
  const second = block({ number: 4, backend: ramDisk({ sectors: SECTORS }) });
  const bench = benchOf(block({ number: 3, backend: ramDisk({ sectors: SECTORS }) }), {}, [second]);
  write(bench, 0, pattern(1, 1));
  assert.ok(fake.bytes[2]?.includes(pattern(1, 1)[5] ?? 0));
  assert.equal(content(bench).filter((byte) => byte !== 0).length, pattern(1, 1).filter((byte) => byte !== 0).length);
});

test('options that cannot be are refused with one sentence', () => {
  const wrong: [Partial<BlockOptions>, RegExp][] = [
    [{ blockSize: 513 }, /a block size is/],
    [{ blockSize: 4096, backend: ramDisk({ sectors: 9 }) }, /a multiple of the block size/],
    [{ queues: 17 }, /1 to 16 queues/],
    [{ id: 'more than twenty characters' }, /at most 20 ASCII/],
    [{ backend: ramDisk({ sectors: 0 }) }, /its size is/],
  ];
  wrong.forEach(([options, reason]) => assert.throws(() => block({ number: 1, backend: ramDisk({ sectors: 8 }), ...options }), reason));
  assert.throws(() => flashDisk({ window: 'nowhere', offset: 0, sectors: 1 }), /no window "nowhere"/);
  assert.throws(() => flashDisk({ window: 'private', offset: 261633, sectors: 1 }), /does not lie in window/);
});

interface Step {
  kind: number;
  sector: number;
  sectors: number;
  seed: number;
}

[false, true].forEach((packed) =>
  [false, true].forEach((later) => {
    const name = `${packed ? 'packed' : 'split'} ring, ${later ? 'answers later' : 'answers at once'}`;
    test(`a model disk under random requests with resets: every acknowledged write is there, no other byte changes (${name})`, () => {
      const steps = fc.array(
        fc.record({ kind: fc.integer({ min: 0, max: 9 }), sector: fc.integer({ min: 0, max: SECTORS + 1 }), sectors: fc.integer({ min: 0, max: 6 }), seed: fc.nat({ max: 250 }) }),
        { minLength: 1, maxLength: 24 },
      );
      fc.assert(
        fc.property(steps, (list) => {
          const backend = later ? delayedDisk({ sectors: SECTORS, microseconds: 700, requests: 3 }) : ramDisk({ sectors: SECTORS });
          const bench = disk({ backend }, { packed });
          const model = new Uint8Array(SECTORS * 512);
          // Sectors whose write was under way at a reset may hold either content.
          const unknown = new Set<number>();
          list.forEach((step) => runStep(bench, model, unknown, step));
          bench.offer(0, [header(IN)], [SECTORS * 512, 1]);
          bench.kick(0);
          bench.wait(2000);
          const now = bench.take(0)?.bytes ?? [];
          for (let sector = 0; sector < SECTORS; sector++) {
            if (!unknown.has(sector)) {
              assert.deepEqual(now.slice(sector * 512, sector * 512 + 512), Array.from(model.subarray(sector * 512, sector * 512 + 512)), `sector ${sector}`);
            }
          }
          assert.ok(fake.guardsIntact());
        }),
        { numRuns: 25 },
      );
    });
  }),
);

function runStep(bench: DeviceBench, model: Uint8Array, unknown: Set<number>, { kind, sector, sectors, seed }: Step): void {
  const fits = sector + sectors <= SECTORS;
  const touch = (change: () => void): void => {
    change();
    for (let at = sector; at < sector + sectors; at++) {
      unknown.delete(at);
    }
  };
  const data = pattern(sectors, seed);
  const parts = sectors === 0 ? [header(OUT, sector)] : [header(OUT, sector), data];
  if (kind === 9) {
    // A write, and a reset before its answer.
    bench.offer(0, parts, [1]);
    bench.kick(0);
    const acknowledged = bench.take(0) !== undefined;
    bench.device.setStatus(0);
    bench.start();
    if (fits && acknowledged) {
      touch(() => model.set(data, sector * 512));
    } else if (fits) {
      for (let at = sector; at < sector + sectors; at++) {
        unknown.add(at);
      }
    }
    return;
  }
  const clear = kind >= 7;
  const type = kind === 7 ? WRITE_ZEROES : DISCARD;
  if (kind < 3) {
    bench.offer(0, [header(IN, sector)], [sectors * 512 + 1]);
  } else {
    bench.offer(0, clear ? [header(type), segment(sector, sectors)] : parts, [1]);
  }
  bench.kick(0);
  bench.wait(2000);
  const answer = bench.take(0);
  assert.equal(statusOf(answer), fits ? OK : IOERR);
  if (fits && kind >= 3) {
    touch(() => (clear ? model.fill(0, sector * 512, (sector + sectors) * 512) : model.set(data, sector * 512)));
  } else if (fits && kind < 3) {
    for (let at = sector; at < sector + sectors; at++) {
      if (!unknown.has(at)) {
        const from = (at - sector) * 512;
        assert.deepEqual(answer?.bytes.slice(from, from + 512), Array.from(model.subarray(at * 512, at * 512 + 512)));
      }
    }
  }
}

test('DT-G3 bytes behind the used length are as the driver left them', () => {
  const answer = disk().ask(0, [header(IN, SECTORS)], [66048, 1]);
  assert.equal(answer?.written, 0);
  assert.ok(answer.bytes.slice(0, -1).every((byte) => byte === OLD));
  assert.equal(answer.bytes.at(-1), IOERR);
});
