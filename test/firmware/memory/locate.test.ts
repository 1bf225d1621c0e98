// Address translation against a model in BigInt: the window that holds a whole range, or none.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import type { WindowDescription } from '../../../hal/port.js';
import { locate, locatedOffset } from '../../../firmware/memory/window.hot.js';
import { addWindows } from '../../../firmware/memory/windows.js';

const FOUR_GIB = 1n << 32n;
const MOST_BYTES = 134217728;

interface ModelWindow {
  base: bigint;
  bytes: number;
  shared: boolean;
}

/** A window somewhere in 64 bits, inside one stretch of 4 GiB. */
const modelWindow: fc.Arbitrary<ModelWindow> = fc
  .record({
    upper: fc.constantFrom(0n, 1n, 2n, 0xffffn, 0x10000n, 0x80000000n, 0xffffffffn),
    lower: fc.oneof(fc.nat(0xfffffff), fc.constantFrom(0, 0x0fff, 0x1000, 0x7ffffff, 0x8000000, 0xffffffe, 0xfffffff)),
    units: fc.oneof(fc.integer({ min: 1, max: MOST_BYTES / 16 }), fc.constantFrom(1, 2, 4096, MOST_BYTES / 16)),
    shared: fc.boolean(),
  })
  .map(({ upper, lower, units, shared }) => {
    const room = (0x10000000 - lower) * 16;
    return { base: upper * FOUR_GIB + BigInt(lower) * 16n, bytes: Math.min(units * 16, room), shared };
  });

function describe(window: ModelWindow, number: number): WindowDescription {
  const digits = '0x' + window.base.toString(16).padStart(16, '0');
  return { name: 'w' + number, driverAddress: window.shared ? digits : '', bytes: window.bytes };
}

function locateModel(windows: readonly ModelWindow[], address: bigint, bytes: number): { window: number; offset: number } {
  const window = windows.findIndex(({ base, bytes: size, shared }) => shared && address >= base && address + BigInt(bytes) <= base + BigInt(size));
  const found = windows[window];
  return { window, offset: found === undefined ? -1 : Number(address - found.base) };
}

function located(address: bigint, bytes: number): { window: number; offset: number } {
  const half = (at: bigint): number => Number((address >> at) & 0xffffn);
  const window = locate(half(0n), half(16n), half(32n), half(48n), bytes);
  return { window, offset: window < 0 ? -1 : locatedOffset };
}

test('R-227 R-337 R-420 every range around every border of every window is found exactly as the model finds it', () => {
  const distance = fc.oneof(fc.integer({ min: -64, max: 64 }), fc.integer({ min: -MOST_BYTES, max: MOST_BYTES }), fc.constantFrom(0x10000, -0x10000));
  const length = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: MOST_BYTES - 1 }), fc.constant(MOST_BYTES - 1));
  const question = fc.record({ which: fc.nat(7), fromEnd: fc.boolean(), distance, length, endsThere: fc.boolean() });
  fc.assert(
    fc.property(fc.array(modelWindow, { minLength: 1, maxLength: 8 }), fc.array(question, { minLength: 1, maxLength: 40 }), (windows, questions) => {
      addWindows(windows.map(describe));
      questions.forEach((asked) => {
        const window = windows[asked.which % windows.length];
        assert.ok(window !== undefined);
        const border = window.base + (asked.fromEnd ? BigInt(window.bytes) : 0n);
        const start = border + BigInt(asked.distance) - (asked.endsThere ? BigInt(asked.length) : 0n);
        const address = BigInt.asUintN(64, start);
        assert.deepEqual(located(address, asked.length), locateModel(windows, address, asked.length));
      });
    }),
    { seed: 7, numRuns: 500 },
  );
});

test('R-227 arbitrary addresses', () => {
  fc.assert(
    fc.property(fc.array(modelWindow, { minLength: 1, maxLength: 8 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.integer({ min: 1, max: MOST_BYTES - 1 }), (windows, address, bytes) => {
      addWindows(windows.map(describe));
      assert.deepEqual(located(address, bytes), locateModel(windows, address, bytes));
    }),
    { seed: 8, numRuns: 500 },
  );
});

test('R-420 a window private to this core is never found', () => {
  addWindows([{ name: 'private', driverAddress: '', bytes: 65536 }]);
  [0n, 16n, 0x8000n].forEach((address) => assert.equal(located(address, 1).window, -1));
});

test('a window that was shared in an earlier set-up and is private now is not found', () => {
  addWindows([{ name: 'w', driverAddress: '0x0000000080000000', bytes: 65536 }]);
  assert.deepEqual(located(0x80000010n, 16), { window: 0, offset: 16 });
  addWindows([{ name: 'w', driverAddress: '', bytes: 65536 }]);
  assert.equal(located(0x80000010n, 16).window, -1);
});
