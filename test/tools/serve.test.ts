// `vmsg serve` as an outside harness meets it: its lines, its exit status, one sentence for each mistake.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseLayout, parseMemory, runnerArguments } from '../../tools/host-process/runner.js';
import { serve } from '../../tools/commands/serve.js';
import { packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';
import { readTrace } from '../support/golden-trace.js';
import { freshFolder, SharedFiles } from '../support/processes.js';

const command = path.join(packageRoot, 'tools', 'vmsg.mjs');

interface Served {
  /** What `vmsg serve` and the driver side's program printed. */
  readonly lines: readonly string[];
  readonly driverLines: readonly string[];
}

/** Serves an app to one driver side with a program of test/emulator/programs, and ends when that has shut down; `typed` is standard input. */
async function served(files: SharedFiles, program: string, args: readonly string[], typed?: string): Promise<Served> {
  const place = `${files.layout.file}:${files.layout.offset}`;
  const child = spawn(process.execPath, [command, 'serve', '--layout', place, '--memory', `${files.memory}:0x80000000`, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  if (typed !== undefined) {
    child.stdin.write(typed);
  }
  const lines: string[] = [];
  let driverLines: readonly string[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('published')) {
      const driver = await files.driver(program);
      driverLines = driver.lines;
      const { status } = await driver.ended;
      if (status !== 0) {
        child.kill('SIGTERM');
      }
      assert.equal(status, 0, driverLines.join('\n'));
    }
    if (line.endsWith('shut down')) {
      child.kill('SIGTERM');
    }
  }
  assert.equal(await ended, 0, errors);
  return { lines, driverLines };
}

test('serve prints a line when the layout is published and one per step, traces every message, and ends with status 0 on a signal', async () => {
  const files = new SharedFiles();
  const traceFile = path.join(files.folder, 'trace.hex');
  const { lines, driverLines } = await served(files, 'attached-entropy', ['--app', 'entropy', '--profile', 'A', '--trace', traceFile]);
  const place = `${files.layout.file}:${files.layout.offset}`;
  assert.deepEqual(lines, [`published layout 0 at ${place}`, 'bus 0: READY', 'bus 0: RUN', 'device 1: DRIVER_OK', 'device 1: reset', 'bus 0: driver shut down', 'stopped']);
  // The trace is read by the reader of the golden traces and holds what the driver sent and received.
  const trace = readTrace(pathToFileURL(traceFile));
  assert.equal(Buffer.from(trace.layout.slice(0, 4)).toString('hex'), '4f4c4000');
  const seen = (arrow: string): string[] => driverLines.filter((line) => line.startsWith(arrow)).map((line) => line.split(' ')[2] ?? '');
  const traced = (direction: string): string[] =>
    trace.elements.filter((element) => element.direction === direction).map(({ bytes }) => Buffer.from(bytes.slice(0, (bytes[6] ?? 0) + (bytes[7] ?? 0) * 256)).toString('hex'));
  assert.equal(traced('send').length, 16);
  assert.deepEqual(traced('send'), seen('>'));
  assert.deepEqual(traced('receive'), seen('<'));
  const text = readFileSync(traceFile, 'utf8');
  assert.match(text, /^DRV>DEV t=\d+\.\d{6} slot=0 type=02 id=02 dev=0 token=1 size=12 BUS_GET_DEVICES\n {2}0000 {2}02 02 00 00 01 00 0c 00 00 00 20 00 /m);
  assert.match(text, /^DEV>DRV t=\d+\.\d{6} slot=1 type=01 id=02 dev=1 token=2 size=32 GET_DEVICE_INFO\.resp$/m);
  assert.match(text, /^# t=\d+\.\d{6} bus 0: RUN$/m);
});

test('a signal ends serve with status 0 while it still compiles, and nothing has been published', async () => {
  const files = new SharedFiles();
  const place = `${files.layout.file}:${files.layout.offset}`;
  const child = spawn(process.execPath, [command, 'serve', '--layout', place, '--memory', files.memory], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (said.startsWith('published')) {
      child.kill('SIGKILL');
    }
  });
  createInterface({ input: child.stderr }).once('line', () => child.kill('SIGINT'));
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
  assert.equal(said, 'stopped\n');
  assert.ok(files.layoutBytes(0, 4096).every((byte) => byte === 0));
});

test('serve --app demo serves all its devices, whose disks and packets lie in private memory', async () => {
  const { lines, driverLines } = await served(new SharedFiles(), 'attached-demo', ['--app', 'demo']);
  Array.from({ length: 11 }, (_, at) => at + 1).forEach((device) => assert.deepEqual(lines.filter((line) => line.startsWith(`device ${device}: `)), [`device ${device}: DRIVER_OK`, `device ${device}: reset`]));
  assert.deepEqual(driverLines.filter((line) => line.startsWith('# use-')), ['# use-entropy 1', '# use-console 2', '# use-block 3', '# use-network 4', '# use-gpio 5', '# use-rtc 6', '# use-i2c 7', '# use-spi 8', '# use-can 9', '# use-input 10', '# use-scmi 11']);
});

test('serve --app terminal: what is typed into its standard input comes to the driver, in its order', async () => {
  const typed = `${Array.from({ length: 300 }, (_, at) => `line ${at}\n`).join('')}\x04`;
  const { driverLines } = await served(new SharedFiles(), 'attached-terminal', ['--app', 'terminal'], typed);
  assert.deepEqual(driverLines.filter((line) => line.startsWith('= typed: ')), Array.from({ length: 300 }, (_, at) => `= typed: line ${at}`));
  assert.ok(driverLines.includes(`# typed-bytes ${typed.length}`));
});

test('a mistake is one sentence', async () => {
  const folder = freshFolder();
  const file = path.join(folder, 'memory');
  writeFileSync(file, '');
  truncateSync(file, 65536);
  const places = ['--layout', `${file}:4096`, '--memory', file];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /serve wants --layout FILE:OFFSET/],
    [['--layout', `${file}:4096`], /serve wants --memory/],
    [['--layout', file, '--memory', file], /--layout wants FILE:OFFSET, not /],
    [['--layout', `${file}:4097`, '--memory', file], /multiple of 16/],
    [['--layout', `${file}:65536`, '--memory', file], /ends before the layout's offset 65536/],
    [['--layout', `${file}:65520`, '--memory', file], /layout of bus 0 does not fit/],
    [['--layout', `${file}:4096`, '--memory', `${file}:zero`], /is a number such as 4096 or 0x1000, not 'zero'/],
    [['--layout', `${file}:4096`, '--memory', `${folder}/none`], /none does not exist: start what owns it first/],
    [[...places, '--doorbell', 'poll:0'], /polling wants 1 to 1000000 microseconds/],
    [[...places, '--profile', 'Z'], /Unknown profile 'Z'; known profiles: A/],
    [[...places, '--app', 'nothing'], /There is no app 'nothing': give a TypeScript file or one of .*entropy/],
    [[...places, '--trace', `${folder}/none/trace`], /The trace cannot be written: /],
    [[...places, '--seed', 'x'], /--seed wants a number, not 'x'/],
  ];
  for (const [args, sentence] of cases) {
    await assert.rejects(serve(args), (error) => error instanceof UserError && sentence.test(error.message), args.join(' '));
  }
});

test('memory is split into windows of at most 128 MiB, none across 4 GiB, and the layout is private', () => {
  const file = path.join(freshFolder(), 'ram');
  writeFileSync(file, '');
  truncateSync(file, 0x1800_0000);
  const args = runnerArguments({ side: 'device', memory: [parseMemory(`${file}:0xf8000000`)], layouts: [parseLayout(`${file}:0x2000`)], doorbell: 'poll' });
  assert.deepEqual(args.slice(3), [
    '--window', file, '0', '134217728', '0xf8000000',
    '--window', file, '134217728', '134217728', '0x100000000',
    '--window', file, '268435456', '134217728', '0x108000000',
    '--window', file, '8192', '1048576', '-',
    '--layout', '3', '0', '--doorbell', 'poll',
  ]);
  truncateSync(file, 0x7000_0010);
  assert.throws(() => runnerArguments({ side: 'device', memory: [parseMemory(file)], layouts: [parseLayout(`${file}:0`)], doorbell: 'poll' }), /takes 16 windows/);
});
