// The tests of the rings once more, on the firmware as it ships: bundled, flattened for each engine, minified.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { bundleForTests } from '../support/flattened/bundle-for-tests.js';
import { engineCosts, type FlattenEngine } from '../../tools/flatten/engines.js';
import { packageRoot } from '../../tools/targets.js';
import { workspace } from './workspace.js';

/** Which test files run for an engine; jerryscript has Duktape's costs, and so its bundle. */
const files: Readonly<Record<string, readonly string[]>> = { duktape: ['split', 'packed', 'model', 'hostile'], espruino: ['model', 'split-features'], node: ['packed', 'split-features'] };

/** Runs test files on a bundle; returns the runner's report and its counts. */
function runOn(bundle: string, names: readonly string[]): { report: string; passed: number; failed: number } {
  const env: NodeJS.ProcessEnv = { ...process.env, FLATTENED_BUNDLE: bundle };
  // The runner marks its children with this variable, and then they do not start runners of their own.
  delete env['NODE_TEST_CONTEXT'];
  const args = ['--conditions=fake', '--import', 'tsx', '--import', './test/support/flattened/register.mjs', '--test', '--test-reporter=tap', ...names.map((name) => `test/firmware/virtqueue/${name}.test.ts`)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: packageRoot, env, encoding: 'utf8', maxBuffer: 2 ** 27 });
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1] ?? NaN);
  return { report: `${stdout.split('\n').filter((line) => /^not ok/.test(line)).join('\n')}\n${stderr}`, passed: count('pass'), failed: count('fail') };
}

const folder = workspace({});
let forDuktape = '';

for (const [engine, names] of Object.entries(files)) {
  test(`the rings keep every rule when they are flattened for ${engine}`, async () => {
    const file = await bundleForTests(folder, engine as FlattenEngine);
    const { report, passed, failed } = runOn(file, names);
    assert.equal(failed, 0, report);
    assert.ok(passed > 15, `${passed} tests ran`);
    forDuktape = engine === 'duktape' ? readFileSync(file, 'utf8') : forDuktape;
  });
}

test('every engine has its ring tests, or the costs of one that has them', () => {
  const tested = Object.keys(files).map((engine) => engineCosts[engine as FlattenEngine]);
  Object.entries(engineCosts).forEach(([engine, costs]) => assert.ok(tested.some((other) => isDeepStrictEqual(other, costs)), engine));
});

test('a ring test fails when the flattened bundle is wrong', () => {
  // Cuts of 16-bit counters that lose a bit.
  const wrong = path.join(folder, 'wrong.js');
  const text = forDuktape.replaceAll('&65535', '&65534');
  assert.notEqual(text, forDuktape, 'there is a bundle, and it has such cuts');
  writeFileSync(wrong, text);
  assert.ok(runOn(wrong, ['split']).failed > 0);
});
