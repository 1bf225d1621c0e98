// Core 0 of the emulated Cortex-R5 pair: its window, its doorbell, the release of core 1.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { sgiRing } from '../../hal/mailboxes/gic-sgi.hot.js';
import { idle, memory, registerWrite } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of board.json. */
  Distributor = 0,
  SystemRegisters = 1,
  DeviceCore = 1,
  DoorbellLine = 0,
}

/** System registers, byte offsets. */
const enum SystemRegisters {
  /** Sets bits of SYS_FLAGS, on which a waiting core of this board looks. */
  FlagsSet = 0x30,
}

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0))];

export function release(): void {
  registerWrite(Board.SystemRegisters, SystemRegisters.FlagsSet, 1, 0);
  ring();
}

export function ring(): void {
  sgiRing(Board.Distributor, Board.DeviceCore, Board.DoorbellLine);
}

export function wait(limit: number): number {
  return idle(limit) === 0 ? Wake.None : Wake.Doorbell;
}
