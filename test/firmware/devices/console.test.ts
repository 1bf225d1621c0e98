// The console: bytes in their order in both directions, emergency writes, sizes, and the control messages of MULTIPORT.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ConsoleOptions, ConsolePort } from '../../../firmware/main.js';
import { console as consoleDevice, echo, logBuffer, serialLine } from '../../../firmware/main.js';
import { consoleInput, consolePlug, consoleResize, consoleUnplug, readLog, serialLost } from '../../../firmware/device.hot.js';
import { wakeAll } from '../../../firmware/serving/wake.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { BenchOptions, DeviceBench } from '../../support/device-bench.js';
import { benchOf, OLD } from '../../support/device-bench.js';
import { le32, read16, read32 } from '../../support/driver/message.js';

const F_SIZE = 0;
const F_MULTIPORT = 1;
const RX = 0;
const TX = 1;
const CONTROL_RX = 2;
const CONTROL_TX = 3;

const bytes = (text: string): number[] => Array.from(Buffer.from(text));
const text = (list: readonly number[] | undefined): string => Buffer.from(list ?? []).toString();

function bench(ports: readonly ConsolePort[], options: Partial<ConsoleOptions> = {}, settings: BenchOptions = {}): DeviceBench {
  const model = consoleDevice({ number: 2, ports, ...options });
  return benchOf(model, { queues: ports.length > 1 ? model.queueSizes.map((_, index) => index) : [RX, TX], size: 16, ...settings });
}

/** A console with several ports whose features the driver takes. */
function multi(ports: readonly ConsolePort[], options: Partial<ConsoleOptions> = {}): DeviceBench {
  return bench(ports, options, { features: options.size === undefined ? [F_MULTIPORT] : [F_SIZE, F_MULTIPORT] });
}

function say(device: DeviceBench, id: number, event: number, value: number): void {
  assert.equal(device.ask(CONTROL_TX, [[...le32(id), event, 0, value, 0]])?.written, 0);
}

/** The control messages that wait: id, event, value, extra bytes. */
function heard(device: DeviceBench): [number, number, number, string][] {
  for (let count = 0; count < 12; count++) {
    device.offer(CONTROL_RX, [], [64]);
  }
  device.kick(CONTROL_RX);
  const messages = device.takeAll(CONTROL_RX).map(({ written, bytes: all }): [number, number, number, string] => {
    return [read32(all, 0), read16(all, 4), read16(all, 6), text(all.slice(8, written))];
  });
  return messages;
}

/** Input as a backend has it: `list` in private memory, past what devices use. */
function typed(list: readonly number[], port = 0): number {
  fake.bytes[2]?.set(list, 0x20000);
  return consoleInput(port, 2, 0x20000, list.length);
}

test('device id 3, EMERG_WRITE always, SIZE and MULTIPORT as asked for, 12 bytes of configuration', () => {
  const one = bench([{ backend: echo() }]);
  assert.deepEqual([one.device.info().deviceId, one.device.info().queues, one.device.features()[0]], [3, 2, 4]);
  assert.deepEqual(one.device.config(0, 12), [80, 0, 25, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  const three = bench([{ backend: echo() }, { backend: echo() }, { backend: echo() }], { size: [132, 50] }, { queues: [RX, TX] });
  assert.deepEqual([three.device.info().queues, three.device.features()[0]], [8, 7]);
  assert.deepEqual(three.device.config(0, 8), [132, 0, 50, 0, 3, 0, 0, 0]);
});

test('without MULTIPORT there are two queues', () => {
  const device = bench([{ backend: echo() }, { backend: echo() }], {}, { queues: [RX, TX] });
  assert.deepEqual([2, 3, 4, 5].map((index) => device.device.queueMaximum(index)), [0, 0, 0, 0]);
  device.offer(RX, [], [4]);
  device.ask(TX, [bytes('ok')]);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 2)), 'ok', 'and port 0 needs no opening');
});

test('CON-6 output has the used length 0 and goes to the serial line whole, whatever its length and cuts', () => {
  const device = bench([{ backend: serialLine() }]);
  const long = Array.from({ length: 300 }, (_, at) => at & 255);
  device.offer(TX, [long.slice(0, 7), long.slice(7, 100), long.slice(100)]);
  device.kick(TX);
  device.wait(20000);
  assert.equal(device.take(TX)?.written, 0);
  assert.deepEqual(fake.written, long);
});

