// What a bus instance may look like: sizes, profiles and how many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBus } from '../../../firmware/bus/add-bus.js';
import { BareBus } from '../../support/bare-bus.js';
import { testDevice } from '../../support/test-device.js';

test('R-040 a maximum message size below 48 is refused at creation', () => {
  [0, 8, 44, 47].forEach((size) => assert.throws(() => addBus(0, 'A', size), /48/));
  assert.doesNotThrow(() => addBus(0, 'A', 48));
});

test('R-041 a maximum message size above 65535 is refused at creation', () => {
  [65536, 131072].forEach((size) => assert.throws(() => addBus(0, 'A', size), /65535/));
  assert.doesNotThrow(() => addBus(0, 'A', 65535));
});

test('R-042 a maximum message size above 264 works', () => {
  const bus = new BareBus([testDevice({ number: 1, config: new Array<number>(512).fill(3) }).model], 600);
  assert.equal(bus.request(5, 1, [0, 0, 0, 0, 0, 2, 0, 0]).length, 12 + 512);
});

test('an unknown profile and a bus too many are refused with a sentence', () => {
  assert.throws(() => addBus(0, 'Z', 64), /unknown profile "Z"/);
  assert.throws(() => addBus(1000, 'A', 64), /buses/);
});
