// Binds the firmware to RPU core 0 of a Zynq UltraScale+: two windows in DDR memory and a private one, doorbells over the IPI.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { ipiAcknowledge, ipiRing, ipiStart } from '../../hal/mailboxes/zynqmp-ipi.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index of this core's IPI registers among the register blocks of board.json. */
  Ipi = 0,
  /** The agent of the Cortex-A53. */
  Apu = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1)), new Uint16Array(memory(2))];

ipiStart(Board.Ipi, Board.Apu);

export function ring(_bus: number): void {
  ipiRing(Board.Ipi, Board.Apu);
}

/** Acknowledges before the caller scans: the IPI is a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return ipiAcknowledge(Board.Ipi, Board.Apu) === 0 ? Wake.None : Wake.Doorbell;
}
