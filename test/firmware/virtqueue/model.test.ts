// The firmware against the reference model of test/support/ring-model, for drivers that keep the rules: any format and features,
// counters near their limits, chains kept and given back out of order, resets in flight.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import type { Deed, RigOptions } from '../../support/ring-rig.js';
import { RingRig, SHARED } from '../../support/ring-rig.js';
import type { Shape, Step } from '../../support/ring-traffic.js';
import { Traffic } from '../../support/ring-traffic.js';

const rig = new RingRig();

/** Positions around every limit: split counters run over 65536, packed ones over the ring's end with either wrap counter. */
function startArbitrary(packed: boolean, size: number): fc.Arbitrary<number> {
  if (packed) {
    const index = fc.oneof(fc.nat(size - 1), fc.constantFrom(0, size - 1));
    return fc.tuple(index, fc.boolean()).map(([at, wrap]) => at + (wrap ? 0x8000 : 0));
  }
  return fc.oneof(fc.integer({ min: 65520, max: 65535 }), fc.constantFrom(0, 1, 32766, 32767, 32768, 65535), fc.nat(65535));
}

const windowArbitrary = fc.constantFrom(...SHARED);

function optionsArbitrary(packed: boolean): fc.Arbitrary<RigOptions> {
  const size = packed ? fc.oneof(fc.constantFrom(1, 2, 3, 5, 7, 8, 13, 31, 64, 100, 255, 256), fc.integer({ min: 1, max: 24 })) : fc.constantFrom(1, 2, 4, 8, 16, 64, 256);
  return size.chain((entries) =>
    fc.record({
      packed: fc.constant(packed),
      size: fc.constant(entries),
      indirect: fc.boolean(),
      eventIdx: fc.boolean(),
      inOrder: fc.boolean(),
      windows: fc.tuple(windowArbitrary, windowArbitrary, windowArbitrary),
      start: startArbitrary(packed, entries),
    }),
  );
}

const shape: fc.Arbitrary<Shape> = fc.record({ window: fc.nat(2), offset: fc.nat(2047), bytes: fc.nat(64) });
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Deed>('all', 'echo') },
  { weight: 3, arbitrary: fc.constantFrom<Deed>('nothing', 'one', 'half') },
  { weight: 3, arbitrary: fc.constant<Deed>('keep') },
  { weight: 1, arbitrary: fc.constant<Deed>('back') },
);

function stepArbitrary(packed: boolean): fc.Arbitrary<Step> {
  const offer = fc
    .tuple(fc.array(shape, { maxLength: 4 }), fc.array(shape, { maxLength: 4 }), fc.boolean(), fc.nat(3))
    .filter(([readable, writable]) => readable.length + writable.length > 0)
    .map(([readable, writable, table, direct]): Step => ({ kind: 'offer', readable, writable, table, direct }));
  const sizes = packed ? fc.integer({ min: 1, max: 20 }) : fc.constantFrom(1, 2, 4, 8, 16);
  return fc.oneof(
    { weight: 30, arbitrary: offer },
    { weight: 12, arbitrary: fc.array(deed, { minLength: 1, maxLength: 5 }).map((deeds): Step => ({ kind: 'pass', deeds })) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('give back' as const), which: fc.nat(9), part: fc.nat(4) }) },
    { weight: 8, arbitrary: fc.constant<Step>({ kind: 'take' }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wish' as const), flag: fc.nat(3), after: fc.nat(300) }) },
    { weight: 1, arbitrary: sizes.chain((size) => startArbitrary(packed, size).map((start): Step => ({ kind: 'reset queue', size, start }))) },
    { weight: 1, arbitrary: optionsArbitrary(packed).map((options): Step => ({ kind: 'reset device', options })) },
  );
}

[false, true].forEach((packed) => {
  const name = packed
    ? 'R-380 R-382 R-383 R-385 R-388 R-389 R-390 R-391 R-392 R-394 R-397 R-398 R-401 R-404 packed rings do what the model does'
    : 'R-330 R-331 R-340 R-351 R-352 R-353 R-355 R-356 R-357 R-359 R-361 R-362 R-363 split rings do what the model does';
  test(name + ', for every driver that keeps the rules', () => {
    let taken = 0;
    fc.assert(
      fc.property(optionsArbitrary(packed), fc.array(stepArbitrary(packed), { minLength: 20, maxLength: 120, size: 'max' }), (options, steps) => {
        const traffic = new Traffic(rig, options);
        steps.forEach((step) => traffic.run(step));
        traffic.finish();
        taken += traffic.taken;
      }),
      { seed: 20261125, numRuns: 500 },
    );
    assert.ok(taken > 3000, 'the driver got ' + taken + ' chains back');
  });
});
