// The port of the host tests: windows in ordinary memory between guard zones, a virtual clock, every doorbell recorded.
import type { LayoutPlace, WindowDescription } from '../port.js';
import { Read, Wake } from '../port.js';

/** Bytes of guard before and behind each window; they must never change. */
const guardBytes = 4096;
const guardByte = 0xa5;

export const windows: readonly WindowDescription[] = [
  { name: 'main', driverAddress: '0x0000000080000000', bytes: 1048576 },
  // The driver knows this one under an address above 4 GiB that differs from any CPU address.
  { name: 'high', driverAddress: '0x00000001fffe0000', bytes: 65536 },
  { name: 'private', driverAddress: '', bytes: 262144 },
  { name: 'cached', driverAddress: '0x0000000300000000', bytes: 65536, cached: true },
];

export const layouts: readonly LayoutPlace[] = [
  { window: 0, offset: 4096 },
  { window: 0, offset: 16384 },
];

const buffers = windows.map((window) => {
  const buffer = new ArrayBuffer(window.bytes + 2 * guardBytes);
  new Uint8Array(buffer).fill(guardByte);
  new Uint8Array(buffer, guardBytes, window.bytes).fill(0);
  return buffer;
});

/** Views of all guard zones, and what each of them must hold. */
const guards = buffers.flatMap((buffer) => [new Uint8Array(buffer, 0, guardBytes), new Uint8Array(buffer, buffer.byteLength - guardBytes)]);
const intactGuard = new Uint8Array(guardBytes).fill(guardByte);

export const windowWords: readonly Uint16Array[] = windows.map(
  (window, number) => new Uint16Array(buffers[number], guardBytes, window.bytes / 2),
);

const windowBytes = windows.map((window, number) => new Uint8Array(buffers[number], guardBytes, window.bytes));

/** What tests see and steer. */
export const fake = {
  /** Doorbells rung, by bus. */
  rings: [0, 0],
  barriers: 0,
  microseconds: 0,
  /** Pairs of code and value. */
  logged: [] as { code: number; value: number }[],
  /** Bytes given to `write`, in order. */
  written: [] as number[],
  /** Bytes that have come over the serial line and wait for `read`; and 1 = some were lost. */
  typed: [] as number[],
  typedLost: 0,
  /** Bytes `random` hands out at most in all; -1 = no limit. */
  randomLeft: -1,
  /** Cache maintenance, in order. */
  cacheCalls: [] as { kind: 'clean' | 'invalidate'; window: number; offset: number; length: number }[],
  /** Called by `wait`; returns Wake bits. */
  onWait: (_limit: number): number => Wake.Stop,
  bytes: windowBytes,

  /** Clears memory and records; call before each test. */
  clear(): void {
    windowBytes.forEach((bytes) => bytes.fill(0));
    fake.rings = [0, 0];
    fake.barriers = 0;
    fake.microseconds = 0;
    fake.logged = [];
    fake.written = [];
    fake.typed = [];
    fake.typedLost = 0;
    fake.cacheCalls = [];
    fake.randomLeft = -1;
    seed = 1;
  },

  /** True while no byte outside the windows has changed. */
  guardsIntact(): boolean {
    return guards.every((guard) => Buffer.compare(guard, intactGuard) === 0);
  },
};

let seed = 1;

function checkRange(window: number, offset: number, length: number): void {
  const bytes = windowBytes[window];
  if (bytes === undefined || offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new Error('access outside window ' + window + ': offset ' + offset + ', ' + length + ' bytes');
  }
}

export function copy(toWindow: number, toOffset: number, fromWindow: number, fromOffset: number, length: number): void {
  checkRange(toWindow, toOffset, length);
  checkRange(fromWindow, fromOffset, length);
  windowBytes[toWindow].set(windowBytes[fromWindow].subarray(fromOffset, fromOffset + length), toOffset);
}

export function fill(window: number, offset: number, length: number, value: number): void {
  checkRange(window, offset, length);
  windowBytes[window].fill(value, offset, offset + length);
}

/** The bytes of a small generator, the same after every `clear`: tests compare them. */
export function random(window: number, offset: number, length: number): number {
  checkRange(window, offset, length);
  const placed = fake.randomLeft < 0 ? length : Math.min(length, fake.randomLeft);
  for (let at = 0; at < placed; at++) {
    seed = (seed * 75 + 74) % 65537;
    windowBytes[window][offset + at] = seed & 255;
  }
  if (fake.randomLeft >= 0) {
    fake.randomLeft -= placed;
  }
  return placed;
}

/** The generator of platforms/engine/seeded-random.c. */
export function seeded(window: number, offset: number, length: number, stateWindow: number, stateOffset: number): void {
  checkRange(window, offset, length);
  checkRange(stateWindow, stateOffset, 4);
  const kept = new DataView(windowBytes[stateWindow].buffer, windowBytes[stateWindow].byteOffset + stateOffset, 4);
  let state = kept.getUint32(0, true);
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    windowBytes[window][offset + at] = state >>> 24;
  }
  kept.setUint32(0, state, true);
}

/** Notes a cache call; only cached windows may be named. */
function maintain(kind: 'clean' | 'invalidate', window: number, offset: number, length: number): void {
  checkRange(window, offset, length);
  if (windows[window].cached !== true) {
    throw new Error('cache ' + kind + ' of window ' + window + ', which is not cached');
  }
  fake.cacheCalls.push({ kind, window, offset, length });
}

export function clean(window: number, offset: number, length: number): void {
  maintain('clean', window, offset, length);
}

export function invalidate(window: number, offset: number, length: number): void {
  maintain('invalidate', window, offset, length);
}

export function barrier(): void {
  fake.barriers++;
}

export function ring(bus: number): void {
  fake.rings[bus]++;
}

export function wait(limit: number): number {
  fake.microseconds += limit;
  return fake.onWait(limit);
}

export function clock(): number {
  return fake.microseconds % 134217728;
}

export function log(code: number, value: number): void {
  fake.logged.push({ code, value });
}

export function write(window: number, offset: number, length: number): void {
  checkRange(window, offset, length);
  windowBytes[window].subarray(offset, offset + length).forEach((byte) => fake.written.push(byte));
}

export function read(window: number, offset: number, length: number): number {
  checkRange(window, offset, length);
  if (length < 1 || length > 65535) {
    throw new Error('read of ' + length + ' bytes');
  }
  const bytes = fake.typed.splice(0, length);
  windowBytes[window].set(bytes, offset);
  const lost = fake.typedLost;
  fake.typedLost = 0;
  return bytes.length + lost * Read.Lost;
}
