// Binds the firmware to the Cortex-M4F of the AM62x: windows in DDR memory, doorbells and remoteproc's control words over the K3 mailbox.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { K3Event, k3Acknowledge, k3AcknowledgeDoorbells, k3Ring, k3Start } from '../../hal/mailboxes/k3-mailbox.hot.js';
import { idle, memory } from '../engine/natives.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, seeded, write } from '../engine/natives.js';

const enum Board {
  /** Index among the register blocks of board.json. */
  Mailbox = 0,
}

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1)), new Uint16Array(memory(2))];

const user = mailbox.user;
const controlReceive = mailbox.controlReceive;
const controlTransmit = mailbox.controlTransmit;
const receive = mailbox.receive;
const transmit = mailbox.transmit;

/** 1 = SHUTDOWN was answered: nothing goes out any more. */
let stopped = 0;

k3Start(Board.Mailbox, controlReceive, user);
k3Start(Board.Mailbox, receive, user);

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
