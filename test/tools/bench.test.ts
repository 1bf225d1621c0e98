// vmsg bench: what its figures are made of, the marks, and the recorded counts that no change may leave unnoticed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { benchRings, type BenchPhase } from '../../tools/commands/bench.js';
import { breakdowns, nodeMarks, targetMarks } from '../../tools/bench/marks.js';
import { benchNode } from '../../tools/bench/node.js';
import { unchecked } from '../../tools/bench/unchecked.js';
import { packageRoot } from '../../tools/targets.js';

const recordedFile = path.join(packageRoot, 'test', 'emulator', 'recorded-counts.json');

function phase(name: string, instructionsEach: number, more: Partial<BenchPhase> = {}): BenchPhase {
  return { phase: name, count: 32, instructionsEach, wakes: 1, allocations: 0, collections: 0, ...more };
}

test('a build without validation loses its refusals, keeps what their tests call, and moves nothing', () => {
  const code = `function walk(head, size) {
    if (head >= size) {
        return false;
    }
    if (!add(head)) {
        return false;
    }
    if (head === 0) {
        return true;
    }
    return true;
}`;
  const result = unchecked(code, '/somewhere/firmware/virtqueue/chain.hot.ts');
  assert.equal(result.length, code.length);
  assert.deepEqual(
    result.split('\n').map((line) => line.trim()).filter((line) => line !== ''),
    ['function walk(head, size) {', '!add(head);', 'if (head === 0) {', 'return true;', '}', 'return true;', '}'],
  );
  assert.equal(unchecked(code, 'firmware/virtqueue/cursor.hot.ts'), code, 'other files are left alone');
  assert.throws(() => unchecked('function walk() { return true; }', 'firmware/virtqueue/chain.hot.ts'), /found nothing to take out/);
});

test('a request consists of a share of the doorbell, a share of the message, the walk and the validation', () => {
  const checked = [phase('split-r64-32', 9800), phase('split-r64-1', 22000), phase('split-idle-pass', 9500), phase('long-32', 9700)];
  assert.deepEqual(breakdowns(checked, [phase('split-r64-32', 8100), phase('split-r64-1', 20000)], 3200, 18560), [
    { figure: 'split-r64-32', engine: 100, transport: 480, walk: 8100, validation: 1700 },
    { figure: 'split-r64-1', engine: 3200, transport: 15360, walk: 20000, validation: 2000 },
  ]);
});

test('marks are met at their limit and missed one beyond it', () => {
  const rings = (r64: number, indirect: number, count = 100032): BenchPhase[] => [
    phase('split-r64-32', r64), phase('split-r64-1', 27000), phase('split-blk-32', 29000),
    phase('indirect-r64-32', indirect), phase('indirect-blk-32', 29000), phase('packed-r64-32', r64), phase('packed-blk-32', 29000), phase('long-32', 9700, { count }),
  ];
  const missed = (of: BenchPhase[], phases: BenchPhase[] = []): string[] =>
    targetMarks({ target: 't', phases, rings: of }).flatMap(({ mark, met }) => (met ? [] : [mark]));
  assert.deepEqual(missed(rings(17000, 19550)), []);
  assert.deepEqual(missed(rings(17001, 19552)), ['t: instructions, split-r64-32']);
  assert.deepEqual(missed(rings(10000, 11510)), ['t: indirect to split, r64']);
  assert.deepEqual(missed(rings(17000, 17000, 99999)), ['t: requests of the long phase']);
  assert.deepEqual(missed(rings(17000, 17000), [phase('status', 1, { allocations: 1, collections: 2 })]), ['t: allocations in all phases', 't: collector runs in all phases']);
  // A figure that was not measured is not met.
  assert.ok(missed([]).length >= 8);
});

test('what a device may take is a mark on the Cortex-M33 only', () => {
  const missed = (target: string, write: number): string[] =>
    targetMarks({ target, phases: [phase('status', 40000), phase('entropy-1', 60000), phase('block-write-32', write)], rings: [] }).flatMap(({ mark, met, figure }) => (met || !(figure > 0) ? [] : [mark]));
  assert.deepEqual(missed('mps2-an521-m33', 60000), []);
  assert.deepEqual(missed('mps2-an521-m33', 60001), ['mps2-an521-m33: instructions, block-write-32']);
  assert.deepEqual(missed('mps2-an386-m4', 60001), []);
});

test('the mark in Node is 60 million, or in proportion to what the other class reaches on the same machine', () => {
  const met = (millions: number, otherMillions: number | undefined): boolean | undefined => nodeMarks([{ shape: 'r64', millions, otherMillions }])[0]?.met;
  assert.deepEqual([met(60, undefined), met(59.9, undefined), met(30, 16), met(29.9, 16)], [true, false, true, false]);
});

test('the rings run in Node, each shape in a process of its own; a class that is not there is one sentence', async () => {
  const figures = await benchNode(undefined, 5);
  assert.deepEqual(figures.map(({ shape }) => shape), ['r64', 'blk']);
  assert.ok(figures.every(({ millions, otherMillions }) => millions > 0.01 && otherMillions === undefined), JSON.stringify(figures));
  await assert.rejects(benchNode('/nowhere/virtio.js'), /does not exist: --compare takes v86's src\/virtio\.js/);
});

test('instructions per request on the Cortex-M33 are within 3 % of the recorded ones', async () => {
  const { rings, kick, doorbell } = await benchRings('mps2-an521-m33', 'duktape', 'ring-counts.ts');
  const found = Object.fromEntries([{ ...kick, phase: 'kick' }, { ...doorbell, phase: 'doorbell' }, ...rings].map(({ phase: name, instructionsEach }) => [name, instructionsEach]));
  const recorded = JSON.parse(readFileSync(recordedFile, 'utf8')) as Record<string, number>;
  assert.deepEqual(Object.keys(found), Object.keys(recorded));
  const changed = Object.keys(recorded).filter((name) => Math.abs((found[name] ?? NaN) / (recorded[name] ?? NaN) - 1) > 0.03);
  assert.deepEqual(changed, [], `a change for the better or with a reason is recorded in ${path.relative(packageRoot, recordedFile)}: ${JSON.stringify(found)}`);
  assert.ok(rings.every(({ allocations, collections }) => allocations === 0 && collections === 0), 'nothing is allocated while serving');
});
