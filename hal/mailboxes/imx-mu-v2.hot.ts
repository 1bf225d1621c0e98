// NXP messaging unit version 2 (i.MX 8ULP, 93, 95, RT700): general purpose interrupts in registers of their own.
//
// Register  offset
// GIER      110   enables, bit n
// GCR       114   GIRn b n: interrupts the other side, reads 1 until it has cleared its GIPn
// GSR       118   GIPn b n: pending here, write one to clear
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum MuV2 {
  Gier = 0x110,
  Gcr = 0x114,
  Gsr = 0x118,
}

/** Raises general purpose interrupt `number` (0..3) at the other side; one that is still pending is left alone. */
export function muV2Ring(block: number, number: number): number {
  const requests = registerRead(block, MuV2.Gcr);
  if (((requests >> number) & 1) !== 0) {
    return Ring.Merged;
  }
  registerWrite(block, MuV2.Gcr, requests | (1 << number), registerHigh());
  return Ring.Rang;
}

/** Clears general purpose interrupt `number`; 1 = it was pending, 0 = spurious. A latch: call it before looking at shared memory. */
export function muV2Acknowledge(block: number, number: number): number {
  if (((registerRead(block, MuV2.Gsr) >> number) & 1) === 0) {
    return 0;
  }
  registerWrite(block, MuV2.Gsr, 1 << number, 0);
  return 1;
}

/** Drops what an earlier run left pending and enables the interrupt. */
export function muV2Start(block: number, number: number): void {
  muV2Acknowledge(block, number);
  const enables = registerRead(block, MuV2.Gier);
  registerWrite(block, MuV2.Gier, enables | (1 << number), registerHigh());
}
