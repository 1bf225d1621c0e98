// `vmsg stock-linux-test` without a guest: how rows are judged and counted, and the functions that run inside the guest.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { boots, judgeSeeded, seededBytes, slotOf, type Row } from '../../tools/stock-linux/rows.js';
import { storyOf } from '../../tools/stock-linux/device-process.js';
import { phases, rateOf, ratesScript } from '../../tools/stock-linux/rates.js';
import { judgeLine, scriptOf, stockLinuxTest } from '../../tools/commands/stock-linux-test.js';
import { packageRoot } from '../../tools/targets.js';
import { stockLinuxOutcome } from '../../tools/commands/test.js';
import { UserError } from '../../tools/user-error.js';
import { workspace } from './workspace.js';

const checks = path.join(packageRoot, 'tools', 'stock-linux', 'checks.sh');
const row = (command: string, judge?: Row['judge']): Row => ({ device: 'd', what: 'w', command, ...(judge === undefined ? {} : { judge }) });

test('a row is what the guest says of it, unless the host judges otherwise', () => {
  const rows = [row('a'), row('b', (detail) => `${detail}!`), row('c', () => { throw new Error('wrong bytes'); })];
  assert.deepEqual(judgeLine('@row 0 passed all good', rows), { index: 0, verdict: 'passed', detail: 'all good' });
  assert.deepEqual(judgeLine('@row 0 failed ', rows), { index: 0, verdict: 'failed', detail: '' });
  assert.deepEqual(judgeLine('@row 0 not run because', rows), { index: 0, verdict: 'not run', detail: 'because' });
  assert.deepEqual(judgeLine('@row 1 not run x', rows), { index: 1, verdict: 'not run', detail: 'x' });
  assert.deepEqual(judgeLine('@row 1 passed x', rows), { index: 1, verdict: 'passed', detail: 'x!' });
  assert.deepEqual(judgeLine('@row 2 passed x', rows), { index: 2, verdict: 'failed', detail: 'wrong bytes' });
  assert.deepEqual(judgeLine('@row 2 failed x', rows), { index: 2, verdict: 'failed', detail: 'x' });
  assert.equal(judgeLine('@row 3 passed x', rows), undefined);
  assert.equal(judgeLine('@row 0 perhaps x', rows), undefined);
  assert.equal(judgeLine('mount: no such file', rows), undefined);
});

