// The suite against a device in another process, through exactly the interface that somebody else's device has: a file that
// both map, a doorbell command or polling, and a description.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { description } from './apps/facts.js';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-conformance-'));
const vmsg = path.join(root, 'tools', 'vmsg.mjs');
/** Ends what hangs, far above what anything here takes. */
const HANG = 600000;
const LAYOUT = '4096';
const BASE = '0x80000000';

interface Served {
  readonly memory: string;
  readonly process: ChildProcess;
}

/** Starts `vmsg serve` with the suite's bus, or the broken one, and waits for its layout. */
function serve(name: string, profile: string, doorbell: string, app = 'served'): Promise<Served> {
  const memory = path.join(folder, name);
  writeFileSync(memory, '');
  truncateSync(memory, 16777216);
  const args = [vmsg, 'serve', '--layout', `${memory}:${LAYOUT}`, '--memory', `${memory}:${BASE}`, '--app', path.join(root, 'test', 'conformance', 'apps', `${app}.ts`), '--profile', profile, '--doorbell', doorbell];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (data: Buffer): void => {
      said += data.toString();
      if (/published layout 0/.test(said)) {
        resolve({ memory, process: child });
      }
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', reject);
    child.on('close', (status) => reject(new Error(`vmsg serve ended with ${status}: ${said}`)));
  });
}

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

function conformance(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [vmsg, 'conformance', ...args], { cwd: root, timeout: HANG, maxBuffer: 1 << 24 }, (error, out, stderr) => {
      resolve({ status: error === null ? 0 : ((error.code as unknown as number) ?? -1), out, error: stderr });
    });
  });
}

function against(served: Served, profile: string, ...args: string[]): Promise<Outcome> {
  return conformance('--memory', served.memory, '--layout', LAYOUT, '--address', BASE, '--profile', profile, ...args);
}

/** Writes what the runner is told about the suite's bus. */
function described(profile: 'A' | 'C'): string {
  const file = path.join(folder, `${profile}.json`);
  writeFileSync(file, JSON.stringify(description({ profile, strict: profile === 'A' })));
  return file;
}

const pipe = path.join(folder, 'bell');
const ring = `printf x > ${pipe}`;
let withBell: Served;
let polling: Served;
let slow: Served;

before(async () => {
  withBell = await serve('a', 'A', `fifo:${pipe},${path.join(folder, 'back')}`);
  polling = await serve('c', 'C', 'poll:500');
  slow = await serve('slow', 'C', 'poll:60000');
});

after(() => {
  withBell.process.kill();
  polling.process.kill();
  slow.process.kill();
  rmSync(folder, { recursive: true, force: true });
});

test('all cases of profile A pass against a described device in another process, with a doorbell command', async () => {
  const { status, out, error } = await against(withBell, 'A', '--doorbell', ring, '--describe', described('A'));
  assert.equal(status, 0, out + error);
  assert.match(out, /profile A: \d{3} passed, 0 failed\n$/);
});

test('all cases of profile C but those of strict generations pass against one that polls', async () => {
  const { status, out, error } = await against(polling, 'C', '--describe', described('C'));
  assert.equal(status, 0, out + error);
  const notRun = out.split('\n').filter((line) => line.includes('not run:'));
  assert.ok(notRun.length > 0 && notRun.every((line) => line.endsWith('the device has no strict')), out);
});

test('a device that looks less often than the suite is patient is not blamed for what the driver before was told', async () => {
  const { status, out, error } = await against(slow, 'C', '--describe', described('C'), '--only', 'comes back with a used buffer');
  assert.equal(status, 0, out + error);
  assert.match(out, /profile C: 1 passed, 0 failed\n/);
});

test('about a device that nobody describes everything is asked on the wire; what cannot be known is not run, with the reason', async () => {
  const { status, out, error } = await against(polling, 'C');
  assert.equal(status, 0, out + error);
  assert.match(out, /profile C: \d\d+ passed, 0 failed, \d\d+ not run\n/);
  assert.match(out, /not run: case \d+, .*: the device has no serves\n/);
});

test('a device that differs from its description fails, with the case, the step and the difference', async () => {
  const file = path.join(folder, 'wrong.json');
  writeFileSync(file, JSON.stringify({ ...description({ profile: 'C', strict: false }), vendorId: 0x12345679 }));
  const { status, out } = await against(polling, 'C', '--describe', file, '--only', 'R-009');
  assert.equal(status, 1);
  assert.match(out, /failed: case \d+, .*\(R-009 R-100\): step 1 \(ask GET_DEVICE_INFO\): vendor_id of GET_DEVICE_INFO is 305419896, not 305419897\n/);
});

test('a broken device fails, with every fault planted in it, and cases that have nothing to do with them pass', async () => {
  const broken = await serve('broken', 'A', 'poll:500', 'broken');
  try {
    const { status, out } = await against(broken, 'A', '--describe', described('A'));
    assert.equal(status, 1);
    const failed = [...out.matchAll(/^ {2}failed: case \d+, .*\(((?:[RS]-\d{2,3} ?)+)\): step/gm)].map(([, numbers]) => (numbers ?? '').split(' '));
    const planted = ['R-194', 'R-205', 'R-208', 'R-291', 'R-318'];
    planted.forEach((requirement) => assert.ok(failed.flat().includes(requirement), `${requirement} is not reported:\n${out}`));
    // Commands of the suite are writes of the driver, too: cases that use them meet on their way.
    const met = ['R-146', 'R-170', 'R-186', 'S-13'];
    assert.ok(failed.every((numbers) => numbers.some((requirement) => planted.concat(met).includes(requirement))), out);
    assert.match(out, /profile A: 1[56]\d passed, 8 failed\n/);
  } finally {
    broken.process.kill();
  }
});

test('a device of another profile is no device', async () => {
  const { status, out, error } = await against(polling, 'A', '--only', 'R-080');
  assert.equal(status, 1);
  assert.match(out + error, /GET_DEVICES|GET_DEVICE_INFO/);
});

test('mistakes end in one sentence', async () => {
  const empty = path.join(folder, 'empty');
  writeFileSync(empty, '');
  const bad = path.join(folder, 'bad.json');
  writeFileSync(bad, '{"vendor": 1}');
  const sentence = async (pattern: RegExp, ...args: string[]): Promise<void> => {
    const { status, error } = await conformance(...args);
    assert.equal(status, 1);
    assert.match(error, pattern);
    assert.equal(error.trim().split('\n').length, 1);
  };
  await sentence(/wants one --profile/, '--memory', empty);
  await sentence(/has 0 bytes: too few for a layout at 0/, '--memory', empty, '--profile', 'A');
  await sentence(/cannot be opened: ENOENT/, '--memory', path.join(folder, 'none'), '--profile', 'A');
  await sentence(/no fact is called vendor/, '--memory', polling.memory, '--profile', 'C', '--describe', bad);
  await sentence(/--layout wants a number/, '--memory', polling.memory, '--profile', 'C', '--layout', 'x');
  await sentence(/The doorbell command ended with status 3: out of order/, '--memory', withBell.memory, '--profile', 'A', '--layout', LAYOUT, '--doorbell', 'echo out of order >&2; exit 3');
});
