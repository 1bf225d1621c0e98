// One table over all device types: each kind of malformed request gets the answer the specification asks for, and the next request is served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, can, console as consoleDevice, echo, entropy, gpio, i2c, input, loopBack, network, ramDisk, rtc, scmi, spi } from '../../../firmware/main.js';
import type { DeviceModel } from '../../../firmware/main.js';
import { fake } from '../../../hal/fake/port.js';
import type { Answer, BenchOptions } from '../../support/device-bench.js';
import { benchOf, DeviceBench } from '../../support/device-bench.js';
import { le32, le64 } from '../../support/driver/message.js';

/** Status bit of a device that only a reset can help. */
const NEEDS_RESET = 64;
/** Descriptors of the largest chain. */
const MOST = 64;

/** Where the status of an answer stands; a queue without answers gives length 0. */
type Place = 'first' | 'last' | 'word at 4' | 'none';

interface Row {
  readonly name: string;
  readonly model: (number: number) => DeviceModel;
  readonly features?: readonly number[];
  readonly queues: readonly number[];
  readonly queue: number;
  /** Brings a started device to where the request can be served. */
  readonly prepare?: (bench: DeviceBench) => void;
  /** A request that is served: its readable part, and the length of its writable part. */
  readonly readable: readonly number[];
  readonly writable: number;
  /** What comes back, the whole writable part; undefined = any bytes. */
  readonly answer?: readonly number[];
  /** Used length of a good answer; the writable part by default. */
  readonly written?: number;
  readonly status: Place;
  /** Bytes a request must have at least, and the status of one that has fewer; undefined = given back with length 0. */
  readonly head: number;
  readonly short?: number;
  /** The status when nothing is readable; `short` by default. */
  readonly nothing?: number;
  /** Requests of a kind there is none of, or with a length that cannot be, and their status. */
  readonly wrong?: readonly { readonly what: string; readonly readable: readonly number[]; readonly writable?: number; readonly status: number }[];
  /** Looks at what a good request did elsewhere. */
  readonly after?: (bench: DeviceBench) => void;
}

const zeros = (length: number): number[] => new Array<number>(length).fill(0);
const frame = Array.from({ length: 60 }, (_, at) => (at < 6 ? 0x02 : at));
const sector = Array.from({ length: 512 }, (_, at) => (at * 5) & 255);
const blockHead = (type: number, at: number): number[] => le32(type).concat(le32(0), le64(at, 0));
const spiHead = [0, 8, 0, 0, 0, 0, 0, 0, ...le32(0), ...le32(1000), ...zeros(16)];
const canFrame = [1, 0, 8, 0, 0, 0, 0, 0, ...le32(0), ...le32(0x123), 1, 2, 3, 4, 5, 6, 7, 8];

/** The frame or text that a loop gives back on `queue`, behind `skip` bytes. */
function comesBack(queue: number, skip: number, bytes: readonly number[]): (bench: DeviceBench) => void {
  return (bench) => {
    bench.offer(queue, [], [skip + bytes.length]);
    bench.kick(queue);
    assert.deepEqual(bench.take(queue)?.bytes.slice(skip), bytes);
  };
}

