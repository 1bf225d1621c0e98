// Binds the firmware to a Linux process of its own: windows in files, a doorbell that is a file descriptor, signals that stop.
import { Wake } from '../../hal/port.js';
import { Idle, idle, registerWrite } from '../engine/natives.js';
import { Block, Line, Register } from './registers.hot.js';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';
export { layouts, windows, windowWords } from './start-up.js';

/** One doorbell serves every bus: the other side looks at all its queues. */
export function ring(_bus: number): void {
  registerWrite(Block.Doorbell, Register.Ring, 1, 0);
}

/** The runner has drained the doorbell when `idle` returns. */
export function wait(limit: number): number {
  const lines = idle(limit);
  return ((lines & Line.Doorbell) !== 0 ? Wake.Doorbell : Wake.None) | ((lines & Line.Stop) !== 0 ? Wake.Stop : Wake.None) | (lines < Idle.Serial ? Wake.None : Wake.Backend);
}
