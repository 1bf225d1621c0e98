// `vmsg fuzz` and its watch over the process of the steps: every way of ending badly is seen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { follow } from '../../tools/commands/fuzz.js';
import { packageRoot } from '../../tools/targets.js';
import { workspace } from './workspace.js';

const options = { seed: 7, first: 4000, steps: 5000 };

/** What `follow` makes of a process that does this. */
async function followed(script: string, silence?: number): Promise<{ status: number; text: string }> {
  const file = path.join(workspace({ 'steps.mjs': script }), 'steps.mjs');
  let text = '';
  const status = await follow(file, options, (more) => (text += more), silence);
  return { status, text };
}

function vmsg(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'fuzz', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

test('steps without a finding: status 0, and a line that says where they got', () => {
  const { status, stdout, stderr } = vmsg('--steps', '1500', '--seed', '3', '--first', '1000');
  assert.equal(stderr, '');
  assert.match(stdout, /^1500 steps of seed 3, nothing found: \d+ chains served, \d+ resets, \d+ ring errors \(R-331 \d+, /);
  assert.equal(status, 0);
});

test('a finding: status 1, its step, and the command that brings it again', async () => {
  const { status, text } = await followed(
    "process.send({ step: 6000 }); process.send({ finding: { step: 6123, what: 'a guard zone has changed', options: '{}' } }); process.disconnect();",
  );
  assert.equal(status, 1);
  assert.equal(text, 'Finding at step 6123 of seed 7: a guard zone has changed\nQueue: {}\nAgain: npm run fuzz -- --seed 7 --first 5123 --steps 1001\n');
});

test('a step that does not end is a finding', async () => {
  const { status, text } = await followed('process.send({ step: 6000 }); setTimeout(() => { for (;;); }, 100);', 2);
  assert.equal(status, 1);
  assert.match(text, /^Finding: steps 6000 to 6999 do not come to an end\./);
});

test('a process that ends without a result has not passed', async () => {
  const { status, text } = await followed('process.send({ step: 5000 }); process.disconnect();');
  assert.equal(status, 1);
  assert.match(text, /without a result, between step 5000 and step 6000 of seed 7/);
});

test('progress is told', async () => {
  const { text } = await followed('process.send({ step: 254000 }); process.send({ tally: { steps: 1, chains: 2, lives: 3, broken: {} } }); process.disconnect();');
  assert.match(text, /^step 254000 of 9000\n1 steps of seed 7, nothing found: 2 chains/);
});

test('mistakes are one sentence', () => {
  [
    ['--steps', '0', "vmsg: --steps is a whole number from 1 to 1099511627776, not '0'.\n"],
    ['--seed', '-1', "vmsg: Option '--seed' argument is ambiguous.\n"],
    ['--seed', 'x', "vmsg: --seed is a whole number from 0 to 2147483647, not 'x'.\n"],
    ['--first', '1.5', "vmsg: --first is a whole number from 0 to 1099511627776, not '1.5'.\n"],
  ].forEach(([name, value, sentence]) => {
    const { status, stderr } = vmsg(name ?? '', value ?? '');
    assert.equal(stderr, sentence);
    assert.equal(status, 1);
  });
});
