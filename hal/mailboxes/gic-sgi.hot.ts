// Software-generated interrupt of an Arm GIC (versions 1 and 2): cores that share a distributor ring each other.
//
// Register   offset
// GICD_SGIR  F00      target list filter 25..24 (0 = the list), target list 23..16 (a bit per core), line 3..0
//
// The acknowledge is the read of the CPU interface's IAR, which the interrupt handler has to make before JavaScript runs: the
// line is then no longer pending, and a ring after that is a new one. So there is no acknowledge here.
import { registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Gic {
  Sgir = 0xf00,
}

/** Raises line `line` (0..15) at core `core` (0..7); a ring that the core has not taken yet is merged. */
export function sgiRing(block: number, core: number, line: number): number {
  registerWrite(block, Gic.Sgir, line, 1 << core);
  return Ring.Rang;
}
