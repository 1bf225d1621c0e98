// The GPIO device: requests, wrong requests, interrupts that are masked, latched and delivered once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gpio } from '../../../firmware/main.js';
import type { GpioBackend, GpioOptions } from '../../../firmware/main.js';
import { setWire } from '../../../firmware/devices/gpio-wires.hot.js';
import { armedDevices, wakeAll } from '../../../firmware/serving/wake.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf, OLD } from '../../support/device-bench.js';
import { le16, le32 } from '../../support/driver/message.js';

const REQUESTS = 0;
const EVENTS = 1;
const IRQ = 0;

const GET_LINE_NAMES = 1;
const GET_DIRECTION = 2;
const SET_DIRECTION = 3;
const GET_VALUE = 4;
const SET_VALUE = 5;
const SET_IRQ_TYPE = 6;
const OUT = 1;
const IN = 2;
const RISING = 1;
const FALLING = 2;
const BOTH = 3;
const HIGH = 4;
const LOW = 8;

/** Row of the only device. */
const ROW = 0;

function start(options: Partial<GpioOptions> = {}, features: readonly number[] = [IRQ]): DeviceBench {
  return benchOf(gpio({ number: 2, lines: 4, ...options }), { features, queues: features.length === 0 ? [0] : [0, 1], size: 64 });
}

function request(type: number, line: number, value = 0): number[] {
  return le16(type).concat(le16(line), le32(value));
}

/** Status and value of the response; all of it must have been written. */
function ask(bench: DeviceBench, type: number, line: number, value = 0): number[] | undefined {
  const answer = bench.ask(REQUESTS, [request(type, line, value)], [2]);
  assert.equal(answer?.written, 2);
  return answer?.bytes;
}

function unmask(bench: DeviceBench, line: number): void {
  bench.offer(EVENTS, [le16(line)], [1]);
  bench.kick(EVENTS);
}

/** Statuses that came back on the event queue. */
function events(bench: DeviceBench): (number | undefined)[] {
  return bench.takeAll(EVENTS).map((answer) => {
    assert.equal(answer.written, 1);
    return answer.bytes[0];
  });
}

function enable(bench: DeviceBench, line: number, type: number): void {
  assert.deepEqual(ask(bench, SET_DIRECTION, line, IN), [0, 0]);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, line, type), [0, 0]);
}

