// The device on the host, as a driver sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchOf } from 'virtio-msg-device/testing';
import { sample } from './sample.js';

test('what was written is read back, however the driver cut its buffers', () => {
  const bench = benchOf(sample({ number: 1 }));
  assert.deepEqual(bench.ask(0, [[2, 0, 0x34, 0x12]], [4])?.bytes, [0, 0, 0x34, 0x12]);
  assert.deepEqual(bench.ask(0, [[1], [0, 0], [0]], [1, 3])?.bytes, [0, 0, 0x34, 0x12]);
});

test('an unknown or short request is unsupported and changes nothing', () => {
  const bench = benchOf(sample({ number: 1 }));
  assert.deepEqual(bench.ask(0, [[9, 0, 1, 1]], [4])?.bytes, [1, 0, 0, 0]);
  assert.deepEqual(bench.ask(0, [[2, 0, 1]], [4])?.bytes, [1, 0, 0, 0]);
  assert.deepEqual(bench.ask(0, [[1, 0, 0, 0]], [4])?.bytes, [0, 0, 0, 0]);
});

test('a reset forgets the value', () => {
  const bench = benchOf(sample({ number: 1 }));
  bench.ask(0, [[2, 0, 7, 0]], [4]);
  bench.start();
  assert.deepEqual(bench.ask(0, [[1, 0, 0, 0]], [4])?.bytes, [0, 0, 0, 0]);
});