test('CON-6 input is counted byte by byte and lands at the start of the buffer', () => {
  const device = bench([{ backend: echo() }]);
  device.offer(RX, [], [3, 5]);
  assert.equal(typed(bytes('hello')), 5);
  device.settle();
  const answer = device.take(RX);
  assert.equal(answer?.written, 5);
  assert.equal(text(answer.bytes.slice(0, 5)), 'hello');
  assert.deepEqual(answer.bytes.slice(5), [OLD, OLD, OLD]);
});

test('CON-7 without a receive buffer input waits, up to the FIFO\'s size, and output goes on', () => {
  const device = bench([{ backend: echo(), input: 8 }]);
  assert.equal(typed(bytes('0123456789')), 8, 'the rest is the backend\'s to keep');
  device.settle();
  device.offer(RX, [], [4]);
  device.kick(RX);
  assert.equal(text(device.take(RX)?.bytes), '0123');
  assert.equal(typed(bytes('abcdef')), 4);
  device.offer(RX, [], [16]);
  device.kick(RX);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 8)), '4567abcd', 'around the end of the FIFO');
});

test('a receive buffer without writable bytes is given back and loses nothing', () => {
  const device = bench([{ backend: echo() }]);
  device.offer(RX, [[1]]);
  device.offer(RX, [], [2]);
  typed(bytes('ok'));
  device.settle();
  assert.deepEqual(device.takeAll(RX).map(({ written }) => written), [0, 2]);
});

test('CON-1 an emergency write is output in any state of the device; the field then reads 0', () => {
  const device = bench([{ backend: serialLine() }]);
  device.device.setStatus(0);
  const generation = device.device.request('GET_CONFIG', 5, le32(0).concat(le32(1))).slice(0, 4);
  const write = (offset: number, list: readonly number[]): number =>
    read32(device.device.request('SET_CONFIG', 6, [...generation, ...le32(offset), ...le32(list.length), ...list]), 8);
  assert.equal(write(8, [0x21, 9, 9, 9]), 4);
  assert.equal(write(8, [0x3f]), 1);
  assert.deepEqual(fake.written, [0x21, 0x3f]);
  assert.deepEqual(device.device.config(8, 4), [0, 0, 0, 0]);
  assert.deepEqual([write(0, [1, 0]), write(9, [1]), write(4, [1, 0, 0, 0]), write(6, [1, 1, 1, 1])], [0, 0, 0, 0]);
});

test('CON-1 the other backends take an emergency write too', () => {
  const loop = bench([{ backend: echo() }]);
  loop.offer(RX, [], [4]);
  const emergency = (device: DeviceBench): void => {
    const generation = device.device.request('GET_CONFIG', 5, le32(0).concat(le32(1))).slice(0, 4);
    device.device.request('SET_CONFIG', 6, [...generation, ...le32(8), ...le32(1), 0x41]);
    device.settle();
  };
  emergency(loop);
  assert.deepEqual(loop.take(RX)?.bytes.slice(0, 1), [0x41]);
  emergency(bench([{ backend: logBuffer({ bytes: 16 }) }]));
  readLog(0, 2, 0x20000, 1);
  assert.equal(fake.bytes[2]?.[0x20000], 0x41);
});

test('CON-2 a new size shows in the configuration with one EVENT_CONFIG, without SIZE silently', () => {
  const device = bench([{ backend: echo() }], { size: [80, 25] }, { features: [F_SIZE] });
  consoleResize(0, 0, 100, 40);
  device.settle();
  assert.deepEqual(device.device.config(0, 4), [100, 0, 40, 0]);
  assert.deepEqual(device.events.map(({ id }) => id), [0x40]);
  const silent = bench([{ backend: echo() }], { size: [80, 25] });
  consoleResize(0, 0, 100, 40);
  silent.settle();
  assert.deepEqual(silent.events, []);
});

test('CON-3 no control message before DEVICE_READY, then DEVICE_ADD for every port that is there', () => {
  const device = multi([{ backend: echo() }, { backend: echo() }, { backend: echo(), absent: true }]);
  assert.deepEqual(heard(device), []);
  say(device, 0, 0, 0);
  device.settle();
  assert.deepEqual(device.takeAll(CONTROL_RX), [], 'DEVICE_READY 0 is no readiness');
  say(device, 0, 0, 1);
  const added = device.takeAll(CONTROL_RX).map(({ bytes: all }) => [read32(all, 0), read16(all, 4)]);
  assert.deepEqual(added, [[0, 1], [1, 1]]);
});

