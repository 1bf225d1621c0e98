// The RTC device: readings, what it says of its clocks, the order of its checks, alarms that are told once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rtc } from '../../../firmware/main.js';
import type { RtcOptions } from '../../../firmware/main.js';
import { setPortClock } from '../../../firmware/devices/rtc-clock.hot.js';
import { wakeRtc } from '../../../firmware/devices/rtc.hot.js';
import { addMicroseconds, addTime, setTime, shortUnits, subtractTime, time, Times } from '../../../firmware/devices/time.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { Answer, DeviceBench } from '../../support/device-bench.js';
import { benchOf } from '../../support/device-bench.js';
import { le16 } from '../../support/driver/message.js';

const REQUESTS = 0;
const ALARMS = 1;
const ALARM = 0;

const READ = 0x0001;
const READ_CROSS = 0x0002;
const CFG = 0x1000;
const CLOCK_CAP = 0x1001;
const CROSS_CAP = 0x1002;
const READ_ALARM = 0x1003;
const SET_ALARM = 0x1004;
const SET_ALARM_ENABLED = 0x1005;

const OK = 0;
const EOPNOTSUPP = 2;
const ENODEV = 3;
const EINVAL = 4;
const EIO = 5;

/** 2026-01-01 00:00 UTC. */
const START = 1767225600;
const SECOND = 1_000_000_000n;

function start(options: Partial<RtcOptions> = {}, features: readonly number[] = [ALARM]): DeviceBench {
  const clocks = [{ type: 'utc', alarm: true, startSeconds: START }, { type: 'monotonic' }] as const;
  return benchOf(rtc({ number: 6, clocks, ...options }), { features, queues: features.length === 0 ? [0] : [0, 1] });
}

function le(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));
}

