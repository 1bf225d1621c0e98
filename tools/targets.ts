// The targets and engines this package knows: a target is a folder in platforms/ that holds a board.json.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { UserError } from './user-error.js';

/** The package's folder, absolute. */
export const packageRoot = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** JavaScript engines that `vmsg build` can link. */
export const engines = ['duktape', 'jerryscript'] as const;

export type Engine = (typeof engines)[number];

/** Engines that `vmsg bundle` makes bundles for: those, and what its users' boards bring along. */
export const bundleEngines = [...engines, 'espruino'] as const;

export type BundleEngine = (typeof bundleEngines)[number];

/** The names in prose of the engines that are linked. */
export const engineTitles: Readonly<Record<Engine, string>> = { duktape: 'Duktape', jerryscript: 'JerryScript' };

/** Names of all targets, sorted. */
export function knownTargets(root: string = packageRoot): string[] {
  return readdirSync(path.join(root, 'platforms'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(root, 'platforms', entry.name, 'board.json')))
    .map((entry) => entry.name)
    .sort();
}

/** Refuses an unknown target with a sentence that lists the known ones. */
export function checkTarget(target: string): void {
  const known = knownTargets();
  if (!known.includes(target)) {
    throw new UserError(`Unknown target '${target}'; known targets: ${known.join(', ')}.`);
  }
}

/** The engine of this name among `known`; another is refused with a sentence that lists them. */
export function engineAmong<Known extends string>(engine: string, known: readonly Known[]): Known {
  const found = known.find((name) => name === engine);
  if (found === undefined) {
    throw new UserError(`Unknown engine '${engine}'; known engines: ${known.join(', ')}.`);
  }
  return found;
}

/** The engine of this name among those that are linked. */
export function checkEngine(engine: string): Engine {
  return engineAmong(engine, engines);
}

/** A path as messages show it: relative to the working directory where that is shorter. */
export function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative : file;
}
