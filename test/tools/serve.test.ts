// `vmsg serve` as an outside harness meets it: its lines, its exit status, one sentence for each mistake.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { parseLayout, parseMemory, runnerArguments } from '../../tools/runner.js';
import { packageRoot } from '../../tools/targets.js';
import { freshFolder, SharedFiles } from '../support/processes.js';

const command = path.join(packageRoot, 'tools', 'vmsg.mjs');

test('serve prints a line when the layout is published and one per step, and ends with status 0 on a signal', async () => {
  const files = new SharedFiles();
  const place = `${files.layout.file}:${files.layout.offset}`;
  const child = spawn(process.execPath, [command, 'serve', '--app', 'entropy', '--layout', place, '--memory', `${files.memory}:0x80000000`, '--profile', 'A'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('published')) {
      const driver = await files.driver('attached-entropy');
      assert.equal((await driver.ended).status, 0, driver.lines.join('\n'));
    }
    if (line.endsWith('shut down')) {
      child.kill('SIGTERM');
    }
  }
  assert.equal(await ended, 0, errors);
  assert.deepEqual(lines, [`published layout 0 at ${place}`, 'bus 0: READY', 'bus 0: RUN', 'device 1: DRIVER_OK', 'device 1: reset', 'bus 0: driver shut down', 'stopped']);
});

test('a mistake is one sentence and status 1', () => {
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
    [[...places, '--doorbell', 'horn:1'], /unknown kind of doorbell: horn/],
    [[...places, '--doorbell', 'poll:0'], /polling wants 1 to 1000000 microseconds/],
    [[...places, '--doorbell', 'fifo:one'], /a doorbell needs IN,OUT: one/],
    [[...places, '--doorbell', `ivshmem:${folder}/none`], /no ivshmem server listens on/],
    [[...places, '--profile', 'Z'], /Unknown profile 'Z'; known profiles: A/],
    [[...places, '--app', 'nothing'], /There is no app 'nothing': give a TypeScript file or one of .*entropy/],
    [[...places, '--seed', 'x'], /--seed wants a number, not 'x'/],
  ];
  cases.forEach(([args, sentence]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'serve', ...args], { encoding: 'utf8' });
    assert.equal(status, 1, args.join(' '));
    assert.match(stderr, new RegExp(`^vmsg: .*${sentence.source}.*\n$`), args.join(' '));
    assert.equal(stdout, '');
  });
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
  truncateSync(file, 0x7800_0010);
  assert.throws(() => runnerArguments({ side: 'device', memory: [parseMemory(file)], layouts: [parseLayout(`${file}:0`)], doorbell: 'poll' }), /takes 17 windows/);
});
