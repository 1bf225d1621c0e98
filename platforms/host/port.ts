// Binds the firmware to its half of a Linux process.
export * from '../one-core/port.js';
export { layouts, windows } from './board.json';
