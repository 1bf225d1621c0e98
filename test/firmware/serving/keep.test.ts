// Kept chains: requests that finish in a later pass, in any order, and die with their queue.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceType } from '../../../firmware/devices/device-model.js';
import { keepRoom } from '../../../firmware/main.js';
import { dropKept, finishKept, isKept, keep, keptQueue, notesAt, recall } from '../../../firmware/serving/keep.hot.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import { putStatusLast } from '../../../firmware/serving/request.hot.js';
import { elementBytes, elementOffset, elementWindow, readableBytes, readableElements, writableBytes } from '../../../firmware/virtqueue/chain.hot.js';
import { take, untake } from '../../../firmware/virtqueue/queue.hot.js';
import { fake, windowWords } from '../../../hal/fake/port.js';
import { benchOf } from '../../support/device-bench.js';
import { testDevice } from '../../support/test-device.js';

const ROWS = 4;
const MOST_ELEMENTS = 5;

/** A device that keeps what it takes. */
class Keeper {
  readonly rows: number[] = [];
  row = -1;
  readonly bench;

  constructor(packed = false) {
    const type: Partial<DeviceType> = {
      serve: (queue: number): void => {
        for (let handle = take(queue); handle >= 0; handle = take(queue)) {
          const row = keep(this.row, queue, handle);
          if (row < 0) {
            this.rows.push(row);
            untake(queue);
            return;
          }
          this.rows.push(row);
        }
      },
      reset: (device: number): void => dropKept(device),
    };
    const { model } = testDevice({ number: 1, queueSizes: [32] });
    this.bench = benchOf(
      {
        ...model,
        type: { ...model.type, ...type },
        attach: (device: number): void => {
          this.row = device;
          keepRoom(device, ROWS, MOST_ELEMENTS);
        },
      },
      { packed },
    );
  }

  /** The readable bytes of the chain in `row`. */
  readable(row: number): number[] {
    assert.ok(recall(this.row, row));
    const parts = Array.from({ length: readableElements }, (_, at) => fake.bytes[elementWindow[at] ?? 0]?.subarray(elementOffset[at], (elementOffset[at] ?? 0) + (elementBytes[at] ?? 0)));
    return parts.flatMap((part) => Array.from(part ?? []));
  }

  /** Finishes the chain in `row` with `status` as its last byte. */
  finish(row: number, status: number): void {
    if (recall(this.row, row)) {
      finishKept(this.row, row, putStatusLast(0, status));
    }
    this.bench.settle();
  }
}

[false, true].forEach((packed) => {
  const ring = packed ? 'packed' : 'split';
  test(`BLK-12 kept chains finish in any order with their own elements (${ring})`, () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            read: fc.array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 9 }), { maxLength: 2 }),
            write: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
          }),
          { minLength: 1, maxLength: ROWS },
        ),
        fc.array(fc.nat(), { minLength: ROWS, maxLength: ROWS }),
        (requests, order) => {
          const keeper = new Keeper(packed);
          const heads = requests.map(({ read, write }) => keeper.bench.offer(0, read, write));
          keeper.bench.kick(0);
          assert.equal(keeper.bench.take(0), undefined);
          const left = keeper.rows.map((row, at) => ({ row, at }));
          assert.equal(left.length, requests.length);
          order.slice(0, requests.length).forEach((choice) => {
            const [next] = left.splice(choice % left.length, 1);
            const { read = [], write = [] } = requests[next?.at ?? 0] ?? {};
            assert.deepEqual(keeper.readable(next?.row ?? -1), read.flat());
            const bytes = write.reduce((sum, part) => sum + part, 0);
            assert.deepEqual([readableBytes, writableBytes], [read.flat().length, bytes]);
            keeper.finish(next?.row ?? -1, 100 + (next?.at ?? 0));
            const answer = keeper.bench.take(0);
            assert.equal(answer?.head, heads[next?.at ?? 0]);
            assert.equal(answer?.written, bytes);
            assert.equal(answer?.bytes[bytes - 1], 100 + (next?.at ?? 0));
          });
          assert.ok(fake.guardsIntact());
        },
      ),
      { numRuns: 40 },
    );
  });
});

test('all rows taken and a chain with too many elements are told apart, and nothing is lost', () => {
  const keeper = new Keeper();
  for (let count = 0; count < ROWS; count++) {
    keeper.bench.offer(0, [[count]], [1]);
  }
  keeper.bench.offer(0, [[9]], [2]);
  keeper.bench.kick(0);
  assert.deepEqual(keeper.rows.slice(0, ROWS + 1), [0, 1, 2, 3, -1]);
  keeper.rows.length = 0;
  keeper.finish(2, 1);
  keeper.bench.wait(2000);
  assert.equal(keeper.rows.at(-1), 2, 'the freed row takes the chain that waited');
  keeper.finish(2, 1);
  keeper.bench.offer(0, [[1], [2], [3], [4]], [1, 1]);
  keeper.bench.kick(0);
  assert.equal(keeper.rows.at(-1), -2);
});

test('a row has six words of notes and knows its queue', () => {
  const keeper = new Keeper();
  keeper.bench.offer(0, [[1]], [4]);
  keeper.bench.offer(0, [[2]], [4]);
  keeper.bench.kick(0);
  const words = windowWords[privateWindow];
  [0, 1].forEach((row) => words?.set([1, 2, 3, 4, 5, 60000 + row], notesAt(keeper.row, row)));
  keeper.finish(0, 9);
  assert.deepEqual(Array.from(words?.subarray(notesAt(keeper.row, 1), notesAt(keeper.row, 1) + 6) ?? []), [1, 2, 3, 4, 5, 60001]);
  assert.equal(keptQueue(keeper.row, 1), 0);
  assert.equal(keeper.bench.take(0)?.bytes[3], 9);
});

test('R-163 R-243 a chain kept over a reset of its queue or device is never finished and frees its row', () => {
  [(keeper: Keeper): void => keeper.bench.device.resetQueue(0), (keeper: Keeper): unknown => keeper.bench.device.setStatus(0)].forEach((reset) => {
    const keeper = new Keeper();
    keeper.bench.offer(0, [[1]], [4]);
    keeper.bench.kick(0);
    reset(keeper);
    assert.equal(isKept(keeper.row, 0), false);
    assert.equal(recall(keeper.row, 0), false);
    const before = fake.bytes[0]?.slice();
    finishKept(keeper.row, 0, 4);
    assert.deepEqual(fake.bytes[0], before, 'not a byte of shared memory changes');
    keeper.bench.start();
    keeper.bench.offer(0, [[1]], [4]);
    keeper.bench.kick(0);
    assert.deepEqual(keeper.rows, [0, 0]);
  });
});
