// Binds the firmware to its half of a Linux process.
export * from '../mhu-pair/port.js';
export { layouts, windows } from './board.json';
