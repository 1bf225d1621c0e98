// Configuration generation and EVENT_CONFIG where layouts B and C differ from A: baseline, strict, and how a range is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configChanged } from '../../../firmware/device.hot.js';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { DriverDevice } from '../../support/driver/device.js';
import type { Profile } from '../../support/driver/message.js';
import { le32, read32 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const SPACE = Array.from({ length: 60 }, (_, at) => 0x40 + at);

class Bench {
  readonly row: number;
  readonly device: DriverDevice;

  constructor(profile: Profile, strict: boolean, count = 0) {
    const tested = testDevice({ number: 5, config: SPACE, writable: [0, 8] });
    const bus = connectedTo([tested.model], { profile, strictConfigGeneration: strict });
    this.row = tested.row;
    this.device = new DriverDevice(bus, 5);
    this.device.setStatus(3);
    configGeneration[0] = count;
  }

  read(): number {
    return read32(this.device.request('GET_CONFIG', 5, le32(0).concat(le32(4))), 0);
  }

  /** Generation and length of the answer. */
  write(generation: number, offset = 0): number[] {
    const answer = this.device.request('SET_CONFIG', 6, le32(generation).concat(le32(offset), le32(1), [7]));
    assert.equal(read32(answer, 4), offset);
    assert.ok(answer.length === 12 || answer.length === 12 + read32(answer, 8));
    return [read32(answer, 0), read32(answer, 8)];
  }

  /** Status, generation, offset, length and number of data bytes of each event. */
  change(offset: number, length: number): number[][] {
    configChanged(this.row, offset, length);
    return settle(this.device.bus).map(({ id, payload }) => {
      assert.equal(id, 0x40);
      assert.deepEqual(payload.slice(16), SPACE.slice(offset, offset + payload.length - 16));
      return [0, 4, 8, 12].map((at) => read32(payload, at)).concat(payload.length - 16);
    });
  }
}

test('R-187 R-189 R-190 R-193 baseline: the count of a write is not looked at; B shows 0, C the live count', () => {
  ([['B', 0], ['C', 9]] as const).forEach(([profile, shown]) => {
    const bench = new Bench(profile, false, 9);
    assert.equal(bench.read(), shown);
    [0, 9, 10, 0xffffffff].forEach((generation) => assert.deepEqual(bench.write(generation), [shown, 1]));
    assert.deepEqual(bench.write(9, 8), [shown, 0], 'R-191 R-192: a read-only byte is still refused');
    assert.deepEqual(settle(bench.device.bus), [], 'R-190');
    assert.equal(configGeneration[0], 9, 'R-208');
  });
});

test('R-186 R-188 strict, once agreed: B and C behave like A', () => {
  (['B', 'C'] as const).forEach((profile) => {
    const bench = new Bench(profile, true, 9);
    assert.equal(bench.read(), 9);
    assert.deepEqual(bench.write(0), [9, 0]);
    assert.deepEqual(bench.write(9), [9, 1]);
    assert.deepEqual(bench.change(2, 3), [[3, 10, 2, 3, 3]]);
    assert.deepEqual(bench.write(9), [10, 0]);
  });
});

test('R-197 R-200 R-202 B tells the range with or without data, 0/0 only when it is unknown', () => {
  // 64 bytes: 16 header, 16 fields, 32 bytes of data.
  const bench = new Bench('B', false);
  assert.deepEqual(bench.change(5, 32), [[3, 0, 5, 32, 32]]);
  assert.deepEqual(bench.change(5, 33), [[3, 0, 5, 33, 0]]);
  assert.deepEqual(bench.change(0, 0), [[3, 0, 0, 0, 0]]);
});

test('R-200 R-210 C tells a range only together with its data', () => {
  const bench = new Bench('C', false);
  assert.deepEqual(bench.change(5, 40), [[3, 1, 5, 40, 40]]);
  assert.deepEqual(bench.change(5, 41), [[3, 2, 0, 0, 0]]);
});
