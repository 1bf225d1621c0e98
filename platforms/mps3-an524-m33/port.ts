// Binds the firmware to the MPS3 AN524: a Linux machine's RAM as windows, the layout at its end, no doorbell.
import { Wake } from '../../hal/port.js';
import { Idle, idle } from '../engine/natives.js';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';
export { layouts, windows, windowWords } from './start-up.js';

const enum Board {
  /** Nothing wakes this core, so no sleep is longer: microseconds. */
  LongestSleep = 1000,
}

/** The Linux machine runs in another emulator: it polls too. */
export function ring(_bus: number): void {
  return;
}

export function wait(limit: number): number {
  const lines = idle(limit < Board.LongestSleep ? limit : Board.LongestSleep);
  return lines < Idle.Serial ? Wake.None : Wake.Backend;
}
