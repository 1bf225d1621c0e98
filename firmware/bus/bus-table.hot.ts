// The tables of all buses: one row a bus, written at start-up.
import { Capacity } from '../capacity.js';

/** Codec row of each bus (wire/profile.ts). */
export const headerBytes = new Uint8Array(Capacity.Buses);
export const numberWord = new Uint8Array(Capacity.Buses);
export const numberWords = new Uint8Array(Capacity.Buses);
export const tokenWord = new Uint8Array(Capacity.Buses);
export const sizeWord = new Uint8Array(Capacity.Buses);
/** Largest message in bytes, both directions. */
export const maximumSize = new Uint16Array(Capacity.Buses);
/** Bytes the carrier sends per message: what lies behind the message is zero. */
export const slotBytes = new Uint16Array(Capacity.Buses);
/** Device plus one for each direct device number, 0 = none. */
export const directDevice = new Uint8Array(Capacity.Buses * Capacity.DirectNumbers);
