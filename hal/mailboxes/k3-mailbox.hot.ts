// TI K3 and OMAP mailbox (AM62x, AM64x, AM67): FIFOs of four words of 32 bits, interrupts per user.
//
// Register            offset
// MESSAGE(m)          040 + 4m    write: send, read: take the oldest word
// FIFOSTATUS(m)       080 + 4m    b0: full
// MSGSTATUS(m)        0C0 + 4m    b2-0: words waiting
// IRQSTATUS(u)        104 + 10u   write one to clear; NEWMSG b2m, NOTFULL b2m+1
// IRQENABLE_SET(u)    108 + 10u
//
// Control words share the FIFO with doorbells: ECHO_REQUEST FFFFFF03, ECHO_REPLY FFFFFF04, SHUTDOWN FFFFFF14,
// SHUTDOWN_ACK FFFFFF15. The main cores expect the answer to SHUTDOWN within three seconds, and nothing afterwards.
import { registerHigh, registerRead, registerWrite } from '#registers';
import { Ring } from './ring.hot.js';

const enum Mailbox {
  Message = 0x040,
  FifoStatus = 0x080,
  MsgStatus = 0x0c0,
  IrqStatus = 0x104,
  IrqEnableSet = 0x108,
  UserStride = 0x10,
  /** Words that MSGSTATUS can count. */
  Waiting = 7,
  /** Words taken per call: twice the depth, so that a peer that goes on writing keeps nobody here. */
  MostWords = 8,
}

const enum Word {
  ControlHigh = 0xffff,
  EchoRequest = 0xff03,
  EchoReply = 0xff04,
  Shutdown = 0xff14,
  ShutdownAck = 0xff15,
}

/** What `k3Acknowledge` returns, bits. */
export const enum K3Event {
  Doorbell = 1,
  /** SHUTDOWN came and its answer is sent: the core is to sleep for good. */
  Shutdown = 2,
}

/** Low half of the control word that waits for room; 0 = none. */
let owed = 0;
let shuttingDown = 0;

/** Sends a word through FIFO `fifo` (0..15); false when it is full. */
function send(block: number, fifo: number, low: number, high: number): boolean {
  if ((registerRead(block, Mailbox.FifoStatus + 4 * fifo) & 1) !== 0) {
    return false;
  }
  registerWrite(block, Mailbox.Message + 4 * fifo, low, high);
  return true;
}

/** Sends a doorbell, the word 0; a full FIFO already holds words the other side will see. */
export function k3Ring(block: number, fifo: number): number {
  return send(block, fifo, 0, 0) ? Ring.Rang : Ring.Merged;
}

/** Bit NEWMSG of FIFO `fifo` (0..15) in the low half of a user's registers, and in the high half. */
function newMessageLow(fifo: number): number {
  return fifo < 8 ? 1 << (2 * fifo) : 0;
}

function newMessageHigh(fifo: number): number {
  return fifo < 8 ? 0 : 1 << (2 * fifo - 16);
}

/** Drains FIFO `receive`, then acknowledges user `user`'s interrupt (a FIFO: in that order); returns how many words it took. */
function drain(block: number, receive: number, user: number): number {
  let words = 0;
  while (words < Mailbox.MostWords && (registerRead(block, Mailbox.MsgStatus + 4 * receive) & Mailbox.Waiting) !== 0) {
    registerRead(block, Mailbox.Message + 4 * receive);
    words++;
  }
  if (words > 0) {
    registerWrite(block, Mailbox.IrqStatus + Mailbox.UserStride * user, newMessageLow(receive), newMessageHigh(receive));
  }
  return words;
}

/** Takes what is in FIFO `receive` when nothing but doorbells goes through it; 1 = a doorbell, 0 = spurious. */
export function k3AcknowledgeDoorbells(block: number, receive: number, user: number): number {
  return drain(block, receive, user) === 0 ? 0 : 1;
}

/**
 * Drains FIFO `receive`, then acknowledges user `user`'s interrupt (a FIFO: in that order), answers control words through
 * FIFO `transmit` and returns K3Event bits, 0 = spurious. An answer that finds no room is sent at a later call, and only
 * then is Shutdown returned.
 */
export function k3Acknowledge(block: number, receive: number, transmit: number, user: number): number {
  let events = 0;
  let words = 0;
  while (words < Mailbox.MostWords && (registerRead(block, Mailbox.MsgStatus + 4 * receive) & Mailbox.Waiting) !== 0) {
    const low = registerRead(block, Mailbox.Message + 4 * receive);
    if (registerHigh() !== Word.ControlHigh) {
      events = K3Event.Doorbell;
    } else if (low === Word.Shutdown) {
      shuttingDown = 1;
      owed = Word.ShutdownAck;
    } else if (low === Word.EchoRequest && shuttingDown === 0) {
      owed = Word.EchoReply;
    }
    words++;
  }
  if (words > 0) {
    registerWrite(block, Mailbox.IrqStatus + Mailbox.UserStride * user, newMessageLow(receive), newMessageHigh(receive));
  }
  if (owed !== 0 && send(block, transmit, owed, Word.ControlHigh)) {
    events |= owed === Word.ShutdownAck ? K3Event.Shutdown : 0;
    owed = 0;
  }
  return events;
}

/** Throws away what an earlier run left in FIFO `receive` and lets its messages interrupt user `user`. */
export function k3Start(block: number, receive: number, user: number): void {
  drain(block, receive, user);
  owed = 0;
  shuttingDown = 0;
  // An earlier run may have drained the FIFO and gone before it acknowledged.
  registerWrite(block, Mailbox.IrqStatus + Mailbox.UserStride * user, newMessageLow(receive), newMessageHigh(receive));
  registerWrite(block, Mailbox.IrqEnableSet + Mailbox.UserStride * user, newMessageLow(receive), newMessageHigh(receive));
}
