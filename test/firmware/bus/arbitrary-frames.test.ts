// Arbitrary bytes as frames, in every profile: the core answers or drops each of them and stays able to answer and reset.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { BareBus } from '../../support/bare-bus.js';
import type { Profile } from '../../support/driver/message.js';
import { decode, encode, headerBytes, le32 } from '../../support/driver/message.js';
import { droppedInAll } from '../../support/fresh.js';
import { RingBench } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

/** Fields of a payload: small numbers, borders, and addresses near the window. */
const field = fc
  .oneof(fc.nat(16), fc.nat(0xffff), fc.constantFrom(0x7ffffff, 0x8000000, 0x7fffffff, 0x80000000, 0x800ffff0, 0x80010000, 0xfffffff0, 0xffffffff))
  .map(le32);

/** Headers that often are right, payloads of plausible fields. */
function plausible(profile: Profile): fc.Arbitrary<number[]> {
  const header = headerBytes(profile);
  const few = fc.constantFrom(0, 1, 2);
  return fc
    .record({
      type: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.nat(255) }),
      id: fc.oneof({ weight: 8, arbitrary: fc.nat(0x0d) }, { weight: 2, arbitrary: fc.constant(0x41) }, { weight: 1, arbitrary: fc.nat(255) }),
      device: fc.oneof({ weight: 8, arbitrary: few }, { weight: 1, arbitrary: fc.nat(profile === 'B' ? 0xffffffff : 0xffff) }),
      token: fc.nat(0xffff),
      size: fc.option(fc.oneof(fc.nat(70), fc.nat(0xffff)), { freq: 6 }),
      payload: fc.array(field, { maxLength: (64 - header) / 4 }),
    })
    .map(({ size, payload, ...fields }) => encode({ ...fields, ...(size === null ? {} : { size }), payload: payload.flat() }, profile));
}

function frameOf(profile: Profile): fc.Arbitrary<number[]> {
  return fc.oneof({ weight: 4, arbitrary: plausible(profile) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Array.from(bytes)) });
}

(['A', 'B', 'C'] as const).forEach((profile) => {
  const header = headerBytes(profile);
  /** Where the device number lies, and its bytes. */
  const [numberAt, numberBytes] = profile === 'B' ? [8, 8] : [2, 2];

  test('R-001 R-033 R-421 each frame is either answered under its own header or counted once as dropped, profile ' + profile, () => {
    fc.assert(
      fc.property(fc.array(frameOf(profile), { minLength: 1, maxLength: 40 }), (frames) => {
        const devices = [1, 2].map((number) => testDevice({ number, queueSizes: [8, 16], config: [1, 2, 3, 4, 5], writable: [1, 4] }).model);
        const bus = new BareBus(devices, 64, 0x1af4, [], profile);
        frames.forEach((bytes) => {
          const before = droppedInAll();
          const answer = bus.frame(bytes);
          const lost = droppedInAll() - before;
          if (answer.length === 0) {
            assert.ok(lost === 1 || (lost === 0 && bytes[1] === 0x41), 'dropped and counted, or an event');
          } else {
            assert.equal(lost, 0);
            const asked = decode(bytes, profile);
            const expected = encode({ ...asked, type: (asked.type & 3) | 1, size: answer.length, payload: [] }, profile);
            assert.deepEqual(answer.slice(0, header), expected);
            assert.deepEqual(answer.slice(numberAt, numberAt + numberBytes), bytes.slice(numberAt, numberAt + numberBytes));
            assert.ok(bus.slot().slice(answer.length).every((byte) => byte === 0));
          }
          bus.serve();
        });
        [1, 2].forEach((number) => {
          bus.readStatus(number);
          assert.equal(bus.status(number, 0), 0);
          assert.equal(bus.negotiate(number), 0x0b);
        });
        assert.ok(fake.guardsIntact());
      }),
      { seed: 31, numRuns: 300 },
    );
  });

  test('R-420 R-421 R-423 the same through the carrier, next to a device that goes on serving, profile ' + profile, () => {
    fc.assert(
      fc.property(fc.array(frameOf(profile), { minLength: 1, maxLength: 20 }), (frames) => {
        const bench = new RingBench(8, {}, { profile });
        frames.forEach((bytes) => {
          const meant = Array.from({ length: 64 }, (_, at) => bytes[at] ?? 0);
          // What is said to the other device, or as a driver that starts anew, would be this driver's own wish.
          if (decode(meant, profile).device === 2) {
            meant[numberAt] = 1;
          }
          if (meant[1] === 2) {
            meant[1] = 3;
          }
          if (meant.slice(0, 8).every((byte) => byte === 0)) {
            meant[profile === 'B' ? 4 : 6] = header;
          }
          bench.bus.sendFrame(meant);
          bench.bus.machine.wait(0);
          while (bench.bus.take() !== undefined) {
            continue;
          }
        });
        bench.expectAlive();
      }),
      { seed: 31, numRuns: 150 },
    );
  });
});
