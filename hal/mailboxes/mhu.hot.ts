// Arm SSE-200 Message Handling Unit: two CPUs ring each other with four latched interrupt bits each.
//
// Register                 offset  CPUxINTR bits 3..0
// CPU0INTR_STAT / SET / CLR 00/04/08   SET raises CPU 0's interrupt, CLR is for CPU 0 to acknowledge
// CPU1INTR_STAT / SET / CLR 10/14/18   the same for CPU 1
import { registerRead, registerWrite } from '#registers';

/** Byte offset of CPU `cpu`'s registers (0 or 1). */
const enum Mhu {
  Stat = 0x00,
  Set = 0x04,
  Clr = 0x08,
  CpuStride = 0x10,
}

/** Raises bit `bit` (0..3) at the other CPU: `cpu` is the one that is to hear it. A second ring before the acknowledge is merged by the latch. */
export function mhuRing(block: number, cpu: number, bit: number): void {
  registerWrite(block, cpu * Mhu.CpuStride + Mhu.Set, 1 << bit, 0);
}

/**
 * Takes and clears the bits pending at CPU `cpu`; returns them (0..15, 0 = spurious). A latch: call it before looking at
 * shared memory, so that a ring during the look is not lost.
 */
export function mhuAcknowledge(block: number, cpu: number): number {
  const pending = registerRead(block, cpu * Mhu.CpuStride + Mhu.Stat) & 15;
  if (pending !== 0) {
    registerWrite(block, cpu * Mhu.CpuStride + Mhu.Clr, pending, 0);
  }
  return pending;
}
