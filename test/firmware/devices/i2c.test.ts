// The I2C adapter: requests in order, one segment each, groups that fail together, transfers that take their time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { i2c } from '../../../firmware/main.js';
import type { I2cBackend, I2cOptions } from '../../../firmware/main.js';
import { setTemperature } from '../../../firmware/devices/i2c-chips.hot.js';
import { privateByte, setPrivateByte } from '../../../firmware/memory/private.hot.js';
import { transferAt } from '../../../firmware/serving/transfer.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf, OLD } from '../../support/device-bench.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le16, le32 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';

const QUEUE = 0;
const ZERO_LENGTH_REQUEST = 0;
const FAIL_NEXT = 1;
const M_RD = 2;
const OK = 0;
const ERR = 1;
const DONE = 0;
const FAILED = 1;
const LATER = 2;

const SENSOR = 0x48 << 1;
const MEMORY = 0x50 << 1;

interface Segment {
  address: number;
  read: number;
  data: number[];
}

/** A bus that notes segments and answers what the test says; reads give 1, 2, 3 ... */
class Bus {
  readonly segments: Segment[] = [];
  /** What becomes of the next segments; done when the list is empty. */
  results: number[] = [];
  ends: number[] = [];
  /** While it holds, a transfer under way goes on. */
  held = false;
  readonly backend: I2cBackend = {
    start: (device, address, read, bytes) => {
      const at = transferAt[device] ?? 0;
      const data = Array.from({ length: bytes }, (_, index) => (read === 1 ? 0 : privateByte(at + index)));
      this.segments.push({ address, read, data });
      if (read === 1) {
        data.forEach((_, index) => setPrivateByte(at + index, index + 1));
      }
      return this.results.shift() ?? DONE;
    },
    end: () => (this.held ? LATER : (this.ends.shift() ?? DONE)),
  };
}

function start(options: Partial<I2cOptions> = {}): DeviceBench {
  return benchOf(i2c({ number: 4, ...options }), { features: [ZERO_LENGTH_REQUEST] });
}

function head(address: number, flags = 0): number[] {
  return [...le16(address), 0, 0, ...le32(flags)];
}

function write(bench: DeviceBench, address: number, data: readonly number[], flags = 0): number | undefined {
  const answer = bench.ask(QUEUE, [head(address, flags), data].filter((part) => part.length > 0), [1]);
  assert.equal(answer?.written, 1);
  return answer?.bytes[0];
}

/** Data read and the status behind them. */
function read(bench: DeviceBench, address: number, bytes: number, flags = 0): number[] | undefined {
  const answer = bench.ask(QUEUE, [head(address, flags | M_RD)], bytes > 0 ? [bytes, 1] : [1]);
  assert.equal(answer?.written, bytes + 1);
  return answer?.bytes;
}

test('I2C id 34, no configuration space, one queue, ZERO_LENGTH_REQUEST offered', () => {
  const bench = start();
  assert.deepEqual([bench.device.info().deviceId, bench.device.info().configSize, bench.device.info().queues], [34, 0, 1]);
  assert.deepEqual(bench.device.features(), [1, 1]);
});

test('I2C-7 R-109 a driver without ZERO_LENGTH_REQUEST is refused at FEATURES_OK', () => {
  const device = new DriverDevice(connectedTo([i2c({ number: 4 })]), 4);
  device.setStatus(0);
  device.setStatus(3);
  device.setFeatures(0, 1);
  assert.equal(device.setStatus(0x0b), 3);
  device.setFeatures(1, 1);
  assert.equal(device.setStatus(0x0b), 0x0b);
});

test('I2C-1 I2C-5 segments reach the bus in order, with the data of the request; a read fills the whole data part', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  assert.equal(write(bench, SENSOR, [7, 8, 9]), OK);
  assert.deepEqual(read(bench, MEMORY, 4), [1, 2, 3, 4, OK]);
  assert.deepEqual(bus.segments, [
    { address: 0x48, read: 0, data: [7, 8, 9] },
    { address: 0x50, read: 1, data: [0, 0, 0, 0] },
  ]);
});

test('I2C-2 zero-length requests are legal in both directions', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  assert.equal(write(bench, SENSOR, []), OK);
  assert.deepEqual(read(bench, SENSOR, 0), [OK]);
  assert.deepEqual(bus.segments.map(({ read: direction, data }) => [direction, data.length]), [[0, 0], [1, 0]]);
});

test('addresses of 7 and of 10 bits are told apart; what is neither is ERR and never reaches the bus', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  write(bench, 0x77 << 1, []);
  // 10 bits: A7..A0 in the upper byte, 11110 A9 A8 0 in the lower one.
  write(bench, (0x23 << 8) | 0xf0 | (2 << 1), []);
  assert.deepEqual(bus.segments.map(({ address }) => address), [0x77, 1024 + 0x223]);
  [SENSOR | 1, 0x100 | SENSOR, 0xf1].forEach((address) => assert.equal(write(bench, address, []), ERR));
  assert.equal(bus.segments.length, 2);
});

test('I2C-3 I2C-4 after a failure with FAIL_NEXT the rest of the group is not executed and fails; the next group is executed', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  bus.results = [FAILED];
  assert.equal(write(bench, SENSOR, [1], FAIL_NEXT), ERR);
  assert.equal(write(bench, SENSOR, [2], FAIL_NEXT), ERR);
  assert.deepEqual(read(bench, SENSOR, 2), [0, 0, ERR]);
  assert.equal(bus.segments.length, 1);
  assert.equal(write(bench, SENSOR, [3]), OK);
  assert.equal(bus.segments.length, 2);
  bus.results = [FAILED];
  assert.equal(write(bench, SENSOR, [1]), ERR);
  assert.equal(write(bench, SENSOR, [2]), OK, 'without FAIL_NEXT the next one stands alone');
});

