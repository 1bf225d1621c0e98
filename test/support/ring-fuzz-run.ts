// The process behind `vmsg fuzz`: runs the steps and reports to its parent.
import { fuzz, emptyTally, reachIntoGuards } from './ring-fuzz.js';

const [seed, first, steps] = process.argv.slice(2).map(Number);
const tally = emptyTally();
reachIntoGuards();
const finding = fuzz(seed ?? NaN, first ?? NaN, steps ?? NaN, tally, (step) => process.send?.({ step }));
process.send?.(finding === undefined ? { tally } : { finding });
process.disconnect();
