// `vmsg sim`: boots both cores of the emulated SoC, shows every message, and says what it took.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DeviceLog } from './emulator.js';
import { figures, lastStep, packaged, progress, runScene, type SceneResult } from './scene.js';
import { describe } from './trace.js';
import { UserError } from './user-error.js';

/** Codes of firmware/wire/log.ts that the summary is made of. */
const log = { tick: 0, published: 1, ready: 2, run: 3, driverShutdown: 4, reset: 7, driverOk: 8 };

export const help = `vmsg sim [--target T] [--app FILE] [--program FILE] [--limit SECONDS] [--json FILE]
  Runs a scene on the emulated SoC: the app on the coprocessor, the program on the application core.
  --target T       default mps2-an521-m33
  --app FILE       device application, default firmware/apps/entropy.ts
  --program FILE   program of the application core, default test/emulator/programs/entropy.ts
  --limit SECONDS  ends a run that hangs, default 120
  --json FILE      also writes the summary as JSON`;

/** What one run amounted to. */
export interface SimSummary {
  readonly messages: number;
  readonly bytes: number;
  readonly instructionsPerMessage: number;
  readonly instructionsPerRequest: number;
  readonly allocationsWhileServing: number;
  readonly collectionsWhileServing: number;
  readonly wakes: number;
  readonly heapPeak: number;
  readonly flash: number;
  readonly ram: number;
  readonly heap: number;
  readonly stack: number;
  readonly bundleBytes: number;
}

function first(entries: readonly DeviceLog[], code: number, what: string): DeviceLog {
  const found = entries.find((entry) => entry.code === code);
  if (found === undefined) {
    throw new UserError(`The coprocessor's log does not show that it ${what}.`);
  }
  return found;
}

/** Checks that everything really happened and counts what it took; throws UserError naming what is missing. */
export function summarize(result: SceneResult): SimSummary {
  const perTick = first(result.log, log.tick, 'started').value;
  first(result.log, log.published, 'published the layout');
  first(result.log, log.ready, 'became READY');
  const run = first(result.log, log.run, 'became RUN');
  const started = first(result.log, log.driverOk, 'had a device reach DRIVER_OK');
  const reset = result.log.find((entry) => entry.code === log.reset && entry.busyTicks >= started.busyTicks);
  if (reset === undefined) {
    throw new UserError("The coprocessor's log does not show that it reset the device after use.");
  }
  const end = first(result.log, log.driverShutdown, 'saw the driver side shut down');
  const named = figures(result.driver);
  const sent = result.driver.filter((line) => line.startsWith('> '));
  const setUp = sent.findIndex((line) => line.split(' ')[2]?.startsWith('0041'));
  const batches = named.get('requests') ?? 0;
  if (setUp < 1 || batches === 0) {
    throw new UserError('The application core sent no request and no EVENT_AVAIL.');
  }
  const instructions = (from: DeviceLog, to: DeviceLog): number => (to.busyTicks - from.busyTicks) * perTick;
  const size = result.image.sizes.device;
  return {
    messages: named.get('messages') ?? 0,
    bytes: named.get('bytes') ?? 0,
    instructionsPerMessage: Math.round(instructions(run, started) / setUp),
    instructionsPerRequest: Math.round(instructions(started, reset) / batches),
    allocationsWhileServing: end.allocations - run.allocations,
    collectionsWhileServing: end.collections - run.collections,
    wakes: end.wakes - run.wakes,
    heapPeak: end.heapPeak,
    flash: size.flash,
    ram: size.ram,
    heap: size.heap,
    stack: size.stack,
    bundleBytes: result.bundleBytes,
  };
}

function count(value: number): string {
  return value.toLocaleString('en-US').padStart(12);
}

function table(summary: SimSummary): string {
  // A process on the host counts no instructions.
  const counted: [string, number, string][] =
    summary.instructionsPerMessage === 0
      ? []
      : [
          ['instructions per message', summary.instructionsPerMessage, 'device core, set-up of the device'],
          ['instructions per request', summary.instructionsPerRequest, 'device core, 256 bytes of entropy, 4 per doorbell'],
        ];
  const rows: [string, number, string][] = [
    ['messages, both directions', summary.messages, ''],
    ['message bytes', summary.bytes, ''],
    ...counted,
    ['doorbells and time-outs', summary.wakes, 'times the device core left WFI'],
    ['engine allocations while serving', summary.allocationsWhileServing, ''],
    ['collector runs while serving', summary.collectionsWhileServing, ''],
    ['flash', summary.flash, `bytes, ${summary.bundleBytes.toLocaleString('en-US')} of them the bundle`],
    ['RAM', summary.ram + summary.stack + summary.heap, `bytes: variables ${summary.ram}, stack ${summary.stack}, heap ${summary.heap}`],
    ['heap used at most', summary.heapPeak, 'bytes'],
  ];
  return rows.map(([name, value, note]) => `  ${name.padEnd(34)}${count(value)}  ${note}`.trimEnd()).join('\n');
}

/** Runs the command; returns the exit status. */
export async function sim(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', default: 'mps2-an521-m33' },
      app: { type: 'string', default: packaged('firmware', 'apps', 'entropy.ts') },
      program: { type: 'string', default: packaged('test', 'emulator', 'programs', 'entropy.ts') },
      limit: { type: 'string', default: '120' },
      json: { type: 'string' },
    },
  });
  const limitSeconds = Number(values.limit);
  if (!(limitSeconds > 0)) {
    throw new UserError(`--limit wants a number of seconds, not '${values.limit}'.`);
  }
  const result = await runScene({
    target: values.target,
    app: values.app,
    program: values.program,
    limitSeconds,
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
  });
  if (result.hung) {
    throw new UserError(`The scene hung for ${limitSeconds} s in the step '${lastStep(result.driver)}'.`);
  }
  if (result.status !== 0) {
    const reasons = [...result.driver, ...result.device].filter((line) => line.startsWith('!')).map((line) => line.slice(1).trim());
    const reason = reasons.length === 0 ? `the emulator ended with status ${result.status}` : reasons.join('; ');
    throw new UserError(`The scene failed in the step '${lastStep(result.driver)}': ${reason}.`);
  }
  const summary = summarize(result);
  process.stdout.write(`\n${table(summary)}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(summary, null, 2)}\n`);
  }
  if (summary.allocationsWhileServing !== 0 || summary.collectionsWhileServing !== 0) {
    throw new UserError('The engine allocated or collected while serving: both must be 0.');
  }
  return 0;
}
