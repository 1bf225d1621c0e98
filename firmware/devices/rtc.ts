// Describes an RTC device to the stack: its clocks and who keeps them.
import type { DeviceModel, DeviceType } from './device-model.js';
import { clockOffset, readPortClock, startCounting } from './rtc-clock.hot.js';
import { clockAlarm, clockCount, clockKind, ClockTable, firstClock, readClock, resetRtc, serveRtc, wakeRtc } from './rtc.hot.js';
import { rowsBefore } from './rows.js';
import { setTime } from './time.hot.js';

/** What keeps the clocks. Functions of the hot subset, shared by all devices with this backend; clocks count from 0. */
export interface RtcBackend {
  /** Called once per device at start-up, with its clocks. */
  readonly attach?: (device: number, clocks: readonly RtcClock[]) => void;
  /** Puts the reading in nanoseconds into row `Times.Reading` of `time` (time.hot.ts); false when the clock does not answer. */
  readonly read: (device: number, number: number) => boolean;
}

export interface RtcClock {
  /** Epochs: UTC and TAI 1970-01-01 00:00 of their own scale, monotonic the start of the firmware (RTC-13). */
  readonly type: 'utc' | 'tai' | 'monotonic' | 'utc-smeared' | 'utc-maybe-smeared';
  /** How leap seconds are smeared; only with 'utc-smeared' (RTC-14). The backend does the smearing; `portClock` has no leap seconds. */
  readonly smearing?: 'noon-linear' | 'utc-sls';
  /** True gives the clock an alarm. */
  readonly alarm?: boolean;
  /** What `portClock` shows at the start of the firmware, in whole seconds, 0 .. 2^32 - 1; 0 by default. */
  readonly startSeconds?: number;
}

export interface RtcOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** 1..16 clocks, the first is clock 0; a UTC clock with an alarm and a monotonic clock by default. */
  readonly clocks?: readonly RtcClock[];
  /** `portClock` by default. */
  readonly backend?: RtcBackend;
}

/** Type numbers, and the smearing in the upper byte (virtio 1.4, RTC Device). */
const kinds: Record<RtcClock['type'], number> = { utc: 0, tai: 1, monotonic: 2, 'utc-smeared': 3, 'utc-maybe-smeared': 4 };
const smearings: Record<'noon-linear' | 'utc-sls', number> = { 'noon-linear': 1, 'utc-sls': 2 };

/** Feature ALARM. */
const alarm = 0;

const defaultClocks: readonly RtcClock[] = [{ type: 'utc', alarm: true }, { type: 'monotonic' }];

/** Clocks that run with the port's clock from `startSeconds` on; they know nothing of the world's time by themselves. */
export const portClock: RtcBackend = {
  attach: (device, clocks) => {
    startCounting();
    clocks.forEach((clock, number) => {
      const seconds = clock.startSeconds === undefined ? 0 : clock.startSeconds;
      // Seconds times 10^9 = 0x3b9aca00, in halves: no product needs more than 33 bits.
      const low = seconds % 65536;
      const high = Math.floor(seconds / 65536);
      const columns = [low * 0xca00, low * 0x3b9a + high * 0xca00, high * 0x3b9a];
      let carry = 0;
      const halves = columns.concat([0]).map((column) => {
        const sum = column + carry;
        carry = Math.floor(sum / 65536);
        return sum % 65536;
      });
      setTime(clockOffset(device, number), halves[0], halves[1], halves[2], halves[3]);
    });
  },
  read: readPortClock,
};

const rtcType: DeviceType = { name: 'rtc', deviceId: 17, serve: serveRtc, reset: resetRtc, wake: wakeRtc, inOrder: true };

/**
 * An RTC device (virtio device id 17). Offered: ALARM, the type's only feature, when a clock has an alarm. Cross-time stamps are
 * no feature: CROSS_CAP says that no clock has them, since a coprocessor does not see the driver's counter. Throws an Error
 * with one sentence for clocks it cannot have.
 */
export function rtc(options: RtcOptions): DeviceModel {
  const clocks = options.clocks === undefined ? defaultClocks : options.clocks;
  const backend = options.backend === undefined ? portClock : options.backend;
  const refuse = (reason: string): never => {
    throw new Error('rtc device ' + options.number + ': ' + reason);
  };
  if (clocks.length < 1 || clocks.length > ClockTable.Clocks) {
    refuse('it has 1 to ' + ClockTable.Clocks + ' clocks');
  }
  clocks.forEach((clock) => {
    const start = clock.startSeconds === undefined ? 0 : clock.startSeconds;
    if (!(start >= 0 && start <= 4294967295 && start % 1 === 0)) {
      refuse('a clock starts at 0 to 4294967295 whole seconds');
    }
    if (clock.smearing !== undefined && clock.type !== 'utc-smeared') {
      refuse('only a utc-smeared clock smears');
    }
  });
  const alarms = clocks.some((clock) => clock.alarm === true);
  return {
    type: rtcType,
    number: options.number,
    queueSizes: alarms ? [64, 16] : [64],
    queueFeatures: alarms ? [-1, alarm] : [-1],
    features: alarms ? [alarm] : [],
    config: [],
    attach: (device) => {
      firstClock[device] = rowsBefore(device, rtcType.deviceId, clockCount);
      clockCount[device] = clocks.length;
      if (firstClock[device] + clocks.length > ClockTable.Clocks) {
        refuse('the image holds ' + ClockTable.Clocks + ' clocks in all');
      }
      clocks.forEach((clock, number) => {
        clockKind[firstClock[device] + number] = kinds[clock.type] + (clock.smearing === undefined ? 0 : smearings[clock.smearing] * 256);
        clockAlarm[firstClock[device] + number] = clock.alarm === true ? 1 : 0;
      });
      readClock[device] = backend.read;
      if (backend.attach !== undefined) {
        backend.attach(device, clocks);
      }
      resetRtc(device);
    },
  };
}
