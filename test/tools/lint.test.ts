// The lint rules, seen failing: the hot subset, the doors, and switched-off rules without a reason.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { ESLint } from 'eslint';
import { packageRoot } from '../../tools/targets.js';

const eslint = new ESLint({ cwd: packageRoot });

/** What lint says about a text, were it in this file. */
async function lint(file: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath: path.join(packageRoot, file) });
  return (result?.messages ?? []).map(({ message }) => message);
}

/** What lint says about the body of a hot function with the parameters a and b, and the module-level table t. */
function inHot(body: string): Promise<string[]> {
  return lint('firmware/planted.hot.ts', `const t = new Uint16Array(4);\nexport function f(a: number, b: number): number {\n  t[0] = b;\n  ${body}\n  return a;\n}\n`);
}

const planted: readonly (readonly [string, RegExp])[] = [
  ['const g = (): number => a; t[1] = g();', /declared, with a name/],
  ['function g(): number { return a; } t[1] = g();', /closures/],
  ['t[1] = new Uint8Array(1)[0];', /new allocates/],
  ['const o = { c: a }; t[1] = o.c;', /object literals/],
  ['const o = [a]; t[1] = o[0];', /array literals/],
  ["t[1] = 'x' === 'y' ? 1 : 2;", /no strings/],
  ['t[1] = `${a}` === `1` ? 1 : 2;', /no strings/],
  ['t[1] = /x/ ? 1 : 2;', /regular/],
  ['const [c] = t; t[1] = c;', /destructuring/],
  ['try { t[1] = 1; } catch { t[1] = 2; }', /exceptions/],
  ['throw a;', /exceptions/],
  ['for (const c of t) { t[1] = c; }', /for-of/],
  ['for (const c in t) { t[1] = +c; }', /for-in/],
  ['t[1] = a / 3;', /fractions/],
  ['t[1] = a >>> 1;', /32 bits/],
  ['t[1] = a == b ? 1 : 2;', /===/],
  ['var c = a; t[1] = c;', /let or const/],
  ['x: for (let i = 0; i < a; i++) { break x; }', /labels/],
  ['t[1] = a & 268435455;', /28 bits/],
  ['t[1] = a & 134217728;', /28 bits/],
  ['t[1] = a * 1.5;', /fractions/],
  ['t[1] = t[2] = a;', /statement of its own/],
  ['let c = 0; t[c++] = a;', /statements of their own/],
  ['t[1] = t.length;', /\.length/],
  ['t[1] = Math.max(a, b);', /language/],
  ['t.subarray(1);', /by name/],
  ['let c; c = a; t[1] = c;', /starts with a value/],
  ['t[1] = (a, b);', /comma/],
];
for (const [body, reason] of planted) {
  test(`hot subset: '${body}' is refused`, async () => {
    assert.match((await inHot(body)).join('\n'), reason);
  });
}

test('hot subset: what it accepts', async () => {
  const text = `// A hot file.
import { barrier, windowWords } from '#port';
import { Wake } from '../hal/port.js';
const enum Limit { Infinity = 4, Least = -134217728, Largest = 134217727 }
const table = new Uint16Array(Limit.Infinity);
const start = new Uint16Array([1, 2]);
let calls = 0;
export function f(window: number, at: number, a: number, b: number, c: number): number {
  const words = windowWords[window];
  let sum = ((a / 3) | 0) + (b % 4) + start[0];
  for (let i = 0, j = 0; i < 4; i++, j += 2) {
    table[i] = words[at + j];
    sum += table[i];
  }
  calls = (calls + 1) & 15;
  table[calls & 3] = calls;
  barrier();
  switch (c) {
    case 1:
      return Wake.Doorbell;
    default:
      return sum & Limit.Largest;
  }
}
`;
  assert.deepEqual(await lint('firmware/fine.hot.ts', text), []);
});

test('hot subset: six, optional and default parameters are refused', async () => {
  assert.match((await lint('firmware/p.hot.ts', 'export function f(a: number, b: number, c: number, d: number, e: number, g: number): number {\n  return a + b + c + d + e + g;\n}\n')).join(), /too many parameters/);
  assert.match((await lint('firmware/p.hot.ts', 'export function f(a?: number): number {\n  return a === 1 ? 1 : 2;\n}\n')).join(), /optional/);
  assert.match((await lint('firmware/p.hot.ts', 'export function f(a = 1): number {\n  return a;\n}\n')).join(), /default parameters/);
});

