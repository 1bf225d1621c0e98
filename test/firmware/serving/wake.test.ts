// Waking devices: by time, across the clock's wrap, and by a peripheral's interrupt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loop, pass } from '../../../firmware/loop.hot.js';
import { cancelWake, untilDue, wakeAfter } from '../../../firmware/serving/wake.hot.js';
import { fake } from '../../../hal/fake/port.js';
import { started } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

/** Two devices; notes the time of each call of `wake`. */
function wakers(onWake: (device: number) => void = () => undefined): { device: number; at: number }[] {
  const calls: { device: number; at: number }[] = [];
  const type = {
    wake(device: number): void {
      calls.push({ device, at: fake.microseconds });
      onWake(device);
    },
  };
  started([testDevice({ number: 1, type }).model, testDevice({ number: 2, type }).model]);
  return calls;
}

function passAt(microseconds: number): void {
  fake.microseconds = microseconds;
  pass();
}

test('a device is woken once, when its time has come', () => {
  const calls = wakers();
  wakeAfter(1, 500);
  [0, 499, 500, 501, 1000].forEach(passAt);
  assert.deepEqual(calls, [{ device: 1, at: 500 }]);
});

test('a later call replaces the time, cancelling forgets it', () => {
  const calls = wakers();
  wakeAfter(0, 100);
  wakeAfter(0, 300);
  wakeAfter(1, 100);
  cancelWake(1);
  [200, 300].forEach(passAt);
  assert.deepEqual(calls, [{ device: 0, at: 300 }]);
});

test('the clock wraps at 2^27', () => {
  const calls = wakers();
  fake.microseconds = 2 ** 27 - 10;
  wakeAfter(0, 2 ** 26 - 1);
  wakeAfter(1, 30);
  [2 ** 27 - 1, 2 ** 27 + 19, 2 ** 27 + 20, 2 ** 27 + 2 ** 26 - 12, 2 ** 27 + 2 ** 26 - 11].forEach(passAt);
  assert.deepEqual(calls, [{ device: 1, at: 2 ** 27 + 20 }, { device: 0, at: 2 ** 27 + 2 ** 26 - 11 }]);
});

test('a device that wants to be woken at once, again and again, does not hold up the pass', () => {
  const calls = wakers((device) => wakeAfter(device, 0));
  wakeAfter(0, 0);
  [1, 2, 3].forEach(passAt);
  assert.equal(calls.length, 3);
});

test('the loop sleeps until the next device is due, not longer', () => {
  wakers();
  wakeAfter(0, 700);
  wakeAfter(1, 400);
  assert.equal(untilDue(1000), 400);
  assert.equal(untilDue(100), 100);
  fake.microseconds = 401;
  assert.equal(untilDue(1000), 0);
});

test('the loop wakes every device after a peripheral\'s interrupt, in the same pass', () => {
  const calls = wakers();
  let waits = 0;
  fake.onWait = () => {
    waits += 1;
    // 4: a peripheral's interrupt; 2: stop.
    return waits === 1 ? 4 : 2;
  };
  try {
    loop();
  } finally {
    fake.onWait = () => 2;
  }
  assert.deepEqual(calls.map(({ device }) => device), [0, 1]);
});

test('a new start forgets all times', () => {
  wakers();
  wakeAfter(0, 10);
  const calls = wakers();
  passAt(100);
  assert.deepEqual(calls, []);
});
