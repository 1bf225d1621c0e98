// The clock of a Cortex-M that has SysTick alone, compiled for the host, on a model of its registers.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { packageRoot } from '../../tools/targets.js';
import { testFolder } from './machine.js';

test('a sleep is counted whole, also one that is longer than the counter of 24 bits, and one whose end is seen late', () => {
  const program = path.join(testFolder(), 'systick-check');
  const compiled = spawnSync('cc', [
    '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', `-I${path.join(packageRoot, 'platforms/cortex-m')}`, path.join(packageRoot, 'test/platforms/systick-check.c'), '-o', program,
  ], { encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stderr);
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
