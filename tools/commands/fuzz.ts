// `vmsg fuzz`: a driver that lies in every field against the rings, as many steps as are wanted, until something is found.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** The seed of `npm test`, and what is used when none is given. */
export const usualSeed = 20261125;
const usualSteps = 1000000;
/** Steps between two lines of progress. */
const linesEvery = 250000;
/** Seconds without a sign of life from 1000 steps after which one of them counts as endless; they take a fraction of one. */
const silenceSeconds = 180;

export const help = `vmsg fuzz [--steps N] [--seed S] [--first K]
  Fuzzes the virtqueues on this machine: a step writes chains, changes fields of what driver and device share, and has one
  pass served. Firmware and reference model must agree, guard zones stay intact, the status stay readable. It stops at
  the first finding, with the command that reproduces it.
  --steps N   steps to run; default ${usualSteps}
  --seed S    0 to 2^31-1; the same seed brings the same steps; default ${usualSeed}
  --first K   the first step; default 0`;

/** What the process of the steps reports: the step it has reached, and at its end what it found or how often it got where. */
export type Report =
  | { readonly step: number }
  | { readonly finding: { readonly step: number; readonly what: string; readonly options: string } }
  | { readonly tally: { readonly steps: number; readonly chains: number; readonly lives: number; readonly broken: Readonly<Record<string, number>> } };

export interface FuzzOptions {
  readonly seed: number;
  readonly first: number;
  readonly steps: number;
}

/** The command that runs up to `step` again and not much before it. */
function again(seed: number, step: number): string {
  const first = Math.max(0, step - 1000);
  return `npm run fuzz -- --seed ${seed} --first ${first} --steps ${step - first + 1}`;
}

/** Runs `script` with the steps as its arguments and follows its reports; returns the exit status, 0 = nothing found. */
export function follow(script: string, { seed, first, steps }: FuzzOptions, write: (text: string) => void, silence = silenceSeconds): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(script, [seed, first, steps].map(String), { cwd: packageRoot, execArgv: ['--conditions=fake', '--import', 'tsx'] });
    let reached = first;
    let shown = first;
    let result: number | undefined;
    let watch: NodeJS.Timeout | undefined;
    const listen = (): void => {
      clearTimeout(watch);
      watch = setTimeout(() => {
        result = 1;
        write(`Finding: steps ${reached} to ${reached + 999} do not come to an end.\nAgain: ${again(seed, reached)}\n`);
        child.kill('SIGKILL');
      }, silence * 1000);
    };
    listen();
    child.on('message', (report: Report) => {
      listen();
      if ('step' in report) {
        reached = report.step;
        if (reached >= shown + linesEvery) {
          shown = reached;
          write(`step ${reached} of ${first + steps}\n`);
        }
      } else if ('finding' in report) {
        const { step, what, options } = report.finding;
        result = 1;
        write(`Finding at step ${step} of seed ${seed}: ${what}\nQueue: ${options}\nAgain: ${again(seed, step)}\n`);
      } else {
        const { tally } = report;
        const broken = Object.entries(tally.broken).sort();
        result = 0;
        write(
          `${tally.steps} steps of seed ${seed}, nothing found: ${tally.chains} chains served, ${tally.lives} resets, ` +
            `${broken.reduce((sum, [, times]) => sum + times, 0)} ring errors (${broken.map(([rule, times]) => `${rule} ${times}`).join(', ')})\n`,
        );
      }
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(watch);
      if (result === undefined) {
        write(`The process of the steps ended without a result, between step ${reached} and step ${reached + 1000} of seed ${seed}.\n`);
      }
      resolve(result ?? 1);
    });
  });
}

function number(name: string, text: string | undefined, usual: number, least: number, most: number): number {
  if (text === undefined) {
    return usual;
  }
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new UserError(`--${name} is a whole number from ${least} to ${most}, not '${text}'.`);
  }
  return value;
}

/** Runs the command; returns the exit status. */
export async function fuzz(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { steps: text, seed: text, first: text } });
  const options = {
    seed: number('seed', values.seed, usualSeed, 0, 2 ** 31 - 1),
    first: number('first', values.first, 0, 0, 2 ** 40),
    steps: number('steps', values.steps, usualSteps, 1, 2 ** 40),
  };
  const script = path.join(packageRoot, 'test', 'support', 'ring-fuzz-run.ts');
  if (!existsSync(script)) {
    throw new UserError('The fuzzer is in the repository, not in the installed package: run npm run fuzz in a clone.');
  }
  return follow(script, options, (line) => process.stdout.write(line));
}
