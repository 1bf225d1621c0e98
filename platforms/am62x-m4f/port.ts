// Binds the firmware to the Cortex-M4F of the AM62x: windows in DDR memory, doorbells and remoteproc's control words over the K3 mailbox.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { memory } from '../engine/natives.js';
import { startDoorbells } from '../k3/port.js';
import { windows as boardWindows, layouts as boardLayouts, mailbox } from './board.json';

export { barrier, clean, clock, copy, fill, invalidate, log, random, read, seeded, write } from '../engine/natives.js';
export { ring, wait } from '../k3/port.js';

export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1)), new Uint16Array(memory(2))];

startDoorbells(mailbox.user, mailbox.controlReceive, mailbox.controlTransmit, mailbox.receive, mailbox.transmit);
