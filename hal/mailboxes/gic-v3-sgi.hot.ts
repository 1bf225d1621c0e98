// Software-generated interrupt of an Arm GIC version 3: cores that reach each other's redistributors ring each other.
//
// Register        offset
// GICR_ISPENDR0   10200 + 20000 n   of core n: a one makes the line of its number pending; lines 0..15 are software's
//
// System registers send such an interrupt, too, but only the register is memory, which `#registers` reaches. The acknowledge is
// the interrupt handler's read of ICC_IAR1, before JavaScript runs, as with version 2.
import { registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Gic {
  Ispendr0 = 0x10200,
  CoreStride = 0x20000,
}

/** Raises line `line` (0..15) at core `core` (0..127); a ring that the core has not taken yet is merged. */
export function gicV3Ring(block: number, core: number, line: number): number {
  registerWrite(block, Gic.Ispendr0 + Gic.CoreStride * core, 1 << line, 0);
  return Ring.Rang;
}
