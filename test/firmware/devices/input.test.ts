// The input device: its configuration space answers select and subsel, events reach the driver in whole groups.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { input } from '../../../firmware/main.js';
import type { InputOptions } from '../../../firmware/main.js';
import { droppedEvents, report } from '../../../firmware/devices/input.hot.js';
import { windowWords } from '../../../hal/fake/port.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf } from '../../support/device-bench.js';
import { le16, le32, read32 } from '../../support/driver/message.js';

const EVENTS = 0;
const STATUS = 1;
const ROW = 0;
const EV_SYN = 0;
const EV_KEY = 1;
const EV_REL = 2;

const quiet = { look: (): void => undefined };

function start(options: Partial<InputOptions> = {}): DeviceBench {
  return benchOf(input({ number: 9, name: 'keys', backend: quiet, ...options }), { queues: [0, 1], size: 64 });
}

/** The driver's write of the configuration space with the generation it has seen; returns the bytes applied. */
function write(bench: DeviceBench, offset: number, bytes: readonly number[]): number {
  return read32(bench.device.request('SET_CONFIG', 0x06, [...le32(0), ...le32(offset), ...le32(bytes.length), ...bytes]), 8);
}

/** size and u for a pair. */
function ask(bench: DeviceBench, select: number, subsel = 0): { size: number; data: number[] } {
  assert.equal(write(bench, 0, [select]), 1);
  assert.equal(write(bench, 1, [subsel]), 1);
  const all = [0, 32, 64, 96, 128].flatMap((at) => bench.device.config(at, at === 128 ? 8 : 32));
  assert.deepEqual([all[0], all[1]], [select, subsel]);
  const size = all[2] ?? 0;
  assert.ok(all.slice(8 + size).every((byte) => byte === 0), 'nothing of an earlier answer is left');
  return { size, data: all.slice(8, 8 + size) };
}

function text(bytes: readonly number[]): string {
  return String.fromCharCode(...bytes);
}

function buffers(bench: DeviceBench, count: number, bytes = 8): void {
  for (let at = 0; at < count; at++) {
    bench.offer(EVENTS, [], [bytes]);
  }
  bench.kick(EVENTS);
}

/** Type, code and value of the events that came. */
function events(bench: DeviceBench): number[][] {
  return bench.takeAll(EVENTS).map(({ written, bytes }) => {
    assert.equal(written, 8);
    return [(bytes[0] ?? 0) + (bytes[1] ?? 0) * 256, (bytes[2] ?? 0) + (bytes[3] ?? 0) * 256, read32(bytes, 4)];
  });
}

test('input: id 18, two queues, 136 bytes of configuration', () => {
  const { deviceId, queues, configSize } = start().device.info();
  assert.deepEqual([deviceId, queues, configSize], [18, 2, 136]);
});

test('INP-1 INP-6 the answers to select and subsel are there in the next read; what the device does not have is size 0', () => {
  const bench = start({
    serial: 'no. 7',
    ids: [0x19, 1, 2, 0x300],
    properties: [0, 9],
    events: [{ type: EV_KEY, codes: [30, 0x110] }],
    axes: [{ code: 1, range: [-5, 100, 0, 1, 2] }],
  });
  assert.equal(text(ask(bench, 0x01).data), 'keys');
  assert.equal(text(ask(bench, 0x02).data), 'no. 7');
  assert.deepEqual(ask(bench, 0x03).data, [0x19, 0, 1, 0, 2, 0, 0, 3]);
  assert.deepEqual(ask(bench, 0x10).data, [1, 2]);
  const keys = ask(bench, 0x11, EV_KEY);
  assert.equal(keys.size, 0x110 / 8 + 1);
  assert.deepEqual(keys.data.flatMap((byte, at) => (byte === 0 ? [] : [[at, byte]])), [[3, 1 << 6], [0x110 / 8, 1]]);
  assert.deepEqual(ask(bench, 0x11, 3).data, [2], 'an axis makes EV_ABS');
  assert.deepEqual(ask(bench, 0x12, 1).data, [...[0xfb, 0xff, 0xff, 0xff], ...[100, 0, 1, 2].flatMap(le32)]);
  for (const [select, subsel] of [[0, 0], [0x11, EV_REL], [0x12, 0], [0x01, 1], [0x55, 0]] as const) {
    assert.equal(ask(bench, select, subsel).size, 0);
  }
});

test('INP-2 select and subsel may be written together or one by one, with one generation value; nothing else can be written', () => {
  const bench = start();
  assert.equal(write(bench, 0, [0x11, EV_KEY]), 2);
  assert.equal(bench.device.config(2, 1)[0], 4);
  assert.equal(write(bench, 1, [EV_REL]), 1);
  assert.equal(bench.device.config(2, 1)[0], 0);
  assert.equal(write(bench, 2, [1]), 0);
  assert.equal(write(bench, 1, [1, 1]), 0);
  assert.equal(write(bench, 8, [1]), 0);
});

test('INP-6 R-205 R-208 a select write raises no event and does not step the generation', () => {
  const bench = start();
  bench.settle();
  bench.events.splice(0);
  ask(bench, 0x01);
  ask(bench, 0x11, EV_KEY);
  bench.settle();
  assert.deepEqual(bench.events, []);
});

