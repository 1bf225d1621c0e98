// RTC device (id 17): readings of clocks that a backend keeps, and alarms.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { clearResponse, headerAt, putResponse, readHeader, responseAt } from '../serving/request.hot.js';
import { cancelWake, wakeAfter } from '../serving/wake.hot.js';
import { firstQueue, hasFeature } from '../transport/device.hot.js';
import { writableBytes } from '../virtqueue/chain.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';
import { copyTime, setTime, shortUnits, subtractTime, time, Times } from './time.hot.js';

/** virtio 1.4, RTC Device. */
const enum Rtc {
  FeatureAlarm = 0,
  AlarmQueue = 1,
  HeadBytes = 8,
  LongestRequest = 24,
  AlarmBytes = 16,
  /** Message types. */
  Read = 0x0001,
  ReadCross = 0x0002,
  Cfg = 0x1000,
  ClockCap = 0x1001,
  CrossCap = 0x1002,
  ReadAlarm = 0x1003,
  SetAlarm = 0x1004,
  SetAlarmEnabled = 0x1005,
  NotifAlarm = 0x2000,
  /** Flags. */
  AlarmCap = 1,
  AlarmEnabled = 1,
}

const enum Status {
  Ok = 0,
  Unsupported = 2,
  NoDevice = 3,
  Invalid = 4,
  Fault = 5,
}

const enum Counter {
  ArmVirtual = 0,
  X86Tsc = 1,
}

/** Milestones of the clocks' alarms. */
const enum Alarm {
  Off = 0,
  /** Its time has not come yet. */
  Armed = 1,
  /** Its time has come and the driver has not been told. */
  Due = 2,
  /** The driver has been told; only a new setting arms it again. */
  Done = 3,
}

export const enum ClockTable {
  /** Clocks of all RTC devices together. */
  Clocks = 16,
}

/** First row in the clock tables and number of clocks, per device row. */
export const firstClock = new Uint8Array(Capacity.Devices);
export const clockCount = new Uint8Array(Capacity.Devices);
/** Clock type in the lower byte, leap second smearing in the upper one. */
export const clockKind = new Uint16Array(ClockTable.Clocks);
/** 1 = the clock has an alarm. */
export const clockAlarm = new Uint8Array(ClockTable.Clocks);
const alarmEnabled = new Uint8Array(ClockTable.Clocks);
const alarmState = new Uint8Array(ClockTable.Clocks);

/* eslint-disable no-restricted-syntax -- a table of functions, filled at start-up; index = device row */
/** Puts the reading of a clock into row Times.Reading of `time`; false = the clock does not answer. */
export const readClock: ((device: number, number: number) => boolean)[] = [];
/* eslint-enable no-restricted-syntax */

/** Row of `time` with the alarm time of a clock. */
function alarmTime(clock: number): number {
  return Times.FirstAlarm + clock;
}

/** Serves the request queue, or the alarm queue when there is something to tell. */
export function serveRtc(queue: number): void {
  const device = queueDevice[queue];
  if (queueIndex[queue] === Rtc.AlarmQueue) {
    tellAlarms(device, queue);
    return;
  }
  let handle = take(queue);
  while (handle >= 0) {
    finish(queue, handle, serveRequest(device));
    handle = take(queue);
  }
}

/** Carries out the request of the chain taken last; returns the used length. */
function serveRequest(device: number): number {
  if (writableBytes === 0) {
    return 0;
  }
  clearResponse(Rtc.LongestRequest);
  const memory = windowWords[privateWindow];
  const bytes = readHeader(Rtc.LongestRequest);
  const type = memory[headerAt];
  const status = bytes < Rtc.HeadBytes ? Status.Invalid : answerRequest(device, type, bytes);
  if (status !== Status.Ok) {
    memory[responseAt] = status;
    return putResponse(Rtc.HeadBytes);
  }
  return putResponse(responseBytes(type));
}