const rows: readonly Row[] = [
  { name: 'entropy', model: (number) => entropy({ number }), queues: [0], queue: 0, readable: [], writable: 16, status: 'none', head: 0 },
  {
    name: 'console transmitq', model: (number) => consoleDevice({ number, ports: [{ backend: echo() }] }), queues: [0, 1], queue: 1,
    readable: [104, 105], writable: 0, status: 'none', head: 0, after: comesBack(0, 0, [104, 105]),
  },
  {
    name: 'console control transmitq', model: (number) => consoleDevice({ number, ports: [{ backend: echo() }, { backend: echo() }] }), features: [1],
    queues: [0, 1, 2, 3], queue: 3, readable: [9, 0, 0, 0, 99, 0, 1, 0], writable: 0, status: 'none', head: 8,
  },
  {
    name: 'block', model: (number) => block({ number, backend: ramDisk({ sectors: 8 }) }), queues: [0], queue: 0,
    readable: [...blockHead(1, 2), ...sector], writable: 1, answer: [0], status: 'last', head: 16, short: 1,
    wrong: [
      { what: 'an unknown type', readable: blockHead(99, 0), status: 2 },
      { what: 'a length that is no multiple of a sector', readable: [...blockHead(1, 2), ...sector, 0], status: 1 },
      { what: 'data that is cut short', readable: [...blockHead(1, 2), ...sector.slice(1)], status: 1 },
      { what: 'a sector beyond the end', readable: [...blockHead(1, 8), ...sector], status: 1 },
      { what: 'a read into a part of a sector', readable: blockHead(0, 0), writable: 100, status: 1 },
      { what: 'a write whose data is writable', readable: blockHead(1, 2), writable: 513, status: 1 },
      { what: 'a read whose data is readable', readable: [...blockHead(0, 2), ...sector], status: 1 },
      { what: 'a segment that is cut short', readable: [...blockHead(13, 0), ...zeros(15)], status: 1 },
    ],
  },
  {
    name: 'network transmitq', model: (number) => network({ number, backend: loopBack() }), features: [5], queues: [0, 1], queue: 1,
    readable: [...zeros(12), ...frame], writable: 0, status: 'none', head: 13, after: comesBack(0, 12, frame),
  },
  {
    name: 'network controlq', model: (number) => network({ number, backend: loopBack() }), features: [17, 18, 23], queues: [0, 1, 2], queue: 2,
    readable: [0, 0, 1], writable: 1, answer: [0], status: 'first', head: 3, short: 1,
    wrong: [
      { what: 'an unknown class', readable: [99, 0, 1], status: 1 },
      { what: 'an unknown command', readable: [0, 99, 1], status: 1 },
      { what: 'a command with too much', readable: [0, 0, 1, 1], status: 1 },
      { what: 'a table that says more than it has', readable: [1, 0, ...le32(2), ...zeros(6), ...le32(0)], status: 1 },
    ],
  },
  {
    name: 'gpio', model: (number) => gpio({ number, lines: 2 }), queues: [0], queue: 0, readable: [2, 0, 0, 0, ...le32(0)], writable: 2, answer: [0, 0],
    status: 'first', head: 8, short: 1, wrong: [{ what: 'an unknown type', readable: [99, 0, 0, 0, ...le32(0)], status: 1 }, { what: 'a line there is none of', readable: [2, 0, 2, 0, ...le32(0)], status: 1 }],
  },
  {
    name: 'i2c', model: (number) => i2c({ number }), features: [0], queues: [0], queue: 0, readable: [0x90, 0, 0, 0, ...le32(0), 0], writable: 1, answer: [0],
    status: 'last', head: 8, short: 1,
    wrong: [{ what: 'an unknown flag', readable: [0x90, 0, 0, 0, ...le32(4), 0], status: 1 }, { what: 'a read without room', readable: [0x90, 0, 0, 0, ...le32(2), 0], status: 1 }, { what: 'a segment beyond the buffer', readable: [0x90, 0, 0, 0, ...le32(0), ...zeros(4096)], status: 1 }],
  },
  {
    name: 'spi', model: (number) => spi({ number }), queues: [0], queue: 0, readable: [...spiHead, 1, 2, 3, 4], writable: 5, answer: [1, 2, 3, 4, 0], status: 'last', head: 32, short: 1,
    wrong: [{ what: 'parts of different length', readable: [...spiHead, 1, 2, 3], status: 1 }, { what: 'a chip there is none of', readable: [9, ...spiHead.slice(1), 1, 2, 3, 4], status: 1 }],
  },
  {
    name: 'rtc', model: (number) => rtc({ number }), queues: [0], queue: 0, readable: [1, ...zeros(15)], writable: 16, status: 'first', head: 16, short: 4,
    wrong: [{ what: 'an unknown type', readable: [99, ...zeros(15)], status: 2 }, { what: 'a clock there is none of', readable: [1, ...zeros(7), 9, ...zeros(7)], status: 3 }, { what: 'too little room for the response', readable: [1, ...zeros(15)], writable: 15, status: 4 }],
  },
  {
    name: 'can txq', model: (number) => can({ number }), features: [0], queues: [0, 1, 2], queue: 0,
    prepare: (bench): void => assert.deepEqual(bench.ask(2, [[1, 2]], [1])?.bytes, [0]),
    readable: canFrame, writable: 1, answer: [0], status: 'first', head: 16, short: 1,
    wrong: [{ what: 'an unknown type', readable: [2, ...canFrame.slice(1)], status: 1 }, { what: 'data that is cut short', readable: canFrame.slice(0, -1), status: 1 }],
    after: comesBack(1, 16, canFrame.slice(16)),
  },
  {
    name: 'can controlq', model: (number) => can({ number }), features: [0], queues: [0, 1, 2], queue: 2, readable: [1, 2], writable: 1, answer: [0], status: 'first', head: 2, short: 1,
    wrong: [{ what: 'an unknown type', readable: [9, 2], status: 1 }],
  },
  { name: 'input statusq', model: (number) => input({ number, name: 'key' }), queues: [0, 1], queue: 1, readable: [0x11, 0, 0, 0, 1, 0, 0, 0], writable: 0, status: 'none', head: 8 },
  {
    name: 'scmi', model: (number) => scmi({ number }), queues: [0], queue: 0, readable: le32(0x10 << 10), writable: 12, answer: [...le32(0x10 << 10), ...le32(0), ...le32(0x20000)],
    status: 'word at 4', head: 4, wrong: [{ what: 'an unknown protocol', readable: le32(0x77 << 10), status: 0xff }, { what: 'an unknown command', readable: le32((0x10 << 10) | 99), status: 0xff }],
  },
];

