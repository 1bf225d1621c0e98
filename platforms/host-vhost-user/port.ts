// Binds the firmware to a vhost-user process: private windows, guest memory that comes and goes, everything else over the socket.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { Idle, idle } from '../engine/natives.js';
import { windows as boardWindows } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';
export { windowWords } from './memory.js';

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = [];

/** The driver's doorbells are descriptors, one for each ring: the carrier signals them itself. */
export function ring(_bus: number): void {
  return;
}

/** What woke the process is asked of the socket afterwards. */
export function wait(limit: number): number {
  const lines = idle(limit);
  return lines < Idle.Serial ? (lines === 0 ? Wake.None : Wake.Doorbell) : Wake.Doorbell | Wake.Backend;
}
