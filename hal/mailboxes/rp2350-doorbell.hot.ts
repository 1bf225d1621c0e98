// RP2350 SIO doorbells: eight latched bits in each direction between the two cores.
//
// Register          offset
// DOORBELL_OUT_SET  180   raises bits at the other core
// DOORBELL_IN_CLR   18C   reads what is pending here, write one to clear
import { registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Doorbell {
  OutSet = 0x180,
  InClr = 0x18c,
}

/** Raises doorbell `number` (0..7) at the other core; a latch merges. */
export function sioDoorbellRing(block: number, number: number): number {
  registerWrite(block, Doorbell.OutSet, 1 << number, 0);
  return Ring.Rang;
}

/** Clears doorbell `number`; 1 = it was pending, 0 = spurious. Call it before looking at shared memory. */
export function sioDoorbellAcknowledge(block: number, number: number): number {
  if (((registerRead(block, Doorbell.InClr) >> number) & 1) === 0) {
    return 0;
  }
  registerWrite(block, Doorbell.InClr, 1 << number, 0);
  return 1;
}

/** Drops what an earlier run left pending. */
export function sioDoorbellStart(block: number, number: number): void {
  sioDoorbellAcknowledge(block, number);
}
