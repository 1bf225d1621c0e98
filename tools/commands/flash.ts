// `vmsg flash`: brings an app to a board whose engine came with it.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { espruinoScript, findCli, flashEspruino } from '../engines/espruino.js';
import { packaged, progress } from '../emulator/scene.js';
import { capacityOf } from './build.js';
import { checkTarget, knownTargets, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg flash --engine espruino --target T --port P [app.ts] [--out DIR] [--devices N] [--queues N]
  Builds the app's script and sends it to an Espruino board, which keeps it in its flash and runs it at every start.
  --target T   the board: ${knownTargets().join(', ')}
  --port P     a serial port, a Bluetooth address or tcp://HOST, as Espruino's program takes it
  --out DIR    default build/T
  --devices N, --queues N   as for vmsg build
  Espruino's program is that of ESPRUINO_CLI, of node_modules, or of the PATH (npm install espruino). Images with other engines
  are flashed by the board's own means: see the README of its folder in platforms/.`;

/** Runs the command; returns the exit status. */
export async function flash(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { engine: { type: 'string' }, target: { type: 'string' }, port: { type: 'string' }, out: { type: 'string' }, devices: { type: 'string' }, queues: { type: 'string' } },
  });
  const { engine, target, port } = values;
  if (engine !== 'espruino') {
    throw new UserError(`flash wants --engine espruino${engine === undefined ? '' : `, not ${engine}`}: images with other engines are flashed by the board's own means.`);
  }
  if (target === undefined) {
    throw new UserError(`flash wants --target; known targets: ${knownTargets().join(', ')}.`);
  }
  checkTarget(target);
  if (port === undefined) {
    throw new UserError('flash wants --port: a serial port, a Bluetooth address or tcp://HOST.');
  }
  if (positionals.length > 1) {
    throw new UserError(`flash takes one app, not ${positionals.length}.`);
  }
  findCli();
  const script = await espruinoScript({
    target,
    app: positionals[0] ?? packaged('firmware', 'apps', 'entropy.ts'),
    outDir: path.resolve(values.out ?? path.join('build', target)),
    capacity: capacityOf(values),
    log: progress,
  });
  progress(`sending to ${port}`);
  flashEspruino(script, port);
  progress('');
  process.stdout.write(`${shown(script.file)}: ${script.bytes} bytes, sent to ${port}\n`);
  return 0;
}
