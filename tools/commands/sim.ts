// `vmsg sim`: boots both cores of the emulated SoC, shows every message, and says what it took.
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { parseArgs } from 'node:util';
import { packagedApps } from '../apps.js';
import { emulators, lastStep, packaged, progress, runScene } from '../emulator/scene.js';
import { summarize, type DeviceUse, type SimSummary } from '../emulator/summary.js';
import { describe } from '../emulator/trace.js';
import { checkEngine, engines } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg sim [--target T] [--emulator X] [--engine E] [--app APP] [--program FILE] [--input FILE|-] [--limit SECONDS] [--json FILE]
  Runs a scene on the emulated SoC: the app on the coprocessor, the program on the application core.
  --target T       default mps2-an521-m33
  --emulator X     ${emulators.join(', ')}; default qemu where that runs the target
  --engine E       ${engines.join(', ')}; default ${engines[0]}
  --app APP        device application: a file, or the name of one in firmware/apps; default entropy
  --program FILE   program of the application core; default for entropy, demo and terminal one that uses them, else one that brings every device up
  --input FILE|-   what comes in over the coprocessor's serial line: a file, or standard input, where each key you type goes as it is
  --limit SECONDS  ends a run that hangs, default 120
  --json FILE      also writes the summary as JSON`;

function count(value: number): string {
  return value.toLocaleString('en-US').padStart(12);
}

function table(summary: SimSummary): string {
  const dropped = Object.entries(summary.discarded);
  // A process on the host counts no instructions, and a program need not count its messages.
  const counted: [string, number, string][] = [
    ['messages, both directions', summary.messages, ''],
    ['message bytes', summary.bytes, ''],
    ['instructions per message', summary.instructionsPerMessage, 'device core, set-up of the device'],
    ['instructions per request', summary.devices.length > 0 ? 0 : summary.instructionsPerRequest, 'device core, from DRIVER_OK to reset'],
  ];
  const rows: [string, number, string][] = [
    ...counted.filter(([, value]) => value !== 0),
    ['doorbells and time-outs', summary.wakes, 'times the device core left WFI'],
    ['engine allocations while serving', summary.allocationsWhileServing, ''],
    ['collector runs while serving', summary.collectionsWhileServing, ''],
    ['messages dropped', dropped.reduce((sum, [, number]) => sum + number, 0), dropped.map(([reason, number]) => `${number} ${reason}`).join(', ')],
    ['flash', summary.flash, `bytes, ${summary.bundleBytes.toLocaleString('en-US')} of them the bundle`],
    ['RAM', summary.ram + summary.stack + summary.heap, `bytes: variables ${summary.ram}, stack ${summary.stack}, heap ${summary.heap}`],
    ['heap used at most', summary.heapPeak, 'bytes'],
  ];
  return rows.map(([name, value, note]) => `  ${name.padEnd(34)}${count(value)}  ${note}`.trimEnd()).join('\n');
}

/** One line a device. */
function deviceTable(devices: readonly DeviceUse[]): string {
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `  ${name.padEnd(12)}${cells.map((cell) => cell.toLocaleString('en-US').padStart(16)).join('')}`;
  const head = line('device', ['requests', 'instructions', 'allocations', 'collections']);
  return [head, ...devices.map((use) => line(use.name, [use.requests, use.instructions, use.allocations, use.collections]))].join('\n');
}

/** The files of an app given by name or by file, and of the program that goes with it. */
function sceneFiles(app: string, program: string | undefined): { app: string; program: string } {
  const file = packaged('firmware', 'apps', `${app}.ts`);
  const named = /^[a-z0-9-]+$/.test(app);
  if (named && !existsSync(file)) {
    throw new UserError(`No app is called '${app}'; there are ${packagedApps().join(', ')}, and files of your own.`);
  }
  const own = packaged('test', 'emulator', 'programs', `${app}.ts`);
  return {
    app: named ? file : app,
    program: program ?? (named && existsSync(own) ? own : packaged('test', 'emulator', 'programs', 'bring-up.ts')),
  };
}

/** What `--input` names, and how it is left. A terminal gives each key as it is, Ctrl-D too; only Ctrl-C still ends the command. */
function serialInput(name: string): { stream: Readable; close(): void } {
  if (name !== '-') {
    if (!existsSync(name)) {
      throw new UserError(`There is no file '${name}' for --input.`);
    }
    const stream = createReadStream(name);
    return { stream, close: () => stream.destroy() };
  }
  const { stdin } = process;
  const raw = (on: boolean): unknown => stdin.isTTY && stdin.setRawMode(on);
  raw(true);
  const keys = new Transform({
    transform(typed: Buffer, _encoding, done): void {
      if (stdin.isTTY && typed.includes(3)) {
        raw(false);
        process.exit(130);
      }
      done(null, typed);
    },
  });
  return {
    stream: stdin.pipe(keys),
    close(): void {
      raw(false);
      stdin.destroy();
    },
  };
}

/** Runs the command; returns the exit status. */
export async function sim(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', default: 'mps2-an521-m33' },
      emulator: { type: 'string' },
      engine: { type: 'string', default: engines[0] },
      app: { type: 'string', default: 'entropy' },
      program: { type: 'string' },
      input: { type: 'string' },
      limit: { type: 'string', default: '120' },
      json: { type: 'string' },
    },
  });
  const limitSeconds = Number(values.limit);
  if (!(limitSeconds > 0)) {
    throw new UserError(`--limit wants a number of seconds, not '${values.limit}'.`);
  }
  const emulator = emulators.find((name) => name === values.emulator);
  if (values.emulator !== undefined && emulator === undefined) {
    throw new UserError(`--emulator takes ${emulators.join(' or ')}, not '${values.emulator}'.`);
  }
  const input = values.input === undefined ? undefined : serialInput(values.input);
  const result = await runScene({
    target: values.target,
    ...(emulator === undefined ? {} : { emulator }),
    engine: checkEngine(values.engine),
    ...sceneFiles(values.app, values.program),
    limitSeconds,
    ...(input === undefined ? {} : { input: input.stream }),
    onStep: progress,
    onDriverLine: (line) => {
      const message = /^([<>]) (\d+) ([0-9a-f]*)$/.exec(line);
      progress('');
      if (message !== null) {
        process.stdout.write(`${describe(message[1] as '<' | '>', Number(message[2]), Buffer.from(message[3] as string, 'hex'))}\n`);
      } else if (line.startsWith('= ')) {
        process.stdout.write(`-- ${line.slice(2)}\n`);
      }
    },
  }).finally(() => input?.close());
  if (result.hung) {
    throw new UserError(`The scene hung for ${limitSeconds} s in the step '${lastStep(result.driver)}'.`);
  }
  if (result.status !== 0) {
    // What a driver's program says it ends for, what either bundle did not catch, and what went wrong below the bundles.
    const reasons = [...result.driver, ...result.device].flatMap((line) => /^(?:!|error: (?:Error: )?|fatal: )\s*(.*)/.exec(line)?.[1] ?? []);
    const reason = reasons.length === 0 ? `the emulator ended with status ${result.status}` : reasons.join('; ');
    throw new UserError(`The scene failed in the step '${lastStep(result.driver)}': ${reason}.`);
  }
  const summary = summarize(result);
  if (summary.devices.length > 0) {
    process.stdout.write(`\n${deviceTable(summary.devices)}\n`);
  }
  process.stdout.write(`\n${table(summary)}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(summary, null, 2)}\n`);
  }
  if (summary.allocationsWhileServing !== 0 || summary.collectionsWhileServing !== 0) {
    throw new UserError('The engine allocated or collected while serving: both must be 0.');
  }
  return 0;
}
