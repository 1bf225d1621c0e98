// Arbitrary ring memory: whatever stands there, no byte outside the windows changes and the firmware stays in charge.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { DRIVER_BASE, RingBench } from '../../support/ring-bench.js';
import { setBytes, usedIdx, writeDescriptor } from '../../support/raw-ring.js';

const SETTINGS = { seed: 20261121, numRuns: 200 };
const SIZE = 8;

/** Mostly plausible, so that chains get far, with every kind of wrong value mixed in. */
const descriptor = fc.record({
  low: fc.oneof(
    { weight: 6, arbitrary: fc.nat(0xfffff).map((offset) => DRIVER_BASE + offset) },
    { weight: 1, arbitrary: fc.constantFrom(0, DRIVER_BASE - 1, DRIVER_BASE + 0xfffff, DRIVER_BASE + 0x100000, 0xffffffff) },
  ),
  high: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 0x80000000, 0xffffffff) }),
  bytes: fc.oneof({ weight: 6, arbitrary: fc.nat(64) }, { weight: 1, arbitrary: fc.constantFrom(0x10000, 0x7ffffff, 0x8000000, 0xffffffff) }),
  flags: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
  next: fc.oneof({ weight: 8, arbitrary: fc.nat(SIZE - 1) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
});

/** Buffers keep away from what the test itself needs: message queues, rings and the other device's buffers. */
function aside(low: number): number {
  return low >= DRIVER_BASE && low < DRIVER_BASE + 0x50000 ? low + 0x50000 : low;
}

test('R-420 R-421 R-423 arbitrary descriptors and heads', () => {
  fc.assert(
    fc.property(
      fc.array(descriptor, { minLength: SIZE, maxLength: SIZE }),
      fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat(SIZE - 1) }, { weight: 1, arbitrary: fc.nat(0xffff) }), { minLength: 1, maxLength: SIZE }),
      (descriptors, heads) => {
        const bench = new RingBench(SIZE);
        descriptors.forEach((value, entry) => {
          writeDescriptor(bench.queue, entry, { ...value, low: aside(value.low) });
        });
        heads.forEach((head) => bench.queue.offer(head));
        bench.queue.publish();
        bench.kick();
        const status = bench.device.status();
        assert.ok(status === 0x0f || status === 0x4f);
        const used = usedIdx(bench.queue);
        assert.equal(used, bench.tested.chains.length, 'what the device type saw is what was given back');
        assert.ok(status === 0x4f || used === heads.length, 'without a complaint everything is served');
        bench.tested.chains.forEach((chain) => assert.ok(chain.readable + chain.writable <= SIZE));
        bench.expectAlive();
      },
    ),
    SETTINGS,
  );
});

test('R-420 R-421 R-423 arbitrary bytes as rings', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16 * SIZE + 22 + 6 + 64, maxLength: 16 * SIZE + 22 + 6 + 64 }), (bytes) => {
      const bench = new RingBench(SIZE);
      setBytes(bench.queue.descriptors, bytes);
      bench.kick();
      bench.expectAlive();
    }),
    SETTINGS,
  );
});

test('R-342 R-420 rings that change while they are served', () => {
  fc.assert(
    fc.property(fc.array(descriptor, { minLength: 1, maxLength: 20 }), fc.nat(SIZE - 1), (changes, entry) => {
      let step = 0;
      let armed = false;
      const bench: RingBench = new RingBench(SIZE, {
        onServe: () => {
          const change = changes[step % changes.length];
          step += 1;
          if (armed && change !== undefined) {
            writeDescriptor(bench.queue, entry, { ...change, low: aside(change.low) });
          }
        },
      });
      armed = true;
      for (let turn = 0; turn < SIZE; turn++) {
        bench.queue.offer(turn);
        bench.queue.publish();
        bench.kick();
      }
      armed = false;
      bench.expectAlive();
    }),
    { ...SETTINGS, numRuns: 50 },
  );
});
