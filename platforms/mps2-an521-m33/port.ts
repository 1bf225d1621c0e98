// Binds the firmware to core 1 of the MPS2+ AN521: a PSRAM window and a private one, doorbells over MHU 0.
export * from '../mhu-pair/port.js';
export { layouts, windows } from './board.json';
