// Private memory: given out at start-up only, never more than there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocate } from '../../../firmware/main.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import { locate } from '../../../firmware/memory/window.hot.js';
import { windows } from '../../../hal/fake/port.js';
import { started } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

/** Starts with one device whose `attach` is `attach`. */
function startWith(attach: () => void): void {
  const { model } = testDevice({ number: 1 });
  started([{ ...model, attach }]);
}

test('devices get ranges that do not overlap, at multiples of 8, inside the window no driver reaches', () => {
  const ranges: [number, number][] = [];
  startWith(() => [1, 8, 9, 512, 3].forEach((bytes) => ranges.push([allocate(bytes), bytes])));
  assert.equal(windows[privateWindow]?.driverAddress, '');
  ranges.forEach(([offset, bytes], at) => {
    assert.equal(offset % 8, 0);
    assert.ok(offset + bytes <= (windows[privateWindow]?.bytes ?? 0));
    assert.ok(at === 0 || offset >= (ranges[at - 1]?.[0] ?? 0) + (ranges[at - 1]?.[1] ?? 0));
  });
  assert.equal(locate(0, 0, 0, 0, 16), -1);
});

test('what does not fit is refused with one sentence, and the last byte is given out', () => {
  startWith(() => {
    assert.throws(() => allocate((windows[privateWindow]?.bytes ?? 0) + 1), /^Error: no room for \d+ bytes: the private window has \d+ bytes left$/);
    assert.throws(() => allocate(0), /no room for 0 bytes/);
    const left = (windows[privateWindow]?.bytes ?? 0) - allocate(8) - 8;
    allocate(left);
    assert.throws(() => allocate(1), /the private window has 0 bytes left/);
  });
});

test('nothing is given out once the application has started', () => {
  startWith(() => undefined);
  assert.throws(() => allocate(8), /memory is given out while the application starts, not later/);
});

test('a second start has all of it again', () => {
  const seen: number[] = [];
  startWith(() => seen.push(allocate(200000)));
  startWith(() => seen.push(allocate(200000)));
  assert.equal(seen[0], seen[1]);
});