test('hot subset: a table of functions gives its reason', async () => {
  const table = 'function g(): number {\n  return 1;\n}\nexport const table = [g];\n';
  assert.match((await lint('firmware/t.hot.ts', table)).join(), /table of functions/);
  const disabled = (reason: string): string => table.replace('export', `// eslint-disable-next-line no-restricted-syntax${reason}\nexport`);
  assert.match((await lint('firmware/t.hot.ts', disabled(''))).join(), /Say why/);
  assert.deepEqual(await lint('firmware/t.hot.ts', disabled(' -- one indirect call instead of a switch')), []);
});

test('outside hot files the device may allocate, but not loop for ever', async () => {
  assert.deepEqual(await lint('firmware/setup.ts', "export const names = ['a'].map((name) => ({ name }));\n"), []);
  assert.match((await lint('firmware/setup.ts', 'export function f(): void {\n  for (;;) {\n    f();\n  }\n}\n')).join(), /hot file/);
});

const doors: readonly (readonly [string, string, boolean])[] = [
  ['firmware/a.ts', './b.js', true],
  ['firmware/a.ts', '../hal/port.js', true],
  ['firmware/a.ts', '#port', true],
  ['firmware/a.ts', '../hal/mailboxes/mhu.hot.js', false],
  ['firmware/a.ts', '../platforms/engine/natives.js', false],
  ['firmware/a.ts', '../tools/board.js', false],
  ['firmware/a.ts', 'node:fs', false],
  ['firmware/a.ts', '#registers', false],
  ['firmware/a.hot.ts', './b.hot.js', true],
  ['firmware/a.hot.ts', './wire/ids.js', true],
  ['firmware/a.hot.ts', './capacity.js', true],
  ['firmware/a.hot.ts', '#port', true],
  ['firmware/a.hot.ts', './main.js', false],
  ['hal/port.ts', './registers.js', false],
  ['hal/mailboxes/x.hot.ts', '#registers', true],
  ['hal/mailboxes/x.hot.ts', '../registers.js', false],
  ['hal/fake/a.ts', '../port.js', true],
  ['hal/fake/a.ts', '../../firmware/main.js', false],
  ['platforms/t/port.ts', '../../hal/port.js', true],
  ['platforms/t/port.ts', '../engine/natives.js', true],
  ['platforms/t/port.ts', './board.json', true],
  ['platforms/t/port.ts', '../mhu-pair/port.js', true],
  ['platforms/t/port.ts', '../../firmware/main.js', true],
  ['platforms/t/port.ts', '../../firmware/loop.hot.js', false],
  ['platforms/t/port.ts', '../u/port.js', false],
  ['test/firmware/a.test.ts', '../../firmware/main.js', true],
  ['test/firmware/a.test.ts', 'node:test', true],
  ['test/platforms/a.test.ts', '../../tools/image/image.js', true],
  ['test/platforms/a.test.ts', '../../tools/lint/doors.mjs', false],
  ['test/platforms/a.test.ts', '../../tools/cli.js', false],
  ['test/tools/a.test.ts', '../../tools/cli.js', true],
  ['tools/a.ts', '../firmware/wire/log.js', true],
];
for (const [file, specifier, open] of doors) {
  test(`doors: ${file} ${open ? 'imports' : 'does not import'} ${specifier}`, async () => {
    const messages = (await lint(file, `import '${specifier}';\n`)).filter((message) => message.startsWith('Doors: '));
    assert.equal(messages.length === 0, open, messages.join());
  });
}

test('doors: re-exports and dynamic imports go through them too', async () => {
  assert.match((await lint('firmware/a.ts', "export { x } from '../tools/board.js';\n")).join(), /^Doors/);
  assert.match((await lint('firmware/a.ts', "export * from '../tools/board.js';\n")).join(), /^Doors/);
  assert.match((await lint('firmware/a.ts', "export const x = import('../tools/board.js');\n")).join(), /^Doors/);
});
