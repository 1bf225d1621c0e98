// STM32H7 hardware semaphores as doorbells: freeing semaphore n interrupts every core that listens to it.
//
// Register                offset
// R[n]                    000 + 4n   write: LOCK b31, COREID b11-8, PROCID b7-0
// RLR[n]                  080 + 4n   read: takes the semaphore for this core, answers who holds it
// C1IER / ICR / ISR / MISR 100-10C   core 1 (Cortex-M7); core 2 (Cortex-M4) at +10
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Hsem {
  R = 0x000,
  Rlr = 0x080,
  CoreStride = 0x10,
  Ier = 0x100,
  Icr = 0x104,
  Misr = 0x10c,
  /** Bit 31 as a bit of the high half. */
  Lock = 0x8000,
  CoreIdShift = 8,
  CoreIds = 15,
}

/**
 * Takes and frees semaphore `number` (0..31), which interrupts the other core; `coreId` is this core's (3 = M7, 1 = M4).
 * When another core holds it the answer is Ring.Later; give each direction a semaphore of its own.
 */
export function hsemRing(block: number, number: number, coreId: number): number {
  const low = registerRead(block, Hsem.Rlr + 4 * number);
  if ((registerHigh() & Hsem.Lock) === 0 || ((low >> Hsem.CoreIdShift) & Hsem.CoreIds) !== coreId) {
    return Ring.Later;
  }
  registerWrite(block, Hsem.R + 4 * number, coreId << Hsem.CoreIdShift, 0);
  return Ring.Rang;
}

/** Clears the event of semaphore `number` at core `core` (0 = M7, 1 = M4); 1 = a doorbell, 0 = spurious. Call it before looking at shared memory. */
export function hsemAcknowledge(block: number, number: number, core: number): number {
  const low = registerRead(block, Hsem.Misr + Hsem.CoreStride * core);
  const half = number < 16 ? low : registerHigh();
  const bit = 1 << (number & 15);
  if ((half & bit) === 0) {
    return 0;
  }
  registerWrite(block, Hsem.Icr + Hsem.CoreStride * core, number < 16 ? bit : 0, number < 16 ? 0 : bit);
  return 1;
}

/** Drops what an earlier run left pending and lets semaphore `number` interrupt core `core`. */
export function hsemStart(block: number, number: number, core: number): void {
  const bit = 1 << (number & 15);
  registerWrite(block, Hsem.Icr + Hsem.CoreStride * core, number < 16 ? bit : 0, number < 16 ? 0 : bit);
  const low = registerRead(block, Hsem.Ier + Hsem.CoreStride * core);
  const high = registerHigh();
  registerWrite(block, Hsem.Ier + Hsem.CoreStride * core, number < 16 ? low | bit : low, number < 16 ? high : high | bit);
}
