// The core that stands in for an AM62x's Cortex-A53 in an emulated scene: its windows, its user of the mailbox, the start of the Cortex-M4F.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { k3AcknowledgeDoorbells, k3Ring, k3Start } from '../../hal/mailboxes/k3-mailbox.hot.js';
import { idle, memory, registerWrite } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of driverCore in board.json. */
  Mailbox = 0,
  /** The scene's own, where the SoC's system firmware is asked. */
  Release = 1,
}

/** Byte offset of its register CPUWAIT: 0 lets the Cortex-M4F run. */
const cpuWait = 0x118;

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

const user = mailbox.driverUser;
// What goes out of the device's core comes in here.
const receive = mailbox.transmit;
const transmit = mailbox.receive;

k3Start(Board.Mailbox, receive, user);

export function release(): void {
  registerWrite(Board.Release, cpuWait, 0, 0);
}

export function ring(): void {
  k3Ring(Board.Mailbox, transmit);
}

export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return k3AcknowledgeDoorbells(Board.Mailbox, receive, user) === 0 ? Wake.None : Wake.Doorbell;
}
