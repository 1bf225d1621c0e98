// Builds small bundles for a target and runs them there: the runner on the host, QEMU for boards.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readBoard } from '../../tools/board.js';
import { buildImage, type ImageResult } from '../../tools/image.js';
import { type Engine, packageRoot } from '../../tools/targets.js';

/** A hang guard, far above what any scene takes. */
const hangMilliseconds = 240_000;

/** What a run left behind. */
export interface Run {
  readonly status: number | null;
  /** The driver's serial line. */
  readonly driver: string;
  /** The device's serial line; on the host also the last words of either side. */
  readonly device: string;
}

/** The members of a log line. */
export interface LogLine {
  readonly value: number;
  readonly clock: number;
  readonly busy: number;
  readonly wakes: number;
  readonly allocations: number;
  readonly collections: number;
  readonly live: number;
  readonly peak: number;
}

/** A device that does nothing. */
export const silent = 'native.exit(0);';

/** The text of a bundle in bundles/. */
export function bundle(name: string): string {
  return readFileSync(path.join(packageRoot, 'test/platforms/bundles', name), 'utf8');
}

const folders: string[] = [];

process.on('exit', () => {
  folders.forEach((folder) => {
    rmSync(folder, { recursive: true, force: true });
  });
});

/** A fresh folder for what a test makes; it goes when the test file is done. */
export function testFolder(): string {
  const parent = path.join(packageRoot, 'build/test');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'platforms-'));
  folders.push(folder);
  return folder;
}

export interface Scene {
  readonly folder: string;
  readonly image: ImageResult;
  readonly target: string;
}

/** Builds a target's images around two bundles given as text. */
export async function build(target: string, device: string, driver: string, options: { source?: boolean; engine?: Engine } = {}): Promise<Scene> {
  const folder = testFolder();
  const bundles = { device: path.join(folder, 'device.js'), driver: path.join(folder, 'driver.js') };
  writeFileSync(bundles.device, device);
  writeFileSync(bundles.driver, driver);
  return { folder, target, image: await buildImage({ target, engine: 'duktape', bundles, outDir: folder, ...options }) };
}

/** Runs what `build` made; `options` are the host runner's. */
export function run(scene: Scene, options: readonly string[] = []): Run {
  const { folder, image } = scene;
  const machine = readBoard(scene.target).qemuMachine;
  const spawnOptions = { cwd: folder, encoding: 'utf8', timeout: hangMilliseconds, input: '' } as const;
  if (machine === undefined) {
    const { status, stdout, stderr } = spawnSync(image.device, [...options, 'device.js', 'driver.js'], spawnOptions);
    return { status, driver: stdout, device: stderr };
  }
  const serial = path.join(folder, 'device.txt');
  const load = image.driver === undefined
    ? ['-kernel', image.device]
    : ['-kernel', image.driver, '-device', `loader,file=${image.device}`];
  const { status, stdout, stderr } = spawnSync('qemu-system-arm', [
    '-M', machine, '-icount', 'shift=0,sleep=off', '-display', 'none', '-monitor', 'none',
    '-serial', 'stdio', '-serial', `file:${serial}`, '-semihosting-config', 'enable=on,target=native', ...load,
  ], spawnOptions);
  return { status, driver: stdout + stderr, device: existsSync(serial) ? readFileSync(serial, 'utf8') : '' };
}

/** Builds and runs on the host. */
export async function runOnHost(device: string, driver: string, options: readonly string[] = []): Promise<Run> {
  return run(await build('host', device, driver), options);
}

/** The log line of a code, which must be there once. */
export function logLine(text: string, code: number): LogLine {
  const lines = text.split('\n').filter((line) => line.startsWith(`~${code} `));
  if (lines.length !== 1) {
    throw new Error(`log code ${code} is there ${lines.length} times in:\n${text}`);
  }
  const [, value, clock, busy, wakes, allocations, collections, live, peak] = (lines[0] ?? '').split(' ').map(Number);
  return {
    value: value ?? NaN, clock: clock ?? NaN, busy: busy ?? NaN, wakes: wakes ?? NaN,
    allocations: allocations ?? NaN, collections: collections ?? NaN, live: live ?? NaN, peak: peak ?? NaN,
  };
}
