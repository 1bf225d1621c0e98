// The natives that the C glue of an engine supplies, under the names that ports and mailbox drivers import.

/** The object `native` that every engine's glue places in the global scope before it runs the bundle. */
export interface Natives {
  /** Window `number`'s memory as an ArrayBuffer over the real memory (start-up only: it makes an object). */
  memory(number: number): ArrayBuffer;
  copy(toWindow: number, toOffset: number, fromWindow: number, fromOffset: number, length: number): void;
  fill(window: number, offset: number, length: number, value: number): void;
  random(window: number, offset: number, length: number): number;
  seeded(window: number, offset: number, length: number, stateWindow: number, stateOffset: number): void;
  /** Writes the data cache's bytes of the range back; nothing on a core without one. */
  clean(window: number, offset: number, length: number): void;
  /** Drops the data cache's bytes of the range; nothing on a core without one. */
  invalidate(window: number, offset: number, length: number): void;
  /** The tables of tables.ts as an ArrayBuffer over C's (start-up only). */
  tables(): ArrayBuffer;
  /** What firmware/memory/descriptors.hot.ts says of them. */
  splitDescriptor(window: number, base: number, entry: number, place: number): number;
  packedDescriptor(window: number, base: number, entry: number, place: number, sign: number): number;
  barrier(): void;
  /** Unmasks the interrupt lines, sleeps until one fires or `limit` microseconds have passed; returns and clears the pending lines. */
  idle(limit: number): number;
  clock(): number;
  log(code: number, value: number): void;
  /** Writes bytes of a window to the serial line, as they are. */
  write(window: number, offset: number, length: number): void;
  /** Takes bytes that came over the serial line, as `read` of hal/port.ts says; 0 on machines without input. */
  read(window: number, offset: number, length: number): number;
  /** Writes a line of text (start-up errors and driver programs; not for the hot path). */
  print(text: string): void;
  /** Ends the program with an exit status where there is something to return to; else parks the core. */
  exit(status: number): void;
  registerRead(block: number, offset: number): number;
  registerHigh(): number;
  registerWrite(block: number, offset: number, low: number, high: number): void;
}

/** What `idle` returns besides the lines of board.json "interrupts", whose bits are their indices. */
export const enum Idle {
  /** A byte came over the serial line, after a `read` that found too few. */
  Serial = 1 << 26,
}

declare const native: Natives;

export const memory = native.memory;
export const copy = native.copy;
export const fill = native.fill;
export const random = native.random;
export const seeded = native.seeded;
export const tables = native.tables;
export const splitDescriptor = native.splitDescriptor;
export const packedDescriptor = native.packedDescriptor;
export const barrier = native.barrier;
export const clean = native.clean;
export const invalidate = native.invalidate;
export const idle = native.idle;
export const clock = native.clock;
export const log = native.log;
export const write = native.write;
export const read = native.read;
export const print = native.print;
export const exit = native.exit;
export const registerRead = native.registerRead;
export const registerHigh = native.registerHigh;
export const registerWrite = native.registerWrite;
