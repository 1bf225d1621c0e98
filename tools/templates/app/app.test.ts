// The app on the host, as a driver sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchOf } from 'virtio-msg-device/testing';
import app from './app.js';

const [entropy, console, disk] = app.buses[0].devices;

test('the entropy device fills what it is given', () => {
  const bench = benchOf(entropy);
  assert.equal(bench.ask(0, [], [16])?.written, 16);
});

test('the console echoes', () => {
  const bench = benchOf(console, { queues: [0, 1] });
  bench.offer(0, [], [16]);
  bench.ask(1, [[104, 105]]);
  assert.deepEqual(bench.take(0)?.bytes.slice(0, 2), [104, 105]);
});

test('the disk keeps what was written', () => {
  const bench = benchOf(disk);
  const data = new Array<number>(512).fill(0x42);
  const header = (type: number): number[] => [type, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(bench.ask(0, [header(1), data], [1])?.bytes, [0]);
  assert.deepEqual(bench.ask(0, [header(0)], [512, 1])?.bytes, [...data, 0]);
});
