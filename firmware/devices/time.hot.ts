// 64-bit numbers of nanoseconds in four 16-bit halves, lowest first: rows of one table, with the few operations clocks need.

const enum Row {
  Halves = 4,
}

export const enum Times {
  /** Rows of the table; the first ones are for everybody, between two calls. */
  Rows = 35,
  /** What a clock shows, or what a message carries. */
  Reading = 0,
  Scratch = 1,
  /** Nanoseconds since start (rtc-clock.hot.ts). */
  Monotonic = 2,
  /** Rows of the clocks' alarm times (rtc.hot.ts), and of the port clocks' offsets. */
  FirstAlarm = 3,
  FirstOffset = 19,
}

/** Half `n` of row `r` is `time[r * 4 + n]`. */
export const time = new Uint16Array(Times.Rows * Row.Halves);

export function setTime(row: number, h0: number, h1: number, h2: number, h3: number): void {
  const at = row * Row.Halves;
  time[at] = h0;
  time[at + 1] = h1;
  time[at + 2] = h2;
  time[at + 3] = h3;
}

export function copyTime(to: number, from: number): void {
  for (let half = 0; half < Row.Halves; half++) {
    time[to * Row.Halves + half] = time[from * Row.Halves + half];
  }
}

/** Row `to` += row `from`, modulo 2^64. */
export function addTime(to: number, from: number): void {
  let carry = 0;
  for (let half = 0; half < Row.Halves; half++) {
    const sum = time[to * Row.Halves + half] + time[from * Row.Halves + half] + carry;
    time[to * Row.Halves + half] = sum & 65535;
    carry = sum >> 16;
  }
}

/** Row `to` -= row `from`, modulo 2^64; returns 1 when `from` was the larger one, else 0. */
export function subtractTime(to: number, from: number): number {
  let borrow = 0;
  for (let half = 0; half < Row.Halves; half++) {
    const rest = time[to * Row.Halves + half] - time[from * Row.Halves + half] - borrow;
    time[to * Row.Halves + half] = rest & 65535;
    borrow = rest < 0 ? 1 : 0;
  }
  return borrow;
}

/** Row `to` += `microseconds` (0 .. 2^27 - 1) microseconds. */
export function addMicroseconds(to: number, microseconds: number): void {
  const low = (microseconds & 65535) * 1000;
  const high = (microseconds >> 16) * 1000 + (low >> 16);
  const at = to * Row.Halves;
  let sum = time[at] + (low & 65535);
  time[at] = sum & 65535;
  sum = time[at + 1] + (high & 65535) + (sum >> 16);
  time[at + 1] = sum & 65535;
  sum = time[at + 2] + (high >> 16) + (sum >> 16);
  time[at + 2] = sum & 65535;
  time[at + 3] = (time[at + 3] + (sum >> 16)) & 65535;
}

/** The row in units of 1024 ns, rounded up, at most `most` (up to 2^26). */
export function shortUnits(row: number, most: number): number {
  const at = row * Row.Halves;
  // 2^26 units are 2^36 ns: half 2 is below 16 then.
  if (time[at + 3] !== 0 || time[at + 2] >= 16) {
    return most;
  }
  const units = time[at + 2] * 4194304 + time[at + 1] * 64 + (time[at] >> 10) + 1;
  return units < most ? units : most;
}
