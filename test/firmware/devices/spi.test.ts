// The SPI controller: every parameter checked against the configuration, then one transfer, at once or later.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spi } from '../../../firmware/main.js';
import type { SpiBackend, SpiOptions } from '../../../firmware/main.js';
import { transferAt } from '../../../firmware/serving/transfer.hot.js';
import { privateByte, setPrivateByte } from '../../../firmware/memory/private.hot.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf } from '../../support/device-bench.js';
import { le32 } from '../../support/driver/message.js';

const QUEUE = 0;
const OK = 0;
const PARAM_ERR = 1;
const TRANS_ERR = 2;
const DONE = 0;
const FAILED = 1;
const LATER = 2;

interface Head {
  chip?: number;
  bits?: number;
  csChange?: number;
  tx?: number;
  rx?: number;
  mode?: number;
  hertz?: number;
  delays?: number[];
}

function head({ chip = 0, bits = 8, csChange = 0, tx = 0, rx = 0, mode = 0, hertz = 1000000, delays = [0, 0, 0, 0] }: Head = {}): number[] {
  return [chip, bits, csChange, tx, rx, 0, 0, 0, ...le32(mode), ...le32(hertz), ...delays.flatMap(le32)];
}

function start(options: Partial<SpiOptions> = {}): DeviceBench {
  return benchOf(spi({ number: 5, ...options }));
}

/** Received bytes and the result behind them. */
function transfer(bench: DeviceBench, parameters: Head, tx: readonly number[], rx: number): number[] | undefined {
  const answer = bench.ask(QUEUE, [head(parameters), tx].filter((part) => part.length > 0), rx > 0 ? [rx, 1] : [1]);
  assert.equal(answer?.written, rx + 1);
  return answer?.bytes;
}

/** The result of a one-byte transfer with these parameters. */
function resultOf(bench: DeviceBench, parameters: Head): number | undefined {
  return transfer(bench, parameters, [1], 0)?.[0];
}

test('SPI-7 id 45 and the configuration of 32 bytes, complete at once', () => {
  const bench = start({ chipSelects: 3, csChange: true, txLines: 3, rxLines: 1, bitsPerWord: 0x8080, modes: 0x7f, maxHertz: 20000000, maxDelays: [1, 2, 3, 4000000000] });
  assert.equal(bench.device.info().deviceId, 45);
  assert.deepEqual(bench.device.config(0, 32), [3, 1, 3, 1, 0x80, 0x80, 0, 0, 0x7f, 0, 0, 0, ...[20000000, 1, 2, 3, 4000000000].flatMap(le32)]);
});

test('SPI-1 half duplex in both directions and full duplex; over the loop what is sent comes back', () => {
  const bench = start();
  assert.deepEqual(transfer(bench, {}, [1, 2, 3], 0), [OK]);
  assert.deepEqual(transfer(bench, {}, [], 4), [0, 0, 0, 0, OK]);
  assert.deepEqual(transfer(bench, {}, [9, 8, 7], 3), [9, 8, 7, OK]);
});

test('SPI-2 DT-G6 different lengths in full duplex, no data, a short head, more than the buffer: PARAM_ERR', () => {
  const bench = start({ maximumBytes: 8 });
  assert.deepEqual(transfer(bench, {}, [1, 2], 3), [0, 0, 0, PARAM_ERR]);
  assert.deepEqual(transfer(bench, {}, [], 0), [PARAM_ERR]);
  assert.deepEqual(bench.ask(QUEUE, [head().slice(0, 31)], [1])?.bytes, [PARAM_ERR]);
  assert.deepEqual(transfer(bench, {}, [1, 2, 3, 4, 5, 6, 7, 8, 9], 0), [PARAM_ERR]);
  assert.equal(transfer(bench, {}, [], 9)?.[9], PARAM_ERR);
  assert.equal(bench.ask(QUEUE, [head(), [1]])?.written, 0, 'no room for a result');
});

