// What profiles B and C do differently on the bus: header, sizes, numbers of 64 bits, device information.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { addBus } from '../../../firmware/bus/add-bus.js';
import { BareBus } from '../../support/bare-bus.js';
import type { Profile } from '../../support/driver/message.js';
import { encode, le16, le32, le64, read16, read32 } from '../../support/driver/message.js';
import { dropped } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

function busOf(profile: Profile, numbers: readonly number[], size = 64): BareBus {
  return new BareBus(numbers.map((number) => testDevice({ number, queueSizes: [2] }).model), size, 0x1af4, [], profile);
}

test('R-040 R-041 smallest and largest maximum message size of each profile', () => {
  ([['A', 48], ['B', 60], ['C', 52]] as const).forEach(([profile, smallest]) => {
    assert.throws(() => addBus(0, profile, smallest - 1), new RegExp(`${smallest} to 65535`));
    assert.doesNotThrow(() => addBus(0, profile, smallest));
    assert.doesNotThrow(() => addBus(0, profile, 65535));
    [65536, NaN].forEach((size) => assert.throws(() => addBus(0, profile, size), /65535/));
  });
});

test('R-042 a maximum message size above the recommendation is accepted with a warning', () => {
  ([['A', 264], ['B', 272], ['C', 264]] as const).forEach(([profile, recommended]) => {
    fake.clear();
    addBus(0, profile, recommended);
    assert.deepEqual(fake.logged, []);
    addBus(0, profile, recommended + 1);
    assert.deepEqual(fake.logged, [{ code: 9, value: recommended + 1 }]);
  });
});

test('R-008 R-014 R-015 layout B: number of 64 bits at offset 8, reserved field ignored, and 0 in answers', () => {
  const bus = busOf('B', [0, 5]);
  const answer = [1, 7, 7, 0, 20, 0, 0, 0].concat(le64(5, 0), [0, 0, 0, 0]);
  assert.deepEqual(bus.frame([0, 7, 7, 0, 16, 0, 0, 0].concat(le64(5, 0))), answer);
  assert.deepEqual(bus.frame([0, 7, 7, 0, 16, 0, 0xff, 0xff].concat(le64(5, 0))), answer);
  [le64(0x10005, 0), le64(5, 1), le64(5, 0x10000), le64(0, 0x80000000)].forEach((number, at) => {
    assert.deepEqual(bus.frame([0, 7, 7, 0, 16, 0, 0, 0].concat(number)), []);
    assert.equal(dropped('no device'), at + 1);
  });
  assert.deepEqual(bus.frame([2, 3, 7, 0, 20, 0, 0, 0].concat(le64(0, 1), [1, 2, 3, 4])), [], 'R-011');
  assert.equal(dropped('bus message with a number'), 1);
});

test('R-001 R-002 R-003 R-005 layout B: the header has 16 bytes', () => {
  const bus = busOf('B', [5]);
  const request = encode({ type: 0, id: 7, device: 5, token: 7, payload: [] }, 'B');
  for (let received = 0; received < 16; received++) {
    assert.deepEqual(bus.frame(request.slice(0, received), received), []);
    assert.deepEqual(bus.frame(encode({ type: 0, id: 7, device: 5, token: 7, size: received, payload: [] }, 'B')), []);
  }
  assert.equal(dropped('short'), 32);
  assert.deepEqual(bus.frame(encode({ type: 0, id: 7, device: 5, token: 7, size: 17, payload: [] }, 'B')), []);
  assert.deepEqual(bus.frame(encode({ type: 0, id: 7, device: 5, token: 7, payload: new Array<number>(49).fill(0) }, 'B')), []);
  assert.equal(dropped('long'), 2);
});

test('R-081 R-083 R-088 GET_DEVICE_INFO of payload set 2: uuid, blocks, sizes, no admin queue', () => {
  (['B', 'C'] as const).forEach((profile) => {
    const model = { ...testDevice({ number: 5, deviceId: 0x1234, features: [96], config: new Array<number>(17).fill(0), queueSizes: [2, 2, 2] }).model, uuid: '00112233445566778899aAbBcCdDeEfF' };
    const bus = new BareBus([testDevice({ number: 4 }).model, model], 64, 0xfedcba98, [], profile);
    const uuid = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
    const expected = le32(0x1234).concat(le32(0xfedcba98), uuid, le32(4), le32(17), le32(3), le32(0), le32(0));
    assert.deepEqual(bus.request(2, 5), expected);
    bus.negotiate(5);
    assert.deepEqual(bus.request(2, 5), expected);
    assert.deepEqual(bus.request(2, 4).slice(8, 24), new Array<number>(16).fill(0));
  });
});

