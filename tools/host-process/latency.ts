// `vmsg serve --latency`: a device side and a driver side as two processes; how long each doorbell takes, side by side.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Side } from '../image/board.js';
import { bundle } from '../bundle/bundle.js';
import { histogramSvg, histogramText, quantile, type Series } from './histogram.js';
import { buildProgram, buildRunner, runnerArguments } from './runner.js';
import { packaged } from '../emulator/scene.js';
import { UserError } from '../user-error.js';

/** What one doorbell was measured with. */
export interface Measured {
  readonly name: string;
  /** From the ring for GET_DEVICE_STATUS until its answer was seen, and from the ring for a buffer until it was seen used: microseconds. */
  readonly message: readonly number[];
  readonly used: readonly number[];
  /** Messages of both directions, and how long all of them took together. */
  readonly messages: number;
  readonly microseconds: number;
}

/** Bytes of the shared memory: the program's ring lies at 1 MiB, its buffer at 2 MiB. */
const memoryBytes = 4 * 1024 * 1024;
const layoutBytes = 65536;
const baseAddress = 0x8000_0000n;
/** A guard against a hang, in seconds. */
const limitSeconds = 120;

/** The doorbells compared, by what each side is told. */
function doorbells(folder: string): readonly { readonly name: string; readonly kinds: Readonly<Record<Side, string>> }[] {
  const pipes = [path.join(folder, 'there'), path.join(folder, 'back')] as const;
  return [
    { name: 'poll:100', kinds: { device: 'poll:100', driver: 'poll:100' } },
    { name: 'fifo', kinds: { device: `fifo:${pipes[0]},${pipes[1]}`, driver: `fifo:${pipes[1]},${pipes[0]}` } },
    { name: 'eventfd', kinds: { device: 'eventfd:3,4', driver: 'eventfd:4,3' } },
  ];
}

/** What the driver side's lines say. */
export function readMeasured(name: string, lines: readonly string[]): Measured {
  const times = (what: string): number[] => lines.filter((line) => line.startsWith(`us ${what} `)).flatMap((line) => line.split(' ').slice(2).map(Number));
  const figure = (what: string): number => Number(lines.find((line) => line.startsWith(`# ${what} `))?.split(' ')[2]);
  const measured = { name, message: times('message'), used: times('used'), messages: figure('messages'), microseconds: figure('microseconds') };
  if (measured.message.length === 0 || measured.used.length !== measured.message.length || !(measured.messages > 0) || !(measured.microseconds > 0)) {
    throw new UserError(`The driver side measured nothing with ${name}: ${lines.find((line) => line.startsWith('!'))?.slice(2) ?? 'it ended early'}.`);
  }
  return measured;
}

/** Runs both sides with every doorbell, one after the other. */
export async function measureLatency(onStep: (line: string) => void): Promise<Measured[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-latency-'));
  try {
    const [memory, layout] = ['memory', 'layout'].map((name) => path.join(folder, name)) as [string, string];
    const bundles = { device: path.join(folder, 'device.js'), driver: path.join(folder, 'driver.js') };
    const entries = { device: packaged('firmware', 'apps', 'entropy.ts'), driver: packaged('test', 'emulator', 'programs', 'latency.ts') };
    for (const role of ['device', 'driver'] as const) {
      await bundle({ target: 'host-shm', role, entry: entries[role], outFile: bundles[role] });
    }
    const runner = await buildRunner();
    const launcher = await buildProgram('with-eventfds', ['with-eventfds.c']);
    const measured: Measured[] = [];
    for (const { name, kinds } of doorbells(folder)) {
      onStep(`measuring ${name}`);
      const side = (which: Side): string[] => {
        const options = { side: which, memory: [{ file: memory, base: baseAddress }], layouts: [{ file: layout, offset: 0 }], doorbell: kinds[which] };
        return [runner, ...runnerArguments(options), bundles[which]];
      };
      writeFileSync(memory, '');
      truncateSync(memory, memoryBytes);
      writeFileSync(layout, '');
      truncateSync(layout, layoutBytes);
      const device = side('device');
      const child = spawn(launcher, [String(device.length), ...device, ...side('driver')], { stdio: ['ignore', 'pipe', 'inherit'], timeout: limitSeconds * 1000 });
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
      }
      measured.push(readMeasured(name, lines));
    }
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both histograms of all doorbells. */
function charts(measured: readonly Measured[]): { title: string; series: Series[] }[] {
  return [
    { title: 'message round trip, from the doorbell to the answer', series: measured.map(({ name, message }) => ({ name, times: message })) },
    { title: 'doorbell to used buffer', series: measured.map(({ name, used }) => ({ name, times: used })) },
  ];
}

/** What the command prints: the histograms, then one line a doorbell. */
export function latencyText(measured: readonly Measured[]): string {
  const row = (cells: readonly (string | number)[]): string => `  ${String(cells[0]).padEnd(10)}${cells.slice(1).map((cell) => cell.toLocaleString('en-US').padStart(22)).join('')}\n`;
  const head = row(['doorbell', 'round trip, median us', 'used, median us', 'messages per second']);
  const rows = measured.map(({ name, message, used, messages, microseconds }) => row([name, quantile(message, 0.5), quantile(used, 0.5), Math.round((messages * 1e6) / microseconds)]));
  return `${charts(measured).map(({ title, series }) => histogramText(title, series)).join('\n')}\n${head}${rows.join('')}`;
}

export function latencySvg(measured: readonly Measured[]): string {
  return histogramSvg(charts(measured));
}