test('PORT_READY is answered with CONSOLE_PORT, PORT_NAME, PORT_OPEN and RESIZE, as they apply', () => {
  const device = multi([{ backend: echo() }, { backend: echo(), name: 'org.example.log' }], { size: [132, 50] });
  say(device, 0, 0, 1);
  heard(device);
  say(device, 0, 3, 1);
  say(device, 1, 3, 1);
  const size = text([132, 0, 50, 0]);
  const messages = device.takeAll(CONTROL_RX).map(({ written, bytes: all }) => [read32(all, 0), read16(all, 4), read16(all, 6), text(all.slice(8, written))]);
  assert.deepEqual(messages, [[0, 4, 1, ''], [0, 6, 1, ''], [0, 5, 0, size], [1, 7, 1, 'org.example.log'], [1, 6, 1, '']]);
});

test('CON-4 CON-5 ports that come and go are told once each, in their order', () => {
  const device = multi([{ backend: echo() }, { backend: echo(), absent: true }]);
  consolePlug(0, 1);
  consolePlug(0, 1);
  say(device, 0, 0, 1);
  say(device, 0, 0, 1);
  assert.deepEqual(heard(device).map(([id, event]) => [id, event]), [[0, 1], [1, 1]], 'added once');
  consoleUnplug(0, 1);
  consolePlug(0, 1);
  device.settle();
  assert.deepEqual(device.takeAll(CONTROL_RX).map(({ bytes: all }) => [read32(all, 0), read16(all, 4)]), [[1, 2], [1, 1]]);
  consoleUnplug(0, 1);
  consoleUnplug(0, 1);
  device.settle();
  assert.deepEqual(device.takeAll(CONTROL_RX).map(({ bytes: all }) => read16(all, 4)), [2]);
});

test('CON-5 a port that was never announced is not removed', () => {
  const device = multi([{ backend: echo() }, { backend: echo() }]);
  consoleUnplug(0, 1);
  say(device, 0, 0, 1);
  assert.deepEqual(heard(device).map(([id, event]) => [id, event]), [[0, 1]]);
});

test('each port has its own bytes; input waits until the driver has opened the port', () => {
  const device = multi([{ backend: echo() }, { backend: echo() }]);
  say(device, 0, 0, 1);
  heard(device);
  say(device, 0, 3, 1);
  say(device, 1, 3, 1);
  // Port 1: receive queue 4, transmit queue 5.
  device.offer(4, [], [8]);
  device.offer(RX, [], [8]);
  device.ask(5, [bytes('one')]);
  device.ask(TX, [bytes('zero')]);
  assert.deepEqual([device.take(4), device.take(RX)], [undefined, undefined]);
  say(device, 1, 6, 1);
  assert.equal(text(device.take(4)?.bytes.slice(0, 3)), 'one');
  say(device, 0, 6, 1);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 4)), 'zero');
  say(device, 1, 6, 0);
  device.offer(4, [], [8]);
  device.ask(5, [bytes('x')]);
  assert.equal(device.take(4), undefined, 'closed again');
});

test('DT-G6 malformed control messages change nothing: short, unknown port, unknown event, split header', () => {
  const device = multi([{ backend: echo() }, { backend: echo() }]);
  assert.equal(device.ask(CONTROL_TX, [[0, 0, 0, 0, 0, 0, 1]])?.written, 0);
  say(device, 9, 3, 1);
  say(device, 0x10000, 6, 1);
  say(device, 0, 77, 1);
  say(device, 0, 3, 1);
  assert.deepEqual(heard(device), []);
  assert.equal(device.ask(CONTROL_TX, [[0], [0, 0, 0, 0, 0], [1, 0]])?.written, 0);
  assert.equal(device.takeAll(CONTROL_RX).length, 2);
});