/** Descriptors of the row's rings: as many as the longest chain, where the device has such queues. */
const sizeOf = (row: Row): number => Math.min(MOST, ...row.model(1).queueSizes);

const optionsOf = (row: Row): BenchOptions => ({ queues: row.queues, size: sizeOf(row), ...(row.features === undefined ? {} : { features: row.features }) });

function start(row: Row): DeviceBench {
  const bench = benchOf(row.model(1), optionsOf(row));
  row.prepare?.(bench);
  return bench;
}

/** The status an answer shows; 'none' where its length is 0. */
function statusOf(row: Row, answer: Answer | undefined): number | 'none' {
  assert.ok(answer !== undefined, 'the request comes back');
  if (answer.written === 0) {
    return 'none';
  }
  const at = row.status === 'first' ? 0 : row.status === 'last' ? answer.bytes.length - 1 : 4;
  assert.ok(row.status !== 'none' && at < answer.written, 'the status is among the bytes that were written');
  return answer.bytes[at] as number;
}

function expectGood(row: Row, bench: DeviceBench, answer: Answer | undefined): void {
  assert.equal(answer?.written, row.written ?? row.writable);
  if (row.answer !== undefined) {
    assert.deepEqual(answer.bytes, row.answer);
  } else if (row.status !== 'none') {
    assert.equal(statusOf(row, answer), 0);
  }
  row.after?.(bench);
}

/** A malformed request: it comes back once, with `status`; the next one is served, and the device needs no reset. */
function expectStatus(row: Row, bench: DeviceBench, what: string, readable: readonly (readonly number[])[], writable: readonly number[], status: number | 'none'): void {
  const answer = bench.ask(row.queue, readable, writable);
  assert.equal(statusOf(row, answer), status, what);
  assert.equal(bench.take(row.queue), undefined, `${what}: once`);
  expectGood(row, bench, bench.ask(row.queue, row.readable.length === 0 ? [] : [row.readable], row.writable === 0 ? [] : [row.writable]));
  assert.equal(bench.device.status() & NEEDS_RESET, 0, what);
  assert.ok(fake.guardsIntact(), what);
}

