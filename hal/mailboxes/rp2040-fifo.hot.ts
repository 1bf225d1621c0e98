// RP2040 and RP2350 SIO: a FIFO of eight words in each direction between the two cores.
//
// Register  offset
// FIFO_ST   050   VLD b0: a word waits, RDY b1: there is room, WOF b2, ROE b3: over- and underrun, cleared by any write
// FIFO_WR   054
// FIFO_RD   058
import { registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Fifo {
  St = 0x050,
  Wr = 0x054,
  Rd = 0x058,
  Valid = 1,
  Ready = 2,
  Errors = 12,
  /** Words taken per call: twice the depth, so that a peer that goes on writing keeps nobody here. */
  MostWords = 16,
}

/** Sends a doorbell, the word 1; a full FIFO already holds words the other core will see. */
export function sioFifoRing(block: number): number {
  if ((registerRead(block, Fifo.St) & Fifo.Ready) === 0) {
    return Ring.Merged;
  }
  registerWrite(block, Fifo.Wr, 1, 0);
  return Ring.Rang;
}

/** Drains the FIFO, then clears its error flags (in that order); 1 = a doorbell, 0 = spurious. */
export function sioFifoAcknowledge(block: number): number {
  let words = 0;
  let state = registerRead(block, Fifo.St);
  while (words < Fifo.MostWords && (state & Fifo.Valid) !== 0) {
    registerRead(block, Fifo.Rd);
    words++;
    state = registerRead(block, Fifo.St);
  }
  if ((state & Fifo.Errors) !== 0) {
    registerWrite(block, Fifo.St, 1, 0);
  }
  return words === 0 ? 0 : 1;
}

/** Throws away what an earlier run left in the FIFO. */
export function sioFifoStart(block: number): void {
  sioFifoAcknowledge(block);
}
