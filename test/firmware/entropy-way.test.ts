// The whole way of one request on the host: handshake, device start, entropy through a split ring, reset, shutdown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bus, entropy } from '../../firmware/main.js';
import { fake } from '../../hal/fake/port.js';
import { DriverDevice } from '../support/driver/device.js';
import { EVENT_USED } from '../support/driver/message.js';
import { SplitQueue } from '../support/driver/split-queue.js';
import { connected, hostMachine } from '../support/host-driver.js';

test('an entropy request travels from doorbell to used notification', () => {
  const driver = connected(bus({ profile: 'A', devices: [entropy({ number: 1 })] }));
  const devices = driver.busRequest('GET_DEVICES', 2, [0, 0, 32, 0]);
  assert.deepEqual(devices, [0, 0, 32, 0, 0, 0, 2, 0, 0, 0]);
  const device = new DriverDevice(driver, 1);
  assert.equal(device.info().deviceId, 4);
  device.negotiate(0);
  const queue = new SplitQueue(hostMachine, 0x10000, 8);
  device.setQueue(0, 8, queue.areas());
  device.start();
  queue.add([{ offset: 0x20000, bytes: 64, writable: true }]);
  queue.publish();
  device.kick(0);
  driver.event('used buffer notification', EVENT_USED, 1);
  assert.deepEqual(queue.take(), { head: 0, written: 64 });
  assert.notEqual(fake.bytes[0].subarray(0x20000, 0x20040).reduce((a, b) => a + b), 0);
  assert.equal(device.setStatus(0), 0);
  driver.shutdown();
  assert.ok(fake.guardsIntact());
});
