// Arm MHU version 2: a sender frame and a receiver frame, up to 124 latched channels of 32 bits, stride 20.
//
// Sender frame              offset
// STAT / SET                00/0C + 20 * channel
// ACCESS_REQUEST / READY    F88/F8C   the receiver's domain is awake while both are 1
// Receiver frame
// STAT / STAT_CLEAR         00/08 + 20 * channel
// MASK / MASK_SET / _CLEAR  10/14/18 + 20 * channel
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum MhuV2 {
  Stride = 0x20,
  Stat = 0x00,
  StatClear = 0x08,
  Set = 0x0c,
  MaskClear = 0x18,
  AccessRequest = 0xf88,
  AccessReady = 0xf8c,
}

/**
 * Raises bit 0 of channel `channel` (0..123) in the sender frame `sender`. Access is requested and kept; while the
 * receiver's domain is not awake yet the answer is Ring.Later: nobody waits here.
 */
export function mhuV2Ring(sender: number, channel: number): number {
  registerWrite(sender, MhuV2.AccessRequest, 1, 0);
  if ((registerRead(sender, MhuV2.AccessReady) & 1) === 0) {
    return Ring.Later;
  }
  registerWrite(sender, channel * MhuV2.Stride + MhuV2.Set, 1, 0);
  return Ring.Rang;
}

/** Takes and clears what is pending in the receiver frame; 1 = a doorbell, 0 = spurious. Call it before looking at shared memory. */
export function mhuV2Acknowledge(receiver: number, channel: number): number {
  const low = registerRead(receiver, channel * MhuV2.Stride + MhuV2.Stat);
  const high = registerHigh();
  if ((low | high) === 0) {
    return 0;
  }
  registerWrite(receiver, channel * MhuV2.Stride + MhuV2.StatClear, low, high);
  return 1;
}

/** Drops what an earlier run left pending and lets bit 0 of the channel interrupt. */
export function mhuV2Start(receiver: number, channel: number): void {
  mhuV2Acknowledge(receiver, channel);
  registerWrite(receiver, channel * MhuV2.Stride + MhuV2.MaskClear, 1, 0);
}