test('a control buffer too small for a message is given back with 0; the message is sent in the next, a name that does not fit is left out', () => {
  const device = multi([{ backend: echo(), name: 'a-long-name' }, { backend: echo() }]);
  device.offer(CONTROL_RX, [], [7]);
  device.offer(CONTROL_RX, [], [8]);
  say(device, 0, 0, 1);
  assert.deepEqual(device.takeAll(CONTROL_RX).map(({ written }) => written), [0, 8]);
  device.offer(CONTROL_RX, [], [8]);
  device.offer(CONTROL_RX, [], [8]);
  device.offer(CONTROL_RX, [], [18]);
  device.offer(CONTROL_RX, [], [8]);
  say(device, 0, 3, 1);
  assert.deepEqual(device.takeAll(CONTROL_RX).map(({ written, bytes: all }) => [written, read16(all, 4)]).filter(([written]) => written !== 0), [[8, 4], [8, 6], [8, 1]]);
});

test('the log keeps the last bytes, also around its end and for a buffer longer than itself', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 40 }), { maxLength: 8 }), (list) => {
      const device = bench([{ backend: logBuffer({ bytes: 16 }) }]);
      list.forEach((part) => {
        device.offer(TX, [part]);
        device.kick(TX);
        device.wait(4000);
        assert.equal(device.take(TX)?.written, 0);
      });
      const all = list.flat();
      const count = Math.min(16, all.length);
      readLog(0, 2, 0x20000, count);
      assert.deepEqual(Array.from(fake.bytes[2]?.subarray(0x20000, 0x20000 + count) ?? []), count === 0 ? [] : all.slice(-count));
    }),
    { numRuns: 60 },
  );
});

[false, true].forEach((packed) => {
  test(`byte order is kept through loop-back whatever the buffers and the FIFO (${packed ? 'packed' : 'split'} ring)`, () => {
    const step = fc.record({ send: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 30 }), cut: fc.nat({ max: 30 }), receive: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 16 }), fc.constantFrom(4, 16, 64), (steps, input) => {
        const device = bench([{ backend: echo(), input }], {}, { packed });
        const sent: number[] = [];
        const got: number[] = [];
        let waiting = 0;
        const collect = (): void => {
          device.wait(4000);
          device.takeAll(TX).forEach(({ written }) => {
            waiting -= 1;
            assert.equal(written, 0);
          });
          device.takeAll(RX).forEach(({ written, bytes: all }) => got.push(...all.slice(0, written)));
        };
        steps.forEach(({ send, cut, receive }) => {
          if (send.length > 0 && waiting < 6) {
            const at = cut % send.length;
            device.offer(TX, at === 0 ? [send] : [send.slice(0, at), send.slice(at)]);
            device.kick(TX);
            sent.push(...send);
            waiting += 1;
          }
          if (receive.length > 0) {
            device.offer(RX, [], receive);
            device.kick(RX);
          }
          collect();
          assert.deepEqual(got, sent.slice(0, got.length));
        });
        for (let round = 0; round < 200 && got.length < sent.length; round++) {
          device.offer(RX, [], [16]);
          device.kick(RX);
          collect();
        }
        assert.deepEqual(got, sent);
      }),
      { numRuns: 30 },
    );
  });
});

/** Bytes come over the serial line and its interrupt wakes the core. */
function serialBytes(device: DeviceBench, list: readonly number[]): void {
  fake.typed.push(...list);
  wakeAll();
  device.settle();
}

test('CON-6 what comes over the serial line waits in the FIFO, the rest stays in the line until the driver has made room', () => {
  const device = bench([{ backend: serialLine(), input: 8 }]);
  serialBytes(device, bytes('0123456789abcdef'));
  assert.equal(text(fake.typed), '89abcdef', 'the line keeps what the FIFO has no room for');
  assert.equal(device.take(RX), undefined);
  device.offer(RX, [], [3]);
  device.kick(RX);
  assert.equal(text(device.take(RX)?.bytes), '012');
  assert.equal(text(fake.typed), '89abcdef', 'nothing is fetched while some waits and nobody asks');
  serialBytes(device, bytes('g'));
  assert.equal(text(fake.typed), 'bcdefg', 'an interrupt fills it up, also around its end');
  for (let count = 0; count < 4; count++) {
    device.offer(RX, [], [5]);
  }
  device.kick(RX);
  assert.equal(text(device.takeAll(RX).flatMap(({ written, bytes: all }) => all.slice(0, written))), '3456789abcdefg');
  assert.deepEqual(fake.typed, []);
});

