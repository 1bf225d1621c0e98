// Binds the firmware to its half of the MPS2 AN386's only core.
export * from '../mhu-pair/port.js';
export { layouts, windows } from './board.json';
