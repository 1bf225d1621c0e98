// The runner of target host-shm: builds it, and turns files of shared memory, layouts and doorbells into its options.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Side } from '../image/board.js';
import { run, temporaryName } from '../image/build-files.js';
import { buildImage } from '../image/image.js';
import { packaged } from '../emulator/scene.js';
import { UserError } from '../user-error.js';

/** Memory of the driver side that this process reaches: a file. */
export interface SharedMemory {
  readonly file: string;
  /** How much of it, from its start; all of it by default. */
  readonly bytes?: number;
  /** Address under which the driver side knows the file's first byte. */
  readonly base: bigint;
}

/** Where a bus has its layout. */
export interface SharedLayout {
  readonly file: string;
  readonly offset: number;
}

export interface RunnerOptions {
  readonly side: Side;
  readonly memory: readonly SharedMemory[];
  /** Bus 0, 1, ... */
  readonly layouts: readonly SharedLayout[];
  /** A kind of platforms/host-shm/README.md. */
  readonly doorbell: string;
  readonly seed?: number;
}

/** The most bytes of a window, and of what is mapped for a layout. */
const windowBytes = 2 ** 27;
const layoutBytes = 2 ** 20;
/** Windows that come from files: `Capacity.Windows` of the firmware without the private one. */
const mostWindows = 15;
const fourGiB = 2n ** 32n;

function number(text: string, what: string): bigint {
  if (!/^(0x[0-9a-fA-F]+|\d+)$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new UserError(`${what} is a number such as 4096 or 0x1000, not '${text}'.`);
  }
  return BigInt(text);
}

/** Reads FILE[:BASE]. */
export function parseMemory(text: string): SharedMemory {
  const { file, rest } = /^(?<file>.+?)(?::(?<rest>[^/:]*))?$/.exec(text)?.groups ?? {};
  if (file === undefined) {
    throw new UserError('--memory wants FILE[:BASE].');
  }
  const base = rest === undefined ? 0n : number(rest, `The address behind ${file}`);
  if (base % 16n !== 0n) {
    throw new UserError(`The address of ${file} must be a multiple of 16.`);
  }
  return { file, base };
}

/** Reads FILE:OFFSET. */
export function parseLayout(text: string): SharedLayout {
  const { file, rest } = /^(?<file>.+):(?<rest>[^/:]*)$/.exec(text)?.groups ?? {};
  if (file === undefined || rest === undefined) {
    throw new UserError(`--layout wants FILE:OFFSET, not '${text}'.`);
  }
  const offset = Number(number(rest, `The offset behind ${file}`));
  if (offset % 16 !== 0) {
    throw new UserError(`The layout's offset in ${file} must be a multiple of 16.`);
  }
  return { file, offset };
}

function bytesOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    throw new UserError(`${file} does not exist: start what owns it first, or make it with 'truncate -s SIZE ${file}'.`);
  }
}

/** The windows that a memory file is split into: none crosses 4 GiB or has more than 2^27 bytes. */
function memoryWindows({ file, base, bytes = bytesOf(file) }: SharedMemory): string[][] {
  if (bytes < 16) {
    throw new UserError(`${file} has ${bytes} bytes: that is no memory.`);
  }
  const rows: string[][] = [];
  for (let offset = 0; offset + 16 <= bytes; ) {
    const address = base + BigInt(offset);
    const toBoundary = Number(fourGiB - (address % fourGiB));
    const size = Math.min(windowBytes, bytes - offset, toBoundary) & ~15;
    rows.push([file, String(offset), String(size), `0x${address.toString(16)}`]);
    offset += size;
  }
  return rows;
}

function layoutWindow({ file, offset }: SharedLayout): string[] {
  const bytes = Math.min(layoutBytes, bytesOf(file) - offset) & ~15;
  if (bytes < 16) {
    throw new UserError(`${file} ends before the layout's offset ${offset}.`);
  }
  return [file, String(offset), String(bytes), '-'];
}

