// Binds the firmware to the second Cortex-M33 of the RP2350: a window in SRAM, doorbells of the SIO.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { sioDoorbellAcknowledge, sioDoorbellRing, sioDoorbellStart } from '../../hal/mailboxes/rp2350-doorbell.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Sio = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

const doorbell = mailbox.doorbell;

sioDoorbellStart(Board.Sio, doorbell);

export function ring(_bus: number): void {
  sioDoorbellRing(Board.Sio, doorbell);
}

/** Acknowledges before the caller looks: a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return sioDoorbellAcknowledge(Board.Sio, doorbell) === 0 ? Wake.None : Wake.Doorbell;
}