test('SPI-3 SPI-6 each parameter the controller does not have is PARAM_ERR, and reaches no backend', () => {
  let transfers = 0;
  const backend: SpiBackend = { start: () => (transfers++, DONE), end: () => DONE };
  const bench = start({ backend, chipSelects: 2, txLines: 1, rxLines: 2, bitsPerWord: 0x80, maxHertz: 0x10000, maxDelays: [5, 6, 0x10000, 8] });
  const wrong: Head[] = [
    { chip: 2 },
    { bits: 9 },
    { bits: 33 },
    { csChange: 1 },
    { tx: 3 },
    { tx: 4 },
    { tx: 8 },
    { rx: 2 },
    { rx: 8 },
    { rx: 255 },
    { mode: 4 },
    { mode: 8 },
    { mode: 16 },
    { mode: 32 },
    { mode: 0x10000 },
    { hertz: 0x10001 },
    { hertz: 0x20000 },
    { delays: [6, 0, 0, 0] },
    { delays: [0, 7, 0, 0] },
    { delays: [0, 0, 0x10001, 0] },
    { delays: [0, 0, 0, 9] },
    { delays: [0, 0, 0, 4294967295] },
  ];
  wrong.forEach((parameters) => assert.equal(resultOf(bench, { hertz: 1, ...parameters }), PARAM_ERR, JSON.stringify(parameters)));
  assert.equal(transfers, 0);
  const right: Head[] = [{ chip: 1 }, { bits: 0 }, { tx: 1 }, { tx: 2 }, { rx: 4 }, { mode: 3 }, { hertz: 0x10000 }, { hertz: 0xffff }, { delays: [5, 6, 0x10000, 8] }];
  right.forEach((parameters) => assert.equal(resultOf(bench, { hertz: 1, ...parameters }), OK, JSON.stringify(parameters)));
  assert.equal(transfers, right.length);
});

test('SPI-3 modes: only the phases and polarities the controller has, and the other functions one by one', () => {
  const only = (modes: number, mode: number): number | undefined => resultOf(start({ modes }), { mode });
  // Phase 0 only, polarity 0 only; phase 1 only, polarity 1 only.
  assert.deepEqual([0, 1, 2, 3].map((mode) => only(0x05, mode)), [OK, PARAM_ERR, PARAM_ERR, PARAM_ERR]);
  assert.deepEqual([0, 1, 2, 3].map((mode) => only(0x0a, mode)), [PARAM_ERR, PARAM_ERR, PARAM_ERR, OK]);
  assert.deepEqual([4, 8, 16].map((mode) => only(0x7f, mode)), [OK, OK, OK]);
});

test('SPI-3 a mask of one word size lets that one through, wherever in the mask it is', () => {
  [1, 8, 9, 16, 17, 24, 25, 32].forEach((size) => {
    const bench = start({ bitsPerWord: 2 ** (size - 1) });
    assert.deepEqual([1, 8, 9, 16, 17, 24, 25, 32].filter((bits) => resultOf(bench, { bits }) === OK), [size]);
  });
});

test('any word size up to 32 bits when the mask is 0, any clock when the limit is 0', () => {
  const bench = start();
  assert.deepEqual([1, 32, 33].map((bits) => resultOf(bench, { bits })), [OK, OK, PARAM_ERR]);
  assert.equal(resultOf(bench, { hertz: 4294967295 }), OK);
});

test('SPI-4 a transfer that fails is TRANS_ERR, at once or later; one that takes its time holds the queue', () => {
  const results = [FAILED, LATER, LATER];
  const ends = [LATER, FAILED, DONE];
  const backend: SpiBackend = {
    start: (device, _tx, rx) => {
      for (let at = 0; at < rx; at++) {
        setPrivateByte((transferAt[device] ?? 0) + at, privateByte((transferAt[device] ?? 0) + at) ^ 0xff);
      }
      return results.shift() ?? DONE;
    },
    end: () => ends.shift() ?? DONE,
  };
  const bench = start({ backend });
  assert.deepEqual(transfer(bench, {}, [1], 0), [TRANS_ERR]);
  bench.offer(QUEUE, [head(), [1]], [1]);
  bench.offer(QUEUE, [head(), [1]], [1, 1]);
  bench.kick(QUEUE);
  assert.equal(bench.take(QUEUE), undefined);
  bench.wait(2000, 100);
  assert.deepEqual(bench.takeAll(QUEUE).map(({ bytes }) => bytes), [[TRANS_ERR], [0xfe, OK]]);
});

test('abilities a controller cannot have are one sentence', () => {
  assert.throws(() => spi({ number: 5, maximumBytes: 65537 }), /1 to 65536 bytes/);
  assert.throws(() => spi({ number: 5, chipSelects: 0 }), /1 to 255 chip selects/);
  assert.throws(() => spi({ number: 5, modes: 0x0c }), /one phase and one polarity/);
  assert.throws(() => spi({ number: 5, maxHertz: 4294967296 }), /32 bits/);
});
