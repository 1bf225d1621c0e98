// Core 0 of the MPS2+ AN521: its window, its end of MHU 0, the release of core 1 from reset.
import { registerWrite } from '../engine/natives.js';
import { release as endWait } from '../mhu-pair/driver-port.js';
import { images } from './board.json';

export { barrier, clock, copy, exit, fill, log, print, ring, wait, windowWords } from '../mhu-pair/driver-port.js';
export { layouts, name, windows } from './board.json';

const enum SystemControl {
  /** Index among the register blocks of board.json. */
  Block = 1,
  /** Byte offset of the address of CPU 1's vector table. */
  InitSvtor1 = 0x114,
}

/** Core 1 starts where its image has its vectors. */
export function release(): void {
  const vectors = parseInt(images.device.flash.address, 16);
  registerWrite(SystemControl.Block, SystemControl.InitSvtor1, vectors & 0xffff, vectors >>> 16);
  endWait();
}
