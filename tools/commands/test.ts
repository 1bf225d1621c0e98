// `vmsg test`: every check and test of the project, one after the other, with one summary.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isDeviceOnly, readBoard } from '../image/board.js';
import { bundle } from '../bundle/bundle.js';
import { checkFile, describe } from '../bundle/check-bundle.js';
import { reasonWithout } from '../engines/jerryscript.js';
import { findRenode } from '../emulator/renode.js';
import { runRenodeTests } from './renode-test.js';
import { packageRoot } from '../targets.js';
import { qemuProgram } from '../emulator/qemu.js';
import { targetsWithPort } from '../bundle/typecheck.js';
import { UserError } from '../user-error.js';

/** What a step came to. A step that is no set of tests counts as one. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Shown when the step failed. */
  readonly output?: string;
  /** Why the step could not run; such a step never passes. */
  readonly notRun?: string;
  /** True: what the step wants is not on every machine, so that the whole may pass without it. */
  readonly optional?: boolean;
}

export interface Step {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<Outcome>;
}

/** Seconds after which a step is ended: a test that hangs must not hang the machine. */
const limitSeconds = 3600;

function pass(output?: string): Outcome {
  return { passed: 1, failed: 0, skipped: 0, ...(output === undefined ? {} : { output }) };
}

function fail(output: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, output };
}

function notRun(reason: string): Outcome {
  return { passed: 0, failed: 0, skipped: 1, notRun: reason };
}

interface Ended {
  readonly status: number;
  readonly output: string;
}

/** What is shown of a step that goes on: the last line it wrote, cut where a terminal would break it. */
export function progressLine(minutes: number, output: string): string {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  return `  ${minutes} min: ${last.trim()}`.slice(0, 120);
}

/** Runs Node in the package's folder and keeps what it writes; shows its last line every minute. */
function node(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let minutes = 0;
    const progress = setInterval(() => {
      minutes++;
      process.stdout.write(`${progressLine(minutes, output)}\n`);
    }, 60_000);
    const keep = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const limit = setTimeout(() => {
      output += `\nended after ${limitSeconds} s\n`;
      child.kill('SIGKILL');
    }, limitSeconds * 1000);
    child.on('error', (error) => {
      clearInterval(progress);
      reject(error);
    });
    child.on('close', (status) => {
      clearInterval(progress);
      clearTimeout(limit);
      resolve({ status: status ?? 1, output });
    });
  });
}

async function lint(): Promise<Outcome> {
  const eslint = path.join(packageRoot, 'node_modules', 'eslint', 'bin', 'eslint.js');
  if (!existsSync(eslint)) {
    return notRun('eslint is not installed');
  }
  const { status, output } = await node([eslint, '.', '--max-warnings', '0']);
  return status === 0 ? pass() : fail(output);
}

async function types(): Promise<Outcome> {
  const { status, output } = await node([path.join('tools', 'vmsg.mjs'), 'typecheck']);
  return status === 0 ? pass() : fail(output);
}

