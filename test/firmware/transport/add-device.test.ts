// What is refused when an application is put together: at start-up, with a sentence, never later on the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { appWith, forget } from '../../support/fresh.js';
import { connected } from '../../support/host-driver.js';
import type { TestDeviceOptions } from '../../support/test-device.js';
import { testDevice } from '../../support/test-device.js';

function refused(options: Partial<TestDeviceOptions>, reason: RegExp): void {
  assert.throws(() => new BareBus([testDevice({ number: 5, ...options }).model]), reason);
}

test('R-307 a device number is used once per bus and lies between 0 and 65535', () => {
  assert.throws(() => new BareBus([testDevice({ number: 5 }).model, testDevice({ number: 5 }).model]), /number/);
  [-1, 65536, 1.5, NaN].forEach((number) => refused({ number }, /number/));
});

test('R-249 R-090 a queue size is a power of two up to 32768', () => {
  [0, 3, 100, 65536, -8, 1.5].forEach((size) => refused({ queueSizes: [8, size] }, /power of two/));
});

test('R-093 device id 0 is refused', () => {
  refused({ deviceId: 0 }, /device id/i);
});

test('R-117 R-118 SR_IOV, NOTIF_CONFIG_DATA and ADMIN_VQ cannot be offered', () => {
  [37, 39, 41].forEach((bit) => refused({ features: [bit] }, /feature/i));
});

test('R-117 a feature of the rings or the transport that this stack cannot serve is refused', () => {
  // INDIRECT_DESC, EVENT_IDX, RING_PACKED, NOTIFICATION_DATA, SUSPEND.
  [28, 29, 34, 38, 43].forEach((bit) => refused({ features: [bit] }, /feature/i));
});

test('R-117 R-118 of the bits between the devices\' own a bus offers those that this stack serves, and no other', () => {
  const served = [28, 29, 33, 34, 35, 36, 38, 40, 43];
  for (let bit = 0; bit < 64; bit++) {
    const bus = (): BareBus => new BareBus([testDevice({ number: 1 }).model], 64, 0x1af4, [bit]);
    if (served.includes(bit)) {
      assert.doesNotThrow(bus);
    } else {
      assert.throws(bus, /cannot be served/, `bit ${bit}`);
    }
  }
});

test('R-091 more than 4 feature blocks are refused', () => {
  refused({ features: [128] }, /feature/i);
});

test('a feature bit that is no number from 0 on is refused', () => {
  [-1, 1.5, NaN].forEach((bit) => refused({ features: [bit] }, /feature/i));
});

test('an image that cannot hold a device says so', () => {
  assert.throws(() => new BareBus(Array.from({ length: 65 }, (_, number) => testDevice({ number, queueSizes: [2] }).model)), /holds/);
  refused({ queueSizes: new Array<number>(129).fill(2) }, /virtqueues/);
  refused({ config: new Array<number>(5000).fill(0) }, /room/);
});

test('R-140 a second start does not remember the devices of the first', () => {
  forget();
  const app = appWith([testDevice({ number: 1 }).model]);
  new DriverDevice(connected(app), 1).setStatus(3);
  assert.equal(new DriverDevice(connected(app), 1).status(), 0);
});
