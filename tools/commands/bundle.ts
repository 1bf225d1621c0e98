// `vmsg bundle`: bundles an app, or a program for the application core, without building an image.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../bundle/bundle.js';
import { bundleEngines, checkTarget, engineAmong, knownTargets, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg bundle --target T [--engine E] [--role device|driver] [--out FILE] [--readable] app.ts
  Writes one ES5 function and its source map (FILE.map).
  --target T   ${knownTargets().join(', ')}
  --engine E   the engine by whose costs a device's hot path is flattened: ${bundleEngines.join(', ')};
               default ${bundleEngines[0]}; none = the functions stay as they were written
  --role R     device (an app, joined with the firmware) or driver (a program as it is); default device
  --out FILE   default build/T/R.js
  --readable   not minified`;

/** Runs the command; returns the exit status. */
export async function bundleCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { target: { type: 'string' }, engine: { type: 'string', default: bundleEngines[0] }, role: { type: 'string', default: 'device' }, out: { type: 'string' }, readable: { type: 'boolean', default: false } },
  });
  const { target, role } = values;
  const [entry] = positionals;
  if (target === undefined) {
    throw new UserError(`bundle wants --target; known targets: ${knownTargets().join(', ')}.`);
  }
  checkTarget(target);
  const engine = engineAmong(values.engine, [...bundleEngines, 'none']);
  if (role !== 'device' && role !== 'driver') {
    throw new UserError(`Unknown role '${role}'; known roles: device, driver.`);
  }
  if (entry === undefined || positionals.length > 1) {
    throw new UserError(`bundle takes one source file, not ${positionals.length}.`);
  }
  const result = await bundle({ target, engine, entry, role, outFile: values.out ?? path.join('build', target, `${role}.js`), minify: !values.readable });
  process.stdout.write(`${shown(result.file)}: ${result.bytes} bytes from ${result.sources.length} files\n`);
  return 0;
}
