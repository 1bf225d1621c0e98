// Binds the firmware to the Cortex-M4 of the STM32H747: a window in SRAM4, hardware semaphores as doorbells.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { hsemAcknowledge, hsemRing, hsemStart } from '../../hal/mailboxes/stm32-hsem.hot.js';
import { Ring } from '../../hal/mailboxes/ring.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Hsem = 0,
  /** Longest sleep while a ring is owed: microseconds. */
  Retry = 1000,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

const core = mailbox.core;
const coreId = mailbox.coreId;
const toRing = mailbox.ring;
const hear = mailbox.hear;

/** 1 = the semaphore was taken when the other core was to be rung. */
let owed = 0;

hsemStart(Board.Hsem, hear, core);

export function ring(_bus: number): void {
  owed = hsemRing(Board.Hsem, toRing, coreId) === Ring.Later ? 1 : 0;
}

/** Acknowledges before the caller looks: a latch. A ring that is owed is tried again at each call. */
export function wait(limit: number): number {
  if (owed !== 0) {
    owed = hsemRing(Board.Hsem, toRing, coreId) === Ring.Later ? 1 : 0;
  }
  if (idle(owed !== 0 && limit > Board.Retry ? Board.Retry : limit) === 0) {
    return Wake.None;
  }
  return hsemAcknowledge(Board.Hsem, hear, core) === 0 ? Wake.None : Wake.Doorbell;
}
