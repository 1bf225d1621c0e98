// The counters of dropped messages, told through the port when a driver side goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { pass } from '../../../firmware/loop.hot.js';
import { connectedTo } from '../../support/fresh.js';
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
