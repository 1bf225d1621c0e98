// Binds the firmware to the sense domain's Cortex-M33 of the i.MX RT700: a window in shared SRAM, doorbells over messaging unit 1.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { muV2Acknowledge, muV2Ring, muV2Start } from '../../hal/mailboxes/imx-mu-v2.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Mu = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

const interrupt = mailbox.interrupt;

muV2Start(Board.Mu, interrupt);

export function ring(_bus: number): void {
  muV2Ring(Board.Mu, interrupt);
}

/** Acknowledges before the caller looks: a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return muV2Acknowledge(Board.Mu, interrupt) === 0 ? Wake.None : Wake.Doorbell;
}