test('bytes of the generator are found in its order only, with what the kernel took between them', () => {
  const stream = Buffer.from([...seededBytes(7, 512)]);
  const judge = judgeSeeded(() => stream);
  const part = (from: number, to: number): string => stream.subarray(from, to).toString('hex');
  assert.equal(judge(part(0, 64)), '64 bytes of the seeded stream, up to its byte 64');
  assert.equal(judge(part(32, 64) + part(128, 192)), '96 bytes of the seeded stream, up to its byte 192');
  assert.throws(() => judge(part(128, 192) + part(0, 64)), /bytes 64 to 79 are not of the generator's stream behind byte 192/);
  assert.throws(() => judge('00'.repeat(64)), /bytes 0 to 15 are not/);
  assert.throws(() => judge(part(0, 64).slice(0, 126)), /whole blocks/);
  assert.throws(() => judge(''), /whole blocks/);
  assert.throws(() => judge('dd: /dev/hwrng: No such device'), /whole blocks/);
  // xorshift32 of 1: 270369, 67634689, 2647435461, 307599695.
  assert.deepEqual([...seededBytes(1, 4)], [270369, 67634689, 2647435461, 307599695].map((state) => Math.floor(state / 2 ** 24)));
});

test('every row has a function of checks.sh or a reason why it cannot run, and the slots are those of the variants', () => {
  const functions = [...readFileSync(checks, 'utf8').matchAll(/^(\w+)\(\) \{$/gm)].map((match) => match[1]);
  for (const boot of boots) {
    assert.equal(new Set(boot.variants.map(({ name }) => name)).size, boot.variants.length);
    boot.variants.forEach(({ rows }, index) => {
      assert.match(rows[0]?.command ?? '', new RegExp(`^bound ${slotOf(index)} `));
    });
    for (const { command, notRun } of [...boot.variants.flatMap(({ rows }) => rows), ...boot.missing]) {
      assert.equal(command === undefined, notRun !== undefined);
      assert.ok(command === undefined || functions.includes(command.split(' ')[0]), command);
    }
  }
  assert.deepEqual([0, 7, 13].map(slotOf), ['03', '0a', '10']);
});

test('the script is one a shell reads, and a check\'s status and last line are its row', () => {
  const folder = workspace({});
  const script = path.join(folder, 'script');
  writeFileSync(script, scriptOf([row('true'), row('eval "echo a; echo b"'), row('eval "echo why; false"'), { device: 'd', what: 'w', notRun: 'never' }, row('no_such_function'), row('eval "echo not here; exit 77"')]));
  execFileSync('sh', ['-n', script]);
  const { stdout } = spawnSync('sh', [script], { encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, 3), ['@row 0 passed ', '@row 1 passed b', '@row 2 failed why']);
  assert.match(lines[3] ?? '', /^@row 4 failed .*no_such_function/);
  assert.equal(lines[4], '@row 5 not run not here');
});

test('features are judged bit by bit', () => {
  const folder = workspace({});
  const script = path.join(folder, 'script');
  const bits = [...new Array(64).keys()].map((bit) => ([1, 28, 32].includes(bit) ? '1' : '0')).join('');
  writeFileSync(path.join(folder, 'features'), `${bits}\n`);
  const checked = (wanted: string): string => {
    writeFileSync(script, `${scriptOf([])}place() { echo ${folder}; }\nrow 0 features 03 ${wanted}\n`);
    return spawnSync('sh', [script], { encoding: 'utf8' }).stdout.trim();
  };
  assert.equal(checked('+32 +28 -29 -34'), '@row 0 passed 1 28 32');
  assert.equal(checked('+32 +29'), '@row 0 failed 1 28 32');
  assert.equal(checked('+32 -28'), '@row 0 failed 1 28 32');
});

test('the sum of the command is that of its step, and what could not be prepared is no pass', () => {
  assert.deepEqual(stockLinuxOutcome(0, 'x\n\n9 passed, 0 failed, 2 not run\n'), { passed: 9, failed: 0, skipped: 2, output: 'x\n\n9 passed, 0 failed, 2 not run\n' });
  assert.equal(stockLinuxOutcome(1, '9 passed, 3 failed, 2 not run\n').failed, 3);
  assert.equal(stockLinuxOutcome(1, '9 passed, 0 failed, 2 not run\n').failed, 1);
  assert.equal(stockLinuxOutcome(1, 'TypeError\n').failed, 1);
  assert.equal(stockLinuxOutcome(0, '').failed, 1);
  assert.deepEqual(stockLinuxOutcome(1, 'not run: apt-get download x failed.\n'), { passed: 0, failed: 0, skipped: 1, notRun: 'apt-get download x failed.' });
});

test('a guest that is not there is one sentence', async () => {
  await assert.rejects(stockLinuxTest(['gpu']), (error) => error instanceof UserError && /^There is no guest 'gpu'; guests: rng, /.test(error.message));
});

test('a hang\'s report tells a device\'s last messages and events, and where each ring stood last', () => {
  const line = (code: number, value: number): Parameters<typeof storyOf>[0][number] => ({ code, value, allocations: 0, collections: 0 });
  // Ring 1 is stopped twice; of the first time nothing is left.
  const lines = [
    line(64, 0), line(75, 1), line(75, 2), line(75, 12), line(8, 3), line(6, 0), line(71, 65536 + 4), line(72, 65536 + 4), line(73, 65536 + 4), line(74, 65536 + 4), line(75, 11),
    line(71, 7), line(72, 9), line(73, 12), line(74, 7), line(75, 11), line(71, 65536 + 5), line(72, 65536 + 6), line(73, 65536 + 6), line(74, 65536 + 5), line(75, 99), line(67, 20), line(68, 18),
  ];
  assert.deepEqual(storyOf(lines), [
    'connected, GET_FEATURES, SET_FEATURES, SET_VRING_KICK, DRIVER_OK, ring error, GET_VRING_BASE, GET_VRING_BASE, request 99',
    'ring 1: given back up to 5, taken up to 6; in memory available 6, used 5',
    'ring 0: given back up to 7, taken up to 9; in memory available 12, used 7',
    '20 kicks, 18 calls',
  ]);
  assert.deepEqual(storyOf([]), ['', 'no kicks, no calls']);
  assert.equal(storyOf(new Array(40).fill(line(75, 13)))[0]?.split(', ').length, 12);
});

test('rates: each kind and depth is measured on a device of its own, QEMU\'s own behind it, in one guest', () => {
  assert.deepEqual(phases.map(({ device, depth, served }) => [device, depth, served !== undefined]), [
    ['rng', 1, true], ['rng', 1, false], ['rng', 32, true], ['rng', 32, false], ['blk', 1, true], ['blk', 1, false], ['blk', 32, true], ['blk', 32, false],
  ]);
  const script = path.join(workspace({}), 'script');
  writeFileSync(script, ratesScript());
  execFileSync('sh', ['-n', script]);
  assert.match(ratesScript(), /virtio_rng\.3 >[^\n]*\necho "@rate 3 \$\(guest-tool rate \/dev\/hwrng 32 3 64 \| tail -n 1\)"\ndisk=\$\(basename \/sys\/bus\/pci\/devices\/0000:00:07\.0\//);
  assert.deepEqual(rateOf('@rate 5 1200 3000100'), { index: 5, requests: 1200, microseconds: 3000100 });
  assert.equal(rateOf('@rate 5 /dev/hwrng: No such device'), undefined);
});

test('without the kernel\'s package the rates are not run, with the reason, and the benchmark has not failed', () => {
  const folder = workspace({ 'apt-cache': '#!/bin/sh\necho "E: No packages found" >&2\nexit 100\n', 'apt-get': '#!/bin/sh\nexit 100\n' });
  ['apt-cache', 'apt-get'].forEach((name) => chmodSync(path.join(folder, name), 0o755));
  const { status, stdout } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'bench', '--stock-linux', '--json', 'figures'], {
    cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
  });
  const reason = 'apt-cache depends linux-image-amd64:amd64 failed: E: No packages found.';
  assert.equal(status, 0);
  assert.ok(stdout.includes(`drivers of an unmodified Linux, wall clock, one guest: not run: ${reason}\n`), stdout);
  assert.deepEqual((JSON.parse(readFileSync(path.join(folder, 'figures'), 'utf8')) as { drivers: unknown }).drivers, { notRun: reason });
});
