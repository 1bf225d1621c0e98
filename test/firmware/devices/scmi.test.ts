// The SCMI device: commands reach the handler whole, answers repeat the header, notifications wait for buffers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scmi } from '../../../firmware/main.js';
import type { ScmiBackend } from '../../../firmware/main.js';
import { answerMessageAt, commandAt, notificationAt, notify, setScmiStatus, takesNotifications } from '../../../firmware/devices/scmi.hot.js';
import { outboxDropped } from '../../../firmware/serving/outbox.hot.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import { windowWords } from '../../../hal/fake/port.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf } from '../../support/device-bench.js';
import { le32, read32 } from '../../support/driver/message.js';

const COMMANDS = 0;
const EVENTS = 1;
const ROW = 0;
const P2A_CHANNELS = 0;

const SUCCESS = 0;
const NOT_SUPPORTED = 0xffffffff;
const NOT_FOUND = 0xfffffffc;
const PROTOCOL_ERROR = 0xfffffff6;
const BASE = 0x10;

/** Header of a command: message id, protocol, token. */
function header(message: number, protocol = BASE, token = 0): number[] {
  return le32(message + protocol * 1024 + token * 2 ** 18);
}

function memory(): Uint16Array {
  const words = windowWords[privateWindow];
  assert.ok(words !== undefined);
  return words;
}

/** Echoes its parameters behind the status; message 1 fails. */
const echo: ScmiBackend = {
  handle: (device, bytes) => {
    const from = (commandAt[device] ?? 0) + 2;
    const to = (answerMessageAt[device] ?? 0) + 4;
    for (let at = 0; at < bytes; at += 2) {
      memory()[to + at / 2] = memory()[from + at / 2] ?? 0;
    }
    if (((memory()[from - 2] ?? 0) & 255) === 1) {
      setScmiStatus(device, 0xffff);
    }
    return 4 + bytes;
  },
  notifies: true,
};

function begin(backend?: ScmiBackend): DeviceBench {
  return benchOf(scmi({ number: 7, ...(backend === undefined ? {} : { backend }) }), backend === undefined ? {} : { features: [P2A_CHANNELS], queues: [COMMANDS, EVENTS] });
}

/** Used length, header, status and return values of an answer. */
function ask(bench: DeviceBench, command: readonly number[], room = 128): { written: number; header: number; status: number; values: number[] } {
  const answer = bench.ask(COMMANDS, [command], [room]);
  assert.ok(answer !== undefined);
  return { written: answer.written, header: read32(answer.bytes, 0), status: read32(answer.bytes, 4), values: answer.bytes.slice(8, answer.written) };
}

test('SCMI-1 id 32; P2A_CHANNELS and its queue only with a handler that notifies; SHARED_MEMORY never', () => {
  const plain = begin();
  assert.deepEqual([plain.device.info().deviceId, plain.device.info().configSize, plain.device.info().queues], [32, 0, 1]);
  assert.deepEqual(plain.device.features(), [0, 1]);
  const notifying = begin(echo);
  assert.deepEqual(notifying.device.features(), [1, 1]);
  assert.equal(notifying.device.info().queues, 2);
  const declined = benchOf(scmi({ number: 7, backend: echo }));
  assert.equal(declined.device.queueMaximum(EVENTS), 0);
  assert.equal(takesNotifications(ROW), false);
  assert.equal(notificationAt(ROW), -1, 'SCMI-4: nothing is sent to a driver without P2A_CHANNELS');
});

