// Binds the firmware to the Cortex-M4 of the STM32MP15: windows in DDR memory, doorbells over the IPCC.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { ipccAcknowledge, ipccRing, ipccStart } from '../../hal/mailboxes/stm32-ipcc.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Ipcc = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1)), new Uint16Array(memory(2))];

const processor = mailbox.processor;
const channel = mailbox.channel;

ipccStart(Board.Ipcc, processor, channel);

export function ring(_bus: number): void {
  ipccRing(Board.Ipcc, processor, channel);
}

/** Acknowledges before the caller looks: a latch. */
export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return ipccAcknowledge(Board.Ipcc, processor, channel) === 0 ? Wake.None : Wake.Doorbell;
}