test('GPIO config: ngpio, padding, size of the names; id 41, the event queue only with IRQ', () => {
  const named = start({ names: ['led', '', 'button'] });
  assert.deepEqual(named.device.config(0, 8), [4, 0, 0, 0, 13, 0, 0, 0]);
  assert.equal(named.device.info().deviceId, 41);
  assert.equal(named.device.info().queues, 2);
  assert.deepEqual(named.device.features(), [1, 1]);
  assert.equal(named.device.queueMaximum(1), 128);
  assert.equal(start({}, []).device.queueMaximum(1), 0, 'not accepted: no event queue');
  const without = start({ interrupts: false }, []);
  assert.deepEqual(without.device.config(0, 8), [4, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(without.device.info().queues, 1);
});

test('GPIO GET_LINE_NAMES gives every name with its zero; without names, or without room for them, ERR', () => {
  const bench = start({ names: ['led', '', 'button'] });
  const answer = bench.ask(REQUESTS, [request(GET_LINE_NAMES, 0)], [14]);
  assert.equal(answer?.written, 14);
  assert.equal(String.fromCharCode(...(answer?.bytes ?? [])), '\0led\0\0button\0\0');
  const short = bench.ask(REQUESTS, [request(GET_LINE_NAMES, 0)], [13]);
  assert.deepEqual([short?.written, short?.bytes.slice(0, 3)], [2, [1, 0, OLD]]);
  assert.deepEqual(ask(start(), GET_LINE_NAMES, 0), [1, 0]);
});

test('GPIO-1 directions and values are set and read back, each with all fields of the response', () => {
  const bench = start();
  assert.deepEqual(ask(bench, GET_DIRECTION, 0), [0, 0]);
  assert.deepEqual(ask(bench, SET_DIRECTION, 0, OUT), [0, 0]);
  assert.deepEqual(ask(bench, GET_DIRECTION, 0), [0, 1]);
  assert.deepEqual(ask(bench, SET_DIRECTION, 1, IN), [0, 0]);
  assert.deepEqual(ask(bench, GET_DIRECTION, 1), [0, 2]);
  assert.deepEqual(ask(bench, SET_VALUE, 0, 1), [0, 0]);
  assert.deepEqual(ask(bench, GET_VALUE, 0), [0, 1]);
  assert.deepEqual(ask(bench, GET_VALUE, 1), [0, 1], 'lines 0 and 1 are wired to each other');
  assert.deepEqual(ask(bench, GET_VALUE, 2), [0, 0]);
});

test('GPIO-3 GPIO-4 a value set before the line is an output is used when it becomes one; direction NONE forgets it', () => {
  const bench = start();
  assert.deepEqual(ask(bench, SET_VALUE, 0, 1), [0, 0]);
  assert.deepEqual(ask(bench, GET_VALUE, 1), [0, 0]);
  ask(bench, SET_DIRECTION, 0, OUT);
  assert.deepEqual(ask(bench, GET_VALUE, 1), [0, 1]);
  ask(bench, SET_DIRECTION, 0, 0);
  ask(bench, SET_DIRECTION, 0, OUT);
  assert.deepEqual(ask(bench, GET_VALUE, 1), [0, 0]);
});

test('GPIO-5 what the device does not have is ERR: line, value, type, interrupts without the feature', () => {
  const bench = start();
  assert.deepEqual(ask(bench, GET_VALUE, 4), [1, 0]);
  assert.deepEqual(ask(bench, SET_DIRECTION, 0, 3), [1, 0]);
  assert.deepEqual(ask(bench, SET_DIRECTION, 0, 65536 + OUT), [1, 0]);
  assert.deepEqual(ask(bench, SET_VALUE, 0, 2), [1, 0]);
  assert.deepEqual(ask(bench, 0, 0), [1, 0]);
  assert.deepEqual(ask(bench, 7, 0), [1, 0]);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 0, 5), [1, 0]);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 0, 9), [1, 0]);
  assert.deepEqual(ask(start({}, []), SET_IRQ_TYPE, 0, RISING), [1, 0]);
});

test('DT-G1 DT-G4 DT-G6 a request is read over element borders; a short one is ERR; without room for a status nothing is written', () => {
  const bench = start();
  const bytes = request(SET_DIRECTION, 3, OUT);
  assert.deepEqual(bench.ask(REQUESTS, [bytes.slice(0, 1), bytes.slice(1, 5), bytes.slice(5)], [1, 1])?.bytes, [0, 0]);
  assert.deepEqual(ask(bench, GET_DIRECTION, 3), [0, 1]);
  assert.deepEqual(bench.ask(REQUESTS, [bytes.slice(0, 7)], [2])?.bytes, [1, 0]);
  const one = bench.ask(REQUESTS, [bytes], [1]);
  assert.deepEqual([one?.written, one?.bytes], [1, [0]]);
  assert.equal(bench.ask(REQUESTS, [bytes])?.written, 0);
  assert.deepEqual(bench.ask(REQUESTS, [], [2])?.bytes, [1, 0]);
});

test('GPIO-6 GPIO-7 an interrupt needs the line enabled and a buffer on the event queue, and is delivered once', () => {
  const bench = start();
  enable(bench, 1, RISING);
  unmask(bench, 1);
  assert.deepEqual(events(bench), []);
  ask(bench, SET_DIRECTION, 0, OUT);
  ask(bench, SET_VALUE, 0, 1);
  assert.deepEqual(events(bench), [1]);
  ask(bench, SET_VALUE, 0, 0);
  ask(bench, SET_VALUE, 0, 1);
  assert.deepEqual(events(bench), [], 'masked until a new buffer comes');
});

test('GPIO-8 an edge that comes while the line is masked is delivered at unmask, once; other edges are none', () => {
  const bench = start();
  enable(bench, 1, FALLING);
  ask(bench, SET_DIRECTION, 0, OUT);
  ask(bench, SET_VALUE, 0, 1);
  ask(bench, SET_VALUE, 0, 0);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [1]);
  unmask(bench, 1);
  ask(bench, SET_VALUE, 0, 1);
  assert.deepEqual(events(bench), [], 'a rising edge');
  ask(bench, SET_VALUE, 0, 0);
  assert.deepEqual(events(bench), [1]);
});

