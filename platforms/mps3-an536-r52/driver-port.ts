// Core 0 of the Cortex-R52 pair of AN536: its window, its doorbell, the release of core 1.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { gicV3Ring } from '../../hal/mailboxes/gic-v3-sgi.hot.js';
import { idle, memory } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Index of the redistributors among the register blocks of board.json. */
  Redistributors = 0,
  DeviceCore = 1,
  DoorbellLine = 0,
}

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0))];

/** Core 1 sleeps until something is pending at its redistributor. */
export function release(): void {
  ring();
}

export function ring(): void {
  gicV3Ring(Board.Redistributors, Board.DeviceCore, Board.DoorbellLine);
}

export function wait(limit: number): number {
  return idle(limit) === 0 ? Wake.None : Wake.Doorbell;
}
