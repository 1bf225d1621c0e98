// The driver's half of a Linux process.
export * from '../one-core/driver-port.js';
export { layouts, name, windows } from './board.json';