/** Bytes of a message's request; 0 = unknown message. */
function requestBytes(type: number): number {
  switch (type) {
    case Rtc.Cfg:
      return 8;
    case Rtc.SetAlarm:
      return 24;
    case Rtc.Read:
    case Rtc.ReadCross:
    case Rtc.ClockCap:
    case Rtc.CrossCap:
    case Rtc.ReadAlarm:
    case Rtc.SetAlarmEnabled:
      return 16;
    default:
      return 0;
  }
}

function responseBytes(type: number): number {
  switch (type) {
    case Rtc.SetAlarm:
    case Rtc.SetAlarmEnabled:
      return 8;
    case Rtc.ReadCross:
    case Rtc.ReadAlarm:
      return 24;
    default:
      return 16;
  }
}

/** Checks in the specification's order (RTC-1), then writes what follows the head of the response; returns the status. */
function answerRequest(device: number, type: number, bytes: number): number {
  const memory = windowWords[privateWindow];
  const needed = requestBytes(type);
  if (needed === 0) {
    return Status.Unsupported;
  }
  if (bytes < needed || writableBytes < responseBytes(type)) {
    return Status.Invalid;
  }
  if ((memory[headerAt + 1] | memory[headerAt + 2] | memory[headerAt + 3]) !== 0) {
    return Status.Invalid;
  }
  if (type === Rtc.Cfg) {
    memory[responseAt + 4] = clockCount[device];
    return Status.Ok;
  }
  const number = memory[headerAt + (type === Rtc.SetAlarm ? 8 : 4)];
  const parameter = memory[headerAt + (type === Rtc.SetAlarm ? 9 : 5)];
  const takesCounter = type === Rtc.ReadCross || type === Rtc.CrossCap;
  if (takesCounter && (parameter & 255) > Counter.X86Tsc) {
    return Status.Unsupported;
  }
  if (number >= clockCount[device]) {
    return Status.NoDevice;
  }
  const clock = firstClock[device] + number;
  const isAlarm = type === Rtc.ReadAlarm || type === Rtc.SetAlarm || type === Rtc.SetAlarmEnabled;
  if (isAlarm && (clockAlarm[clock] === 0 || !hasFeature(device, Rtc.FeatureAlarm))) {
    return Status.NoDevice;
  }
  if (hasForbidden(type, takesCounter)) {
    return Status.Invalid;
  }
  switch (type) {
    case Rtc.Read:
      return readingOf(device, number);
    case Rtc.ClockCap:
      memory[responseAt + 4] = clockKind[clock];
      memory[responseAt + 5] = clockAlarm[clock] === 1 && hasFeature(device, Rtc.FeatureAlarm) ? Rtc.AlarmCap : 0;
      return Status.Ok;
    case Rtc.CrossCap:
      // No clock here can be read together with a counter of the driver's machine: flags 0.
      return Status.Ok;
    case Rtc.ReadAlarm:
      putTime(alarmTime(clock));
      memory[responseAt + 8] = alarmEnabled[clock];
      return Status.Ok;
    case Rtc.SetAlarm:
      setTime(alarmTime(clock), memory[headerAt + 4], memory[headerAt + 5], memory[headerAt + 6], memory[headerAt + 7]);
      setAlarm(device, clock, parameter);
      return Status.Ok;
    case Rtc.SetAlarmEnabled:
      setAlarm(device, clock, parameter);
      return Status.Ok;
    default:
      return Status.Unsupported;
  }
}

/** Reserved bytes that are not zero, unknown flags (RTC-16). */
function hasForbidden(type: number, takesCounter: boolean): boolean {
  const memory = windowWords[privateWindow];
  if (type === Rtc.SetAlarm) {
    return (memory[headerAt + 9] & ~Rtc.AlarmEnabled) !== 0 || (memory[headerAt + 10] | memory[headerAt + 11]) !== 0;
  }
  const first = memory[headerAt + 5];
  // A byte with a meaning of its own comes first: the counter, or the flags of SET_ALARM_ENABLED.
  const reserved = takesCounter ? first & 0xff00 : type === Rtc.SetAlarmEnabled ? first & ~Rtc.AlarmEnabled : first;
  return reserved !== 0 || (memory[headerAt + 6] | memory[headerAt + 7]) !== 0;
}

