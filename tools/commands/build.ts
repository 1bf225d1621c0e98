// `vmsg build`: bundles an app, builds the images that hold it, and says what they take.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readBoard } from '../image/board.js';
import { bundle, type Capacity } from '../bundle/bundle.js';
import { checkFile, describe } from '../bundle/check-bundle.js';
import { espruinoScript, findCli, pretokenise } from '../engines/espruino.js';
import { buildImage, type ImageResult } from '../image/image.js';
import { packaged, progress } from '../emulator/scene.js';
import { bundleEngines, checkEngine, checkTarget, engineAmong, knownTargets, shown } from '../targets.js';
import { UserError } from '../user-error.js';

/** The numbers of firmware/capacity.ts. */
const most = { devices: 64, queues: 128 };

export const help = `vmsg build --target T --engine E [app.ts] [--program FILE] [--out DIR] [--source] [--devices N] [--queues N]
  Builds the firmware image of an app; the default app serves entropy.
  --target T      ${knownTargets().join(', ')}
  --engine E      ${bundleEngines.join(', ')}; default ${bundleEngines[0]};
                  espruino: no image but a script for a board that runs Espruino, as tokens
  --program FILE  program of the emulated application core, default the entropy scene
  --out DIR       default build/T
  --source        links the bundle's text, which the core compiles at its start, instead of a compiled bundle, a snapshot or tokens
  --devices N     how many devices the image or script has tables for, ${most.devices} at most and by default; fewer take less RAM
  --queues N      the same for virtqueues, ${most.queues} at most and by default`;

/** Serves entropy. */
export const defaultApp = packaged('firmware', 'apps', 'entropy.ts');

/** What `buildApp` made. */
export interface BuiltApp {
  readonly image: ImageResult;
  readonly bundleFile: string;
  readonly bundleBytes: number;
}

export interface BuildAppOptions {
  readonly target: string;
  readonly engine: string;
  readonly app?: string;
  readonly program?: string;
  readonly outDir?: string;
  readonly source?: boolean;
  readonly capacity?: Capacity;
  readonly log?: (line: string) => void;
}

/** Bundles, checks and links. A bundle whose hot code would allocate is refused. */
export async function buildApp(options: BuildAppOptions): Promise<BuiltApp> {
  const { target, engine, log = () => undefined } = options;
  checkTarget(target);
  const chosen = checkEngine(engine);
  const outDir = path.resolve(options.outDir ?? path.join('build', target));
  const device = path.join(outDir, 'device.js');
  const driver = path.join(outDir, 'driver.js');
  log(`bundling for ${target}`);
  const { bytes } = await bundle({ target, entry: options.app ?? defaultApp, role: 'device', outFile: device, engine: chosen, ...(options.capacity === undefined ? {} : { capacity: options.capacity }) });
  const checked = checkFile(device);
  if (checked.findings.length > 0) {
    throw new UserError(`The bundle is not fit for the hot path:\n${describe(device, checked).join('\n')}`);
  }
  const hasDriver = readBoard(target).images.driver !== undefined;
  if (hasDriver) {
    await bundle({ target, entry: options.program ?? packaged('test', 'emulator', 'programs', 'entropy.ts'), role: 'driver', outFile: driver });
  }
  const image = await buildImage({ target, engine: chosen, bundles: { device, ...(hasDriver ? { driver } : {}) }, outDir, log, source: options.source === true });
  return { image, bundleFile: device, bundleBytes: bytes };
}

/** Builds what an Espruino board runs. */
async function buildScript(target: string, app: string, out: string | undefined, source: boolean, capacity: Capacity): Promise<number> {
  checkTarget(target);
  if (!source) {
    findCli();
  }
  const script = await espruinoScript({ target, app, outDir: path.resolve(out ?? path.join('build', target)), capacity, log: progress });
  progress('');
  for (const { file, bytes } of source ? [script] : [script, pretokenise(script)]) {
    process.stdout.write(`${shown(file)}: ${bytes} bytes\n`);
  }
  return 0;
}

/** The options --devices and --queues as numbers in their ranges; nothing for one that is not given. */
export function capacityOf({ devices, queues }: { readonly devices?: string | undefined; readonly queues?: string | undefined }): Capacity {
  return { ...count('devices', devices), ...count('queues', queues) };
}

function count(name: keyof typeof most, value: string | undefined): Capacity {
  if (value === undefined) {
    return {};
  }
  if (!/^\d{1,3}$/.test(value) || Number(value) < 1 || Number(value) > most[name]) {
    throw new UserError(`--${name} takes a number from 1 to ${most[name]}, not '${value}'.`);
  }
  return { [name]: Number(value) };
}

/** Runs the command; returns the exit status. */
export async function build(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: 'string' }, engine: { type: 'string', default: bundleEngines[0] }, program: { type: 'string' }, out: { type: 'string' },
      source: { type: 'boolean', default: false }, devices: { type: 'string' }, queues: { type: 'string' },
    },
  });
  if (values.target === undefined) {
    throw new UserError(`build wants --target; known targets: ${knownTargets().join(', ')}.`);
  }
  if (positionals.length > 1) {
    throw new UserError(`build takes one app, not ${positionals.length}.`);
  }
  if (engineAmong(values.engine, bundleEngines) === 'espruino') {
    return buildScript(values.target, positionals[0] ?? defaultApp, values.out, values.source, capacityOf(values));
  }
  const built = await buildApp({
    target: values.target,
    engine: values.engine,
    log: progress,
    source: values.source,
    capacity: capacityOf(values),
    ...(positionals[0] === undefined ? {} : { app: positionals[0] }),
    ...(values.program === undefined ? {} : { program: values.program }),
    ...(values.out === undefined ? {} : { outDir: values.out }),
  });
  progress('');
  const { device, driver, sizes } = built.image;
  const line = (file: string, { flash, ram, heap, stack }: typeof sizes.device): string =>
    `${shown(file)}: flash ${flash}, variables ${ram}, heap ${heap}, stack ${stack} bytes\n`;
  process.stdout.write(`${shown(built.bundleFile)}: ${built.bundleBytes} bytes\n${line(device, sizes.device)}`);
  if (driver !== undefined && sizes.driver !== undefined) {
    process.stdout.write(line(driver, sizes.driver));
  }
  return 0;
}
