// GET_SHM: regions of a device that the driver may use directly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from '../../../firmware/main.js';
import { BareBus } from '../../support/bare-bus.js';
import { le32 } from '../../support/driver/message.js';
import { appWith, forget } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

const REGION = { id: 3, window: 0, offset: 0x20000, bytes: 0x10000 };

function bus(): BareBus {
  return new BareBus([
    testDevice({ number: 4, regions: [{ id: 0, window: 0, offset: 0x40000, bytes: 16 }] }).model,
    testDevice({ number: 5, regions: [REGION, { id: 0, window: 1, offset: 0x100, bytes: 0x200 }, { id: 255, window: 0, offset: 0xfffff, bytes: 1 }] }).model,
    testDevice({ number: 6 }).model,
  ]);
}

function getShm(on: BareBus, device: number, id: number): number[] {
  return on.request(0x0c, device, le32(id));
}

test('R-247 a region is told by length and address, under its id and device only', () => {
  const on = bus();
  assert.deepEqual(getShm(on, 5, 3), le32(3).concat(le32(0x10000), le32(0x80020000)));
  assert.deepEqual(getShm(on, 5, 255), le32(255).concat(le32(1), le32(0x800fffff)));
  assert.deepEqual(getShm(on, 4, 0), le32(0).concat(le32(16), le32(0x80040000)));
  [[4, 3], [5, 1], [5, 4], [5, 0x10003], [5, 0xffffffff], [6, 0], [6, 3]].forEach(([device, id]) => {
    assert.deepEqual(getShm(on, device ?? 0, id ?? 0), le32(id ?? 0).concat(le32(0), le32(0)));
  });
});

test('R-248 layout A hides a region above 4 GiB', () => {
  assert.deepEqual(getShm(bus(), 5, 0), new Array<number>(12).fill(0));
});

test('R-251 no ring may lie in a region, of whatever device', () => {
  const on = bus();
  on.negotiate(6);
  const areas = [0x80010000, 0x80010100, 0x80010200];
  const size = (changed: number, to: number): number => {
    const places = areas.map((address, at) => (at === changed ? to : address));
    const request = le32(0).concat(le32(0), le32(8), le32(0), ...places.map((address) => le32(address).concat(le32(0))));
    on.request(0x0a, 6, request);
    const now = on.request(9, 6, le32(0))[8] ?? NaN;
    on.request(0x0b, 6, le32(0));
    return now;
  };
  [0, 1, 2].forEach((area) => {
    assert.equal(size(area, areas[area] ?? 0), 8);
    [0x80020000, 0x8002fff0, 0x8001fff0].forEach((address) => assert.equal(size(area, address), 0, 'area ' + area + ' at ' + address));
    assert.equal(size(area, 0x80030000), 8, 'right behind');
  });
});

test('R-251 message slots in a region are refused at start-up', () => {
  forget();
  const device = testDevice({ number: 1, regions: [{ id: 0, window: 0, offset: 4096 + 2047, bytes: 1 }] });
  assert.throws(() => start(appWith([device.model])), /layout of bus 0 lies in a shared memory region/);
});

test('regions that cannot be are refused with a sentence', () => {
  const refused = (regions: readonly { id: number; window: number; offset: number; bytes: number }[], reason: RegExp): void => {
    assert.throws(() => new BareBus([testDevice({ number: 5, regions }).model]), reason);
  };
  [-1, 256, 1.5].forEach((id) => refused([{ ...REGION, id }], /shared memory id/));
  refused([REGION, { ...REGION, offset: 0 }], /shared memory id/);
  [{ window: 2 }, { window: 7 }, { window: 9 }, { offset: -1 }, { bytes: 0 }, { offset: 0xf0001 }, { bytes: 1.5 }].forEach((change) => {
    refused([{ ...REGION, ...change }], /does not lie in a window/);
  });
  refused(Array.from({ length: 17 }, (_, id) => ({ id, window: 0, offset: id * 16, bytes: 16 })), /holds/);
});
