// NXP messaging unit version 1 (i.MX 6SX, 7D, 8M, 8QM): four general purpose interrupts in each direction.
//
// Register  offset
// SR        20   GIPn b31-n: pending here, write one to clear
// CR        24   GIEn b31-n: enables, GIRn b19-n: interrupts the other side, reads 1 until it has cleared its GIPn
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum MuV1 {
  Sr = 0x20,
  Cr = 0x24,
  /** Bits 31..16 hold all the bits that are used: GIP0 and GIE0 are bit 15 of that half, GIR0 is bit 3. */
  Gip0 = 15,
  Gie0 = 15,
  Gir0 = 3,
}

/** Raises general purpose interrupt `number` (0..3) at the other side; one that is still pending is left alone. */
export function muV1Ring(block: number, number: number): number {
  const low = registerRead(block, MuV1.Cr);
  const high = registerHigh();
  const bit = 1 << (MuV1.Gir0 - number);
  if ((high & bit) !== 0) {
    return Ring.Merged;
  }
  registerWrite(block, MuV1.Cr, low, high | bit);
  return Ring.Rang;
}

/** Clears general purpose interrupt `number`; 1 = it was pending, 0 = spurious. A latch: call it before looking at shared memory. */
export function muV1Acknowledge(block: number, number: number): number {
  registerRead(block, MuV1.Sr);
  const bit = 1 << (MuV1.Gip0 - number);
  if ((registerHigh() & bit) === 0) {
    return 0;
  }
  registerWrite(block, MuV1.Sr, 0, bit);
  return 1;
}

/** Drops what an earlier run left pending and enables the interrupt. */
export function muV1Start(block: number, number: number): void {
  muV1Acknowledge(block, number);
  const low = registerRead(block, MuV1.Cr);
  registerWrite(block, MuV1.Cr, low, registerHigh() | (1 << (MuV1.Gie0 - number)));
}
