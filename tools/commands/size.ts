// `vmsg size`: what an app costs on each target, as one table.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Board, readBoard } from '../image/board.js';
import { espruinoScript, isForEspruino } from '../engines/espruino.js';
import { reasonWithout } from '../engines/jerryscript.js';
import type { ImageSize } from '../image/image.js';
import { type ImageUse, memoryMap } from '../image/memory-map.js';
import { type CostRequest, costPerDevice, deviceTypes } from '../image/per-device.js';
import { progress } from '../emulator/scene.js';
import { type BundleEngine, bundleEngines, checkEngine, checkTarget, type Engine, engines, knownTargets } from '../targets.js';
import { UserError } from '../user-error.js';
import { buildApp, capacityOf, defaultApp } from './build.js';

const perDeviceTarget = 'mps2-an521-m33';

export const help = `vmsg size [--target T ...] [--engine E] [app.ts]
  Builds the app's image and prints the device image's flash, RAM, heap and stack in bytes.
  --target T   may be repeated; default every target: ${knownTargets().join(', ')}
  --engine E   ${engines.join(', ')}; default ${engines[0]}
vmsg size --all [--target T ...] [--svg FILE] [app.ts]
  The same for every engine; an engine that is not installed is listed as such, with the reason below the table. For Espruino the
  bundle column is the script's, and there is no image.
  --svg FILE   also writes a picture: what each image takes of its board's memories
vmsg size --per-device [--target T] [--engine E] [--device D ...] [--devices N] [--queues N]
  Builds and starts an image without devices, one with each device alone, and one with all; prints what each device adds to
  flash and RAM. RAM is the C code's variables, the private memory given out, and the most of the heap in use while a driver
  shakes hands. What two devices share is counted with each of them, so the rows add up to more than 'all'.
  --target T   an emulated target; default ${perDeviceTarget}
  --device D   may be repeated; default every device: ${Object.keys(deviceTypes).join(', ')}
  --devices N, --queues N   images with tables for as many, as vmsg build makes them`;

/** Runs the command; returns the exit status. */
export async function size(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: 'string', multiple: true },
      engine: { type: 'string', default: engines[0] },
      'per-device': { type: 'boolean', default: false },
      device: { type: 'string', multiple: true },
      devices: { type: 'string' },
      queues: { type: 'string' },
      all: { type: 'boolean', default: false },
      svg: { type: 'string' },
    },
  });
  if (values['per-device']) {
    if (positionals.length > 0) {
      throw new UserError('size --per-device makes its own apps: leave out the file.');
    }
    return perDevice(values.target ?? [perDeviceTarget], values.device ?? Object.keys(deviceTypes), { engine: checkEngine(values.engine), capacity: capacityOf(values) });
  }
  for (const name of ['device', 'devices', 'queues'] as const) {
    if (values[name] !== undefined) {
      throw new UserError(`--${name} goes with --per-device.`);
    }
  }
  if (positionals.length > 1) {
    throw new UserError(`size takes one app, not ${positionals.length}.`);
  }
  if (values.svg !== undefined && !values.all) {
    throw new UserError('--svg goes with --all.');
  }
  const targets = values.target ?? knownTargets();
  targets.forEach(checkTarget);
  const chosen: readonly BundleEngine[] = values.all ? bundleEngines : [checkEngine(values.engine)];
  const rows = [['target', 'engine', 'bundle', 'flash', 'variables', 'heap', 'stack']];
  const reasons = new Set<string>();
  const uses: ImageUse[] = [];
  for (const target of targets) {
    for (const engine of chosen) {
      if (engine === 'espruino') {
        rows.push([target, engine, await scriptSize(target, positionals[0]), '', '', '', '']);
        continue;
      }
      const reason = values.all ? reasonWithoutEngine(engine, target) : undefined;
      if (reason !== undefined) {
        rows.push([target, engine, 'not installed', '', '', '', '']);
        reasons.add(`${engine}: ${reason}`);
        continue;
      }
      const { image, bundleBytes } = await buildApp({
        target,
        engine,
        outDir: path.join('build', target, 'size'),
        log: progress,
        ...(positionals[0] === undefined ? {} : { app: positionals[0] }),
      });
      const { flash, ram, heap, stack } = image.sizes.device;
      rows.push([target, engine, ...[bundleBytes, flash, ram, heap, stack].map(String)]);
      uses.push(...imageUse(`${target}, ${engine}`, readBoard(target), image.sizes.device));
    }
  }
  progress('');
  printTable(rows, 2);
  process.stdout.write([...reasons].map((reason) => `${reason}\n`).join(''));
  if (values.all) {
    process.stdout.write('espruino: no image but a script; the board brings the engine and gives it its memory\n');
  }
  if (values.svg !== undefined) {
    writeFileSync(values.svg, memoryMap(uses));
  }
  return 0;
}

/** Bytes of the script for Espruino, which is no ELF file; or that the target's core is none that it is for. */
async function scriptSize(target: string, app: string | undefined): Promise<string> {
  if (!isForEspruino(readBoard(target))) {
    return 'not for it';
  }
  const { bytes } = await espruinoScript({ target, app: app ?? defaultApp, outDir: path.join('build', target, 'size', 'espruino'), log: progress });
  return String(bytes);
}

/** Why no image with an engine can be built for a target here; undefined when one can. */
function reasonWithoutEngine(engine: Engine, target: string): string | undefined {
  return engine === 'jerryscript' ? reasonWithout(target) : undefined;
}

/** What an image takes of the memories that its board gives; nothing for a process, and for two sides that share an image. */
function imageUse(name: string, board: Board, { flash: code, ram: variables, heap, stack }: ImageSize): ImageUse[] {
  const { flash, ram } = board.images.device;
  if (flash === undefined || ram === undefined || (board.images.driver !== undefined && board.images.driver.flash === undefined)) {
    return [];
  }
  return [{
    name,
    memories: [
      { name: 'flash', use: { bytes: flash.bytes, parts: [{ name: 'code and constants', bytes: code }] } },
      { name: 'RAM', use: { bytes: ram.bytes, parts: [{ name: 'stack', bytes: stack }, { name: 'variables', bytes: variables }, { name: 'heap', bytes: heap }] } },
    ],
  }];
}

async function perDevice(targets: readonly string[], names: readonly string[], how: Pick<CostRequest, 'engine' | 'capacity'>): Promise<number> {
  const target = targets[0] ?? perDeviceTarget;
  if (targets.length > 1) {
    throw new UserError(`size --per-device takes one target, not ${targets.length}.`);
  }
  checkTarget(target);
  const unknown = names.find((name) => !Object.hasOwn(deviceTypes, name));
  if (unknown !== undefined) {
    throw new UserError(`Unknown device '${unknown}'; known devices: ${Object.keys(deviceTypes).join(', ')}.`);
  }
  const costs = await costPerDevice({ ...how, target, onStep: progress }, names);
  progress('');
  const numbers = costs.map(({ name, flash, memory, heapPeak }) => [name, ...[flash, memory + heapPeak, memory, heapPeak].map(String)]);
  printTable([['device', 'flash', 'RAM', 'of it memory', 'of it heap'], ...numbers], 1);
  return 0;
}

/** Prints rows with the first `texts` columns to the left and the others, numbers, to the right. */
function printTable(rows: readonly (readonly string[])[], texts: number): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number): string => (column < texts ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0));
  process.stdout.write(rows.map((row) => `${row.map(cell).join('  ')}\n`).join(''));
}
