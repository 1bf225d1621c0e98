// STM32 inter-processor communication controller (MP1, MP2, WB): six channels, one "occupied" flag per channel and direction.
//
// Register  offset  processor 1; processor 2 at +10
// CR        00      RXOIE b0, TXFIE b16
// MR        04      1 = masked: receive b0-15, transmit b16-31
// SCR       08      write: b0-15 clear the other side's channel, b16-31 set the own channel
// TOSR      0C      own channels that are occupied
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Ipcc {
  Stride = 0x10,
  Cr = 0x00,
  Mr = 0x04,
  Scr = 0x08,
  Tosr = 0x0c,
  /** RXOIE of CR, the only bit used of its low half. */
  ReceiveEnable = 1,
}

/** Occupies channel `channel` (0..5) of processor `processor` (0 or 1, this one); refuses nothing: an occupied channel is left alone. */
export function ipccRing(block: number, processor: number, channel: number): number {
  if (((registerRead(block, processor * Ipcc.Stride + Ipcc.Tosr) >> channel) & 1) !== 0) {
    return Ring.Merged;
  }
  registerWrite(block, processor * Ipcc.Stride + Ipcc.Scr, 0, 1 << channel);
  return Ring.Rang;
}

/** Frees the other side's channel; 1 = it was occupied, 0 = spurious. A latch: call it before looking at shared memory. */
export function ipccAcknowledge(block: number, processor: number, channel: number): number {
  if (((registerRead(block, (1 - processor) * Ipcc.Stride + Ipcc.Tosr) >> channel) & 1) === 0) {
    return 0;
  }
  registerWrite(block, processor * Ipcc.Stride + Ipcc.Scr, 1 << channel, 0);
  return 1;
}

/** Drops what an earlier run left pending; unmasks the channel's receive interrupt and no other of this processor's. */
export function ipccStart(block: number, processor: number, channel: number): void {
  ipccAcknowledge(block, processor, channel);
  const masks = registerRead(block, processor * Ipcc.Stride + Ipcc.Mr);
  registerWrite(block, processor * Ipcc.Stride + Ipcc.Mr, masks & ~(1 << channel), registerHigh());
  const control = registerRead(block, processor * Ipcc.Stride + Ipcc.Cr);
  registerWrite(block, processor * Ipcc.Stride + Ipcc.Cr, control | Ipcc.ReceiveEnable, registerHigh());
}