test('a buffer asks the serial line at once, without an interrupt; a port that is not open asks nothing', () => {
  const one = bench([{ backend: serialLine() }]);
  fake.typed.push(...bytes('early'));
  one.offer(RX, [], [8]);
  one.kick(RX);
  assert.equal(text(one.take(RX)?.bytes.slice(0, 5)), 'early');
  const device = multi([{ backend: serialLine() }, { backend: echo() }]);
  say(device, 0, 0, 1);
  heard(device);
  say(device, 0, 3, 1);
  fake.typed.push(...bytes('later'));
  device.offer(RX, [], [8]);
  device.kick(RX);
  assert.equal(text(fake.typed), 'later');
  say(device, 0, 6, 1);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 5)), 'later');
});

test('bytes that the line lost are counted, and what was not lost goes on in its order', () => {
  const device = bench([{ backend: serialLine() }]);
  fake.typedLost = 1;
  serialBytes(device, bytes('ab'));
  serialBytes(device, bytes('c'));
  fake.typedLost = 1;
  serialBytes(device, []);
  assert.equal(serialLost[0], 2);
  device.offer(RX, [], [8]);
  device.kick(RX);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 3)), 'abc');
  serialLost[0] = 65535;
  fake.typedLost = 1;
  serialBytes(device, []);
  assert.equal(serialLost[0], 65535, 'the counter stays at its end');
});

test('a backend that gives input of its own accord needs no function for it, and an interrupt changes nothing for it', () => {
  const device = bench([{ backend: echo() }]);
  fake.typed.push(1);
  wakeAll();
  device.offer(RX, [], [8]);
  device.kick(RX);
  assert.equal(device.take(RX), undefined);
  assert.deepEqual(fake.typed, [1]);
});

[false, true].forEach((packed) => {
  test(`byte order is kept from the serial line to the driver whatever the buffers, the FIFO and the interrupts (${packed ? 'packed' : 'split'} ring)`, () => {
    const step = fc.record({ type: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }), fires: fc.boolean(), receive: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.constantFrom(1, 4, 16, 64), (steps, input) => {
        const device = bench([{ backend: serialLine(), input }], {}, { packed });
        const sent: number[] = [];
        const got: number[] = [];
        const collect = (): void => {
          device.settle();
          device.takeAll(RX).forEach(({ written, bytes: all }) => {
            assert.ok(written > 0, 'no buffer comes back empty');
            got.push(...all.slice(0, written));
          });
          assert.deepEqual(got, sent.slice(0, got.length));
        };
        steps.forEach(({ type, fires, receive }) => {
          sent.push(...type);
          fake.typed.push(...type);
          if (fires) {
            wakeAll();
          }
          receive.forEach((bytesOfBuffer) => {
            device.offer(RX, [], [bytesOfBuffer]);
            device.kick(RX);
            collect();
          });
          collect();
        });
        for (let round = 0; round < 900 && got.length < sent.length; round++) {
          device.offer(RX, [], [16]);
          device.kick(RX);
          collect();
        }
        assert.deepEqual(got, sent);
      }),
      { numRuns: 40 },
    );
  });
});

test('a reset forgets input and what was half output; nothing of an earlier life comes back', () => {
  const device = bench([{ backend: echo(), input: 4 }]);
  device.offer(TX, [bytes('abcdefgh')]);
  device.kick(TX);
  device.wait(2000);
  device.device.setStatus(0);
  device.start();
  device.offer(RX, [], [8]);
  device.offer(TX, [bytes('XY')]);
  device.kick(TX);
  assert.equal(text(device.take(RX)?.bytes.slice(0, 2)), 'XY');
});

test('options that cannot be are refused with one sentence', () => {
  const port = { backend: echo() };
  assert.throws(() => consoleDevice({ number: 1, ports: [] }), /it has 1 to 16 ports/);
  assert.throws(() => consoleDevice({ number: 1, ports: [{ ...port, absent: true }] }), /port 0 is always there/);
  assert.throws(() => consoleDevice({ number: 1, ports: [{ ...port, name: 'two words' }] }), /a name has/);
  assert.throws(() => consoleDevice({ number: 1, ports: [{ ...port, input: 100 }] }), /power of two/);
  assert.throws(() => logBuffer({ bytes: 100 }), /power of two/);
  const many = consoleDevice({ number: 1, ports: new Array<ConsolePort>(9).fill(port) });
  const more = consoleDevice({ number: 2, ports: new Array<ConsolePort>(8).fill(port) });
  assert.throws(() => benchOf(many, { queues: [] }, [more]), /the image holds 16 console ports/);
});
