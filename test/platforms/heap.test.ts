// The engine's allocator against a model, compiled for the host with the sanitizers on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { packageRoot } from '../../tools/targets.js';
import { testFolder } from './machine.js';

test('blocks keep their content, never overlap, are counted, and leave one whole free area behind', () => {
  const program = path.join(testFolder(), 'heap-check');
  const compiled = spawnSync('cc', [
    '-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-fno-sanitize-recover',
    `-I${path.join(packageRoot, 'platforms/engine')}`, path.join(packageRoot, 'test/platforms/heap-check.c'),
    path.join(packageRoot, 'platforms/engine/heap.c'), '-o', program,
  ], { encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stderr);
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: 240_000 });
  assert.equal(status, 0, stdout + stderr);
});