test('SCMI-2 SCMI-8 parameters reach the handler over element borders; the answer repeats the header', () => {
  const bench = begin(echo);
  const command = [...header(7, 0x14, 77), 1, 2, 3, 4, 5, 6];
  const answer = bench.ask(COMMANDS, [command.slice(0, 3), command.slice(3, 5), command.slice(5)], [5, 100]);
  assert.equal(answer?.written, 14);
  assert.deepEqual(answer?.bytes.slice(0, 14), [...header(7, 0x14, 77), 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
});

test('SCMI-3 a command that failed returns its status alone', () => {
  const { written, status } = ask(begin(echo), [...header(1), 1, 2, 3, 4]);
  assert.deepEqual([written, status], [8, NOT_SUPPORTED]);
});

test('DT-G4 DT-G6 no header, no room for a status: nothing is written; values without room, commands too long: PROTOCOL_ERROR', () => {
  const bench = begin(echo);
  assert.equal(bench.ask(COMMANDS, [[1, 2, 3]], [64])?.written, 0);
  assert.equal(bench.ask(COMMANDS, [header(0)], [7])?.written, 0);
  const small = ask(bench, [...header(0), 1, 2, 3, 4], 11);
  assert.deepEqual([small.written, small.status], [8, PROTOCOL_ERROR]);
  assert.equal(ask(bench, header(0)).status, 0, 'the status of the one before is not left standing');
  const long = ask(bench, [...header(0), ...Array.from({ length: 125 }, () => 1)]);
  assert.deepEqual([long.written, long.status], [8, PROTOCOL_ERROR]);
  assert.equal(ask(bench, [...header(0), ...Array.from({ length: 120 }, () => 1)]).written, 128);
});

test('SCMI-5 SCMI-6 SCMI-7 notifications wait for buffers in order, too small ones come back empty, too many are dropped and counted', () => {
  const bench = begin(echo);
  const say = (value: number): boolean => {
    const at = notificationAt(ROW);
    if (at < 0) {
      return false;
    }
    memory()[at] = value;
    memory()[at + 1] = 0;
    memory()[at + 2] = value;
    notify(ROW, 6);
    return true;
  };
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map(say), [true, true, true, true, true, true, true, true, false]);
  assert.equal(outboxDropped[ROW], 1);
  bench.offer(EVENTS, [], [5]);
  for (let at = 0; at < 9; at++) {
    bench.offer(EVENTS, [], [6]);
  }
  bench.kick(EVENTS);
  const answers = bench.takeAll(EVENTS);
  assert.deepEqual(answers.map(({ written }) => written), [0, 6, 6, 6, 6, 6, 6, 6, 6]);
  assert.deepEqual(answers.slice(1).map(({ bytes }) => bytes[0]), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.ok(say(10));
  bench.settle();
  assert.deepEqual(bench.take(EVENTS)?.bytes, [10, 0, 0, 0, 10, 0]);
});

test('R-159 a reset forgets waiting notifications', () => {
  const bench = begin(echo);
  memory()[notificationAt(ROW)] = 1;
  notify(ROW, 4);
  bench.device.setStatus(0);
  bench.start();
  bench.offer(EVENTS, [], [64]);
  bench.kick(EVENTS);
  assert.equal(bench.take(EVENTS), undefined);
});

test('the base protocol tells version, vendor and that there is nothing else', () => {
  const bench = begin();
  assert.deepEqual(ask(bench, header(0)).values, [0, 0, 2, 0]);
  assert.deepEqual(ask(bench, header(1)).values, [0, 0, 0, 0]);
  const attributes = (message: number): number => ask(bench, [...header(2), ...le32(message)]).status;
  assert.deepEqual([0, 6, 7, 65536].map(attributes), [SUCCESS, SUCCESS, NOT_FOUND, NOT_FOUND]);
  assert.equal(ask(bench, header(2)).status, PROTOCOL_ERROR);
  const vendor = ask(bench, header(3)).values;
  assert.equal(vendor.length, 16);
  assert.equal(String.fromCharCode(...vendor).replace(/\0+$/, ''), 'vmsg');
  assert.deepEqual(ask(bench, header(4)).values, Array.from({ length: 16 }, () => 0));
  assert.deepEqual(ask(bench, header(5)).values, [1, 0, 0, 0]);
  assert.deepEqual(ask(bench, [...header(6), ...le32(0)]).values, [0, 0, 0, 0]);
  assert.equal(ask(bench, header(8)).status, NOT_SUPPORTED);
  assert.equal(ask(bench, header(0, 0x15)).status, NOT_SUPPORTED);
});
