// `vmsg bench`: instructions per message and per request on the emulated device core, counted, not timed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DeviceLog } from '../emulator/emulator.js';
import { figures, packaged, progress, runScene, type SceneResult } from '../emulator/scene.js';
import { breakdowns, nodeMarks, targetMarks, type Breakdown, type Mark } from '../bench/marks.js';
import { benchNode, type NodeFigure } from '../bench/node.js';
import { unchecked } from '../bench/unchecked.js';
import { checkEngine, type Engine, engines, engineTitles } from '../targets.js';
import { driverRates, type DriverRates } from '../stock-linux/rates.js';
import { UserError } from '../user-error.js';

export const help = `vmsg bench [--target T ...] [--engine E] [--node] [--stock-linux] [--compare FILE] [--json FILE]
  Runs the benchmark programs and prints instructions and engine allocations per message and per request, what the ring's
  figures consist of, and whether the project's marks are met.
  --target T   may be repeated; default mps2-an521-m33 and mps2-an386-m4
  --engine E   ${engines.join(', ')}; default ${engines[0]}
  --node       only the rings in Node on this machine, in requests a second; without it they come last
  --stock-linux  only rng and blk under the drivers of an unmodified Linux (vmsg stock-linux-test), in requests a second and kicks a
               request, next to QEMU's own devices in the same guest; without it they come last, or 'not run' with the reason
  --compare F  with the virtio class of v86 in the same place: the path of its src/virtio.js
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
  /** What the ring figures and the kicks before them consist of. */
  readonly breakdown: readonly Breakdown[];
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
async function measure(target: string, engine: Engine, app: string, program: string, change?: typeof unchecked): Promise<{ phases: Measured[]; perTick: number; result: SceneResult }> {
  const result = await runScene({ target, engine, app, program, limitSeconds: 1800, onStep: progress, ...(change === undefined ? {} : { change }) });
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

/** The ring benchmark `program`: each phase's share of a request when the price of its kicks is taken off. */
export async function benchRings(target: string, engine: Engine, program: string, change?: typeof unchecked): Promise<{ rings: BenchPhase[]; kick: BenchPhase; doorbell: BenchPhase }> {
  const { phases } = await measure(target, engine, packaged('test', 'emulator', 'apps', 'sink.ts'), packaged('test', 'emulator', 'programs', program), change);
  const empty = phaseOf(phases, 'empty').instructions;
  const kicks = phaseOf(phases, 'kick-only');
  const doorbells = phaseOf(phases, 'doorbell');
  const kick = each(kicks, empty, kicks.count);
  const rings = phases
    .filter(({ name, count }) => count !== 0 && name !== 'kick-only' && name !== 'doorbell')
    .map((phase) => each(phase, empty + ((kicks.instructions - empty) / kicks.count) * phase.count, phase.count * Number(/\d+$/.exec(phase.name)?.[0] ?? 1)));
  return { rings, kick, doorbell: each(doorbells, empty, doorbells.count) };
}

/** A GET_DEVICE_STATUS round in `profile`, as phase `status` or `status-b`, `status-c`. */
export async function benchStatus(target: string, engine: Engine, profile: 'a' | 'b' | 'c'): Promise<BenchPhase> {
  const app = profile === 'a' ? packaged('firmware', 'apps', 'entropy.ts') : packaged('test', 'emulator', 'apps', `entropy-${profile}.ts`);
  const { phases } = await measure(target, engine, app, packaged('test', 'emulator', 'programs', `status-bench-${profile}.ts`));
  const status = phaseOf(phases, 'status');
  return { ...each(status, phaseOf(phases, 'empty').instructions, status.count), phase: profile === 'a' ? 'status' : `status-${profile}` };
}

async function benchTarget(target: string, engine: Engine): Promise<BenchTarget> {
  const messages = await measure(target, engine, packaged('firmware', 'apps', 'entropy.ts'), packaged('test', 'emulator', 'programs', 'bench.ts'));
  const others = [await benchStatus(target, engine, 'b'), await benchStatus(target, engine, 'c')];
  const { rings, kick, doorbell } = await benchRings(target, engine, 'ring-bench.ts');
  const believing = await benchRings(target, engine, 'ring-bench.ts', unchecked);
  const disk = await measure(target, engine, packaged('test', 'emulator', 'apps', 'disk.ts'), packaged('test', 'emulator', 'programs', 'block-bench.ts'));
  const empty = phaseOf(messages.phases, 'empty').instructions;
  const diskEmpty = phaseOf(disk.phases, 'empty').instructions;
  const measured = (phases: readonly Measured[]): Measured[] => phases.filter((phase) => phase.count !== 0);
  const { flash, ram, stack, heap } = messages.result.image.sizes.device;
  return {
    target,
    engine,
    phases: measured(messages.phases)
      .map((phase) => each(phase, empty, phase.count))
      .concat(others, measured(disk.phases).map((phase) => each(phase, diskEmpty, phase.count))),
    kick,
    rings,
    breakdown: breakdowns(rings, believing.rings, doorbell.instructionsEach, kick.instructionsEach),
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
  'block-write-1': 'block 4 KiB write, batch 1, doorbell to doorbell',
  'block-read-1': 'block 4 KiB read, batch 1, doorbell to doorbell',
  'block-write-32': 'block 4 KiB write, batch 32, share of one request',
  'block-read-32': 'block 4 KiB read, batch 32, share of one request',
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
  const share = (batch: number): void => {
    process.stdout.write(`  ${`what a request consists of, batch ${batch}`.padEnd(48)}engine  transport       walk validation      total\n`);
    for (const { figure: name, engine, transport, walk, validation } of figure.breakdown.filter(({ figure: one }) => one.endsWith(`-${batch}`))) {
      const columns = [engine, transport, walk, validation, engine + transport + walk + validation].map((value) => number(value).padStart(11)).join('');
      process.stdout.write(`    ${name.replace(/-\d+$/, '').replace('-', ', ').padEnd(38)}${columns}\n`);
    }
  };
  share(32);
  share(1);
  process.stdout.write(
    `  flash ${figure.flash} (bundle ${figure.bundleBytes}), variables ${figure.ram}, stack ${figure.stack}, heap peak ${figure.heapPeak} of ${figure.heap} bytes\n\n`,
  );
}

function printNode(nodeFigures: readonly NodeFigure[]): void {
  process.stdout.write(`Node ${process.versions.node}, queue 256, batch 32, nothing copied: million requests a second of its own time\n`);
  for (const { shape, millions, otherMillions } of nodeFigures) {
    const other = otherMillions === undefined ? '' : `   the other class ${otherMillions.toFixed(1)}, ${(millions / otherMillions).toFixed(2)} times`;
    process.stdout.write(`  split, ${shape}${millions.toFixed(1).padStart(9)}${other}\n`);
  }
  process.stdout.write('\n');
}

/** Measures under the drivers of a stock Linux; what is missing for that is not a failure of the benchmark. */
async function benchDrivers(): Promise<DriverRates | { readonly notRun: string }> {
  try {
    return await driverRates();
  } catch (error) {
    if (error instanceof UserError) {
      return { notRun: error.message };
    }
    throw error;
  }
}

function printDrivers(figures: DriverRates | { readonly notRun: string }): void {
  const title = 'drivers of an unmodified Linux, wall clock, one guest';
  if ('notRun' in figures) {
    process.stdout.write(`${title}: not run: ${figures.notRun}\n\n`);
    return;
  }
  process.stdout.write(`${title} (${figures.kernel})\n  ${'queue depth'.padEnd(34)}requests/s  kicks/request  QEMU's own device  ratio\n`);
  for (const { device, depth, requestsPerSecond, kicksPerRequest, referencePerSecond } of figures.rates) {
    const name = `${device === 'rng' ? 'rng, 64 bytes' : 'blk, 4 KiB read'}, ${depth}`;
    const [rate, reference] = [requestsPerSecond, referencePerSecond].map((value) => value.toLocaleString('en-US'));
    process.stdout.write(`  ${name.padEnd(34)}${rate?.padStart(10)}${kicksPerRequest.toFixed(2).padStart(15)}${reference?.padStart(19)}${(requestsPerSecond / referencePerSecond).toFixed(2).padStart(7)}\n`);
  }
  process.stdout.write('\n');
}

