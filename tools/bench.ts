// `vmsg bench`: instructions per message and per request on the emulated device core, counted, not timed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DeviceLog } from './emulator.js';
import { figures, packaged, progress, runScene, type SceneResult } from './scene.js';
import { checkEngine, type Engine, engines, engineTitles } from './targets.js';
import { UserError } from './user-error.js';

export const help = `vmsg bench [--target T ...] [--engine E] [--json FILE]
  Runs the benchmark program and prints instructions and engine allocations per message and per request.
  --target T   may be repeated; default mps2-an521-m33 and mps2-an386-m4
  --engine E   ${engines.join(', ')}; default ${engines[0]}
  --json FILE  also writes the figures as JSON`;

const log = { tick: 0, reset: 7, driverOk: 8 };

/** What one phase cost the device core, the start and end of a phase taken off. */
export interface BenchPhase {
  readonly phase: string;
  readonly count: number;
  readonly instructionsEach: number;
  readonly wakes: number;
  readonly allocations: number;
  readonly collections: number;
}

export interface BenchTarget {
  readonly target: string;
  readonly engine: Engine;
  readonly phases: readonly BenchPhase[];
  /** One EVENT_AVAIL for a queue that does not exist: wake, acknowledge, take and drop the message. */
  readonly kick: BenchPhase;
  /** Ring work per request, without the kick's message and without a used notification. */
  readonly rings: readonly BenchPhase[];
  readonly instructionsPerTick: number;
  readonly flash: number;
  readonly ram: number;
  readonly stack: number;
  readonly heap: number;
  readonly heapPeak: number;
  readonly bundleBytes: number;
}

/** Pairs each DRIVER_OK of the log with the reset that ends the phase. */
function phasesOf(entries: readonly DeviceLog[]): [DeviceLog, DeviceLog][] {
  const pairs: [DeviceLog, DeviceLog][] = [];
  let start: DeviceLog | undefined;
  for (const entry of entries) {
    if (entry.code === log.driverOk) {
      start = entry;
    } else if (entry.code === log.reset && start !== undefined) {
      pairs.push([start, entry]);
      start = undefined;
    }
  }
  return pairs;
}

/** What a phase cost the device core in all, the start and the end of a phase included. */
interface Measured {
  readonly name: string;
  readonly count: number;
  readonly instructions: number;
  readonly wakes: number;
  readonly allocations: number;
  readonly collections: number;
}

/** Runs `program` against `app` and pairs the phases it announces with what the device core logged. */
async function measure(target: string, engine: Engine, app: string, program: string): Promise<{ phases: Measured[]; perTick: number; result: SceneResult }> {
  const result = await runScene({ target, engine, app, program, limitSeconds: 1800, onStep: progress });
  progress('');
  if (result.status !== 0) {
    const reason = result.driver.find((line) => line.startsWith('!')) ?? `status ${result.status}`;
    throw new UserError(`The benchmark program failed on ${target}: ${reason.replace(/^! /, '')}.`);
  }
  const perTick = result.log.find((entry) => entry.code === log.tick)?.value ?? 0;
  const names = [...figures(result.driver)].filter(([name]) => name.startsWith('phase-'));
  const pairs = phasesOf(result.log);
  if (perTick === 0 || pairs.length !== names.length) {
    throw new UserError(`The device core of ${target} logged ${pairs.length} phases, the program ran ${names.length}.`);
  }
  const phases = names.map(([name, count], index): Measured => {
    const [from, to] = pairs[index] as [DeviceLog, DeviceLog];
    return {
      name: name.replace('phase-', ''),
      count,
      instructions: (to.busyTicks - from.busyTicks) * perTick,
      wakes: to.wakes - from.wakes,
      allocations: to.allocations - from.allocations,
      collections: to.collections - from.collections,
    };
  });
  return { phases, perTick, result };
}

/** The phase called `name`; every program here has it. */
function phaseOf(phases: readonly Measured[], name: string): Measured {
  const found = phases.find((phase) => phase.name === name);
  if (found === undefined) {
    throw new UserError(`The benchmark program has no phase '${name}'.`);
  }
  return found;
}

/** One phase's share, with `taken` instructions of it not counted. */
function each(phase: Measured, taken: number, count: number): BenchPhase {
  return {
    phase: phase.name,
    count,
    instructionsEach: Math.round((phase.instructions - taken) / count),
    wakes: phase.wakes,
    allocations: phase.allocations,
    collections: phase.collections,
  };
}

