// CPU 0 of an i.MX RT700 as the driver's core of an emulated scene: its window, side A of messaging unit 1, the start of CPU 1.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { muV2Acknowledge, muV2Ring, muV2Start } from '../../hal/mailboxes/imx-mu-v2.hot.js';
import { idle, memory, registerWrite } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts, mailbox, images } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of driverCore in board.json. */
  Mu = 0,
  ResetControl = 1,
  SystemControl = 2,
}

/** Registers that hold CPU 1, byte offsets. */
const enum Hold {
  /** RSTCTL3: PRSTCTL0_CLR; bit 31 ends the reset of CPU 1. */
  ResetClear = 0x70,
  /** SYSCON3: address of CPU 1's vector table, without its last seven bits. */
  Vectors = 0x9c,
}

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0))];

const interrupt = mailbox.interrupt;

muV2Start(Board.Mu, interrupt);

export function release(): void {
  const vectors = parseInt(images.device.flash.address, 16) >>> 7;
  registerWrite(Board.SystemControl, Hold.Vectors, vectors & 0xffff, vectors >>> 16);
  registerWrite(Board.ResetControl, Hold.ResetClear, 0, 0x8000);
}

export function ring(): void {
  muV2Ring(Board.Mu, interrupt);
}

export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return muV2Acknowledge(Board.Mu, interrupt) === 0 ? Wake.None : Wake.Doorbell;
}
