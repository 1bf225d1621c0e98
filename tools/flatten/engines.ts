// What the flattener knows of the engines it makes code for.

import type { BundleEngine } from '../targets.js';

export interface EngineCosts {
  /** Most variables of a made function. Beyond that the engine's instructions cannot name a variable and move it first. */
  readonly variables: number;
  /** Instructions that reading and writing a variable of the wrapper takes more than one of the function's own. */
  readonly read: number;
  readonly write: number;
  /** A JIT: every fetch of a variable says that it is a whole number or a condition, so that no use of it has to look. */
  readonly typed: boolean;
}

/** Those that bundles are made for, and Node, in which the rings are measured (`vmsg bench --node`). */
export type FlattenEngine = BundleEngine | 'node';

/**
 * Duktape: an instruction names 256 registers, of which expressions and calls take some; figures of a Cortex-M4.
 * JerryScript: the same limit for its short instructions; a variable of the wrapper is looked up by name.
 * Espruino: all variables are looked up by name, those of the innermost function first and one after the other, so only those
 * that are used most pay.
 * Node: what a variable of the wrapper holds is not known to its JIT, which then tests for each use what it is; as a whole
 * number it stays in a register of the machine, and a fifth less time goes by.
 */
export const engineCosts: Readonly<Record<FlattenEngine, EngineCosts>> = {
  duktape: { variables: 240, read: 240, write: 200, typed: false },
  jerryscript: { variables: 240, read: 240, write: 200, typed: false },
  espruino: { variables: 40, read: 1, write: 1, typed: false },
  node: { variables: 240, read: 240, write: 200, typed: true },
};
