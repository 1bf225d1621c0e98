// What the firmware needs from a machine: the types that every target's port module (`#port`) fulfils.
//
// Every number is an integer of 28 bits (-2^27 .. 2^27-1). A memory window is a stretch of memory of at most 2^26
// 16-bit words (128 MiB) with a number; offsets inside a window count bytes unless a name says words.

/** A memory window as the board describes it. Read once at start-up; not used in the hot path. */
export interface WindowDescription {
  /** Name in board.json, for messages. */
  readonly name: string;
  /** 64-bit address under which the driver side knows the window's first byte, as 16 hexadecimal digits; '' = private to this core. */
  readonly driverAddress: string;
  /** Size in bytes, a multiple of 16, 16 .. 2^27. */
  readonly bytes: number;
  /** True when this core caches the window, so that `clean` and `invalidate` are needed. */
  readonly cached?: boolean;
}

/** Where a carrier's shared-memory layout lives. */
export interface LayoutPlace {
  /** Window number. */
  readonly window: number;
  /** Byte offset of the layout header inside the window, a multiple of 8. */
  readonly offset: number;
}

/** The exports of a port module. */
export interface Port {
  /**
   * The windows' descriptions, index = window number. The one named "private", which has no driver address, is where devices
   * keep headers, packets and RAM disks.
   */
  readonly windows: readonly WindowDescription[];
  /** The windows' memory as 16-bit words in the CPU's (little-endian) order, index = window number. */
  readonly windowWords: readonly Uint16Array[];
  /** Where bus 0, 1, ... has its shared-memory layout. */
  readonly layouts: readonly LayoutPlace[];

  /** Copies `length` bytes between windows. The caller has checked both ranges; overlapping ranges are not allowed. */
  copy(toWindow: number, toOffset: number, fromWindow: number, fromOffset: number, length: number): void;
  /** Sets `length` bytes to `value` (0..255). The caller has checked the range. */
  fill(window: number, offset: number, length: number, value: number): void;
  /** Fills with random bytes; returns how many were placed (0..length; 0 = none to be had now). */
  random(window: number, offset: number, length: number): number;
  /**
   * Fills with bytes of a seeded generator, xorshift32: the 4 bytes at `stateOffset` of window `stateWindow` hold its state and
   * hold the next one afterwards. The same state gives the same bytes on every port; 0 stays 0. Not for cryptography.
   */
  seeded(window: number, offset: number, length: number, stateWindow: number, stateOffset: number): void;
  /** Writes cached bytes of the range back to memory. Called only for cached windows, after the firmware wrote there. */
  clean(window: number, offset: number, length: number): void;
  /** Drops cached bytes of the range. Called only for cached windows, before the firmware reads what the driver wrote. */
  invalidate(window: number, offset: number, length: number): void;
  /** Orders all earlier memory accesses before all later ones, as seen by the other cores. */
  barrier(): void;
  /** Rings the driver side's doorbell of bus `bus` (0, 1, ...). Never waits. */
  ring(bus: number): void;
  /**
   * Waits for a doorbell, at most `limit` microseconds (0 = do not wait), and acknowledges it in the order its mailbox
   * wants. Returns Wake bits; 0 after a time-out.
   */
  wait(limit: number): number;
  /** Microseconds since an arbitrary moment, modulo 2^27. */
  clock(): number;
  /** Notes a code of wire/log.ts with a value (-2^27..2^27-1). May go to a UART, a trace buffer or nowhere. */
  log(code: number, value: number): void;
  /** Writes bytes as they are to the serial line or log of this core, if it has one; waits for a slow line. The caller has checked the range. */
  write(window: number, offset: number, length: number): void;
  /**
   * Takes up to `length` (1..65535) bytes that came over the serial line of this core. Returns in bits 15..0 how many were placed,
   * fewer than `length` when no more are there now: then the next byte makes `wait` return `Wake.Backend`. `Read.Lost` is added when the line
   * lost bytes since the last call. Never waits; a core without input gives 0 for ever. The caller has checked the range.
   */
  read(window: number, offset: number, length: number): number;
}

/** What `read` returns besides the number of bytes. */
export const enum Read {
  /** Bits that hold the number. */
  Bytes = 65535,
  /** Bytes came that nobody took in time; how many, no hardware says. */
  Lost = 65536,
}

/** What `wait` returns. */
export const enum Wake {
  /** Nothing happened within the limit. */
  None = 0,
  /** A doorbell rang: look at the carriers. */
  Doorbell = 1,
  /** The firmware is to leave its loop: the core stops for good, or the program ends. */
  Stop = 2,
  /** A peripheral's interrupt fired, or a byte came over the serial line: devices look at their backends. */
  Backend = 4,
}
