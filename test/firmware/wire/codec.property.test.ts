// What one end writes the other reads, field by field, in every profile: messages as a driver of the specification builds and reads them.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { Removal, unplug } from '../../../firmware/device.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import type { Profile } from '../../support/driver/message.js';
import { decode, encode, le16, le32, le64, read16, read32 } from '../../support/driver/message.js';
import { testDevice } from '../../support/test-device.js';

const SETTINGS = { seed: 20261125, numRuns: 200 };
const u16 = fc.oneof(fc.nat(65535), fc.constantFrom(0, 1, 255, 256, 32768, 65535));
const u32 = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff));
const bytes = (count: number): fc.Arbitrary<number[]> => fc.array(fc.nat(255), { minLength: count, maxLength: count });

/** Where the answer to GET_DEVICES keeps its fields, from the tables of the drafts: count, next_offset, bitmap. */
const DEVICES = { A: [2, 4, 6], B: [16, 8, 18], C: [4, 2, 6] } as const;

function number(profile: Profile, value: number): number[] {
  return profile === 'B' ? le64(value, 0) : le16(value);
}

(['A', 'B', 'C'] as const).forEach((profile) => {
  const busOf = (numbers: readonly number[], size = 64): BareBus => new BareBus(numbers.map((one) => testDevice({ number: one, queueSizes: [2] }).model), size, 0x1af4, [], profile);

  test('R-006 R-007 R-009 R-012 R-013 R-030 R-032 R-300 header fields come back as they were sent, profile ' + profile, () => {
    fc.assert(
      fc.property(u16, u16, fc.nat(63), bytes(4), (device, token, reserved, data) => {
        const bus = busOf([device]);
        const asked = { type: reserved * 4, id: 0x07, device, token, payload: [] };
        assert.deepEqual(decode(bus.frame(encode(asked, profile)), profile), { ...asked, type: 1, size: (profile === 'B' ? 16 : 8) + 4, payload: le32(0) });
        const pinged = { type: reserved * 4 + 2, id: 0x03, device: 0, token, payload: data };
        assert.deepEqual(decode(bus.frame(encode(pinged, profile)), profile), { ...pinged, type: 3, size: (profile === 'B' ? 16 : 8) + 4 });
      }),
      SETTINGS,
    );
  });

  test('R-080 R-082 R-083 R-085 R-086 R-088 any identity is told as it is, profile ' + profile, () => {
    fc.assert(
      fc.property(
        fc.record({ device: u16, deviceId: fc.integer({ min: 1, max: 65535 }), vendor: u32, uuid: bytes(16), config: fc.nat(300), queues: fc.integer({ min: 1, max: 9 }), far: fc.integer({ min: 64, max: 127 }) }),
        ({ device, deviceId, vendor, uuid, config, queues, far }) => {
          const { model } = testDevice({ number: device, deviceId, features: [far], config: new Array<number>(config).fill(7), queueSizes: new Array<number>(queues).fill(4) });
          const digits = uuid.map((byte) => byte.toString(16).padStart(2, '0')).join('');
          const info = new BareBus([{ ...model, uuid: digits }], 64, vendor, [], profile).request(0x02, device);
          const blocks = Math.floor(far / 32) + 1;
          const identity = [...le32(deviceId), ...le32(vendor)];
          const first = [...le32(blocks * 32), ...le32(config), ...le32(queues), ...le16(0), ...le16(0)];
          const second = [...uuid, ...le32(blocks), ...le32(config), ...le32(queues), ...le32(0), ...le32(0)];
          assert.deepEqual(info, identity.concat(profile === 'A' ? first : second));
        },
      ),
      SETTINGS,
    );
  });

  test('R-222 a queue is told as it was set up, profile ' + profile, () => {
    const place = (step: number): fc.Arbitrary<number[]> =>
      fc.oneof(
        fc.nat(0xf0000 / step).map((at) => le64(0x80000000 + at * step, 0)),
        fc.nat(0xe000 / step).map((at) => le64(0xfffe0000 + at * step, 1)),
      );
    fc.assert(
      fc.property(fc.nat(3), fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128, 256), place(16), place(2), place(4), (index, size, ...areas) => {
        const bus = new BareBus([testDevice({ number: 5, queueSizes: [256, 256, 256, 256] }).model], 64, 0x1af4, [], profile);
        bus.negotiate(5);
        const flags = profile === 'A' ? 0 : 1;
        bus.request(0x0a, 5, [...le32(index), ...le32(flags), ...le32(size), ...le32(0), ...areas.flat()]);
        assert.deepEqual(bus.request(0x09, 5, le32(index)), [...le32(index), ...le32(256), ...le32(size), ...le32(flags), ...areas.flat()]);
      }),
      SETTINGS,
    );
  });

  test('R-193 R-180 what is written into the configuration space is read, in whatever pieces, profile ' + profile, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }), (wanted, writes, reads) => {
        const bus = new BareBus([testDevice({ number: 5, config: new Array<number>(wanted.length).fill(0), writable: [0, wanted.length] }).model], 64, 0x1af4, [], profile);
        const pieces = (length: number): number[] => Array.from({ length: Math.ceil(wanted.length / length) }, (_, at) => at * length);
        pieces(writes).forEach((offset) => {
          const data = [...wanted.slice(offset, offset + writes)];
          assert.equal(read32(bus.request(0x06, 5, [...le32(0), ...le32(offset), ...le32(data.length), ...data]), 8), data.length);
        });
        const read = pieces(reads).flatMap((offset) => bus.request(0x05, 5, [...le32(offset), ...le32(Math.min(reads, wanted.length - offset))]).slice(12));
        assert.deepEqual(read, [...wanted]);
      }),
      SETTINGS,
    );
  });

  test('R-290 R-294 R-296 R-298 any set of up to 64 numbers is found, each once, in windows of any size, profile ' + profile, () => {
    const [countAt, nextAt, bitmapAt] = DEVICES[profile];
    const unit = profile === 'B' ? 1 : 8;
    const near = fc.nat(600);
    const windows = fc.integer({ min: 1, max: 60 }).map((count) => count * unit);
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: u16 }), { maxLength: 64 }), windows, (numbers, count) => {
        const bus = busOf(numbers);
        const found: number[] = [];
        let offset = 0;
        for (let step = 0; step < 66000; step++) {
          const answer = decode(bus.frame(encode({ type: 2, id: 2, device: 0, token: 7, payload: [...number(profile, offset), ...le16(count)] }, profile)), profile).payload;
          assert.equal(read16(answer, 0), offset);
          const told = read16(answer, countAt);
          const next = read16(answer, nextAt);
          answer.slice(bitmapAt).forEach((byte, at) => {
            for (let bit = 0; bit < 8; bit++) {
              if (((byte >> bit) & 1) === 1) {
                found.push(offset + at * 8 + bit);
              }
            }
          });
          assert.ok(told <= count && answer.length === bitmapAt + Math.ceil(told / 8));
          if (next === 0) {
            break;
          }
          assert.ok(next >= offset + told && next % unit === 0);
          offset = next;
        }
        assert.deepEqual(found, numbers.sort((one, other) => one - other));
      }),
      { ...SETTINGS, numRuns: 40 },
    );
  });

  test('R-012 R-304 EVENT_DEVICE tells any number, profile ' + profile, () => {
    fc.assert(
      fc.property(u16, (device) => {
        const tested = testDevice({ number: device });
        const bus = new BareBus([tested.model], 64, 0x1af4, [], profile);
        unplug(tested.row, Removal.Gone);
        assert.deepEqual(bus.sent(), [encode({ type: 2, id: 0x40, device: 0, token: 0, payload: [...number(profile, device), 2, 0] }, profile)]);
      }),
      SETTINGS,
    );
  });
});
