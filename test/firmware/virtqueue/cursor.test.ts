// Reading and writing a chain at any position, however the driver split it: exactly the bytes asked for move.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elementBytes, elementOffset, elementWindow, setChain } from '../../../firmware/virtqueue/chain.hot.js';
import { fillChain, randomChain, readChain, writeChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { fake } from '../../../hal/fake/port.js';
import { MAIN, PRIVATE, windowBytes } from '../../support/lab.js';

/** Elements lie this far apart; the longest is shorter. */
const STRIDE = 16;
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 });

test('R-340 R-344 R-420 any part of a chain is read, written and filled across its elements, and no byte beside it', () => {
  fc.assert(
    fc.property(lengths, lengths, fc.nat(30), fc.nat(30), (readable, writable, position, length) => {
      fake.clear();
      const shared = windowBytes(MAIN);
      const own = windowBytes(PRIVATE);
      [...readable, ...writable].forEach((bytes, element) => {
        elementWindow[element] = MAIN;
        elementOffset[element] = element * STRIDE;
        elementBytes[element] = bytes;
      });
      const sum = (part: readonly number[]): number => part.reduce((all, bytes) => all + bytes, 0);
      setChain(readable.length + writable.length, readable.length, sum(readable), sum(writable));
      /** Where each byte of a part lies. */
      const places = (part: readonly number[], first: number): number[] => part.flatMap((bytes, element) => Array.from({ length: bytes }, (_, at) => (first + element) * STRIDE + at));
      const wanted = (part: readonly number[], first: number): number[] => places(part, first).slice(position, position + length);
      for (let at = 0; at < 8 * STRIDE; at++) {
        shared[at] = 1 + at;
      }
      const before = shared.slice(0, 8 * STRIDE);

      const from = wanted(readable, 0);
      assert.equal(readChain(position, PRIVATE, 100, length), from.length);
      assert.deepEqual(Array.from(own.subarray(99, 101 + from.length)), [0, ...from.map((at) => 1 + at), 0]);
      assert.deepEqual(shared.slice(0, 8 * STRIDE), before);

      const to = wanted(writable, readable.length);
      const after = before.slice();
      own.fill(0);
      for (let at = 0; at < 64; at++) {
        own[100 + at] = 200 + (at % 50);
      }
      to.forEach((at, index) => (after[at] = 200 + (index % 50)));
      assert.equal(writeChain(position, PRIVATE, 100, length), to.length);
      assert.deepEqual(shared.slice(0, 8 * STRIDE), after);

      to.forEach((at) => (after[at] = 0xa5));
      assert.equal(fillChain(position, length, 0xa5), to.length);
      assert.deepEqual(shared.slice(0, 8 * STRIDE), after);

      // Random bytes begin with the part.
      const random = places(writable, readable.length).slice(0, length);
      assert.equal(randomChain(length), random.length);
      random.forEach((at) => (after[at] = shared[at] ?? NaN));
      assert.deepEqual(shared.slice(0, 8 * STRIDE), after);
      own.fill(0);
      shared.fill(0, 0, 8 * STRIDE);
    }),
    { seed: 20261126, numRuns: 2000 },
  );
});