test('INP-3 a group reaches the driver with its EV_SYN, and not before it ends', () => {
  const bench = start();
  buffers(bench, 8);
  report(ROW, EV_KEY, 30, 1);
  bench.settle();
  assert.deepEqual(events(bench), []);
  report(ROW, EV_SYN, 0, 0);
  bench.settle();
  assert.deepEqual(events(bench), [[EV_KEY, 30, 1], [EV_SYN, 0, 0]]);
  report(ROW, EV_REL, 0, -3);
  report(ROW, EV_SYN, 0, 0);
  bench.settle();
  assert.deepEqual(events(bench), [[EV_REL, 0, 4294967293], [EV_SYN, 0, 0]]);
});

test('INP-3 INP-4 without buffers groups wait; one that does not fit any more is dropped whole', () => {
  const bench = start();
  for (let group = 0; group < 40; group++) {
    report(ROW, EV_KEY, group, 1);
    report(ROW, EV_SYN, 0, 0);
  }
  buffers(bench, 60);
  buffers(bench, 4);
  bench.settle();
  const first = events(bench);
  assert.equal(first.length, 64, '32 groups of two');
  assert.deepEqual(first.filter(([type]) => type === EV_KEY).map(([, code]) => code), Array.from({ length: 32 }, (_, at) => at));
  assert.equal(droppedEvents[ROW], 16);
});

test('DT-G1 DT-G6 buffers in pieces are filled; too small ones come back empty and no event is lost', () => {
  const bench = start();
  bench.offer(EVENTS, [], [7]);
  bench.offer(EVENTS, [], [3, 5]);
  bench.offer(EVENTS, [], [8, 8]);
  bench.kick(EVENTS);
  report(ROW, EV_KEY, 30, 1);
  report(ROW, EV_SYN, 0, 0);
  bench.settle();
  const answers = bench.takeAll(EVENTS);
  assert.deepEqual(answers.map(({ written }) => written), [0, 8, 8]);
  assert.deepEqual(answers[1]?.bytes, [...le16(EV_KEY), ...le16(30), ...le32(1)]);
});

test('INP-5 status events reach the backend and come back with length 0, short ones too', () => {
  const seen: number[][] = [];
  const backend = {
    look: (): void => undefined,
    status: (_device: number, at: number): void => {
      seen.push(Array.from(windowWords[privateWindow]?.subarray(at, at + 4) ?? []));
    },
  };
  const bench = start({ backend });
  assert.equal(bench.ask(STATUS, [[...le16(17), ...le16(1)], le32(1)])?.written, 0);
  assert.equal(bench.ask(STATUS, [[1, 2, 3]])?.written, 0);
  assert.deepEqual(seen, [[17, 1, 1, 0]]);
});

test('R-158 events before DRIVER_OK and after a reset are nobody\'s', () => {
  const bench = start();
  bench.device.setStatus(0);
  report(ROW, EV_KEY, 1, 1);
  report(ROW, EV_SYN, 0, 0);
  bench.start();
  buffers(bench, 4);
  report(ROW, EV_KEY, 2, 1);
  report(ROW, EV_SYN, 0, 0);
  bench.settle();
  assert.deepEqual(events(bench).map(([, code]) => code), [2, 0]);
});

test('the built-in backend taps a key once a second', () => {
  const bench = benchOf(input({ number: 9, name: 'tap' }), { queues: [0, 1], size: 64 });
  buffers(bench, 20);
  bench.wait(2_500_000, 10_000);
  const keys = events(bench).filter(([type]) => type === EV_KEY);
  assert.deepEqual(keys, [[1, 30, 1], [1, 30, 0], [1, 30, 1], [1, 30, 0], [1, 30, 1], [1, 30, 0]]);
});

test('two input devices answer for themselves', () => {
  const other = input({ number: 3, name: 'other', backend: quiet });
  const bench = benchOf(other, { queues: [0, 1] }, [input({ number: 9, name: 'keys', backend: quiet })]);
  assert.equal(text(ask(bench, 0x01).data), 'other');
});

test('descriptions an input device cannot have are one sentence', () => {
  assert.throws(() => input({ number: 9, name: 'x'.repeat(129) }), /128 characters/);
  assert.throws(() => input({ number: 9, name: 'x', events: [{ type: 1, codes: [1024] }] }), /0 to 1023/);
  assert.throws(() => input({ number: 9, name: 'x', axes: [{ code: 256, range: [0, 0, 0, 0, 0] }] }), /0 to 255/);
});

test('INP-3 whatever is reported and whenever buffers come, the driver sees whole groups in order', () => {
  const step = fc.oneof(fc.record({ group: fc.integer({ min: 1, max: 20 }) }), fc.record({ buffers: fc.integer({ min: 1, max: 20 }) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const bench = start();
      let serial = 0;
      let seen: number[][] = [];
      for (const one of steps) {
        if ('group' in one) {
          serial++;
          for (let at = 1; at < one.group; at++) {
            report(ROW, EV_KEY, serial, at);
          }
          report(ROW, EV_SYN, 0, 0);
          bench.settle();
        } else {
          buffers(bench, Math.min(one.buffers, 64 - bench.queue(EVENTS).size + bench.queue(EVENTS).room()));
        }
        seen = seen.concat(events(bench));
      }
      // Inside a group values count from 1; between groups stands an EV_SYN.
      let last = 0;
      let at = 0;
      for (const [type, code, value] of seen) {
        if (type === EV_SYN) {
          at = 0;
        } else {
          assert.ok((code ?? 0) > last || at > 0, 'groups in order');
          last = code ?? 0;
          assert.equal(value, ++at);
        }
      }
    }),
    { seed: 18, numRuns: 100 },
  );
});
