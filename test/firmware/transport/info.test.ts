// GET_DEVICE_INFO and GET_SHM: what never changes in the life of a device.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { le32, read32 } from '../../support/driver/message.js';
import { testDevice } from '../../support/test-device.js';

function info(bus: BareBus, device = 5): number[] {
  const payload = bus.request(2, device);
  assert.equal(payload.length, 24);
  return [0, 4, 8, 12, 16, 20].map((at) => read32(payload, at));
}

test('R-080 R-081 R-164 the values are real in every state and never change', () => {
  const model = testDevice({ number: 5, deviceId: 42, queueSizes: [8, 16, 32], features: [3], config: [1, 2, 3] }).model;
  const bus = new BareBus([model], 64, 0xfedc4321);
  const expected = [42, 0xfedc4321, 64, 3, 3, 0];
  assert.deepEqual(info(bus), expected);
  [1, 3].forEach((status) => {
    bus.status(5, status);
    assert.deepEqual(info(bus), expected);
  });
  bus.negotiate(5, 8, 1);
  bus.status(5, 0x0f);
  assert.deepEqual(info(bus), expected);
  bus.status(5, 0x8f);
  assert.deepEqual(info(bus), expected);
  bus.status(5, 0);
  assert.deepEqual(info(bus), expected);
});

test('R-082 R-084 R-091 num_feature_bits is 64 unless the type has a bit above 63, then a multiple of 32', () => {
  const bits = (features: readonly number[]): number | undefined =>
    info(new BareBus([testDevice({ number: 5, features }).model]))[2];
  assert.equal(bits([]), 64);
  assert.equal(bits([0, 23, 63]), 64);
  assert.equal(bits([64]), 96);
  assert.equal(bits([95]), 96);
  assert.equal(bits([127]), 128);
});

test('R-085 config_size is the size in bytes, 0 if there is none', () => {
  assert.equal(info(new BareBus([testDevice({ number: 5 }).model]))[3], 0);
  assert.equal(info(new BareBus([testDevice({ number: 5, config: new Array<number>(60).fill(0) }).model]))[3], 60);
});

test('R-086 R-087 max_virtqueues is the highest index plus one; there are no admin virtqueues', () => {
  const values = info(new BareBus([testDevice({ number: 5, queueSizes: [2, 4, 8, 16] }).model]));
  assert.equal(values[4], 4);
  assert.equal(values[5], 0);
});

test('R-247 GET_SHM of an id without a region echoes the id and has length and address 0', () => {
  const bus = new BareBus([testDevice({ number: 5 }).model]);
  [0, 1, 255, 0x12345678, 0xffffffff].forEach((id) => {
    assert.deepEqual(bus.request(0x0c, 5, le32(id)), le32(id).concat(le32(0), le32(0)));
  });
});
