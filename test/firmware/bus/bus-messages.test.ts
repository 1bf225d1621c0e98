// GET_DEVICES and PING: the messages of the bus itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { encode, le16, read16 } from '../../support/driver/message.js';
import { dropped } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

interface DeviceWindow {
  offset: number;
  count: number;
  next: number;
  bitmap: number[];
}

function busWith(numbers: readonly number[], size = 64): BareBus {
  return new BareBus(numbers.map((number) => testDevice({ number, queueSizes: [2] }).model), size);
}

function getDevices(bus: BareBus, offset: number, count: number): DeviceWindow {
  const answer = bus.frame(encode({ type: 2, id: 2, device: 0, token: 7, payload: le16(offset).concat(le16(count)) }));
  assert.deepEqual(answer.slice(0, 6), [3, 2, 0, 0, 7, 0]);
  const payload = answer.slice(8);
  const window = { offset: read16(payload, 0), count: read16(payload, 2), next: read16(payload, 4), bitmap: payload.slice(6) };
  assert.equal(window.bitmap.length, window.count / 8, 'one bit a slot');
  return window;
}

test('R-290 R-293 bit n of the bitmap is device offset + n, lowest bit first, offset and count echoed', () => {
  const bus = busWith([0, 2, 5, 15, 16]);
  assert.deepEqual(getDevices(bus, 0, 16), { offset: 0, count: 16, next: 16, bitmap: [0x25, 0x80] });
  assert.deepEqual(getDevices(bus, 8, 16), { offset: 8, count: 16, next: 0, bitmap: [0x80, 0x01] });
});

test('R-290 the known driver gets 32 slots from 0 on', () => {
  assert.deepEqual(getDevices(busWith([1, 31]), 0, 32), { offset: 0, count: 32, next: 0, bitmap: [2, 0, 0, 0x80] });
});

test('R-291 an offset or count that is no multiple of 8 is discarded', () => {
  const bus = busWith([1]);
  [[1, 8], [4, 8], [0, 1], [0, 7], [0, 33], [7, 9], [65535, 8]].forEach(([offset, count], at) => {
    const payload = le16(offset ?? 0).concat(le16(count ?? 0));
    assert.deepEqual(bus.frame(encode({ type: 2, id: 2, device: 0, token: 7, payload })), []);
    assert.equal(dropped('misaligned'), at + 1);
  });
});

test('R-294 a bitmap that does not fit is cut to what does, and next_offset goes on there', () => {
  // 64 bytes: 8 header, 6 fields, 50 bytes of bitmap are 400 slots. 48 bytes: 34 are 272.
  assert.deepEqual(getDevices(busWith([1, 399, 400]), 0, 4096), {
    offset: 0,
    count: 400,
    next: 400,
    bitmap: [2].concat(new Array<number>(48).fill(0), [0x80]),
  });
  assert.equal(getDevices(busWith([1, 272], 48), 0, 512).count, 272);
});

test('R-295 a window without devices has a bitmap of zeros of the requested count', () => {
  assert.deepEqual(getDevices(busWith([100]), 0, 32), { offset: 0, count: 32, next: 32, bitmap: [0, 0, 0, 0] });
  assert.deepEqual(getDevices(busWith([3]), 32, 8), { offset: 32, count: 8, next: 0, bitmap: [0] });
});

test('R-296 next_offset is 0 only when no device lies behind the window', () => {
  const bus = busWith([5, 8]);
  assert.notEqual(getDevices(bus, 0, 8).next, 0);
  assert.equal(getDevices(bus, 0, 16).next, 0);
  assert.equal(getDevices(bus, 8, 8).next, 0);
  const next = getDevices(busWith([40]), 0, 8).next;
  assert.ok(next >= 8 && next <= 40 && next % 8 === 0);
});

test('R-297 a window over the end of the number space is cut there', () => {
  const bus = busWith([65535]);
  assert.deepEqual(getDevices(bus, 65528, 32), { offset: 65528, count: 8, next: 0, bitmap: [0x80] });
  assert.deepEqual(getDevices(bus, 65520, 65528).bitmap, [0, 0x80]);
});

test('R-298 R-307 following next_offset finds every device once and ends', () => {
  const numbers = [0, 7, 8, 31, 32, 399, 400, 1000, 20000, 65527, 65528, 65535];
  [8, 32, 400, 65528].forEach((count) => {
    const bus = busWith(numbers);
    const found: number[] = [];
    let offset = 0;
    let steps = 0;
    do {
      const window = getDevices(bus, offset, count);
      window.bitmap.forEach((byte, at) => {
        for (let bit = 0; bit < 8; bit++) {
          if (((byte >> bit) & 1) === 1) {
            found.push(offset + at * 8 + bit);
          }
        }
      });
      assert.ok(window.next === 0 || window.next >= offset + window.count);
      offset = window.next;
      steps += 1;
    } while (offset !== 0 && steps <= 8192);
    assert.deepEqual(found, numbers, 'windows of ' + count);
  });
});

test('R-299 a request for no slots is answered with none', () => {
  assert.deepEqual(getDevices(busWith([3]), 8, 0), { offset: 8, count: 0, next: 0, bitmap: [] });
  const window = getDevices(busWith([70]), 16, 0);
  assert.equal(window.count, 0);
  assert.ok(window.next >= 16 && window.next <= 64 && window.next % 8 === 0);
});

test('R-300 R-302 PING brings its four bytes back, also while a device has failed', () => {
  const bus = busWith([1]);
  const ping = (bytes: number[]): number[] => bus.frame(encode({ type: 2, id: 3, device: 0, token: 7, payload: bytes }));
  assert.deepEqual(ping([0x44, 0x33, 0x22, 0x11]), [3, 3, 0, 0, 7, 0, 12, 0, 0x44, 0x33, 0x22, 0x11]);
  bus.status(1, 0x80);
  assert.deepEqual(ping([0xff, 0, 0xff, 0]).slice(8), [0xff, 0, 0xff, 0]);
  assert.deepEqual(ping([1, 2, 3, 4, 5, 6]).slice(8), [1, 2, 3, 4], 'only the defined bytes come back');
});

test('R-301 a PING answer nobody waits for is discarded', () => {
  const bus = busWith([1]);
  assert.deepEqual(bus.frame(encode({ type: 3, id: 3, device: 0, token: 7, payload: [1, 2, 3, 4] })), []);
  assert.equal(dropped('response'), 1);
});

test('R-308 a bus without devices is legal', () => {
  assert.deepEqual(getDevices(busWith([]), 0, 32), { offset: 0, count: 32, next: 0, bitmap: [0, 0, 0, 0] });
});
