// Runs chosen cases in order and says what became of each in one line: what every place where the suite runs has in common.
import type { Runner } from './runner.js';
import type { Case, Profile } from './vocabulary.js';

/** How a bus speaks: its wire profile, and whether the generation count is in force (always in A). */
export interface Mode {
  readonly profile: Profile;
  readonly strict: boolean;
  /** How buffers are announced: a name of ways.ts, or by messages and doorbells. */
  readonly notifications?: string;
}

/** All ways in which this stack speaks. */
export const modes: readonly Mode[] = [
  { profile: 'A', strict: true },
  { profile: 'B', strict: false },
  { profile: 'B', strict: true },
  { profile: 'C', strict: false },
  { profile: 'C', strict: true },
];

export function modeName(mode: Mode): string {
  return 'profile ' + mode.profile + (mode.strict && mode.profile !== 'A' ? ' with strict generations' : '') + (mode.notifications === undefined ? '' : ', ' + mode.notifications);
}

/**
 * The cases of a mode, by index: those of its profile. Of the strict modes of B and C only what depends on it: all else is
 * the same as in the baseline.
 */
export function casesOf(cases: readonly Case[], mode: Mode): number[] {
  const indices: number[] = [];
  cases.forEach((one, index) => {
    const needsStrict = one.needs !== undefined && one.needs.indexOf('strict') >= 0;
    if ((one.profiles === undefined || one.profiles.indexOf(mode.profile) >= 0) && (mode.profile === 'A' || needsStrict === mode.strict)) {
      indices.push(index);
    }
  });
  return indices;
}

/** Fails in a row after which a device is taken for dead. */
const ENOUGH = 10;

/**
 * Runs the cases with these indices. Lines are `ok N`, `not ok N reason` and `not run N reason`, N = index in `cases`.
 * A device with many failures in a row is given up: the rest is not run.
 */
export function runSuite(runner: Runner, cases: readonly Case[], chosen: readonly number[], print: (line: string) => void): void {
  let failures = 0;
  chosen.forEach((index) => {
    if (failures >= ENOUGH) {
      print('not ok ' + index + ' given up after ' + ENOUGH + ' failures in a row');
      return;
    }
    const verdict = runner.run(cases[index]);
    if (verdict.passed) {
      failures = 0;
      print('ok ' + index);
    } else if (verdict.run) {
      failures++;
      print('not ok ' + index + ' ' + verdict.reason);
    } else {
      print('not run ' + index + ' ' + verdict.reason);
    }
  });
}