test('I2C-3 a reset of the device ends a failed group', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  bus.results = [FAILED];
  write(bench, SENSOR, [1], FAIL_NEXT);
  bench.device.setStatus(0);
  bench.start();
  assert.equal(write(bench, SENSOR, [2]), OK);
});

test('I2C-6 DT-G6 data against the flag, unknown flags, short heads and segments beyond the buffer are ERR', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend, maximumBytes: 8 });
  const status = (readable: number[][], writable: number[]): number | undefined => {
    const answer = bench.ask(QUEUE, readable, writable);
    return answer?.bytes[(answer.written || 1) - 1];
  };
  assert.equal(status([head(SENSOR, M_RD), [1]], [4, 1]), ERR);
  assert.equal(status([head(SENSOR)], [4, 1]), ERR);
  assert.equal(status([head(SENSOR, 4)], [1]), ERR);
  assert.equal(status([head(SENSOR, 0x10000)], [1]), ERR);
  assert.equal(status([head(SENSOR).slice(0, 7)], [1]), ERR);
  assert.equal(status([head(SENSOR), [1, 2, 3, 4, 5, 6, 7, 8, 9]], [1]), ERR);
  assert.equal(status([head(SENSOR, M_RD)], [9, 1]), ERR);
  assert.deepEqual(bus.segments, []);
  assert.equal(bench.ask(QUEUE, [head(SENSOR)])?.written, 0, 'no room for a status');
});

test('DT-G1 head, data and status may be split anywhere', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  const bytes = [...head(SENSOR), 5, 6, 7];
  assert.deepEqual(bench.ask(QUEUE, [bytes.slice(0, 3), bytes.slice(3, 9), bytes.slice(9)], [1])?.bytes, [OK]);
  assert.deepEqual(bench.ask(QUEUE, [head(SENSOR, M_RD).slice(0, 5), head(SENSOR, M_RD).slice(5)], [1, 2, 1])?.bytes, [1, 2, 3, OK]);
  assert.deepEqual(bus.segments[0]?.data, [5, 6, 7]);
});

test('a transfer that takes its time holds the queue, and only that: its end is found by asking', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  bus.results = [LATER];
  bus.ends = [LATER, DONE];
  bench.offer(QUEUE, [head(SENSOR, M_RD)], [2, 1]);
  bench.offer(QUEUE, [head(SENSOR), [9]], [1]);
  bench.kick(QUEUE);
  assert.equal(bench.take(QUEUE), undefined);
  assert.equal(bus.segments.length, 1);
  bench.wait(300, 100);
  assert.equal(bench.take(QUEUE), undefined);
  bench.wait(300, 100);
  assert.deepEqual(bench.takeAll(QUEUE).map(({ bytes }) => bytes), [[1, 2, OK], [OK]]);
  assert.equal(bus.segments.length, 2);
});

test('R-163 R-171 a reset while a transfer is under way answers at once; its end touches nothing, later requests wait for the bus', () => {
  const bus = new Bus();
  const bench = start({ backend: bus.backend });
  bus.results = [LATER];
  bus.ends = [FAILED];
  bus.held = true;
  bench.offer(QUEUE, [head(SENSOR, M_RD | FAIL_NEXT)], [8, 1]);
  bench.kick(QUEUE);
  assert.equal(bench.device.setStatus(0), 0);
  bench.start();
  bench.offer(QUEUE, [head(SENSOR), [9]], [1]);
  bench.kick(QUEUE);
  assert.equal(bus.segments.length, 1, 'the bus is still taken');
  bus.held = false;
  bench.wait(1000, 100);
  assert.deepEqual(bench.takeAll(QUEUE).map(({ bytes }) => bytes), [[OK]]);
  assert.ok(fake.guardsIntact());
});

test('the simulated sensor has a temperature, an address pointer and a limit that can be written', () => {
  const bench = start();
  setTemperature(0, 0x1a80);
  assert.equal(write(bench, SENSOR, [0]), OK);
  assert.deepEqual(read(bench, SENSOR, 2), [0x1a, 0x80, OK]);
  assert.equal(write(bench, SENSOR, [3, 0x46, 0]), OK);
  assert.deepEqual(read(bench, SENSOR, 2), [0x46, 0, OK]);
  assert.equal(write(bench, SENSOR, [0, 1, 2]), OK);
  assert.deepEqual(read(bench, SENSOR, 2), [0x1a, 0x80, OK], 'the temperature is read-only');
  assert.equal(write(bench, 0x20 << 1, []), ERR, 'nobody at that address');
});

test('the simulated memory keeps what is written', () => {
  const bench = start();
  assert.equal(write(bench, MEMORY, [0x10, 1, 2, 3]), OK);
  assert.equal(write(bench, MEMORY, [0x10]), OK);
  assert.deepEqual(read(bench, MEMORY, 3), [1, 2, 3, OK]);
  assert.deepEqual(read(bench, MEMORY, 1), [0, OK], 'the address moves on');
  assert.equal(write(bench, MEMORY, [0xff, 1, 2]), ERR);
  const buffer = bench.ask(QUEUE, [head(MEMORY, M_RD)], [256, 1]);
  assert.equal(buffer?.bytes[256], ERR, 'beyond the end');
  assert.notEqual(buffer?.bytes[0], OLD);
});

test('a segment size an adapter cannot have is one sentence', () => {
  assert.throws(() => i2c({ number: 4, maximumBytes: 0 }), /1 to 65536 bytes/);
});