/** Bundles the default app for every target and checks it, except where test/platforms/targets.test.ts builds the image; the scene's programs only have to be ES5. */
async function bundles(): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-bundles-'));
  const programs = path.join(packageRoot, 'test', 'emulator', 'programs');
  let passed = 0;
  let failed = 0;
  const lines: string[] = [];
  const one = async (target: string, role: 'device' | 'driver', entry: string): Promise<void> => {
    const outFile = path.join(folder, `${target}-${path.basename(entry, '.ts')}-${role}.js`);
    try {
      const { file } = await bundle({ target, role, entry, outFile });
      const result = checkFile(file, { hot: role === 'device' });
      const findings = describe(file, result);
      if (role === 'device' && result.hotFunctions === 0) {
        findings.push(`${file}: no function is recognised as hot, so nothing was checked`);
      }
      lines.push(...findings);
      passed += findings.length === 0 ? 1 : 0;
      failed += findings.length === 0 ? 0 : 1;
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw error;
      }
      failed++;
      lines.push(error.message);
    }
  };
  try {
    for (const target of targetsWithPort().filter((name) => !isDeviceOnly(readBoard(name)))) {
      await one(target, 'device', path.join(packageRoot, 'firmware', 'apps', 'entropy.ts'));
    }
    if (existsSync(path.join(programs, 'entropy.ts'))) {
      await one('mps2-an521-m33', 'driver', path.join(programs, 'entropy.ts'));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { passed, failed, skipped: 0, output: `${lines.join('\n')}\n` };
}

/** Files of tests below a folder, without those below the folders `without`. */
export function testFiles(folder: string, ...without: readonly string[]): string[] {
  return readdirSync(path.join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => path.join(folder, file))
    .filter((file) => file.endsWith('.test.ts') && without.every((other) => !file.startsWith(other + path.sep)))
    .sort();
}

/** The part of the runner's report that tells of failures, or all of it when it has no such part. */
export function failures(output: string): string {
  const at = output.indexOf('✖ failing tests:');
  return at < 0 ? output : output.slice(at);
}

/** Runs files with Node's test runner and reads its counts. */
export async function runTests(files: readonly string[], options: readonly string[]): Promise<Outcome> {
  if (files.length === 0) {
    return notRun('there are no test files');
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-test-'));
  const countsFile = path.join(folder, 'counts.json');
  try {
    const { status, output } = await node([
      ...options,
      '--test',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${path.join(packageRoot, 'tools', 'test-counts.mjs')}`,
      `--test-reporter-destination=${countsFile}`,
      ...files,
    ]);
    const counts = (existsSync(countsFile) && readFileSync(countsFile, 'utf8').trim() !== '' ? JSON.parse(readFileSync(countsFile, 'utf8')) : {}) as Partial<Record<string, number>>;
    const count = (name: string): number => counts[name] ?? 0;
    const failed = count('fail') + count('cancelled');
    // A runner that ends badly without naming a failed test did not get as far as counting.
    const uncounted = failed === 0 && (status !== 0 || counts['tests'] === undefined) ? 1 : 0;
    return { passed: count('pass'), failed: failed + uncounted, skipped: count('skipped') + count('todo'), output: failures(output) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unit(): Promise<Outcome> {
  // The runner's own choice of files at once leaves a core free, which on two cores doubles the time.
  const options = [`--test-concurrency=${availableParallelism()}`, '--conditions=fake', '--import', 'tsx', '--import', './test/support/hot-check/register.mjs'];
  return runTests(testFiles('test', path.join('test', 'emulator'), path.join('test', 'engines')), options);
}

/** The scenes on an engine that its user supplies. */
async function jerryscript(): Promise<Outcome> {
  if ((process.env['JERRYSCRIPT_PREFIX'] ?? '') === '') {
    return { ...notRun('JERRYSCRIPT_PREFIX is not set, see docs/engines.md'), optional: true };
  }
  const reasons = ['host', 'mps2-an521-m33', 'mps2-an386-m4'].map(reasonWithout);
  if (reasons.every((reason) => reason !== undefined)) {
    return notRun(reasons[0] ?? '');
  }
  return runTests(testFiles(path.join('test', 'engines')), ['--import', 'tsx']);
}

/** The fuzzer's fixed million of steps, in a process without the checker of hot numbers; test/firmware/virtqueue/fuzz.test.ts has some with it. */
async function fuzz(): Promise<Outcome> {
  const { status, output } = await node([path.join('tools', 'vmsg.mjs'), 'fuzz']);
  return status === 0 ? pass() : fail(output);
}

/** Why nothing can run on emulated cores here, if so. */
function noEmulator(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const missing = [qemuProgram(), 'arm-none-eabi-gcc'].filter((command) => !folders.some((folder) => existsSync(path.resolve(folder, command))));
  return missing.length > 0 ? `${missing.join(' and ')} not installed` : undefined;
}

async function scene(): Promise<Outcome> {
  const reason = noEmulator();
  return reason !== undefined ? notRun(reason) : runTests(testFiles(path.join('test', 'emulator')), ['--import', 'tsx']);
}

/** The conformance cases where the unit tests do not run them: on the minified bundle and on the emulated SoC. */
async function conformance(): Promise<Outcome> {
  const reason = noEmulator();
  if (reason !== undefined) {
    return notRun(reason);
  }
  const { status, output } = await node([path.join('tools', 'vmsg.mjs'), 'conformance', '--where', 'bundle', '--where', 'soc']);
  const sum = (what: string): number => [...output.matchAll(new RegExp(`(\\d+) ${what}`, 'g'))].reduce((total, match) => total + Number(match[1]), 0);
  const failed = sum('failed');
  // A run that ends badly without naming a failed case did not come to its end.
  return { passed: sum('passed'), failed: failed === 0 && status !== 0 ? 1 : failed, skipped: 0, output };
}

/** Real virtio drivers: what an unmodified Linux says of the devices. */
async function stockLinux(): Promise<Outcome> {
  const { status, output } = await node([path.join('tools', 'vmsg.mjs'), 'stock-linux-test']);
  return stockLinuxOutcome(status, output);
}

/** Reads the sum that the command prints at its end. */
export function stockLinuxOutcome(status: number, output: string): Outcome {
  const [, reason] = /^not run: (.*)$/m.exec(output) ?? [];
  if (reason !== undefined) {
    return notRun(reason);
  }
  const [passed, failed, skipped] = (/^(\d+) passed, (\d+) failed, (\d+) not run$/m.exec(output) ?? []).slice(1).map(Number);
  if (passed === undefined || failed === undefined || skipped === undefined) {
    return fail(output);
  }
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed, skipped, output };
}

/** The scenes in renode/, on the Renode that this machine has. */
async function renode(): Promise<Outcome> {
  try {
    const found = await findRenode();
    return found === undefined ? { ...notRun('Renode not found'), optional: true } : await runRenodeTests(found);
  } catch (error) {
    if (error instanceof UserError) {
      return fail(error.message);
    }
    throw error;
  }
}

const steps: readonly Step[] = [
  { name: 'lint', what: 'doors, hot subset, common sense', run: lint },
  { name: 'types', what: 'the device for every target, tools and tests', run: types },
  { name: 'bundles', what: 'nothing in hot code allocates', run: bundles },
  { name: 'unit', what: 'tests on this machine, every hot number checked', run: unit },
  { name: 'fuzz', what: 'a million lies told to the virtqueues', run: fuzz },
  { name: 'jerryscript', what: 'the scene on JerryScript, where there is one', run: jerryscript },
  { name: 'emulator', what: 'the scene on two emulated cores', run: scene },
  { name: 'stock-linux', what: 'drivers of an unmodified Linux against the devices', run: stockLinux },
  { name: 'renode', what: 'the scenes on SoCs that Renode models, where it is there', run: renode },
  { name: 'conformance', what: 'every conformance case on the bundle, a subset on the emulated SoC', run: conformance },
];

export const help = `vmsg test [step ...]
  Runs every step, or the named ones; a step that fails does not keep the others from running.
${steps.map(({ name, what }) => `  ${name.padEnd(13)}${what}`).join('\n')}`;

/** Runs steps in order and prints the summary, whose last line is the sum; returns the exit status. */
export async function runSteps(chosen: readonly Step[], write: (text: string) => void): Promise<number> {
  const rows: string[] = [];
  const width = Math.max(...chosen.map(({ name }) => name.length));
  const sum = { passed: 0, failed: 0, skipped: 0, stepsNotRun: 0 };
  for (const { name, what, run } of chosen) {
    write(`${name}: ${what} ...\n`);
    const start = process.hrtime.bigint();
    const outcome = await run();
    const seconds = Number((process.hrtime.bigint() - start) / 100_000_000n) / 10;
    if (outcome.failed > 0 && outcome.output !== undefined) {
      write(`${outcome.output.trimEnd()}\n`);
    }
    sum.passed += outcome.passed;
    sum.failed += outcome.failed;
    sum.skipped += outcome.skipped;
    sum.stepsNotRun += outcome.notRun === undefined || outcome.optional === true ? 0 : 1;
    const verdict = outcome.notRun !== undefined ? `not run: ${outcome.notRun}` : outcome.failed > 0 ? 'FAILED' : 'passed';
    const counts = outcome.notRun !== undefined ? '' : `${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped, ${seconds.toFixed(1)} s`;
    rows.push(`  ${name.padEnd(width)}  ${verdict.padEnd(8)}  ${counts}`.trimEnd());
  }
  write(`\n${rows.join('\n')}\n\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
  return sum.failed > 0 || sum.stepsNotRun > 0 || sum.passed === 0 ? 1 : 0;
}

/** Runs the command; returns the exit status. */
export async function test(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  for (const name of positionals) {
    if (!steps.some((step) => step.name === name)) {
      throw new UserError(`Unknown step '${name}'; known steps: ${steps.map((step) => step.name).join(', ')}.`);
    }
  }
  if (!existsSync(path.join(packageRoot, 'test', 'tools'))) {
    throw new UserError('The tests are in the repository, not in the installed package: run npm test in a clone.');
  }
  const chosen = positionals.length === 0 ? steps : steps.filter(({ name }) => positionals.includes(name));
  return runSteps(chosen, (text) => process.stdout.write(text));
}
