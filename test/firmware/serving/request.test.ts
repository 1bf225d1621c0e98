// Headers and statuses by byte position: what all device types share.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceType } from '../../../firmware/devices/device-model.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import { clearResponse, headerAt, putResponse, putStatusLast, readHeader, responseAt } from '../../../firmware/serving/request.hot.js';
import { finish, take } from '../../../firmware/virtqueue/queue.hot.js';
import { windowWords } from '../../../hal/fake/port.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf, OLD } from '../../support/device-bench.js';
import { testDevice } from '../../support/test-device.js';

function benchWith(use: () => number): DeviceBench {
  const type: Partial<DeviceType> = {
    serve(queue: number): void {
      for (let handle = take(queue); handle >= 0; handle = take(queue)) {
        finish(queue, handle, use());
      }
    },
  };
  const { model } = testDevice({ number: 1, queueSizes: [32] });
  return benchOf({ ...model, type: { ...model.type, ...type } });
}

/** `bytes` cut at the given places. */
function cut(bytes: readonly number[], places: readonly number[]): number[][] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b).concat(bytes.length);
  return ends.map((end, at) => bytes.slice(at === 0 ? 0 : ends[at - 1], end)).filter((part) => part.length > 0);
}

test('DT-G1 a header is found by position however its bytes are split', () => {
  let seen: number[] = [];
  const bench = benchWith(() => {
    const got = readHeader(16);
    const words = windowWords[privateWindow]?.subarray(headerAt, headerAt + 8) ?? [];
    seen = Array.from(words).flatMap((word) => [word & 255, word >> 8]).slice(0, got);
    return 0;
  });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 24 }),
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 }),
      (bytes, places) => {
        assert.equal(bench.ask(0, cut(bytes, places))?.written, 0);
        assert.deepEqual(seen, bytes.slice(0, 16));
      },
    ),
  );
});

test('DT-G2 DT-G3 the status is the last writable byte; what lies between data and status is zero and counted', () => {
  const bench = benchWith(() => putStatusLast(0, 7));
  assert.deepEqual(bench.ask(0, [[1]], [3, 2, 1])?.bytes, [0, 0, 0, 0, 0, 7]);
  assert.equal(bench.ask(0, [[1]], [5])?.written, 5);
  assert.deepEqual(bench.ask(0, [[1]], [1])?.bytes, [7]);
});

test('DT-G4 without a byte for the status the used length is 0', () => {
  assert.equal(benchWith(() => putStatusLast(0, 7)).ask(0, [[1]])?.written, 0);
});

test('DT-G3 R-422 a huge part is not zeroed: the used length counts nothing that was not written', () => {
  const answer = benchWith(() => putStatusLast(0, 7)).ask(0, [[1]], [70000, 1]);
  assert.equal(answer?.written, 0);
  assert.equal(answer.bytes[70000], 7);
  assert.ok(answer.bytes.slice(0, 70000).every((byte) => byte === OLD));
});

test('DT-G2 DT-G3 a response at the start is cut where the writable part ends', () => {
  const bench = benchWith(() => {
    clearResponse(8);
    const words = windowWords[privateWindow];
    if (words !== undefined) {
      words[responseAt] = 0x0201;
    }
    return putResponse(8);
  });
  assert.deepEqual(bench.ask(0, [[1]], [1, 9])?.bytes, [1, 2, 0, 0, 0, 0, 0, 0, OLD, OLD]);
  assert.deepEqual(bench.ask(0, [[1]], [3])?.written, 3);
});
