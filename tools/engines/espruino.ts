// Espruino as boards bring it along: the natives and the bundle as one script, and Espruino's own command-line program, which
// pretokenises a script and sends it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Board, readBoard } from '../image/board.js';
import { writeWhole } from '../image/build-files.js';
import { bundle, type Capacity } from '../bundle/bundle.js';
import { checkCode, checkFile, describe } from '../bundle/check-bundle.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** A script for an Espruino board. */
export interface EspruinoScript {
  readonly file: string;
  readonly bytes: number;
}

export interface EspruinoOptions {
  readonly target: string;
  /** Source file of the device's application. */
  readonly app: string;
  readonly outDir: string;
  readonly capacity?: Capacity;
  readonly log: (line: string) => void;
}

const placeNatives = path.join(packageRoot, 'platforms', 'engine', 'espruino', 'natives.js');

/** True for a core that Espruino's natives are for. */
export function isForEspruino(board: Board): boolean {
  return /^cortex-m(0|0\+|3|4|33)$/.test(board.cpu);
}

/** The members of board.json that the natives need; refuses boards on which they would not work. */
function boardFor(board: Board): string {
  if (!isForEspruino(board)) {
    throw new UserError(`Espruino's natives are for Cortex-M cores without a data cache; ${board.name} has ${board.cpu}.`);
  }
  return JSON.stringify({
    windows: board.windows.map(({ name, cpuAddress = 0, bytes }) => ({ name, address: cpuAddress, bytes })),
    registers: board.registers.map(({ address = 0 }) => address),
    interrupts: board.interrupts.map(({ line = 0 }) => line),
  });
}

/** Writes `outDir`/espruino.js: the natives for this board, and the bundle. A bundle whose hot code would allocate is refused. */
export async function espruinoScript({ target, app, outDir, capacity, log }: EspruinoOptions): Promise<EspruinoScript> {
  const board = boardFor(readBoard(target));
  mkdirSync(outDir, { recursive: true });
  const device = path.join(outDir, 'device.js');
  log(`bundling for ${target}`);
  await bundle({ target, entry: app, role: 'device', outFile: device, engine: 'espruino', ...(capacity === undefined ? {} : { capacity }) });
  const checked = checkFile(device);
  if (checked.findings.length > 0) {
    throw new UserError(`The bundle is not fit for the hot path:\n${describe(device, checked).join('\n')}`);
  }
  const entry = path.join(outDir, 'espruino-natives.ts');
  const natives = path.join(outDir, 'espruino-natives.js');
  writeFileSync(entry, `import { placeNatives } from ${JSON.stringify(placeNatives)};\nplaceNatives(${board});\n`);
  log("bundling Espruino's natives");
  await bundle({ target, entry, role: 'driver', outFile: natives, engine: 'espruino' });
  const file = path.join(outDir, 'espruino.js');
  writeWhole(file, `${readFileSync(natives, 'utf8')}\n${readFileSync(device, 'utf8')}\n`);
  const script = readFileSync(file, 'utf8');
  const [finding] = checkCode(script, { hot: false }).findings.filter(({ reason }) => !reason.startsWith('.fill '));
  if (finding !== undefined) {
    throw new Error(`${file}:${finding.line}:${finding.column}: ${finding.reason}`);
  }
  return { file, bytes: Buffer.byteLength(script) };
}

/** Espruino's program: that of `ESPRUINO_CLI`, of the nearest node_modules, or of the PATH. */
export function findCli(environment: NodeJS.ProcessEnv = process.env, from: string = process.cwd()): string {
  const named = environment['ESPRUINO_CLI'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) {
      throw new UserError(`ESPRUINO_CLI is ${named}, which does not exist.`);
    }
    return named;
  }
  const folders: string[] = [];
  for (let folder = from; folders.at(-1) !== path.join(folder, 'node_modules', '.bin'); folder = path.dirname(folder)) {
    folders.push(path.join(folder, 'node_modules', '.bin'));
  }
  const found = [...folders, ...(environment['PATH'] ?? '').split(path.delimiter)].map((folder) => path.join(folder, 'espruino')).find(existsSync);
  if (found === undefined) {
    throw new UserError("Espruino's program is neither in node_modules nor on the PATH: run npm install espruino, or set ESPRUINO_CLI to it; vmsg build --source makes the script without it.");
  }
  return found;
}

/** The line that says why the program failed: an error that ended it, else the last thing that it said. */
function reasonOf(said: string): string | undefined {
  const lines = said.split('\n').map((line) => line.trim()).filter((line) => /[a-z]/i.test(line));
  return (lines.find((line) => /^\w*Error: /.test(line)) ?? lines.at(-1))?.replace(/[.!]$/, '');
}

/** Runs Espruino's program and returns what it said; a failure is one sentence with the reason that it gave. */
function runCli(cli: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(cli, ['--config', 'SAVE_ON_SEND=1', ...args], { encoding: 'utf8' });
  if (error !== undefined) {
    throw new UserError(`${cli} cannot be run: ${error.message}.`);
  }
  if (status !== 0) {
    throw new UserError(`${cli} failed: ${reasonOf(`${stdout}\n${stderr}`) ?? `status ${status}`}.`);
  }
  return `${stdout}\n${stderr}`;
}

/** Writes the script as tokens beside it: for boards with Espruino 2v26 or later. */
export function pretokenise(script: EspruinoScript): EspruinoScript {
  const file = script.file.replace(/\.js$/, '.tokens.js');
  rmSync(file, { force: true });
  // 2: everything that can be a token becomes one, whatever board there will be.
  runCli(findCli(), ['-q', '-n', '--config', 'PRETOKENISE=2', '-o', file, script.file]);
  if (!existsSync(file)) {
    throw new UserError(`${findCli()} wrote no tokens.`);
  }
  return { file, bytes: readFileSync(file).length };
}

/** A Bluetooth address, as Espruino's program takes it. */
const bluetooth = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Sends the script to the board at `port` and keeps it in its flash, as tokens as far as the board knows them and the way carries them. */
export function flashEspruino(script: EspruinoScript, port: string): void {
  const cli = findCli();
  // Looking for Bluetooth ends the program on machines without D-Bus.
  const radio = bluetooth.test(port) ? [] : ['--no-ble'];
  // Over TCP the program encodes every byte above 127, and so every token, as two.
  const tokens = port.startsWith('tcp://') ? 0 : 1;
  const said = runCli(cli, [...radio, '--config', `PRETOKENISE=${tokens}`, '--port', port, script.file]);
  // Its status is 0 without a board too, so what it says when all is sent decides.
  if (!/^Upload Complete$/m.test(said)) {
    throw new UserError(`${cli} sent nothing whole to ${port}: ${reasonOf(said) ?? 'it gives no reason'}.`);
  }
}
