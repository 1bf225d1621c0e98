// Binds the firmware to the Cortex-M33 of the RZ/G2L: windows in DDR memory, doorbells over the message handling unit.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { rzg2lMhuAcknowledge, rzg2lMhuRing, rzg2lMhuStart } from '../../hal/mailboxes/rzg2l-mhu.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Mhu = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1)), new Uint16Array(memory(2))];

const hear = mailbox.hear;
const toRing = mailbox.ring;

rzg2lMhuStart(Board.Mhu, hear);

export function ring(_bus: number): void {
  rzg2lMhuRing(Board.Mhu, toRing);
}

/** Acknowledges before the caller looks: a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return rzg2lMhuAcknowledge(Board.Mhu, hear) === 0 ? Wake.None : Wake.Doorbell;
}