async function benchTarget(target: string, engine: Engine): Promise<BenchTarget> {
  const messages = await measure(target, engine, packaged('firmware', 'apps', 'entropy.ts'), packaged('test', 'emulator', 'programs', 'bench.ts'));
  const others: BenchPhase[] = [];
  for (const profile of ['b', 'c']) {
    const app = packaged('test', 'emulator', 'apps', `entropy-${profile}.ts`);
    const { phases } = await measure(target, engine, app, packaged('test', 'emulator', 'programs', `status-bench-${profile}.ts`));
    const status = phaseOf(phases, 'status');
    others.push({ ...each(status, phaseOf(phases, 'empty').instructions, status.count), phase: `status-${profile}` });
  }
  const rings = await measure(target, engine, packaged('test', 'emulator', 'apps', 'sink.ts'), packaged('test', 'emulator', 'programs', 'ring-bench.ts'));
  const empty = phaseOf(messages.phases, 'empty').instructions;
  const ringEmpty = phaseOf(rings.phases, 'empty').instructions;
  const kicks = phaseOf(rings.phases, 'kick-only');
  const measured = (phases: readonly Measured[]): Measured[] => phases.filter((phase) => phase.count !== 0);
  const { flash, ram, stack, heap } = messages.result.image.sizes.device;
  return {
    target,
    engine,
    phases: measured(messages.phases).map((phase) => each(phase, empty, phase.count)).concat(others),
    kick: each(kicks, ringEmpty, kicks.count),
    // What remains of a ring phase when the price of its kicks is taken off, for each request of the batch.
    rings: measured(rings.phases)
      .filter((phase) => phase.name !== 'kick-only')
      .map((phase) => each(phase, kicks.instructions, phase.count * Number(/\d+$/.exec(phase.name)?.[0] ?? 1))),
    instructionsPerTick: messages.perTick,
    flash,
    ram,
    stack,
    heap,
    heapPeak: Math.max(...messages.result.log.map((entry) => entry.heapPeak)),
    bundleBytes: messages.result.bundleBytes,
  };
}

const titles: Record<string, string> = {
  status: 'GET_DEVICE_STATUS, one round',
  'status-b': 'GET_DEVICE_STATUS, one round, profile B',
  'status-c': 'GET_DEVICE_STATUS, one round, profile C',
  'entropy-1': 'entropy 64 bytes, batch 1, doorbell to doorbell',
  'entropy-32': 'entropy 64 bytes, batch 32, share of one request',
};

const shapes: readonly (readonly [string, string])[] = [
  ['r64', '64 bytes readable'],
  ['blk', '16 + 512 readable, 1 writable'],
  ['net', '12 + 1500 readable'],
];

function print(figure: BenchTarget): void {
  const number = (value: number): string => value.toLocaleString('en-US').padStart(9);
  process.stdout.write(`${figure.target}, ${engineTitles[figure.engine]} (${figure.instructionsPerTick} instructions per timer tick)\n`);
  process.stdout.write(`  ${'instructions on the device core'.padEnd(52)}     each  allocations  collections\n`);
  for (const phase of figure.phases) {
    const title = titles[phase.phase] ?? phase.phase;
    process.stdout.write(
      `  ${title.padEnd(52)}${number(phase.instructionsEach)}  ${number(phase.allocations)}    ${number(phase.collections)}\n`,
    );
  }
  process.stdout.write(`  ${'one EVENT_AVAIL taken and dropped'.padEnd(52)}${number(figure.kick.instructionsEach)}\n`);
  process.stdout.write(`  ring work per request (validation on, no copy)              batch 1  batch 32\n`);
  const cost = (name: string): string => number(figure.rings.find((phase) => phase.phase === name)?.instructionsEach ?? NaN);
  for (const format of ['split', 'indirect', 'packed']) {
    process.stdout.write(`    ${`${format}, a pass that finds nothing`.padEnd(50)}${cost(`${format}-idle-pass`)}\n`);
    for (const [shape, text] of shapes) {
      process.stdout.write(`    ${`${format}, ${text}`.padEnd(50)}${cost(`${format}-${shape}-1`)} ${cost(`${format}-${shape}-32`)}\n`);
    }
  }
  process.stdout.write(
    `  flash ${figure.flash} (bundle ${figure.bundleBytes}), variables ${figure.ram}, stack ${figure.stack}, heap peak ${figure.heapPeak} of ${figure.heap} bytes\n\n`,
  );
}

/** Runs the command; returns the exit status. */
export async function bench(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { target: { type: 'string', multiple: true }, engine: { type: 'string', default: engines[0] }, json: { type: 'string' } },
  });
  const engine = checkEngine(values.engine);
  const results: BenchTarget[] = [];
  for (const target of values.target ?? ['mps2-an521-m33', 'mps2-an386-m4']) {
    const result = await benchTarget(target, engine);
    print(result);
    results.push(result);
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ benchmarks: results }, null, 2)}\n`);
  }
  return 0;
}