test('GPIO-8 a level is looked at when the line is unmasked and never remembered', () => {
  const bench = start();
  enable(bench, 1, HIGH);
  setWire(ROW, 1, 1);
  setWire(ROW, 1, 0);
  unmask(bench, 1);
  assert.deepEqual(events(bench), []);
  setWire(ROW, 1, 1);
  bench.wait(2000);
  assert.deepEqual(events(bench), [1]);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [1], 'still high');
  enable(bench, 2, LOW);
  unmask(bench, 2);
  assert.deepEqual(events(bench), [1]);
});

test('an edge from outside is found by looking every pollMicroseconds', () => {
  const bench = start({ pollMicroseconds: 5000 });
  enable(bench, 3, BOTH);
  unmask(bench, 3);
  setWire(ROW, 3, 1);
  bench.wait(4000);
  assert.deepEqual(events(bench), []);
  bench.wait(2000);
  assert.deepEqual(events(bench), [1]);
});

test('with pollMicroseconds 0 no time is kept for looking: the backend\'s interrupt wakes the device, whose lines are then looked at', () => {
  const bench = start({ pollMicroseconds: 0 });
  enable(bench, 3, BOTH);
  unmask(bench, 3);
  assert.equal(armedDevices, 0);
  setWire(ROW, 3, 1);
  bench.wait(20000);
  assert.deepEqual(events(bench), []);
  wakeAll();
  bench.settle();
  assert.deepEqual(events(bench), [1]);
  assert.equal(armedDevices, 0);
});

test('GPIO-9 disabling forgets a latched edge and gives the waiting buffer back as INVALID', () => {
  const bench = start();
  enable(bench, 1, RISING);
  unmask(bench, 1);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 1, 0), [0, 0]);
  assert.deepEqual(events(bench), [0]);
  enable(bench, 1, RISING);
  setWire(ROW, 1, 1);
  bench.wait(2000);
  ask(bench, SET_IRQ_TYPE, 1, 0);
  enable(bench, 1, RISING);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [], 'the edge before is forgotten');
});

test('GPIO-6 edges of the time before the interrupt was enabled do not count', () => {
  const bench = start();
  setWire(ROW, 1, 1);
  enable(bench, 1, RISING);
  unmask(bench, 1);
  assert.deepEqual(events(bench), []);
});

test('GPIO-10 GPIO-11 a buffer for a line that is not enabled, armed already, or not there comes back as INVALID', () => {
  const bench = start();
  unmask(bench, 1);
  assert.deepEqual(events(bench), [0]);
  enable(bench, 1, RISING);
  unmask(bench, 1);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [0]);
  unmask(bench, 4);
  assert.deepEqual(events(bench), [0]);
  assert.deepEqual(bench.ask(EVENTS, [[1]], [1])?.bytes, [0]);
  assert.equal(bench.ask(EVENTS, [le16(2)])?.written, 0);
});

test('GPIO-12 another type while enabled is ERR; the same one is not', () => {
  const bench = start();
  enable(bench, 1, RISING);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 1, FALLING), [1, 0]);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 1, RISING), [0, 0]);
  ask(bench, SET_IRQ_TYPE, 1, 0);
  assert.deepEqual(ask(bench, SET_IRQ_TYPE, 1, FALLING), [0, 0]);
});

test('R-163 R-243 after a reset of the event queue its buffers are forgotten and lines can be unmasked anew', () => {
  const bench = start();
  enable(bench, 1, RISING);
  enable(bench, 2, RISING);
  unmask(bench, 1);
  bench.device.resetQueue(EVENTS);
  bench.setUp(EVENTS);
  // The row of line 1's buffer is used again, for line 2.
  unmask(bench, 2);
  setWire(ROW, 1, 1);
  bench.wait(2000);
  assert.deepEqual(events(bench), []);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [1], 'the edge was latched');
  setWire(ROW, 2, 1);
  bench.wait(2000);
  assert.deepEqual(events(bench), [1]);
});