/** Pieces of one byte, as many as `most` allows; the last piece is the rest. */
function pieces<T>(list: readonly T[], most: number): T[][] {
  const single = Math.max(0, Math.min(list.length, most - 1));
  return [...list.slice(0, single).map((one) => [one]), ...(list.length > single ? [list.slice(single)] : [])];
}

for (const row of rows) {
  const { name, readable, writable } = row;
  const room = writable === 0 ? [] : [writable];
  const whole = readable.length === 0 ? [] : [readable];

  test(`DT-G1 ${name}: a request in pieces of one byte, status alone, empty elements between, is the same request`, () => {
    const bench = start(row);
    const answers = Math.min(writable, sizeOf(row) >> 1);
    const parts = [pieces(readable, sizeOf(row) - answers), pieces(zeros(writable), answers).map((part) => part.length)] as const;
    expectGood(row, bench, bench.ask(row.queue, ...parts));
    // The longest chain there can be.
    const filling = sizeOf(row) - parts[0].length - parts[1].length;
    const half = filling >> 1;
    expectGood(row, bench, bench.ask(row.queue, [...new Array<number[]>(half).fill([]), ...parts[0]], [...parts[1], ...zeros(filling - half)]));
    if (writable > 1) {
      expectGood(row, bench, bench.ask(row.queue, whole, [writable - 1, 1]));
    }
    assert.equal(bench.device.status() & NEEDS_RESET, 0);
  });

  test(`DT-G4 ${name}: without room for a status, and with nothing at all, the length is 0`, () => {
    const bench = start(row);
    if (writable > 0) {
      if (whole.length > 0) {
        expectStatus(row, bench, 'no status byte', whole, [], 'none');
      }
      expectStatus(row, bench, 'the answer\'s room is readable', [...whole, zeros(writable)], [], 'none');
    }
    expectStatus(row, bench, 'an empty chain', [[]], [], 'none');
    expectStatus(row, bench, 'an empty writable element', [], [0], 'none');
  });

  test(`DT-G6 ${name}: every length of a head that is too short has its status, cut or whole`, () => {
    const bench = start(row);
    for (let bytes = 0; bytes < row.head; bytes++) {
      const status = writable === 0 || row.short === undefined ? 'none' : row.short;
      expectStatus(row, bench, `${bytes} bytes`, bytes === 0 ? [] : [readable.slice(0, bytes)], bytes === 0 && writable === 0 ? [0] : room, status);
      if (bytes > 1) {
        expectStatus(row, bench, `${bytes} bytes, cut`, [readable.slice(0, 1), readable.slice(1, bytes)], room, status);
      }
    }
  });

  test(`DT-G4 ${name}: what is of no kind the device knows, or of a length that cannot be, has its status`, () => {
    const bench = start(row);
    for (const { what, readable: bytes, writable: length = writable, status } of row.wrong ?? []) {
      expectStatus(row, bench, what, [bytes], [length], status);
      expectStatus(row, bench, `${what}, cut`, [bytes.slice(0, 1), bytes.slice(1)], [length], status);
    }
    // A request the wrong way round: what should be read cannot be.
    if (readable.length > 0 && writable > 0) {
      expectStatus(row, bench, 'all of it writable', [], [readable.length, writable], row.nothing ?? row.short ?? 'none');
    }
  });

  test(`${name}: two devices of one type serve their own requests`, () => {
    const one = benchOf(row.model(1), optionsOf(row), [row.model(2)]);
    const two = new DeviceBench(one.bus, row.model(2), optionsOf(row));
    [one, two].forEach((bench) => row.prepare?.(bench));
    for (let turn = 0; turn < 3; turn++) {
      [one, two].forEach((bench) => expectGood(row, bench, bench.ask(row.queue, whole, room)));
    }
    assert.equal(one.device.setStatus(0), 0);
    expectGood(row, two, two.ask(row.queue, whole, room));
  });
}
