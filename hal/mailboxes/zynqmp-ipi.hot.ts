// Xilinx inter-processor interrupt (Zynq UltraScale+, Versal): one register block per agent, one bit per other agent.
//
// Register  offset
// TRIG      00   write: raises the agent's interrupt
// OBS       04   the agent has not acknowledged yet
// ISR       10   pending here, write one to clear
// IMR       14   1 = masked; IER 18 unmasks, IDR 1C masks
//
// Agents' bits: APU 0, RPU0 8, RPU1 9, PL 24 and up. Every write carries one bit: Renode's model does nothing for two
// bits in TRIG and clears nothing for two bits in ISR. IDR is left alone: there it also drops what is pending.
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Ipi {
  Trig = 0x00,
  Obs = 0x04,
  Isr = 0x10,
  Ier = 0x18,
}

/** Whether bit `bit` (0..31) of the register is set. */
function isSet(block: number, offset: number, bit: number): boolean {
  const low = registerRead(block, offset);
  return bit < 16 ? ((low >> bit) & 1) !== 0 : ((registerHigh() >> (bit - 16)) & 1) !== 0;
}

/** Writes one bit. */
function writeBit(block: number, offset: number, bit: number): void {
  if (bit < 16) {
    registerWrite(block, offset, 1 << bit, 0);
  } else {
    registerWrite(block, offset, 0, 1 << (bit - 16));
  }
}

/** Interrupts agent `agent` (0..31); a ring that it has not acknowledged yet is left alone. */
export function ipiRing(block: number, agent: number): number {
  if (isSet(block, Ipi.Obs, agent)) {
    return Ring.Merged;
  }
  writeBit(block, Ipi.Trig, agent);
  return Ring.Rang;
}

/** Clears agent `agent`'s bit; 1 = a doorbell, 0 = spurious or another agent's. A latch: call it before looking at shared memory. */
export function ipiAcknowledge(block: number, agent: number): number {
  if (!isSet(block, Ipi.Isr, agent)) {
    return 0;
  }
  writeBit(block, Ipi.Isr, agent);
  return 1;
}

/** Drops what an earlier run left pending and lets agent `agent` interrupt. */
export function ipiStart(block: number, agent: number): void {
  ipiAcknowledge(block, agent);
  writeBit(block, Ipi.Ier, agent);
}
