// A Cortex-A55 of an RZ/G2L as the driver's core of an emulated scene: its windows, its channel of the MHU, the start of the Cortex-M33.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { Wake } from '../../hal/port.js';
import { rzg2lMhuAcknowledge, rzg2lMhuRing, rzg2lMhuStart } from '../../hal/mailboxes/rzg2l-mhu.hot.js';
import { idle, memory, registerWrite } from '../engine/natives.js';
import { name as boardName, windows as boardWindows, layouts as boardLayouts, mailbox, images } from './board.json';

export { barrier, clock, copy, exit, fill, log, print } from '../engine/natives.js';

const enum Board {
  /** Indexes among the register blocks of driverCore in board.json. */
  Mhu = 0,
  ClockPulseGenerator = 1,
  SystemController = 2,
}

/** Registers that hold the Cortex-M33, byte offsets. The upper half of one of the clock pulse generator says which bits are written. */
const enum Hold {
  /** CPG_CLKON_CM33: its two clocks. */
  Clocks = 0x504,
  /** CPG_RST_CM33: its three resets, 1 = ended. */
  Resets = 0x804,
  /** SYS_CM33_CFG2 and CFG3: address of its vector table, secure and non-secure; Renode's model begins with the second one. */
  Vectors = 0x80c,
  VectorsNonSecure = 0x810,
}

export const name: string = boardName;
export const windows: readonly WindowDescription[] = boardWindows;
export const layouts: readonly LayoutPlace[] = boardLayouts;
export const windowWords: readonly Uint16Array[] = [new Uint16Array(memory(0)), new Uint16Array(memory(1))];

// What the device's core hears is what this one rings.
const hear = mailbox.ring;
const toRing = mailbox.hear;

rzg2lMhuStart(Board.Mhu, hear);

export function release(): void {
  const vectors = parseInt(images.device.boot.address, 16);
  registerWrite(Board.SystemController, Hold.Vectors, vectors & 0xffff, vectors >>> 16);
  registerWrite(Board.SystemController, Hold.VectorsNonSecure, vectors & 0xffff, vectors >>> 16);
  registerWrite(Board.ClockPulseGenerator, Hold.Clocks, 3, 3);
  registerWrite(Board.ClockPulseGenerator, Hold.Resets, 7, 7);
}

export function ring(): void {
  rzg2lMhuRing(Board.Mhu, toRing);
}

export function wait(limit: number): number {
  if (idle(limit) === 0) {
    return Wake.None;
  }
  return rzg2lMhuAcknowledge(Board.Mhu, hear) === 0 ? Wake.None : Wake.Doorbell;
}
