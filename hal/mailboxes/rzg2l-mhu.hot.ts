// Renesas RZ/G2L message handling unit: six channels, each with a message and a response interrupt; both are latches.
//
// Channel register        offset + 20 * channel
// MSG_INT_STS / SET / CLR 00/04/08
// RSP_INT_STS / SET / CLR 10/14/18
import { registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Rzg2lMhu {
  Stride = 0x20,
  MsgIntSts = 0x00,
  MsgIntSet = 0x04,
  MsgIntClr = 0x08,
}

/** Raises the message interrupt of channel `channel` (0..5), one that the other side receives; a latch merges. */
export function rzg2lMhuRing(block: number, channel: number): number {
  registerWrite(block, channel * Rzg2lMhu.Stride + Rzg2lMhu.MsgIntSet, 1, 0);
  return Ring.Rang;
}

/** Clears the message interrupt of channel `channel`, one that this side receives; 1 = a doorbell, 0 = spurious. Call it before looking at shared memory. */
export function rzg2lMhuAcknowledge(block: number, channel: number): number {
  if ((registerRead(block, channel * Rzg2lMhu.Stride + Rzg2lMhu.MsgIntSts) & 1) === 0) {
    return 0;
  }
  registerWrite(block, channel * Rzg2lMhu.Stride + Rzg2lMhu.MsgIntClr, 1, 0);
  return 1;
}

/** Drops what an earlier run left pending for this side. */
export function rzg2lMhuStart(block: number, channel: number): void {
  rzg2lMhuAcknowledge(block, channel);
}
