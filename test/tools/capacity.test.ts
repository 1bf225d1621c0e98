// vmsg build --devices and --queues: smaller tables, the same service, one sentence when they do not suffice.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { build, buildApp } from '../../tools/commands/build.js';
import type { Capacity } from '../../tools/bundle/bundle.js';
import { packageRoot } from '../../tools/targets.js';
import { workspace } from './workspace.js';

/** Builds `app` for the host and runs it with the driver of the entropy scene. */
async function run(app: string, capacity: Capacity): Promise<{ status: number | null; out: string; live: number }> {
  const outDir = workspace({});
  const { image } = await buildApp({ target: 'host', engine: 'duktape', app, outDir, capacity });
  const { status, stdout, stderr } = spawnSync(image.device, [path.join(outDir, 'device.js'), path.join(outDir, 'driver.js')], { encoding: 'utf8', timeout: 240000 });
  // The eighth number of the log line "driver shut down".
  return { status, out: stdout + stderr, live: Number(/^~4 (?:\S+ ){6}(\d+)/m.exec(stdout + stderr)?.[1]) };
}

const entropy = path.join(packageRoot, 'firmware', 'apps', 'entropy.ts');
const twoDevices = path.join(packageRoot, 'test', 'emulator', 'apps', 'two-entropy.ts');

test('an image for one device serves it as one for 64 does, in less heap', async () => {
  const [small, usual] = [await run(entropy, { devices: 1, queues: 1 }), await run(entropy, {})];
  assert.equal(small.status, 0, small.out);
  assert.match(small.out, /^# messages 32$/m);
  assert.ok(small.live > 0 && small.live < usual.live - 12000, `${small.live} and ${usual.live} bytes`);
});

test('a second device in an image for one is refused with one sentence', async () => {
  const { status, out } = await run(twoDevices, { devices: 1, queues: 2 });
  assert.equal(status, 1);
  assert.match(out, /the image holds 1 devices/);
});

test('numbers that no image can have are refused with one sentence', async () => {
  for (const [option, value, limit] of [['--devices', '0', 64], ['--devices', '65', 64], ['--queues', '129', 128], ['--queues', '1.5', 128]] as const) {
    await assert.rejects(build(['--target', 'host', option, value]), (error: Error) => error.message === `${option} takes a number from 1 to ${limit}, not '${value}'.`);
  }
});
