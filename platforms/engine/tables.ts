// The tables of firmware/memory/tables.hot.ts where descriptors.c reads and fills them: `struct tables` of descriptors.h, in its order.
import { tables } from './natives.js';

const memory = tables();

export const windowLast = new Int32Array(memory, 0, 16);
export const elementOffset = new Int32Array(memory, 64, 65);
export const elementBytes = new Int32Array(memory, 324, 65);
export const descriptorOther = new Int32Array(memory, 584, 4);
export const translation = new Int32Array(memory, 600, 2);
export const windowBase = new Uint16Array(memory, 608, 64);
export const windowCached = new Uint8Array(memory, 736, 16);
export const windowBarred = new Uint8Array(memory, 752, 16);
export const elementWindow = new Uint8Array(memory, 768, 65);
