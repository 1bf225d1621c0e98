// GET_CONFIG and SET_CONFIG with the generation count as layout A has it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read32 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const SPACE = Array.from({ length: 20 }, (_, at) => 0x10 + at);
/** Beyond every sum of 32 bits, or close to it. */
const HUGE = [0x07ffffff, 0x08000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

/** Device 5 has 20 bytes, of which 8..15 are writable; device 6 has none; device 7 stands behind it in every table. */
function bus(size = 64): BareBus {
  return new BareBus(
    [
      testDevice({ number: 5, config: SPACE, writable: [8, 16] }).model,
      testDevice({ number: 6 }).model,
      testDevice({ number: 7, config: [0xaa, 0xbb, 0xcc, 0xdd], writable: [0, 4] }).model,
    ],
    size,
  );
}

interface Config {
  generation: number;
  offset: number;
  length: number;
  data: number[];
}

function parse(payload: readonly number[]): Config {
  return { generation: read32(payload, 0), offset: read32(payload, 4), length: read32(payload, 8), data: payload.slice(12) };
}

function read(on: BareBus, offset: number, length: number, device = 5): Config {
  return parse(on.request(5, device, le32(offset).concat(le32(length))));
}

function write(on: BareBus, offset: number, data: readonly number[], generation = 0, device = 5): Config {
  return parse(on.request(6, device, le32(generation).concat(le32(offset), le32(data.length), data)));
}

function setGeneration(count: number): void {
  configGeneration[0] = count % 65536;
  configGeneration[1] = Math.floor(count / 65536);
}

test('R-180 R-181 every range inside the space is read, offset and length echoed, in status 0 too', () => {
  const on = bus();
  for (let offset = 0; offset <= 20; offset++) {
    for (let length = 0; offset + length <= 20; length++) {
      const data = SPACE.slice(offset, offset + length);
      assert.deepEqual(read(on, offset, length), { generation: 0, offset, length, data });
    }
  }
});

test('R-182 a read over the end has the requested offset, length 0 and no data', () => {
  const on = bus();
  const ranges = [[0, 21], [19, 2], [20, 1], [21, 0], [21, 1], [1000, 4], [4, 0xfffffffc], [4, 0xffffffff]];
  ranges.concat(HUGE.map((value) => [value, 4]), HUGE.map((value) => [0, value]), HUGE.map((value) => [value, value])).forEach(([offset, length]) => {
    [5, 7].forEach((device) => {
      assert.deepEqual(read(on, offset ?? 0, length ?? 0, device), { generation: 0, offset, length: 0, data: [] });
    });
  });
  assert.deepEqual(read(on, 0, 1, 6), { generation: 0, offset: 0, length: 0, data: [] });
});

test('R-183 a read that does not fit a message has length 0', () => {
  const device = testDevice({ number: 5, config: new Array<number>(300).fill(7) });
  // 8 header and 12 fields are not data: 44 of 64, 28 of 48, 244 of 264.
  [[64, 44], [48, 28], [264, 244]].forEach(([size, most]) => {
    const on = new BareBus([device.model], size);
    assert.equal(read(on, 0, most ?? 0).data.length, most);
    assert.deepEqual(read(on, 3, (most ?? 0) + 1), { generation: 0, offset: 3, length: 0, data: [] });
  });
});

test('R-184 R-211 a read of length 0 is a question for the generation and changes nothing', () => {
  const on = bus();
  setGeneration(0x12345678);
  [0, 5, 20].forEach((offset) => {
    assert.deepEqual(read(on, offset, 0), { generation: 0x12345678, offset, length: 0, data: [] });
  });
  assert.equal(read(on, 0, 8).generation, 0x12345678);
});

test('R-186 every configuration answer carries the generation, rejected ones too', () => {
  const on = bus();
  [1, 0xffff, 0x10000, 0xffffffff].forEach((count) => {
    setGeneration(count);
    assert.equal(read(on, 0, 4).generation, count);
    assert.equal(read(on, 0, 100).generation, count);
    assert.equal(write(on, 8, [1], count).generation, count);
    assert.equal(write(on, 0, [1], count).generation, count);
    assert.equal(write(on, 8, [1], (count + 1) % 4294967296).generation, count);
  });
});

test('R-209 the count starts at 0, which a first write carries', () => {
  const on = bus();
  assert.deepEqual(write(on, 8, [1]), { generation: 0, offset: 8, length: 1, data: [] });
});

test('R-188 R-194 a write with another generation is rejected and changes nothing', () => {
  const on = bus();
  setGeneration(0x00020001);
  [0, 1, 2, 0x00010001, 0x00020000, 0x00020002, 0xffffffff].forEach((generation) => {
    assert.deepEqual(write(on, 8, [1, 2, 3], generation), { generation: 0x00020001, offset: 8, length: 0, data: [] });
  });
  assert.deepEqual(read(on, 0, 20).data, SPACE);
  assert.equal(write(on, 8, [1, 2, 3], 0x00020001).length, 3);
});

test('R-193 R-196 an accepted write is applied completely, at any alignment', () => {
  for (let offset = 8; offset < 16; offset++) {
    for (let length = 1; offset + length <= 16; length++) {
      const on = bus();
      const data = Array.from({ length }, (_, at) => 0x80 + at);
      const answer = write(on, offset, data);
      assert.equal(answer.length, length);
      assert.ok(answer.data.length === 0 || assert.deepEqual(answer.data, data) === undefined);
      assert.deepEqual(read(on, 0, 20).data, SPACE.slice(0, offset).concat(data, SPACE.slice(offset + length)));
    }
  }
});

test('R-191 R-192 R-194 a write out of bounds or into read-only bytes is rejected whole', () => {
  const on = bus();
  [[0, 4], [7, 1], [7, 2], [15, 2], [16, 1], [8, 12], [19, 2], [20, 1], [21, 1]].forEach(([offset, length]) => {
    assert.deepEqual(write(on, offset ?? 0, new Array<number>(length ?? 0).fill(0xff)), { generation: 0, offset, length: 0, data: [] });
  });
  HUGE.forEach((offset) => {
    [5, 7].forEach((device) => {
      assert.deepEqual(write(on, offset, [0xff, 0xff], 0, device), { generation: 0, offset, length: 0, data: [] });
    });
  });
  assert.deepEqual(write(on, 0, [1], 0, 6), { generation: 0, offset: 0, length: 0, data: [] });
  assert.deepEqual(read(on, 0, 20).data, SPACE);
  assert.deepEqual(read(on, 0, 4, 7).data, [0xaa, 0xbb, 0xcc, 0xdd], 'the neighbour in the tables');
});

test('R-191 a type without a handler rejects every write', () => {
  const model = testDevice({ number: 5, config: SPACE }).model;
  const { deviceId, name, serve } = model.type;
  const on = new BareBus([{ ...model, type: { deviceId, name, serve } }]);
  assert.equal(write(on, 8, [1]).length, 0);
  assert.deepEqual(read(on, 0, 20).data, SPACE);
});

test('R-195 a write of length 0 has an answer of length 0', () => {
  assert.deepEqual(write(bus(), 8, []), { generation: 0, offset: 8, length: 0, data: [] });
});

test('R-207 writes count before FEATURES_OK', () => {
  const on = bus();
  assert.equal(write(on, 8, [1]).length, 1);
  on.status(5, 3);
  assert.equal(write(on, 9, [2]).length, 1);
  assert.deepEqual(read(on, 8, 2).data, [1, 2]);
});

test('R-208 two writes in a row with the same count are both accepted', () => {
  const on = bus();
  setGeneration(77);
  assert.deepEqual([write(on, 8, [1], 77), write(on, 9, [2], 77)].map((answer) => [answer.generation, answer.length]), [[77, 1], [77, 1]]);
  assert.equal(read(on, 8, 2).generation, 77);
});

test('R-205 a write by the driver brings no EVENT_CONFIG', () => {
  const on = connectedTo([testDevice({ number: 5, config: SPACE, writable: [8, 16] }).model]);
  const device = new DriverDevice(on, 5);
  device.setStatus(3);
  device.request('SET_CONFIG', 6, le32(0).concat(le32(8), le32(2), [1, 2]));
  device.request('SET_CONFIG', 6, le32(9).concat(le32(8), le32(2), [1, 2]));
  assert.deepEqual(settle(on), []);
  assert.deepEqual(device.config(8, 2), [1, 2]);
});
