// What the translation of driver addresses knows and what a descriptor says: the tables of `#descriptors`, where that is TypeScript.
//
// On targets whose engine has natives the same tables are C's (platforms/engine/tables.ts), which reads and fills them.
import { Capacity } from '../capacity.js';

/** Driver address of each window's first byte: four halves a window, lowest first. A multiple of 16. */
export const windowBase = new Uint16Array(Capacity.Windows * 4);
/** Offset of each window's last byte; -1 where the driver side's addresses must not lead. */
export const windowLast = new Int32Array(Capacity.Windows);
/** 1 = the CPU caches it: clean after writing, invalidate before reading. */
export const windowCached = new Uint8Array(Capacity.Windows);
/** Buses whose driver side must not reach the window, one bit each. */
export const windowBarred = new Uint8Array(Capacity.Windows);
/** Whose addresses are translated: see `Translation` in found.hot.ts. */
export const translation = new Int32Array(2);

/** The elements of a chain: windows, byte offsets and lengths. One more than a chain may have, for the descriptor that is refused. */
export const elementWindow = new Uint8Array(Capacity.ChainElements + 1);
export const elementOffset = new Int32Array(Capacity.ChainElements + 1);
export const elementBytes = new Int32Array(Capacity.ChainElements + 1);
/** What else a descriptor says: see `Other` in found.hot.ts. */
export const descriptorOther = new Int32Array(4);
