// Binds the firmware to core 1 of the Cortex-R52 pair of AN536: a cached window and a private one, doorbells over the GIC.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { gicV3Ring } from '../../hal/mailboxes/gic-v3-sgi.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index of the redistributors among the register blocks of board.json. */
  Redistributors = 0,
  /** The application core. */
  DriverCore = 0,
  /** The line both sides use: "look at the queues". */
  DoorbellLine = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

export function ring(_bus: number): void {
  gicV3Ring(Board.Redistributors, Board.DriverCore, Board.DoorbellLine);
}

/** The interrupt handler's read of IAR is the acknowledge, and it comes before the caller scans. */
export function wait(limit: number): number {
  return idle(limit) === 0 ? Wake.None : Wake.Doorbell;
}
