// Turns the run-time checker on: node --import tsx --import ./test/support/hot-check/register.mjs --test ...
//
// Every number that a hot file computes or reads from a table must be an integer of -2^27..2^27-1, because JerryScript
// allocates for any other, and Duktape and Node hide it.
import { register } from 'node:module';
import { files, HotRangeError, runtime } from './runtime.mjs';

globalThis.hotCheck = runtime;
globalThis.HotRangeError = HotRangeError;
/** How many checks have run, so that a test can prove that the checker is on. */
Object.defineProperty(globalThis, 'hotChecks', { get: () => runtime.count() });
/** The files that have been loaded with checks. */
Object.defineProperty(globalThis, 'hotFiles', { get: () => [...files] });

register('./hooks.mjs', import.meta.url);
