// Builds and runs a scene: a device application on the coprocessor, a driver program on the application core.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { readBoard } from '../image/board.js';
import { bundle } from '../bundle/bundle.js';
import type { RunOptions, RunResult } from './emulator.js';
import { runImages } from './emulator.js';
import type { ImageResult } from '../image/image.js';
import { buildImage } from '../image/image.js';
import { type Engine, packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

export interface SceneOptions {
  readonly target: string;
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

/** What of a scene does not change from run to run. */
export type SceneParts = Pick<SceneOptions, 'target' | 'engine' | 'source' | 'app' | 'program' | 'onStep' | 'change'>;

/** How a built scene is run. */
export type SceneRun = Pick<RunOptions, 'limitSeconds' | 'onDriverLine' | 'memory' | 'poke'>;

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
  if (board.images.driver === undefined) {
    throw new UserError(`Target '${options.target}' has no driver side that a scene could run.`);
  }
  const engine = options.engine ?? 'duktape';
  const outDir = path.resolve('build', options.target, `${options.change === undefined ? '' : 'changed-'}${engine === 'duktape' ? '' : `${engine}-`}${path.basename(options.program, '.ts')}-scene`);
  mkdirSync(outDir, { recursive: true });
  const device = path.join(outDir, 'device.js');
  const driver = path.join(outDir, 'driver.js');
  options.onStep(`bundling ${path.basename(options.app)} for ${options.target}`);
  const { bytes } = await bundle({ target: options.target, entry: options.app, role: 'device', outFile: device, engine, ...(options.change === undefined ? {} : { change: options.change }) });
  options.onStep(`bundling ${path.basename(options.program)} for the application core`);
  await bundle({ target: options.target, entry: options.program, role: 'driver', outFile: driver });
  const image = await buildImage({ target: options.target, engine, bundles: { device, driver }, outDir, log: options.onStep, source: options.source === true });
  return { image, bundleBytes: bytes, run: (how) => runImages({ board, images: image, bundles: { device, driver }, outDir, ...how }) };
}

/** Bundles both programs, builds the images and runs them. What a user can mend comes as a UserError. */
export async function runScene(options: SceneOptions): Promise<SceneResult> {
  const scene = await buildScene(options);
  options.onStep(`starting ${readBoard(options.target).qemu?.machine ?? options.target}`);
  const run = await scene.run({
    limitSeconds: options.limitSeconds,
    ...(options.onDriverLine === undefined ? {} : { onDriverLine: options.onDriverLine }),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
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
