// The driver's half of the MPS2 AN386's only core.
export * from '../mhu-pair/driver-port.js';
export { layouts, name, windows } from './board.json';
