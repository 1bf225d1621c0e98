// What the flattener knows of the engines it makes code for.

import type { BundleEngine } from '../targets.js';

export interface EngineCosts {
  /** Most variables of a made function. Beyond that the engine's instructions cannot name a variable and move it first. */
  readonly variables: number;
  /** Instructions that reading and writing a variable of the wrapper takes more than one of the function's own. */
  readonly read: number;
  readonly write: number;
}

/**
 * Duktape: an instruction names 256 registers, of which expressions and calls take some; figures of a Cortex-M4.
 * JerryScript: the same limit for its short instructions; a variable of the wrapper is looked up by name.
 * Espruino: all variables are looked up by name, those of the innermost function first and one after the other, so only those
 * that are used most pay.
 */
export const engineCosts: Readonly<Record<BundleEngine, EngineCosts>> = {
  duktape: { variables: 240, read: 240, write: 200 },
  jerryscript: { variables: 240, read: 240, write: 200 },
  espruino: { variables: 40, read: 1, write: 1 },
};