test('R-159 a reset lets go of the lines that had a direction, at the backend too, and of no other', () => {
  const told: number[][] = [];
  const backend: GpioBackend = {
    setDirection: (_device, line, direction, value) => {
      told.push([line, direction, value]);
      return true;
    },
    read: () => 0,
    write: () => true,
    takeEdges: () => 0,
  };
  const bench = start({ backend });
  ask(bench, SET_DIRECTION, 0, OUT);
  ask(bench, SET_DIRECTION, 3, IN);
  told.length = 0;
  bench.device.setStatus(0);
  assert.deepEqual(told, [[0, 0, 0], [3, 0, 0]]);
  bench.device.setStatus(0);
  assert.equal(told.length, 2);
});

test('R-159 after a reset of the device all lines are without direction, value and interrupt', () => {
  const bench = start();
  enable(bench, 1, RISING);
  unmask(bench, 1);
  ask(bench, SET_DIRECTION, 0, OUT);
  bench.device.setStatus(0);
  bench.start();
  assert.deepEqual(ask(bench, GET_DIRECTION, 0), [0, 0]);
  setWire(ROW, 1, 1);
  bench.wait(5000);
  assert.deepEqual(events(bench), []);
  unmask(bench, 1);
  assert.deepEqual(events(bench), [0]);
});

test('two GPIO devices have lines of their own', () => {
  const other = gpio({ number: 3, lines: 2 });
  const bench = benchOf(gpio({ number: 2, lines: 3 }), { features: [IRQ], queues: [0, 1] }, [other]);
  const second = new (bench.constructor as new (...args: unknown[]) => DeviceBench)(bench.bus, other, { features: [IRQ], queues: [0, 1] });
  ask(bench, SET_DIRECTION, 2, OUT);
  ask(bench, SET_VALUE, 2, 1);
  assert.deepEqual(ask(bench, GET_VALUE, 2), [0, 1], 'the last line has no partner');
  assert.deepEqual(ask(second, GET_VALUE, 0), [0, 0]);
  assert.deepEqual(ask(second, GET_VALUE, 2), [1, 0]);
});

test('options a GPIO device cannot have are one sentence', () => {
  assert.deepEqual(gpio({ number: 2, lines: 4 }).queueSizes, [64, 128]);
  assert.deepEqual(gpio({ number: 2, lines: 4, queueSize: 256 }).queueSizes, [256, 256]);
  assert.deepEqual(gpio({ number: 2, lines: 4, queueSize: 256, interrupts: false }).queueSizes, [256]);
  assert.throws(() => gpio({ number: 2, lines: 0 }), /1 to 128 lines/);
  assert.throws(() => gpio({ number: 2, lines: 129 }), /1 to 128 lines/);
  assert.throws(() => gpio({ number: 2, lines: 1, names: ['a', 'b'] }), /not more names than lines/);
  assert.throws(() => gpio({ number: 2, lines: 1, names: ['é'] }), /7-bit/);
});

test('R-421 no sequence of requests and interrupts loses a buffer: every one comes back or waits for an enabled line', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('irq' as const), line: fc.nat(4), value: fc.constantFrom(0, RISING, FALLING, BOTH, HIGH, LOW, 6) }),
    fc.record({ kind: fc.constant('unmask' as const), line: fc.nat(4), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('wire' as const), line: fc.nat(3), value: fc.nat(1) }),
    fc.record({ kind: fc.constant('direction' as const), line: fc.nat(3), value: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bench = start();
      let offered = 0;
      let back = 0;
      for (const { kind, line, value } of steps) {
        if (kind === 'irq') {
          ask(bench, SET_IRQ_TYPE, line, value);
        } else if (kind === 'direction') {
          ask(bench, SET_DIRECTION, line, value);
        } else if (kind === 'wire') {
          setWire(ROW, line, value);
          bench.wait(2000);
        } else {
          unmask(bench, line);
          offered++;
        }
        back += events(bench).length;
      }
      [0, 1, 2, 3].forEach((line) => ask(bench, SET_IRQ_TYPE, line, 0));
      back += events(bench).length;
      assert.equal(back, offered);
      assert.ok(fake.guardsIntact());
    }),
    { numRuns: 100, seed: 41 },
  );
});
