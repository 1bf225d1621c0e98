// The tables of all buses: one row a bus, written at start-up and when the two ends agree on a revision.
import { Capacity } from '../capacity.js';

/** Header of the bus's profile (wire/profile.ts). */
export const headerBytes = new Uint8Array(Capacity.Buses);
export const numberWord = new Uint8Array(Capacity.Buses);
export const numberWords = new Uint8Array(Capacity.Buses);
export const tokenWord = new Uint8Array(Capacity.Buses);
export const sizeWord = new Uint8Array(Capacity.Buses);
/** Bus payloads of the profile. */
export const busNumberWords = new Uint8Array(Capacity.Buses);
export const askedCountWord = new Uint8Array(Capacity.Buses);
export const countWord = new Uint8Array(Capacity.Buses);
export const nextWord = new Uint8Array(Capacity.Buses);
export const bitmapWord = new Uint8Array(Capacity.Buses);
/** Bits of `Rule`. */
export const busRules = new Uint16Array(Capacity.Buses);

/** What this side can do: largest message, and transport feature bits. */
export const ownSize = new Uint16Array(Capacity.Buses);
export const ownFeatures = new Uint8Array(Capacity.Buses);
/** Smallest maximum message size the profile works with. */
export const smallestSize = new Uint8Array(Capacity.Buses);

/** What both ends agreed on (bus/revision.hot.ts). Revision 0 = nothing yet. */
export const revision = new Uint8Array(Capacity.Buses);
/** Largest message in bytes, both directions; 0 before an agreement, so that no transport message passes. */
export const maximumSize = new Uint16Array(Capacity.Buses);
/** Transport feature bits in force. */
export const transportFeatures = new Uint8Array(Capacity.Buses);
/** 1 = a SET_CONFIG must carry the present generation count; 1 = the count is sent as it is. */
export const strictConfig = new Uint8Array(Capacity.Buses);
export const countShown = new Uint8Array(Capacity.Buses);

/** Bytes the carrier sends per message: what lies behind the message is zero. */
export const slotBytes = new Uint16Array(Capacity.Buses);
/** Device plus one for each direct device number, 0 = none. */
export const directDevice = new Uint8Array(Capacity.Buses * Capacity.DirectNumbers);
