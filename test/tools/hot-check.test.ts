// The run-time checker of 28 bits, seen failing, and proved to be on while the unit tests run.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../tools/targets.js';
import { fixtures, workspace } from './workspace.js';

/** Runs `f` of a hot file, with the checker, in a process of its own; returns what it printed or the error's first line. */
function run(hot: string, call: string, more: Readonly<Record<string, string>> = {}): string {
  const folder = workspace({ 'f.hot.ts': hot, 'call.ts': `import { f } from './f.hot.js';\ntry {\n  console.log(${call});\n} catch (error) {\n  console.log(String(error));\n}\n`, ...more });
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=fake', '--import', 'tsx', '--import', './test/support/hot-check/register.mjs', path.join(folder, 'call.ts')],
    { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return (stdout + stderr).replaceAll(`${path.relative(packageRoot, folder)}${path.sep}`, '').trim();
}

test('the checker is on in this run', async () => {
  const { hotChecks: before } = globalThis as { hotChecks?: number };
  assert.equal(typeof before, 'number', 'run with --import ./test/support/hot-check/register.mjs');
  const { scale } = (await import(pathToFileURL(path.join(fixtures, 'firmware', 'scale.hot.ts')).href)) as { scale: (value: number, factor: number) => number };
  assert.equal(scale(1000, 1000), 1000000);
  const { hotChecks: after } = globalThis as { hotChecks?: number };
  assert.equal((after ?? 0) - (before ?? 0), 1);
  assert.throws(() => scale(65535, 4000), /scale\.hot\.ts:5:10 262140000 needs more than 28 bits/);
});

test('a product of 29 bits is refused with file, line and column', () => {
  assert.equal(run('export function f(a: number, b: number): number {\n  return a * b;\n}\n', 'f(16384, 8192)'), 'HotRangeError: f.hot.ts:2:10 134217728 needs more than 28 bits');
  assert.equal(run('export function f(a: number, b: number): number {\n  return a * b;\n}\n', 'f(-16384, 8192)'), '-134217728');
});

const tables = 'const t = new Uint16Array(4); const wide = new Uint32Array([4294967295]);';
const refused: readonly (readonly [string, string, string])[] = [
  ['a read beyond the end', 'return t[a];', 'HotRangeError: f.hot.ts:4:10 index 4 is outside 0..3'],
  ['a read before the start', 'return t[a - 5];', 'HotRangeError: f.hot.ts:4:10 index -1 is outside 0..3'],
  ['a write beyond the end', 't[a] = 1; return 0;', 'HotRangeError: f.hot.ts:4:3 index 4 is outside 0..3'],
  ['an update beyond the end', 't[a]++; return 0;', 'HotRangeError: f.hot.ts:4:3 index 4 is outside 0..3'],
  ['a wide element', 'return wide[a - 4];', 'HotRangeError: f.hot.ts:4:10 4294967295 needs more than 28 bits'],
  ['a fraction', 'return (a / 3) | 0;', 'HotRangeError: f.hot.ts:4:11 1.3333333333333333 is not an integer'],
  ['minus zero', 'return (a - 4) * -1;', 'HotRangeError: f.hot.ts:4:10 -0 is not a small integer'],
  ['a shift out of 28 bits', 'return a << 25;', 'HotRangeError: f.hot.ts:4:10 134217728 needs more than 28 bits'],
  ['an unsigned shift', 'return -a >>> 0;', 'HotRangeError: f.hot.ts:4:10 4294967292 needs more than 28 bits'],
  ['a compound assignment', 'let x = a; x *= 67108864; return x;', 'HotRangeError: f.hot.ts:4:14 268435456 needs more than 28 bits'],
  ['an increment', 'let x = 134217727; x++; return x;', 'HotRangeError: f.hot.ts:4:22 134217728 needs more than 28 bits'],
  ['a decrement', 'let x = -134217728; --x; return x;', 'HotRangeError: f.hot.ts:4:23 -134217729 needs more than 28 bits'],
  ['a written value', 't[0] = a * 67108864; return 0;', 'HotRangeError: f.hot.ts:4:10 268435456 needs more than 28 bits'],
  ['a result of a call', 'return outside();', 'HotRangeError: f.hot.ts:4:10 4294967296 needs more than 28 bits'],
];
for (const [what, body, expected] of refused) {
  test(`${what} is refused`, () => {
    const hot = `import { outside } from './outside.js';\n${tables}\nexport function f(a: number): number {\n  ${body}\n}\n`;
    assert.equal(run(hot, 'f(4)', { 'outside.ts': 'export function outside(): number { return 4294967296; }\n' }), expected);
  });
}

test('checks do not change what a program computes', () => {
  const hot = `import { Shared } from './shared.js';
const enum Own { Three = 3 }
const t = new Uint16Array(4);
const handlers = [one, two];
let calls = 0;
function one(a: number): number { return a + 1; }
function two(a: number): number { return a + 2; }
function next(): number { calls++; return calls; }
export function f(a: number): number {
  t[next() & Own.Three] += a;
  t[1] = t[1] << 1;
  let i = 5;
  const j = i++ + --i;
  t[2]--;
  return handlers[1](t[1]) * 1000000 + (t[2] & 15) * 10000 + calls * 100 + j + Shared.Two - (a > 0 && i === 5 ? 1 : 0);
}
`;
  assert.equal(run(hot, 'f(7)', { 'shared.ts': 'export const enum Shared { Two = 2 }\n' }), String(16 * 1000000 + 15 * 10000 + 100 + 10 + 2 - 1));
});
