// The thermometer of docs/own-device.md on the host: a driver starts it, asks it, and hears of changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchOf } from '../support/device-bench.js';
import { sense } from './thermometer.hot.js';
import { thermometer } from './thermometer.js';

test('a reading is answered, split and short buffers too', () => {
  const bench = benchOf(thermometer({ number: 1 }));
  sense(0, 0x1980);
  assert.deepEqual(bench.ask(0, [[1, 0]], [4])?.bytes, [0, 0, 0x80, 0x19]);
  assert.deepEqual(bench.ask(0, [[1], [0]], [1, 3])?.bytes, [0, 0, 0x80, 0x19]);
  assert.equal(bench.ask(0, [[1, 0]], [2])?.written, 2);
  assert.equal(bench.ask(0, [[1, 0]])?.written, 0);
});

test('an unknown or short command is unsupported, and the next request is served', () => {
  const bench = benchOf(thermometer({ number: 1 }));
  sense(0, 0x1980);
  assert.deepEqual(bench.ask(0, [[2, 0]], [4])?.bytes, [1, 0, 0, 0]);
  assert.deepEqual(bench.ask(0, [[1]], [4])?.bytes, [1, 0, 0, 0]);
  assert.deepEqual(bench.ask(0, [[1, 0]], [4])?.bytes, [0, 0, 0x80, 0x19]);
});

test('two thermometers measure apart; each change is told once', () => {
  const [first, second] = [thermometer({ number: 1 }), thermometer({ number: 2 })];
  const bench = benchOf(first, {}, [second]);
  sense(0, 0x1400);
  sense(1, 0x1500);
  bench.wait(3_000_000, 100_000);
  assert.deepEqual(bench.ask(0, [[1, 0]], [4])?.bytes, [0, 0, 0x00, 0x14]);
  assert.deepEqual(bench.device.config(0, 2), [0x00, 0x14]);
  assert.equal(bench.events.filter(({ id }) => id === 0x40).length, 1);
});
