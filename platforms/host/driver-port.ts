// The driver's half of a Linux process.
export * from '../mhu-pair/driver-port.js';
export { layouts, name, windows } from './board.json';
