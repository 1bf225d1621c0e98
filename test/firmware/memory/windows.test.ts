// Which window descriptions a board may have: everything else is refused at start-up with a sentence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addWindows } from '../../../firmware/memory/windows.js';

function add(driverAddress: string, bytes: number): void {
  addWindows([{ name: 'w', driverAddress, bytes }]);
}

test('sizes: a multiple of 16 from 16 bytes to 128 MiB', () => {
  [0, 8, 15, 17, 24, -16, 134217728 + 16].forEach((bytes) => assert.throws(() => add('0x0000000080000000', bytes), /"w" has/));
  [16, 32, 134217728].forEach((bytes) => assert.doesNotThrow(() => add('0x0000000080000000', bytes)));
});

test('driver addresses: 16 hexadecimal digits, a multiple of 16', () => {
  ['80000000', '0x80000000', '0x00000000800000001', 'x000000080000000', '0x00000000g0000000'].forEach((address) => {
    assert.throws(() => add(address, 16), /16 hexadecimal digits/);
  });
  ['0000000080000001', '0000000080000008'].forEach((address) => assert.throws(() => add(address, 16), /multiple of 16/));
  assert.doesNotThrow(() => add('fedcba9876543210', 16));
});

test('no window crosses a multiple of 4 GiB, and one may end there', () => {
  assert.throws(() => add('0x00000000fffffff0', 32), /4 GiB/);
  assert.doesNotThrow(() => add('0x00000000fffffff0', 16));
  assert.doesNotThrow(() => add('0x00000001f8000000', 134217728));
});

test('an image holds 16 windows', () => {
  const window = { name: 'w', driverAddress: '', bytes: 16 };
  assert.doesNotThrow(() => addWindows(new Array<typeof window>(16).fill(window)));
  assert.throws(() => addWindows(new Array<typeof window>(17).fill(window)), /holds 16/);
});
