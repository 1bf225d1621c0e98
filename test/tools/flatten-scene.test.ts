// The entropy scene on the host, once as rollup bundled it and once flattened: the same messages, byte for byte.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../tools/bundle/bundle.js';
import { buildImage } from '../../tools/image/image.js';
import { packageRoot } from '../../tools/targets.js';
import { workspace } from './workspace.js';

/** What the driver of the scene prints, clocks taken off. */
async function trace(folder: string, flat: boolean): Promise<string[]> {
  const device = path.join(folder, `device-${flat}.js`);
  const driver = path.join(folder, 'driver.js');
  await bundle({ target: 'host', entry: path.join(packageRoot, 'firmware', 'apps', 'entropy.ts'), role: 'device', outFile: device, flatten: flat });
  await bundle({ target: 'host', entry: path.join(packageRoot, 'test', 'emulator', 'programs', 'entropy.ts'), role: 'driver', outFile: driver });
  const image = await buildImage({ target: 'host', engine: 'duktape', bundles: { device, driver }, outDir: folder });
  const { status, stdout } = spawnSync(image.device, ['--seed', '1', device, driver], { encoding: 'utf8', timeout: 120000 });
  assert.equal(status, 0, stdout);
  return stdout.split('\n').map((line) => line.replace(/^([<>]) \d+ /, '$1 '));
}

test('a flattened device exchanges the same messages as a plain one', async () => {
  const folder = workspace({});
  const plain = await trace(folder, false);
  assert.ok(plain.filter((line) => line.startsWith('< ')).length > 10, plain.join('\n'));
  assert.deepEqual(await trace(folder, true), plain);
});
