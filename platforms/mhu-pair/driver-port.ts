// The driver's side of a pair that rings over an SSE-200's MHU: its window, its end of the MHU, the release of the device's side.
import { Wake } from '../../hal/port.js';
import { mhuAcknowledge, mhuRing } from '../../hal/mailboxes/mhu.hot.js';
import { idle, memory, registerWrite } from '../engine/natives.js';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of board.json. */
  Mhu = 0,
  SystemControl = 1,
  DriverCpu = 0,
  DeviceCpu = 1,
  DoorbellBit = 0,
}

/** System control registers, byte offsets. */
const enum SystemControl {
  /** Bit n set: CPU n waits at its reset. */
  CpuWait = 0x118,
}

export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0))];

export function release(): void {
  registerWrite(Board.SystemControl, SystemControl.CpuWait, 0, 0);
}

export function ring(): void {
  mhuRing(Board.Mhu, Board.DeviceCpu, Board.DoorbellBit);
}

export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return mhuAcknowledge(Board.Mhu, Board.DriverCpu) === 0 ? Wake.None : Wake.Doorbell;
}
