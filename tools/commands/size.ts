// `vmsg size`: what an app costs on each target, as one table.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { progress } from '../scene.js';
import { checkTarget, engines, knownTargets } from '../targets.js';
import { UserError } from '../user-error.js';
import { buildApp } from './build.js';

export const help = `vmsg size [--target T ...] [--engine E] [app.ts]
  Builds the app's image and prints the device image's flash, RAM, heap and stack in bytes.
  --target T   may be repeated; default every target: ${knownTargets().join(', ')}
  --engine E   ${engines.join(', ')}; default ${engines[0]}`;

/** Runs the command; returns the exit status. */
export async function size(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { target: { type: 'string', multiple: true }, engine: { type: 'string', default: engines[0] ?? '' } },
  });
  if (positionals.length > 1) {
    throw new UserError(`size takes one app, not ${positionals.length}.`);
  }
  const targets = values.target ?? knownTargets();
  targets.forEach(checkTarget);
  const rows = [['target', 'engine', 'bundle', 'flash', 'variables', 'heap', 'stack']];
  for (const target of targets) {
    const { image, bundleBytes } = await buildApp({
      target,
      engine: values.engine,
      outDir: path.join('build', target, 'size'),
      log: progress,
      ...(positionals[0] === undefined ? {} : { app: positionals[0] }),
    });
    const { flash, ram, heap, stack } = image.sizes.device;
    rows.push([target, values.engine, ...[bundleBytes, flash, ram, heap, stack].map(String)]);
  }
  progress('');
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number): string => (column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0));
  process.stdout.write(rows.map((row) => `${row.map(cell).join('  ')}\n`).join(''));
  return 0;
}