function putTime(row: number): void {
  const memory = windowWords[privateWindow];
  for (let half = 0; half < 4; half++) {
    memory[responseAt + 4 + half] = time[row * 4 + half];
  }
}

function readingOf(device: number, number: number): number {
  if (!readClock[device](device, number)) {
    return Status.Fault;
  }
  putTime(Times.Reading);
  return Status.Ok;
}

/** A new setting: what came of an earlier one is obsolete (RTC-9, RTC-10). */
function setAlarm(device: number, clock: number, flags: number): void {
  alarmEnabled[clock] = flags & Rtc.AlarmEnabled;
  alarmState[clock] = alarmEnabled[clock] === 1 ? Alarm.Armed : Alarm.Off;
  wakeRtc(device);
}

const enum Wait {
  /** Longest sleep, in microseconds: the port's clock must be looked at more often than every 134 s. */
  Longest = 60000000,
}

/**
 * Looks at the alarms: those whose time has come are due; then asks to be woken for the next one (RTC-9). Backends call it
 * when a clock was set to another time.
 */
export function wakeRtc(device: number): void {
  let sleep: number = Wait.Longest;
  let due = false;
  for (let number = 0; number < clockCount[device]; number++) {
    const clock = firstClock[device] + number;
    // The reading is taken even without an alarm: that is the regular look at the port's clock.
    const reads = readClock[device](device, number);
    if (alarmState[clock] === Alarm.Armed && reads) {
      copyTime(Times.Scratch, alarmTime(clock));
      if (subtractTime(Times.Scratch, Times.Reading) === 1 || isZero(Times.Scratch)) {
        alarmState[clock] = Alarm.Due;
      } else {
        // A unit is 1.024 us: too early rather than late, and then once more.
        const units = shortUnits(Times.Scratch, Wait.Longest);
        sleep = units < sleep ? units : sleep;
      }
    }
    due = due || alarmState[clock] === Alarm.Due;
  }
  wakeAfter(device, sleep);
  if (due) {
    kick(firstQueue[device] + Rtc.AlarmQueue);
  }
}

function isZero(row: number): boolean {
  return (time[row * 4] | time[row * 4 + 1] | time[row * 4 + 2] | time[row * 4 + 3]) === 0;
}

/** One notification for each expiration, as soon as there is a buffer for it (RTC-10). */
function tellAlarms(device: number, queue: number): void {
  const memory = windowWords[privateWindow];
  for (let number = 0; number < clockCount[device]; number++) {
    const clock = firstClock[device] + number;
    while (alarmState[clock] === Alarm.Due) {
      const handle = take(queue);
      if (handle < 0) {
        return;
      }
      if (writableBytes < Rtc.AlarmBytes) {
        finish(queue, handle, 0);
      } else {
        clearResponse(Rtc.AlarmBytes);
        memory[responseAt] = Rtc.NotifAlarm;
        memory[responseAt + 4] = number;
        alarmState[clock] = Alarm.Done;
        finish(queue, handle, putResponse(Rtc.AlarmBytes));
      }
    }
  }
}

/** Alarms at time 0 and disabled (RTC-11); the clocks run on. */
export function resetRtc(device: number): void {
  for (let number = 0; number < clockCount[device]; number++) {
    const clock = firstClock[device] + number;
    setTime(alarmTime(clock), 0, 0, 0, 0);
    alarmEnabled[clock] = 0;
    alarmState[clock] = Alarm.Off;
  }
  cancelWake(device);
  wakeAfter(device, Wait.Longest);
}
