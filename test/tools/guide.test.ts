// docs/own-device.md: its code is the code of test/guide, and the app it ends with builds for a target.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildApp } from '../../tools/commands/build.js';
import { packageRoot } from '../../tools/targets.js';

const folder = path.join(packageRoot, 'test', 'guide');

test('the code in the guide is the code that the tests run', () => {
  const guide = readFileSync(path.join(packageRoot, 'docs', 'own-device.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
  const files = ['thermometer.hot.ts', 'thermometer.ts', 'app.ts', 'thermometer.test.ts'];
  assert.deepEqual(blocks, files.map((file) => readFileSync(path.join(folder, file), 'utf8')));
});

test('the app of the guide builds, and its hot code allocates nothing', async () => {
  const outDir = path.join(packageRoot, 'build', 'mps2-an521-m33', 'guide');
  const built = await buildApp({ target: 'mps2-an521-m33', engine: 'duktape', app: path.join(folder, 'app.ts'), outDir });
  assert.ok(built.image.sizes.device.flash > 0);
});
