// Arm MHU version 3, doorbell extension: a postbox (sends) and a mailbox (receives), up to 128 channels of 32 bits.
//
// Doorbell windows from 1000, stride 20   offset
// PBX  PDBCW_ST / SET                     00/0C
// MBX  MDBCW_ST / ST_MSK / CLR            00/04/08
// MBX  MDBCW_MSK_ST / SET / CLR           10/14/18
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum MhuV3 {
  Doorbells = 0x1000,
  Stride = 0x20,
  St = 0x00,
  Clr = 0x08,
  Set = 0x0c,
  MskClr = 0x18,
}

/** Raises bit 0 of channel `channel` (0..127) through the postbox `pbx`; a latch merges. */
export function mhuV3Ring(pbx: number, channel: number): number {
  registerWrite(pbx, MhuV3.Doorbells + channel * MhuV3.Stride + MhuV3.Set, 1, 0);
  return Ring.Rang;
}

/** Takes and clears what is pending in the mailbox `mbx`; 1 = a doorbell, 0 = spurious. Call it before looking at shared memory. */
export function mhuV3Acknowledge(mbx: number, channel: number): number {
  const low = registerRead(mbx, MhuV3.Doorbells + channel * MhuV3.Stride + MhuV3.St);
  const high = registerHigh();
  if ((low | high) === 0) {
    return 0;
  }
  registerWrite(mbx, MhuV3.Doorbells + channel * MhuV3.Stride + MhuV3.Clr, low, high);
  return 1;
}

/** Drops what an earlier run left pending and lets bit 0 of the channel interrupt. */
export function mhuV3Start(mbx: number, channel: number): void {
  mhuV3Acknowledge(mbx, channel);
  registerWrite(mbx, MhuV3.Doorbells + channel * MhuV3.Stride + MhuV3.MskClr, 1, 0);
}
