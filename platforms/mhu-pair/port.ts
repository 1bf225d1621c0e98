// The device's side of a pair that rings over an SSE-200's MHU, of two cores or modelled on one: a shared window, a private one, doorbells.
import { Wake } from '../../hal/port.js';
import { mhuAcknowledge, mhuRing } from '../../hal/mailboxes/mhu.hot.js';
import { Idle, idle, memory } from '../engine/natives.js';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index of the MHU among the register blocks of board.json. */
  Mhu = 0,
  DriverCpu = 0,
  DeviceCpu = 1,
  /** The MHU bit both sides use: "look at the queues". */
  DoorbellBit = 0,
}

export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

export function ring(_bus: number): void {
  mhuRing(Board.Mhu, Board.DriverCpu, Board.DoorbellBit);
}

/** Acknowledges before the caller scans: the MHU is a latch. */
export function wait(limit: number): number {
  const lines = idle(limit);
  if (lines === 0) {
    return Wake.None;
  }
  if (mhuAcknowledge(Board.Mhu, Board.DeviceCpu) === 0) {
    return lines < Idle.Serial ? Wake.None : Wake.Backend;
  }
  return lines < Idle.Serial ? Wake.Doorbell : Wake.Doorbell | Wake.Backend;
}
