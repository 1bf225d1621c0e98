// Binds the firmware to the template's core: doorbells over an SSE-200 MHU. Copy it, and take your mailbox's driver.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { mhuAcknowledge, mhuRing } from '../../hal/mailboxes/mhu.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Mhu = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

const cpu = mailbox.cpu;
const driverCpu = mailbox.driverCpu;
const bit = mailbox.bit;

// What an earlier run left pending is no doorbell of this one.
mhuAcknowledge(Board.Mhu, cpu);

export function ring(_bus: number): void {
  mhuRing(Board.Mhu, driverCpu, bit);
}

/** Acknowledges before the caller looks: the MHU is a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return mhuAcknowledge(Board.Mhu, cpu) === 0 ? Wake.None : Wake.Doorbell;
}
