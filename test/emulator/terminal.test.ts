// Characters that come in over the serial line of core 1 reach the driver on core 0: all of them, in their order.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { reasonWithoutEmulator } from '../../tools/emulator/qemu.js';
import { figures, runScene } from '../../tools/emulator/scene.js';
import { packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';

const target = 'mps2-an521-m33';
const skip = await reasonWithoutEmulator(target) ?? false;
const END = 4;
const app = path.join(packageRoot, 'firmware/apps/terminal.ts');
const program = path.join(packageRoot, 'test/emulator/programs/terminal.ts');

/** `count` bytes of all values but the one that ends the program, and that one. */
function text(count: number): Buffer {
  let state = 1;
  const bytes = Array.from({ length: count }, () => {
    state = (state * 75 + 74) % 65537;
    return (state & 255) === END ? 0 : state & 255;
  });
  return Buffer.from([...bytes, END]);
}

/** The bytes in two parts, the second when the first has long been read: only an interrupt tells the core of it. */
async function* withPause(bytes: Buffer): AsyncGenerator<Buffer> {
  const half = bytes.length / 2;
  yield bytes.subarray(0, half);
  await setTimeout(5000);
  yield bytes.subarray(half);
}

/** Adler's checksum, two sums as one number: it tells two bytes in another order from each other. */
function checksum(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

test('CON-6 CON-7 thousands of bytes typed on the core\'s UART come to the driver in their order, nothing is lost or allocated, and the core sleeps between them', { skip }, async () => {
  const typed = text(4000);
  const { status, driver, log } = await runScene({ target, app, program, limitSeconds: 240, onStep: () => undefined, input: Readable.from(withPause(typed)) });
  assert.equal(status, 0, driver.slice(-5).join('\n'));
  const seen = figures(driver);
  assert.equal(seen.get('typed-bytes'), typed.length);
  assert.equal(seen.get('typed-checksum'), checksum(typed));
  const [run, end] = [3, 4].map((code) => log.find((entry) => entry.code === code));
  assert.ok(run !== undefined && end !== undefined);
  assert.deepEqual([end.allocations - run.allocations, end.collections - run.collections], [0, 0]);
  // A line whose interrupt ended every sleep would keep the core awake while the FIFO is full and no buffer is there.
  assert.ok(end.wakes - run.wakes < 4 * typed.length, `${end.wakes - run.wakes} wakes`);
});

test('the same over the PL011 of a Cortex-R5, whose interrupt comes from a GIC', { skip: await reasonWithoutEmulator('vexpress-r5') ?? false }, async () => {
  const typed = text(600);
  const { status, driver } = await runScene({ target: 'vexpress-r5', app, program, limitSeconds: 240, onStep: () => undefined, input: Readable.from(withPause(typed)) });
  assert.equal(status, 0, driver.slice(-5).join('\n'));
  assert.deepEqual(['typed-bytes', 'typed-checksum'].map((name) => figures(driver).get(name)), [typed.length, checksum(typed)]);
});

test('vmsg sim --input - sends standard input over the serial line; a target without one is one sentence', { skip }, async () => {
  const out = execFileSync(process.execPath, ['tools/vmsg.mjs', 'sim', '--app', 'terminal', '--input', '-'], { cwd: packageRoot, input: 'good morning\n\x04', encoding: 'utf8' });
  assert.match(out, /^-- typed: good morning$/m);
  assert.match(out, /^ {2}engine allocations while serving +0$/m);
  await assert.rejects(
    runScene({ target: 'host', app, program, limitSeconds: 60, onStep: () => undefined, input: Readable.from([]) }),
    (error: unknown) => error instanceof UserError && error.message === "Target 'host' has no serial line that QEMU could put something into.",
  );
});
