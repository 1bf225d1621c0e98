// The driver's side as a Linux process of its own, over the same files as the device's process.
import { Wake } from '../../hal/port.js';
import { exit, idle, registerWrite } from '../engine/natives.js';
import { name as boardName } from './board.json';
import { Block, Line, Register } from './registers.hot.js';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';
export { layouts, windows, windowWords } from './start-up.js';

export const name: string = boardName;

/** The device's process runs by itself. */
export function release(): void {
  return;
}

export function ring(): void {
  registerWrite(Block.Doorbell, Register.Ring, 1, 0);
}

/** A signal ends the program here, as it would end one that never waits. */
export function wait(limit: number): number {
  const lines = idle(limit);
  if ((lines & Line.Stop) !== 0) {
    exit(130);
  }
  return (lines & Line.Doorbell) === 0 ? Wake.None : Wake.Doorbell;
}
