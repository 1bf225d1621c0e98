// An RTC backend: clocks that run with the port's, each set some time ahead of it.
import { clock } from '#port';
import { firstClock } from './rtc.hot.js';
import { addMicroseconds, addTime, copyTime, setTime, subtractTime, Times } from './time.hot.js';

const enum PortClock {
  /** It counts microseconds modulo 2^27. */
  Mask = 134217727,
}

/** Row of `time` with what a clock is ahead of the port's. */
export function clockOffset(device: number, number: number): number {
  return Times.FirstOffset + firstClock[device] + number;
}

/** What the port's clock showed at the last look. */
let lastLook = 0;

/** Begins to count: from now on somebody looks at least every two minutes. */
export function startCounting(): void {
  lastLook = clock();
  setTime(Times.Monotonic, 0, 0, 0, 0);
}

function count(): void {
  const now = clock();
  addMicroseconds(Times.Monotonic, (now - lastLook) & PortClock.Mask);
  lastLook = now;
}

/** As `RtcBackend.read`; always possible. */
export function readPortClock(device: number, number: number): boolean {
  count();
  copyTime(Times.Reading, Times.Monotonic);
  addTime(Times.Reading, clockOffset(device, number));
  return true;
}

/** Sets clock `number` of `device`: from now on it goes on from the time in `Times.Reading`. Call `wakeRtc` (rtc.hot.ts) afterwards. */
export function setPortClock(device: number, number: number): void {
  count();
  copyTime(clockOffset(device, number), Times.Reading);
  subtractTime(clockOffset(device, number), Times.Monotonic);
}