function number(bytes: readonly number[], at: number, length: number): bigint {
  return bytes.slice(at, at + length).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** A message: type, then `rest` behind the head, filled up with zeros to `size`. */
function message(type: number, size: number, rest: readonly number[] = []): number[] {
  const bytes = [...le16(type), 0, 0, 0, 0, 0, 0, ...rest];
  return bytes.concat(Array.from({ length: size - bytes.length }, () => 0));
}

function send(bench: DeviceBench, bytes: readonly number[], room: number): Answer {
  const answer = bench.ask(REQUESTS, [bytes], [room]);
  assert.ok(answer !== undefined);
  return answer;
}

/** Status of the answer to a message. */
function status(bench: DeviceBench, bytes: readonly number[], room: number): number | undefined {
  return send(bench, bytes, room).bytes[0];
}

function read(bench: DeviceBench, clock: number): bigint {
  const answer = send(bench, message(READ, 16, le16(clock)), 16);
  assert.deepEqual([answer.written, answer.bytes.slice(0, 8)], [16, [OK, 0, 0, 0, 0, 0, 0, 0]]);
  return number(answer.bytes, 8, 8);
}

function setAlarm(bench: DeviceBench, clock: number, when: bigint, enabled: number): void {
  const answer = send(bench, message(SET_ALARM, 24, [...le(when, 8), ...le16(clock), enabled]), 8);
  assert.deepEqual([answer.written, answer.bytes[0]], [8, OK]);
}

/** Clock ids of the notifications that came. */
function alarms(bench: DeviceBench): number[] {
  return bench.takeAll(ALARMS).map(({ written, bytes }) => {
    assert.equal(written, 16);
    assert.deepEqual(bytes.slice(0, 8), [0, 0x20, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(bytes.slice(10), [0, 0, 0, 0, 0, 0]);
    return Number(number(bytes, 8, 2));
  });
}

function offerAlarmBuffer(bench: DeviceBench, bytes = 16): void {
  bench.offer(ALARMS, [], [bytes]);
  bench.kick(ALARMS);
}

test('RTC id 17, no configuration space, the alarm queue only with ALARM', () => {
  const bench = start();
  assert.deepEqual([bench.device.info().deviceId, bench.device.info().configSize, bench.device.info().queues], [17, 0, 2]);
  assert.equal(start({}, []).device.queueMaximum(1), 0);
  const without = start({ clocks: [{ type: 'tai' }] }, []);
  assert.deepEqual(without.device.features(), [0, 1]);
  assert.equal(without.device.info().queues, 1);
});

test('RTC-4 RTC-13 clocks read in nanoseconds, UTC from its start time on, monotonic from the start', () => {
  const bench = start();
  const utc = read(bench, 0);
  const monotonic = read(bench, 1);
  assert.ok(utc >= BigInt(START) * SECOND && utc < BigInt(START + 10) * SECOND);
  fake.microseconds += 1_500_000;
  assert.equal(read(bench, 0) - utc, 1_500_000_000n);
  assert.equal(read(bench, 1) - monotonic, 1_500_000_000n);
});

test('RTC-5 readings go on when the port\'s clock wraps, also when nobody reads for hours', () => {
  const bench = start({}, []);
  const before = read(bench, 1);
  // 2^27 us are 134 s; the device looks by itself.
  bench.wait(7_200_000_000, 50_000_000);
  assert.equal(read(bench, 1) - before, 7200n * SECOND);
});

test('RTC-6 RTC-7 CFG and CLOCK_CAP say which clocks there are; READ of another one is ENODEV', () => {
  const bench = start({
    clocks: [
      { type: 'utc', alarm: true },
      { type: 'tai' },
      { type: 'monotonic' },
      { type: 'utc-smeared', smearing: 'utc-sls' },
      { type: 'utc-maybe-smeared' },
    ],
  });
  assert.deepEqual(send(bench, message(CFG, 8), 16).bytes, [OK, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
  const kinds = [0, 1, 2, 3, 4].map((clock) => send(bench, message(CLOCK_CAP, 16, le16(clock)), 16).bytes.slice(8));
  assert.deepEqual(kinds, [[0, 0, 1], [1, 0, 0], [2, 0, 0], [3, 2, 0], [4, 0, 0]].map((kind) => [...kind, 0, 0, 0, 0, 0]));
  [READ, CLOCK_CAP, CROSS_CAP].forEach((type) => assert.equal(status(bench, message(type, 16, le16(5)), 24), ENODEV));
});

test('cross-time stamps: no clock has them; an unknown counter comes before an unknown clock (RTC-1)', () => {
  const bench = start();
  const answer = send(bench, message(CROSS_CAP, 16, [...le16(0), 0]), 16);
  assert.deepEqual([answer.written, ...answer.bytes], [16, ...Array.from({ length: 16 }, () => 0)]);
  assert.equal(status(bench, message(CROSS_CAP, 16, [...le16(0), 2]), 16), EOPNOTSUPP);
  assert.equal(status(bench, message(CROSS_CAP, 16, [...le16(9), 0xff]), 16), EOPNOTSUPP);
  assert.equal(status(bench, message(READ_CROSS, 16, [...le16(0), 0]), 24), EOPNOTSUPP);
  assert.equal(status(bench, message(READ_CROSS, 16, [...le16(9), 1]), 24), ENODEV);
});

test('RTC-1 RTC-3 short parts are EINVAL, unknown messages EOPNOTSUPP, and only what is written is counted', () => {
  const bench = start();
  assert.equal(bench.ask(REQUESTS, [message(READ, 16)])?.written, 0);
  assert.equal(status(bench, [1], 16), EINVAL);
  assert.equal(status(bench, message(READ, 16).slice(0, 15), 16), EINVAL);
  assert.equal(status(bench, message(0x1006, 16), 16), EOPNOTSUPP);
  const short = send(bench, message(READ, 16), 15);
  assert.deepEqual([short.written, short.bytes[0]], [8, EINVAL]);
  const tiny = send(bench, message(READ, 16), 3);
  assert.deepEqual([tiny.written, tiny.bytes], [3, [EINVAL, 0, 0]]);
});

test('RTC-2 DT-G1 larger and split parts are accepted', () => {
  const bench = start();
  const bytes = message(READ, 40, le16(1));
  const answer = bench.ask(REQUESTS, [bytes.slice(0, 1), bytes.slice(1, 9), bytes.slice(9)], [7, 2, 60]);
  assert.deepEqual([answer?.written, answer?.bytes[0]], [16, OK]);
});

test('RTC-16 reserved bytes that are not zero and unknown flags are EINVAL', () => {
  const bench = start();
  const spoiled = (bytes: number[], at: number): number[] => bytes.map((byte, index) => (index === at ? 0x80 : byte));
  for (let at = 2; at < 8; at++) {
    assert.equal(status(bench, spoiled(message(READ, 16), at), 16), EINVAL);
  }
  for (let at = 10; at < 16; at++) {
    assert.equal(status(bench, spoiled(message(READ, 16), at), 16), EINVAL);
    assert.equal(status(bench, spoiled(message(SET_ALARM_ENABLED, 16), at), 16), EINVAL);
  }
  for (let at = 11; at < 16; at++) {
    assert.equal(status(bench, spoiled(message(CROSS_CAP, 16), at), 16), EINVAL);
  }
  for (let at = 18; at < 24; at++) {
    assert.equal(status(bench, spoiled(message(SET_ALARM, 24), at), 24), EINVAL);
  }
});

test('RTC-1 a clock that does not answer is EIO', () => {
  const bench = start({ backend: { read: () => false } });
  assert.equal(status(bench, message(READ, 16), 16), EIO);
});

test('RTC-8 alarm messages are ENODEV without ALARM and for a clock without an alarm', () => {
  for (const [features, clock] of [[[], 0], [[ALARM], 1]] as const) {
    const bench = start({}, features);
    assert.equal(status(bench, message(READ_ALARM, 16, le16(clock)), 24), ENODEV);
    assert.equal(status(bench, message(SET_ALARM, 24, [...le(0n, 8), ...le16(clock)]), 24), ENODEV);
    assert.equal(status(bench, message(SET_ALARM_ENABLED, 16, le16(clock)), 24), ENODEV);
  }
  assert.equal(send(start({}, []), message(CLOCK_CAP, 16, le16(0)), 16).bytes[10], 0, 'no ALARM_CAP without ALARM');
});

test('RTC-11 the alarm is at time 0 and disabled at first and after a reset; READ_ALARM gives what was set', () => {
  const bench = start();
  const zeros = Array.from({ length: 16 }, () => 0);
  assert.deepEqual(send(bench, message(READ_ALARM, 16), 24).bytes.slice(8), zeros);
  const when = read(bench, 0) + 3600n * SECOND;
  setAlarm(bench, 0, when, 1);
  assert.deepEqual(send(bench, message(READ_ALARM, 16), 24).bytes.slice(8), [...le(when, 8), 1, 0, 0, 0, 0, 0, 0, 0]);
  bench.device.setStatus(0);
  bench.start();
  assert.deepEqual(send(bench, message(READ_ALARM, 16), 24).bytes.slice(8), zeros);
});

test('RTC-9 RTC-10 RTC-12 an alarm is told once, when its time has come and not before', () => {
  const bench = start();
  offerAlarmBuffer(bench);
  offerAlarmBuffer(bench);
  const when = read(bench, 0) + 300n * SECOND;
  setAlarm(bench, 0, when, 1);
  bench.wait(299_000_000, 100_000);
  assert.deepEqual(alarms(bench), []);
  bench.wait(2_000_000, 1000);
  assert.deepEqual(alarms(bench), [0]);
  assert.ok(read(bench, 0) >= when);
  bench.wait(500_000_000, 1_000_000);
  assert.deepEqual(alarms(bench), []);
});

test('RTC-9 an enabled alarm whose time has passed expires at once; SET_ALARM_ENABLED keeps the time', () => {
  const bench = start();
  offerAlarmBuffer(bench);
  setAlarm(bench, 0, read(bench, 0) - SECOND, 0);
  assert.deepEqual(alarms(bench), []);
  assert.equal(status(bench, message(SET_ALARM_ENABLED, 16, [...le16(0), 1]), 8), OK);
  assert.deepEqual(alarms(bench), [0]);
});

test('RTC-10 an expiration waits for a buffer, and is obsolete when the alarm is disabled or set anew before', () => {
  const bench = start();
  setAlarm(bench, 0, 1n, 1);
  offerAlarmBuffer(bench);
  assert.deepEqual(alarms(bench), [0], 'told as soon as a buffer is there');
  setAlarm(bench, 0, 1n, 1);
  assert.equal(status(bench, message(SET_ALARM_ENABLED, 16, [...le16(0), 0]), 8), OK);
  offerAlarmBuffer(bench);
  assert.deepEqual(alarms(bench), []);
  setAlarm(bench, 0, read(bench, 0) + 3600n * SECOND, 1);
  assert.deepEqual(alarms(bench), []);
});

test('RTC-10 a buffer too small for the notification comes back empty, and the next one is used', () => {
  const bench = start();
  offerAlarmBuffer(bench, 15);
  offerAlarmBuffer(bench);
  setAlarm(bench, 0, 1n, 1);
  assert.deepEqual(bench.take(ALARMS)?.written, 0);
  assert.deepEqual(alarms(bench), [0]);
});

test('a clock that is set to another time goes on from there, and its alarm may be due', () => {
  const bench = start();
  offerAlarmBuffer(bench);
  const later = BigInt(START + 1_000_000) * SECOND;
  setAlarm(bench, 0, later, 1);
  setTime(Times.Reading, ...(le(later, 8).reduce((halves: number[], byte, at) => (at % 2 === 0 ? [...halves, byte] : [...halves.slice(0, -1), (halves[halves.length - 1] ?? 0) + byte * 256]), []) as [number, number, number, number]));
  setPortClock(0, 0);
  wakeRtc(0);
  bench.settle();
  assert.deepEqual(alarms(bench), [0]);
  assert.ok(read(bench, 0) >= later);
});

test('options an RTC device cannot have are one sentence', () => {
  assert.throws(() => rtc({ number: 6, clocks: [] }), /1 to 16 clocks/);
  assert.throws(() => rtc({ number: 6, clocks: [{ type: 'tai', smearing: 'utc-sls' }] }), /only a utc-smeared clock smears/);
  assert.throws(() => rtc({ number: 6, clocks: [{ type: 'tai', startSeconds: 4294967296 }] }), /whole seconds/);
});

test('64-bit time in halves is the arithmetic of big integers', () => {
  const any = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const put = (row: number, value: bigint): void => setTime(row, ...([0n, 16n, 32n, 48n].map((shift) => Number((value >> shift) & 65535n)) as [number, number, number, number]));
  const get = (row: number): bigint => [0, 1, 2, 3].reduceRight((sum, half) => sum * 65536n + BigInt(time[row * 4 + half] ?? 0), 0n);
  fc.assert(
    fc.property(any, any, fc.nat(2 ** 27 - 1), (one, other, microseconds) => {
      put(Times.Reading, one);
      put(Times.Scratch, other);
      addTime(Times.Reading, Times.Scratch);
      assert.equal(get(Times.Reading), BigInt.asUintN(64, one + other));
      put(Times.Reading, one);
      assert.equal(subtractTime(Times.Reading, Times.Scratch), one < other ? 1 : 0);
      assert.equal(get(Times.Reading), BigInt.asUintN(64, one - other));
      put(Times.Reading, one);
      addMicroseconds(Times.Reading, microseconds);
      assert.equal(get(Times.Reading), BigInt.asUintN(64, one + BigInt(microseconds) * 1000n));
      const units = one / 1024n + 1n;
      put(Times.Reading, one);
      assert.equal(shortUnits(Times.Reading, 60000000), units > 60000000n ? 60000000 : Number(units));
      put(Times.Reading, one % 2n ** 36n);
      assert.equal(shortUnits(Times.Reading, 2 ** 26), Math.min(Number((one % 2n ** 36n) / 1024n) + 1, 2 ** 26));
    }),
    { seed: 17, numRuns: 500 },
  );
});

test('RTC-5 R-353 whatever is asked, MONOTONIC never decreases', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(120_000_000), { maxLength: 20 }), (steps) => {
      const bench = start({}, []);
      let last = read(bench, 1);
      for (const step of steps) {
        fake.microseconds += step;
        const next = read(bench, 1);
        assert.equal(next - last, BigInt(step) * 1000n);
        last = next;
      }
    }),
    { seed: 17, numRuns: 30 },
  );
});
