// A Cortex-A53 of a Zynq UltraScale+ as the driver's core of an emulated scene: its windows, its IPI agent, the start of RPU core 0.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { ipiAcknowledge, ipiRing, ipiStart } from '../../hal/mailboxes/zynqmp-ipi.hot.js';
import { idle, memory, registerHigh, registerRead, registerWrite } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of driverCore in board.json. */
  Ipi = 0,
  CrlApb = 1,
  Rpu = 2,
  /** The agent of RPU core 0, the device's. */
  Rpu0 = 8,
}

/** Registers that hold RPU core 0, byte offsets; bit 0 of each is the core's. */
const enum Hold {
  /** CRL_APB: RST_LPD_TOP.RPU_R50_RESET. */
  Reset = 0x23c,
  /** RPU: RPU_0_CFG.NCPUHALT, 1 = the core runs once its reset ends. */
  Halt = 0x100,
}

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

ipiStart(Board.Ipi, Board.Rpu0);

export function release(): void {
  const halt = registerRead(Board.Rpu, Hold.Halt);
  registerWrite(Board.Rpu, Hold.Halt, halt | 1, registerHigh());
  const reset = registerRead(Board.CrlApb, Hold.Reset);
  registerWrite(Board.CrlApb, Hold.Reset, reset & ~1, registerHigh());
}

export function ring(): void {
  ipiRing(Board.Ipi, Board.Rpu0);
}

export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return ipiAcknowledge(Board.Ipi, Board.Rpu0) === 0 ? Wake.None : Wake.Doorbell;
}
