// Arm MHU version 1: three latched channels in each direction, 32 bits each.
//
// Channel registers       offset
// STAT / SET / CLR        00/08/10   of the receiving side; the sending side has them at +100
// Channels                low priority 000, high priority 020, secure 200
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum MhuV1 {
  Stat = 0x00,
  Set = 0x08,
  Clr = 0x10,
  Transmit = 0x100,
}

/** Raises bit 0 of the channel at byte offset `channel` (0x000, 0x020 or 0x200) at the other side; a latch merges. */
export function mhuV1Ring(block: number, channel: number): number {
  registerWrite(block, channel + MhuV1.Transmit + MhuV1.Set, 1, 0);
  return Ring.Rang;
}

/** Takes and clears what is pending on the channel; 1 = a doorbell, 0 = spurious. A latch: call it before looking at shared memory. */
export function mhuV1Acknowledge(block: number, channel: number): number {
  const low = registerRead(block, channel + MhuV1.Stat);
  const high = registerHigh();
  if ((low | high) === 0) {
    return 0;
  }
  registerWrite(block, channel + MhuV1.Clr, low, high);
  return 1;
}

/** Drops what an earlier run left pending for this side. */
export function mhuV1Start(block: number, channel: number): void {
  mhuV1Acknowledge(block, channel);
}
