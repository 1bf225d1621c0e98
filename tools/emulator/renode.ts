// Finds the Renode that its user has, and runs a scene of renode/ on it.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { run } from '../image/build-files.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';
import type { RunResult } from './emulator.js';
import { parseLog, toLines } from './emulator.js';

/** A Renode that can run the scenes. */
export interface Renode {
  readonly program: string;
  /** The program that runs robot suites. */
  readonly test: string;
  readonly version: string;
}

const oldest = [1, 16] as const;

/** The folder that has Renode's two programs; undefined where there is none. */
function renodeFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const has = (folder: string): boolean => ['renode', 'renode-test'].every((name) => existsSync(path.join(folder, name)));
  const named = environment['RENODE'] ?? '';
  if (named === '') {
    return (environment['PATH'] ?? '').split(path.delimiter).find((folder) => folder !== '' && has(folder));
  }
  const folder = existsSync(named) && !statSync(named).isDirectory() ? path.dirname(named) : named;
  if (!has(folder)) {
    throw new UserError(`RENODE is '${named}', but there are no renode and renode-test.`);
  }
  return folder;
}

/** The Renode of this machine; undefined where there is none. One that is named and cannot be used, or is too old, is an error. */
export async function findRenode(environment: NodeJS.ProcessEnv = process.env): Promise<Renode | undefined> {
  const folder = renodeFolder(environment);
  if (folder === undefined) {
    return undefined;
  }
  const program = path.join(folder, 'renode');
  const { output } = await run(program, ['--version']);
  const [version, major, minor] = /(?<![\d.])(\d+)\.(\d+)(?:\.\d+)*/.exec(output) ?? [];
  if (version === undefined) {
    throw new UserError(`${program} --version says no version.`);
  }
  const [wantedMajor, wantedMinor] = oldest;
  if (Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor)) {
    throw new UserError(`Renode ${version} in ${folder} is too old: the scenes need ${oldest.join('.')} or later.`);
  }
  return { program, test: path.join(folder, 'renode-test'), version };
}

export interface RenodeRunOptions {
  readonly renode: Renode;
  /** Name of the scene. */
  readonly scene: string;
  readonly images: { readonly device: string; readonly driver?: string | undefined };
  /** Where the device's core writes to memory instead of a serial line: the bytes at the end of the file that the scene makes of it. */
  readonly traceBytes?: number | undefined;
  readonly outDir: string;
  /** A guard against a hang, in seconds of this machine's time. */
  readonly limitSeconds: number;
  readonly onDriverLine?: (line: string) => void;
}

const lookMilliseconds = 50;
/** The last line of a driver's image (machine_report). */
const lastLine = /^# device-stack-peak \d+$/;

/** Gives the lines that a growing file has got since the last call. */
function follow(file: string): () => string[] {
  const decoder = new StringDecoder('latin1');
  const buffer = Buffer.alloc(65536);
  let [at, rest] = [0, ''];
  return () => {
    if (!existsSync(file)) {
      return [];
    }
    const handle = openSync(file, 'r');
    const bytes = readSync(handle, buffer, 0, buffer.length, at);
    closeSync(handle);
    at += bytes;
    const lines = (rest + decoder.write(buffer.subarray(0, bytes))).split(/\r?\n/);
    rest = lines.pop() ?? '';
    return lines;
  };
}

/** Runs until the driver's program ends or the limit is reached. Throws UserError when Renode ends before. */
export async function runOnRenode(options: RenodeRunOptions): Promise<RunResult> {
  const file = (name: string): string => path.join(options.outDir, name);
  const [driverFile, deviceFile] = [file('driver-uart.log'), file('device-uart.log')];
  [driverFile, deviceFile].forEach((old) => rmSync(old, { force: true }));
  const variables = { device: options.images.device, driver: options.images.driver ?? '', driverLines: driverFile, deviceLines: deviceFile };
  const script = [
    ...Object.entries(variables).map(([name, value]) => `$${name}=@${value}`),
    `include @${path.join(packageRoot, 'renode', `${options.scene}.resc`)}`, 'runMacro $linesToFiles', 'start',
  ];
  const driver: string[] = [];
  const newLines = follow(driverFile);
  let said = '';
  const { hung, ended } = await new Promise<{ hung: boolean; ended: boolean }>((resolve, reject) => {
    // A process group of its own: what is found as `renode` may be a script that starts it.
    const child = spawn(options.renode.program, ['--disable-gui', '--plain', '--console', '-e', script.join('; ')], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let [hung, ended] = [false, false];
    const look = setInterval(() => {
      for (const line of newLines()) {
        driver.push(line);
        options.onDriverLine?.(line);
        if (lastLine.test(line) && !ended) {
          ended = true;
          child.stdin.write('runMacro $finish\nquit\n');
        }
      }
    }, lookMilliseconds);
    const guard = setTimeout(() => {
      hung = !ended;
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    }, options.limitSeconds * 1000);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => (said += data.toString()));
    }
    child.stdin.on('error', () => undefined);
    const settle = (): void => {
      clearInterval(look);
      clearTimeout(guard);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', () => {
      settle();
      resolve({ hung, ended });
    });
  });
  if (!hung && !ended) {
    const reason = toLines(said).filter((line) => /error/i.test(line)).pop() ?? toLines(said).pop() ?? 'it said nothing';
    throw new UserError(`Renode ended before the driver's program did: ${reason.trim()}`);
  }
  const text = existsSync(deviceFile) ? readFileSync(deviceFile) : Buffer.alloc(0);
  const device = toLines(options.traceBytes === undefined ? text.toString('latin1') : (text.subarray(-options.traceBytes).toString('latin1').split('\0')[0] ?? ''));
  // No model tells Renode the status that a program ends with: a program that failed says why.
  const failed = [...driver, ...device].some((line) => /^(!|error:|fatal:)/.test(line));
  return { status: hung ? -1 : failed ? 2 : 0, driver, device, log: parseLog(device), hung };
}