function printMarks(marks: readonly Mark[]): void {
  process.stdout.write(`marks${' '.repeat(57)}figure     mark\n`);
  for (const { mark, figure, kind, limit, met } of marks) {
    const sign = kind === 'most' ? '<=' : '>=';
    process.stdout.write(`  ${mark.padEnd(52)}${figure.toLocaleString('en-US').padStart(14)}  ${sign} ${limit.toLocaleString('en-US').padEnd(8)}${met ? 'met' : 'MISSED'}\n`);
  }
}

/** Runs the command; returns the exit status. A missed mark is a result, not an error. */
export async function bench(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { target: { ...text, multiple: true }, engine: { ...text, default: engines[0] }, node: { type: 'boolean' }, 'stock-linux': { type: 'boolean' }, compare: text, json: text },
  });
  const engine = checkEngine(values.engine);
  const benchmarks: BenchTarget[] = [];
  const only = values.node === true || values['stock-linux'] === true;
  for (const target of only ? [] : (values.target ?? ['mps2-an521-m33', 'mps2-an386-m4'])) {
    const result = await benchTarget(target, engine);
    print(result);
    benchmarks.push(result);
  }
  // Those who name a target want that target.
  const node = values.node === true || values.compare !== undefined || (values.target === undefined && !only) ? await benchNode(values.compare) : [];
  if (node.length > 0) {
    printNode(node);
  }
  const drivers = values['stock-linux'] === true || (values.target === undefined && !only) ? await benchDrivers() : undefined;
  if (drivers !== undefined) {
    printDrivers(drivers);
  }
  // The marks are Duktape's.
  const marks = [...(engine === 'duktape' ? benchmarks.flatMap(targetMarks) : []), ...nodeMarks(node)];
  printMarks(marks);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ benchmarks, node, ...(drivers === undefined ? {} : { drivers }), marks }, null, 2)}\n`);
  }
  return 0;
}
