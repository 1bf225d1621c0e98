// Binds the firmware to the doorbells of a K3 SoC's coprocessor: two FIFOs of mailbox block 0 for them, two for remoteproc's control words.
import { Wake } from '../../hal/port.js';
import { K3Event, k3Acknowledge, k3AcknowledgeDoorbells, k3Ring, k3Start } from '../../hal/mailboxes/k3-mailbox.hot.js';
import { idle } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Mailbox = 0,
}

let user = 0;
let controlReceive = 0;
let controlTransmit = 0;
let receive = 0;
let transmit = 0;

/** 1 = SHUTDOWN was answered: nothing goes out any more. */
let stopped = 0;

/** This core is user `asUser` (0..3); the other numbers are FIFOs (0..15), named from this side. Drops what an earlier run left. */
export function startDoorbells(asUser: number, controlIn: number, controlOut: number, doorbellsIn: number, doorbellsOut: number): void {
  user = asUser;
  controlReceive = controlIn;
  controlTransmit = controlOut;
  receive = doorbellsIn;
  transmit = doorbellsOut;
  stopped = 0;
  k3Start(Board.Mailbox, controlReceive, user);
  k3Start(Board.Mailbox, receive, user);
}

export function ring(_bus: number): void {
  if (stopped === 0) {
    k3Ring(Board.Mailbox, transmit);
  }
}

/** Drains the FIFOs before the caller looks. After SHUTDOWN the firmware leaves its loop and the core sleeps for good. */
export function wait(limit: number): number {
  idle(limit);
  // Also after a time-out: an answer to a control word may be owed.
  if ((k3Acknowledge(Board.Mailbox, controlReceive, controlTransmit, user) & K3Event.Shutdown) !== 0) {
    stopped = 1;
    return Wake.Stop;
  }
  return k3AcknowledgeDoorbells(Board.Mailbox, receive, user) === 0 ? Wake.None : Wake.Doorbell;
}