/** The window of bus 0's layout; those of the other buses follow. */
export function firstLayoutWindow(options: RunnerOptions): number {
  return options.memory.flatMap(memoryWindows).length;
}

/**
 * The runner's options. Memory windows come first and have the driver side's addresses; every layout lies in a window of
 * its own, which no driver address leads to.
 */
export function runnerArguments(options: RunnerOptions): string[] {
  const memory = options.memory.flatMap(memoryWindows);
  const windows = [...memory, ...options.layouts.map(layoutWindow)];
  if (windows.length > mostWindows) {
    throw new UserError(`The memory takes ${windows.length} windows of at most 128 MiB, ${mostWindows} are possible: use smaller files.`);
  }
  return [
    '--side', options.side, '--with-parent',
    ...windows.flatMap((window) => ['--window', ...window]),
    ...options.layouts.flatMap((_layout, bus) => ['--layout', String(memory.length + bus), '0']),
    '--doorbell', options.doorbell,
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
  ];
}

/** Compiles the runner where that is still to be done; returns its path. */
export async function buildRunner(log: (line: string) => void = () => undefined): Promise<string> {
  const { device } = await buildImage({ target: 'host-shm', engine: 'duktape', bundles: { device: '', driver: '' }, outDir: path.resolve('build', 'host-shm'), log });
  return device;
}

/** Compiles one of the small programs beside the runner from files of platforms/host-shm; returns its path. */
export async function buildProgram(name: string, sources: readonly string[]): Promise<string> {
  const folder = path.resolve('build', 'host-shm');
  mkdirSync(folder, { recursive: true });
  const out = path.join(folder, name);
  const temporary = temporaryName(out);
  const files = sources.map((source) => packaged('platforms', 'host-shm', source));
  const { status, output } = await run('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', ...files, '-o', temporary]).catch(() => {
    throw new UserError('The compiler cc is missing: install the packages gcc and libc6-dev.');
  });
  if (status !== 0) {
    throw new Error(`cc failed on ${sources.join(', ')}:\n${output}`);
  }
  renameSync(temporary, out);
  return out;
}

/** How a runner's process ended: its status, or -1 when a signal ended it, and what it said on stderr. */
export interface RunnerEnd {
  readonly status: number;
  readonly words: string;
}

export interface RunningSide {
  readonly child: ChildProcess;
  readonly ended: Promise<RunnerEnd>;
}

/** Standard input of a process: none, or this one's. */
export type ProcessInput = 'ignore' | 'inherit';

/** Starts a program; every line it writes to stdout goes to `onLine`. `descriptors` become 3, 4, ... */
export function startProcess(program: string, args: readonly string[], onLine: (line: string) => void, descriptors: readonly number[] = [], input: ProcessInput = 'ignore'): RunningSide {
  const stdio: StdioOptions = [input, 'pipe', 'pipe', ...descriptors];
  const child = spawn(program, args, { stdio });
  let words = '';
  child.stderr?.on('data', (data: Buffer) => {
    words += data.toString();
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', onLine);
  }
  const ended = new Promise<RunnerEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? -1, words: words.trim() });
    });
  });
  return { child, ended };
}

/** Starts the runner on a bundle; every line it writes goes to `onLine`. Inherited eventfds are handed on. */
export function startRunner(runner: string, bundle: string, options: RunnerOptions, onLine: (line: string) => void, input: ProcessInput = 'ignore'): RunningSide {
  const inherited = /^eventfd:(\d+),(\d+)$/.exec(options.doorbell);
  if (inherited === null) {
    return startProcess(runner, [...runnerArguments(options), bundle], onLine, [], input);
  }
  const own = runnerArguments({ ...options, doorbell: 'eventfd:3,4' });
  return startProcess(runner, [...own, bundle], onLine, [Number(inherited[1]), Number(inherited[2])], input);
}
