// Builds and runs a scene: a device application on the coprocessor, a driver program on the application core.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { type Board, hasDriverSide, isProcess, readBoard } from '../image/board.js';
import { bundle, type Capacity } from '../bundle/bundle.js';
import type { RunOptions, RunResult } from './emulator.js';
import { runImages } from './emulator.js';
import type { ImageResult } from '../image/image.js';
import { buildImage } from '../image/image.js';
import { findRenode, type Renode, runOnRenode } from './renode.js';
import { type Engine, packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** What runs a target's images. */
export const emulators = ['qemu', 'renode'] as const;
export type Emulator = (typeof emulators)[number];

export interface SceneOptions {
  readonly target: string;
  /** Default qemu where that runs the target. A target that is a process needs neither. */
  readonly emulator?: Emulator;
  /** Default duktape. */
  readonly engine?: Engine;
  /** Links the bundles' text instead of the engine's own form of it. */
  readonly source?: boolean;
  /** Source file of the device's application. */
  readonly app: string;
  /** Source file of the application core's program. */
  readonly program: string;
  /** A guard against a hang, in seconds. */
  readonly limitSeconds: number;
  readonly onStep: (line: string) => void;
  readonly onDriverLine?: (line: string) => void;
  /** Host only: the file that is the shared memory. */
  readonly memory?: string;
  /** QEMU only: what comes in over the device core's serial line. */
  readonly input?: Readable;
  readonly capacity?: Capacity;
  /** Changes the device's bundle as it is made, see BundleOptions. */
  readonly change?: (code: string, file: string) => string;
}

export interface SceneResult extends RunResult {
  readonly image: ImageResult;
  /** Bytes of the device's minified bundle. */
  readonly bundleBytes: number;
}

/** Where a source file of this package lies. */
export function packaged(...parts: string[]): string {
  return path.join(packageRoot, ...parts);
}

/** The Renode that is to run the target; undefined where QEMU does, or nothing has to. What cannot be is one sentence. */
async function renodeFor(board: Board, wanted: Emulator | undefined): Promise<Renode | undefined> {
  const possible = emulators.filter((emulator) => board[emulator] !== undefined);
  if (wanted !== undefined && !possible.includes(wanted)) {
    const instead = possible.length > 0 ? `${possible.join(' and ')} can run it` : isProcess(board) ? 'it is a process of this machine' : 'no emulator can';
    throw new UserError(`Target '${board.name}' cannot be run by --emulator ${wanted}: ${instead}.`);
  }
  if ((wanted ?? possible[0]) !== 'renode') {
    return undefined;
  }
  const renode = await findRenode();
  if (renode === undefined) {
    throw new UserError(`Target '${board.name}' needs Renode, which was not found: set RENODE to the folder of Renode 1.16 or later, or put it on PATH.`);
  }
  return renode;
}

/** What of a scene does not change from run to run. */
export type SceneParts = Pick<SceneOptions, 'target' | 'emulator' | 'engine' | 'source' | 'app' | 'program' | 'onStep' | 'capacity' | 'change' | 'input'>;

/** How a built scene is run. */
export type SceneRun = Pick<RunOptions, 'limitSeconds' | 'onDriverLine' | 'memory' | 'input' | 'poke'>;

/** A scene that is built and may be run again and again, one run at a time. */
export interface BuiltScene {
  readonly image: ImageResult;
  /** Bytes of the device's minified bundle. */
  readonly bundleBytes: number;
  run(how: SceneRun): Promise<RunResult>;
}

/** Bundles both programs and builds the images. What a user can mend comes as a UserError. */
export async function buildScene(options: SceneParts): Promise<BuiltScene> {
  const board = readBoard(options.target);
  if (!hasDriverSide(board)) {
    throw new UserError(`Target '${options.target}' has no driver side that a scene could run.`);
  }
  const renode = await renodeFor(board, options.emulator);
  if (options.input !== undefined && (renode !== undefined || board.uart?.line === undefined || board.qemu === undefined)) {
    throw new UserError(`Target '${options.target}' has no serial line that QEMU could put something into.`);
  }
  const engine = options.engine ?? 'duktape';
  const outDir = path.resolve('build', options.target, `${options.change === undefined ? '' : 'changed-'}${engine === 'duktape' ? '' : `${engine}-`}${path.basename(options.program, '.ts')}-scene`);
  mkdirSync(outDir, { recursive: true });
  const device = path.join(outDir, 'device.js');
  const driver = path.join(outDir, 'driver.js');
  options.onStep(`bundling ${path.basename(options.app)} for ${options.target}`);
  const { bytes } = await bundle({ target: options.target, entry: options.app, role: 'device', outFile: device, engine, capacity: options.capacity ?? {}, ...(options.change === undefined ? {} : { change: options.change }) });
  options.onStep(`bundling ${path.basename(options.program)} for the application core`);
  await bundle({ target: options.target, entry: options.program, role: 'driver', outFile: driver });
  const image = await buildImage({ target: options.target, engine, bundles: { device, driver }, outDir, log: options.onStep, source: options.source === true, seededRandom: board.seededRandom || renode !== undefined });
  options.onStep(`starting ${renode === undefined ? board.qemu?.machine ?? options.target : `Renode ${renode.version}`}`);
  const run = (how: SceneRun): Promise<RunResult> =>
    renode === undefined ? runImages({ board, images: image, bundles: { device, driver }, outDir, onStep: options.onStep, ...how })
    : runOnRenode({ renode, scene: board.renode ?? '', images: image, traceBytes: board.trace?.bytes, outDir, ...how });
  return { image, bundleBytes: bytes, run };
}

/** Bundles both programs, builds the images and runs them. What a user can mend comes as a UserError. */
export async function runScene(options: SceneOptions): Promise<SceneResult> {
  const scene = await buildScene(options);
  const run = await scene.run({
    limitSeconds: options.limitSeconds,
    ...(options.onDriverLine === undefined ? {} : { onDriverLine: options.onDriverLine }),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  return { ...run, image: scene.image, bundleBytes: scene.bundleBytes };
}

/** Figures the driver's program reported with lines `# name value`. */
export function figures(lines: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of lines) {
    const match = /^# (\S+) (-?\d+)$/.exec(line);
    if (match !== null) {
      found.set(match[1] as string, Number(match[2]));
    }
  }
  return found;
}

/** The last step the driver's program announced. */
export function lastStep(lines: readonly string[]): string {
  return lines.filter((line) => line.startsWith('= ')).pop()?.slice(2) ?? 'start of the application core';
}

/** Writes one progress line that the next one replaces on a terminal, and that stands by itself elsewhere. */
export function progress(text: string): void {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r\x1b[K${text}`);
    if (text === '') {
      process.stdout.write('\r');
    }
  } else if (text !== '') {
    process.stdout.write(`${text}\n`);
  }
}