test('a uuid that is none is refused', () => {
  ['', '0', '0011223344556677-8899aabbccddeef', 'g'.repeat(32), '0'.repeat(33)].forEach((uuid) => {
    assert.throws(() => new BareBus([{ ...testDevice({ number: 5 }).model, uuid }]), /32 hexadecimal digits/);
  });
});

test('R-247 R-248 GET_SHM of payload set 2 has 64 bits, so a region above 4 GiB is told', () => {
  const regions = [{ id: 0, window: 1, offset: 0x100, bytes: 0x200 }, { id: 1, window: 0, offset: 0x20000, bytes: 0x10000 }];
  (['B', 'C'] as const).forEach((profile) => {
    const bus = new BareBus([testDevice({ number: 5, regions }).model], 64, 0x1af4, [], profile);
    assert.deepEqual(bus.request(0x0c, 5, le32(0)), le32(0).concat(le32(0), le64(0x200, 0), le64(0xfffe0100, 1)));
    assert.deepEqual(bus.request(0x0c, 5, le32(1)), le32(1).concat(le32(0), le64(0x10000, 0), le64(0x80020000, 0)));
    assert.deepEqual(bus.request(0x0c, 5, le32(2)), le32(2).concat(new Array<number>(20).fill(0)));
  });
});

interface DeviceWindow {
  offset: number[];
  count: number;
  next: number;
  bitmap: number[];
}

/** GET_DEVICES of layout B. */
function getDevices(bus: BareBus, offset: readonly number[], count: number): DeviceWindow {
  const answer = bus.frame(encode({ type: 2, id: 2, device: 0, token: 9, payload: offset.concat(le16(count)) }, 'B'));
  assert.deepEqual(answer.slice(0, 4), [3, 2, 9, 0]);
  const payload = answer.slice(16);
  assert.deepEqual(payload.slice(12, 16), [0, 0, 0, 0]);
  return { offset: payload.slice(0, 8), count: read16(payload, 16), next: read32(payload, 8), bitmap: payload.slice(18) };
}

test('R-292 layout B: any count, with zeros behind the last slot', () => {
  const bus = busOf('B', [3, 5, 9, 10]);
  for (let count = 1; count <= 16; count++) {
    const bits = [3, 5, 9, 10].filter((number) => number >= 3 && number < 3 + count).reduce((sum, number) => sum | (1 << (number - 3)), 0);
    const bitmap = count > 8 ? [bits & 255, bits >> 8] : [bits];
    assert.deepEqual(getDevices(bus, le64(3, 0), count), { offset: le64(3, 0), count, next: 3 + count > 10 ? 0 : 3 + count, bitmap });
  }
});

test('R-297 layout B: the window is cut at the end of 64 bits only, and numbers beyond ours have no device', () => {
  const bus = busOf('B', [65535]);
  assert.deepEqual(getDevices(bus, le64(65530, 0), 20).bitmap, [0x20, 0, 0]);
  assert.deepEqual(getDevices(bus, le64(65536, 0), 20), { offset: le64(65536, 0), count: 20, next: 0, bitmap: [0, 0, 0] });
  assert.deepEqual(getDevices(bus, le64(0xfffffff0, 0xffffffff), 20), { offset: le64(0xfffffff0, 0xffffffff), count: 16, next: 0, bitmap: [0, 0] });
  assert.equal(getDevices(bus, le64(0xfffffff0, 0xfffffffe), 20).count, 20);
});

test('R-294 R-298 R-299 layout B: following next_offset finds every device once, whatever the count', () => {
  const numbers = [0, 7, 8, 31, 32, 225, 240, 1000, 65527, 65535];
  [1, 7, 31, 240, 65535].forEach((count) => {
    const bus = busOf('B', numbers);
    const found: number[] = [];
    let offset = 0;
    let steps = 0;
    do {
      const window = getDevices(bus, le64(offset, 0), count);
      assert.ok(window.count > 0 && window.count <= count && window.bitmap.length === (window.count + 7) >> 3);
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
    } while (offset !== 0 && steps <= 65536);
    assert.deepEqual(found, numbers, 'windows of ' + count);
  });
  assert.deepEqual(getDevices(busOf('B', [3]), le64(0, 0), 0), { offset: le64(0, 0), count: 0, next: 1, bitmap: [] });
});

test('R-291 R-295 C keeps the rules of A, with next_offset before count', () => {
  const bus = busOf('C', [100]);
  const ask = (offset: number, count: number): number[] => bus.frame(encode({ type: 2, id: 2, device: 0, token: 9, payload: le16(offset).concat(le16(count)) })).slice(8);
  assert.deepEqual(ask(0, 32), le16(0).concat(le16(32), le16(32), [0, 0, 0, 0]));
  assert.deepEqual(ask(96, 8), le16(96).concat(le16(0), le16(8), [0x10]));
  assert.deepEqual(ask(0, 7), []);
  assert.equal(dropped('misaligned'), 1);
});
