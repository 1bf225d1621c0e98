// Builds small bundles for a target and runs them there: the runner on the host, QEMU for boards.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readBoard } from '../../tools/image/board.js';
import { qemuArguments } from '../../tools/emulator/emulator.js';
import { qemuProgram } from '../../tools/emulator/qemu.js';
import { buildImage, type ImageResult } from '../../tools/image/image.js';
import { type Engine, packageRoot } from '../../tools/targets.js';

/** A hang guard, far above what any scene takes. */
const hangMilliseconds = 900_000;

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

/** How a core rings the other one and takes its own doorbell, as the bundles in bundles/ want it. */
export interface Doorbell {
  readonly device: string;
  readonly driver: string;
}

/** MHU 0 of an SSE-200 (register block 0): `own` and `other` are where the two cores' registers begin. */
const mhuEnd = (own: number, other: number): string => `
  function ring() { native.registerWrite(0, ${other} + 4, 1, 0); }
  function take() {
    var bits = native.registerRead(0, ${own});
    if (bits !== 0) { native.registerWrite(0, ${own} + 8, bits, 0); }
    return bits;
  }`;

/** Core 1's vector table is at `vectors` << 16; 0 where nothing sets it. */
export const mhu = (vectors: number): Doorbell => ({
  device: mhuEnd(0x10, 0x00),
  driver: `${mhuEnd(0x00, 0x10)}
    function release() {
      if (${vectors} !== 0) { native.registerWrite(1, 0x114, 0, ${vectors}); }
      native.registerWrite(1, 0x118, 0, 0);
    }`,
});

/** The bundles of device and driver that ring each other a thousand times. */
export function ping(doorbell: Doorbell): [string, string] {
  return [doorbell.device + bundle('ping-device.js'), doorbell.driver + bundle('ping-driver.js')];
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

/** Builds the default app as a user does; returns the folder with device.elf and, where there is one, driver.elf. */
export function buildDefault(target: string): string {
  const folder = testFolder();
  const { status, stderr } = spawnSync(process.execPath, ['tools/vmsg.mjs', 'build', '--target', target, '--out', folder], { cwd: packageRoot, encoding: 'utf8', timeout: hangMilliseconds });
  if (status !== 0) {
    throw new Error(`vmsg build --target ${target}: ${stderr}`);
  }
  return folder;
}

/** Runs what `build` made; `options` are the host runner's. */
export function run(scene: Scene, options: readonly string[] = []): Run {
  const { folder, image } = scene;
  const board = readBoard(scene.target);
  const spawnOptions = { cwd: folder, encoding: 'utf8', timeout: hangMilliseconds, input: '' } as const;
  if (board.qemu === undefined) {
    const { status, stdout, stderr } = spawnSync(image.device, [...options, 'device.js', 'driver.js'], spawnOptions);
    return { status, driver: stdout, device: stderr };
  }
  const serial = path.join(folder, 'device.txt');
  const { status, stdout, stderr } = spawnSync(qemuProgram(board), qemuArguments(board, image, serial), spawnOptions);
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
