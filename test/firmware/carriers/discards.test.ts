// The counters of dropped messages, told through the port when a driver side goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { pass } from '../../../firmware/loop.hot.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { connectedTo } from '../../support/fresh.js';
import { resetAgreement } from '../../../firmware/bus/revision.hot.js';
import { discards } from '../../../tools/emulator/summary.js';
import { testDevice } from '../../support/test-device.js';

test('R-001 R-015 R-018 every reason that occurred is logged with its count when the driver goes, and none that did not', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const send = (device: number, id: number, size?: number): void => {
    bus.send({ type: 0, id, device, token: 1, payload: [], ...(size === undefined ? {} : { size }) });
    pass();
  };
  send(9, 7);
  send(9, 7);
  send(1, 0x3f);
  send(1, 7, 3);
  fake.logged = [];
  bus.shutdown();
  // 32 + the reason: 0 short, 3 no device, 5 unknown id. Then that the driver shut down.
  assert.deepEqual(fake.logged.slice(0, 4), [{ code: 32, value: 1 }, { code: 35, value: 2 }, { code: 37, value: 1 }, { code: 4, value: 0 }]);
});

test('R-001 R-003 R-011 R-015 R-016 R-018 R-024 R-053 R-261 R-291 every reason has a counter of its own, and the scene prints it in words', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const send = (times: number, message: Partial<Parameters<AmpBus['send']>[0]>): void => {
    for (let time = 0; time < times; time++) {
      bus.send({ type: 0, id: 7, device: 1, token: 1, payload: [], ...message });
      pass();
    }
  };
  send(1, { size: 3 });
  send(2, { size: 65 });
  send(3, { type: 2, id: 3, device: 1, payload: [1, 2, 3, 4] });
  send(4, { device: 9 });
  send(5, { type: 1 });
  send(6, { id: 0x3f });
  send(7, { id: 8, payload: [1] });
  send(8, { type: 2, id: 2, device: 0, payload: [1, 0, 8, 0] });
  send(9, { id: 0x41, payload: [0, 0, 0, 0, 0, 0, 0, 0] });
  resetAgreement(0);
  send(10, {});
  assert.equal(bus.take(), undefined);
  fake.logged = [];
  bus.shutdown();
  const entries = fake.logged.map(({ code, value }) => ({ code, value, microseconds: 0, busyTicks: 0, wakes: 0, allocations: 0, collections: 0, heapLive: 0, heapPeak: 0 }));
  assert.deepEqual([...discards(entries)], [
    ['shorter than a header', 1],
    ['longer than frame or bus allow', 2],
    ['bus message with a device number', 3],
    ['no such device', 4],
    ['answer nobody waits for', 5],
    ['unknown id', 6],
    ['payload too short', 7],
    ['misaligned GET_DEVICES', 8],
    ['EVENT_AVAIL for a queue that cannot run', 9],
    ['before an agreement', 10],
  ]);
});
