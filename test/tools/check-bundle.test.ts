// The check of bundles, seen failing for everything it is there to find.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { minify } from 'terser';
import { checkCode, checkFile, isHotSource } from '../../tools/bundle/check-bundle.js';
import { packageRoot } from '../../tools/targets.js';
import { bundle } from '../../tools/bundle/bundle.js';
import { bundleHot, fixtures, workspace } from './workspace.js';

/** The reasons found in the bundle of a hot file. */
async function reasons(hot: string, more?: Readonly<Record<string, string>>): Promise<string[]> {
  const { file } = await bundleHot(hot, more);
  return checkFile(file).findings.map(({ reason }) => reason);
}

/** A bundle in miniature: `code` inside a function inside the wrapper; without a map everything is hot. */
function inFunction(code: string): string[] {
  return checkCode(`(function(){function f(a){${code}}f(1)})()`).findings.map(({ reason }) => reason);
}

test('the fixture bundle passes, its set-up code allocates, and its hot functions are recognised', async () => {
  const outFile = path.join(workspace({}), 'device.js');
  await bundle({ target: 'mps2-an521-m33', role: 'device', entry: path.join(fixtures, 'app.ts'), firmware: path.join(fixtures, 'firmware', 'main.ts'), outFile });
  const result = checkFile(outFile);
  assert.deepEqual(result.findings, []);
  assert.ok(result.hotFunctions >= 2, `${result.hotFunctions} hot functions`);
  assert.ok(result.functions > result.hotFunctions, 'set-up functions are not hot');
});

test('a planted closure in a hot function is found, with its source file and line', async () => {
  const { file } = await bundleHot("import { log } from '#port';\nexport function work(a: number, b: number): number {\n  const twice = (): number => { log(b, a); return a * 2; };\n  log(1, twice());\n  return twice() + twice() + b;\n}\n");
  const closure = checkFile(file).findings.find(({ reason }) => reason.includes('closure'));
  assert.match(closure?.source ?? '', /work\.hot\.ts:3$/);
  assert.equal(closure?.line, 1);
});

test('a function that terser moves into a hot caller is found', async () => {
  const hot = "import { helper } from './helper.hot.js';\nexport function work(a: number, b: number): number {\n  return helper(a, b) + 1;\n}\n";
  const helper = 'export function helper(a: number, b: number): number {\n  let best = 0;\n  for (let i = 0; i < a; i++) {\n    if (i > b) {\n      return best;\n    }\n    best = best + i;\n  }\n  return best;\n}\n';
  const plain = await bundleHot(hot, { 'helper.hot.ts': helper }, false);
  const code = readFileSync(plain.file, 'utf8');
  const options = { ecma: 5 as const, toplevel: true, sourceMap: { content: readFileSync(plain.mapFile, 'utf8') } };
  const check = async (reduceFunctions: boolean): Promise<string[]> => {
    const small = await minify(code, { ...options, compress: { passes: 2, reduce_funcs: reduceFunctions } });
    return checkCode(small.code ?? '', { map: small.map as string }).findings.map(({ reason }) => reason);
  };
  assert.deepEqual(await check(false), []);
  assert.match((await check(true)).join(), /closure/);
});

test('set-up code in a hot function is found, called and melted into it', async () => {
  const called = await reasons("import { table } from './table.js';\nexport function work(a: number, b: number): number {\n  const made = table(a, b);\n  return made[a & 1];\n}\n", {
    'table.ts': 'export function table(a: number, b: number): number[] {\n  return [a, b];\n}\n',
  });
  assert.deepEqual(called, ['hot code calls a function of set-up code, which may allocate']);
  const melted = await reasons("import { Pair } from './pair.js';\nexport function work(a: number, b: number): number {\n  const made = Pair(a);\n  return made[b & 1] + made[a & 1];\n}\n", {
    'pair.ts': 'export const Pair = (a: number): Uint8Array => new Uint8Array(a);\n',
  });
  assert.match(melted.join(), /new allocates|set-up code/);
});

test('a number of 29 bits in hot code is found; the ends of 28 bits are not', async () => {
  assert.deepEqual(await reasons('export function work(a: number, b: number): number {\n  return a === 134217727 ? -134217728 : b;\n}\n'), []);
  assert.deepEqual(await reasons('export function work(a: number, b: number): number {\n  return a === 134217728 ? b : a;\n}\n'), ['the number 134217728 needs more than 28 bits']);
  assert.deepEqual(await reasons('export function work(a: number, b: number): number {\n  return a === -134217729 ? b : a;\n}\n'), ['the number -134217729 needs more than 28 bits']);
});

test('what the minifier folds into a wide number is found in the output, though no source holds it', async () => {
  assert.deepEqual(await reasons('export function work(a: number, b: number): number {\n  return a === 0x8000 * 0x8000 ? b : a;\n}\n'), ['the number 1073741824 needs more than 28 bits']);
});

test('a wide number at module level is found, because hot code may read the variable', () => {
  assert.deepEqual(
    checkCode('(function(){var a=5e9;function f(){return a}f()})()').findings.map(({ reason }) => reason),
    ['the number 5000000000 needs more than 28 bits'],
  );
});

const allocating: readonly (readonly [string, RegExp])[] = [
  ['return function(){return a}', /closure/],
  ['function g(){return a}return g', /closure/],
  ['return new Uint8Array(4)', /new allocates/],
  ['return {}', /object literal/],
  ['return []', /array literal/],
  ['return [a,1]', /array literal/],
  ['return /x/', /regular expression/],
  ['return arguments', /arguments/],
  ['for(var k in a);', /for-in/],
  ['try{a()}catch(e){}', /exceptions/],
  ['throw a', /exceptions/],
  ['return a.subarray(1)', /subarray/],
  ['return a.push(1)', /push/],
  ['return a.bind(1)', /bind/],
  ['return "s"', /strings/],
  ['return a+.5', /not an integer/],
  ['return a>>>0', />>>/],
  ['return a/2', /division/],
  ['return -0', /-0/],
];
for (const [code, reason] of allocating) {
  test(`in hot code '${code}' is found`, () => {
    assert.match(inFunction(code).join(), reason);
  });
}

const language: readonly (readonly [string, RegExp])[] = [
  ['x:for(;;)break x', /label/],
  ['switch(a){default:return 1;case 2:return 3}', /default/],
  ['return Math.imul(a,2)', /imul/],
  ['a.fill(0)', /fill/],
  ['return this', /this/],
  ['return Symbol', /Symbol/],
  ['return new Map', /Map/],
  ['return Object.assign(a,a)', /assign/],
  ['return Object.freeze(a)', /freeze/],
  ['return new Promise(a)', /Promise/],
  ['return new DataView(a)', /DataView/],
  ['with(a)b()', /with/],
  ['a.length=0', /an assigned \.length/],
  ['var of=1;return of', /the name of is a word/],
  ['var let=1;return let', /the name let is a word/],
  ['var static=1;return static', /the name static is a word/],
  ['return /^[0-9]{4}$/', /a \{count\} in a regular expression/],
  ['let b=1;return b', /not ES5/],
  ['return ()=>1', /not ES5/],
];
for (const [code, reason] of language) {
  test(`'${code}' is not the language of all engines`, () => {
    assert.match(inFunction(code).join(), reason);
  });
}

test('natives may have any name', () => {
  assert.deepEqual(inFunction('return native.fill(a,1,2,3)'), []);
});

test('what is fine in hot code stays unreported', () => {
  assert.deepEqual(inFunction('for(var i=0,s=0;i<a;i++)s=s+(i/3|0)&65535;switch(s){case 1:return g[s](s);default:return-1}var g'), []);
});

test('module-level code makes its tables', () => {
  assert.deepEqual(checkCode('(function(){var t=new Uint16Array(8),u=[f],o={a:1};function f(){return t[0]}f(u,o)})()').findings, []);
});

test('a call above the definition is found: Espruino does not hoist', () => {
  assert.match(checkCode('(function(){f();function f(){}})()').findings[0]?.reason ?? '', /before the statement that defines it/);
  assert.deepEqual(checkCode('(function(){function f(){}f()})()').findings, []);
});

test('a call that leads to a function further down is found, and names that hide functions are not taken for them', () => {
  const through = checkCode('(function(){function f(){g()}function g(){h()}f();function h(){}})()').findings.map(({ reason }) => reason);
  assert.deepEqual(through, ['h() is called through f() before the statement that defines it, and Espruino does not hoist']);
  assert.deepEqual(checkCode('(function(){function f(h){h()}f(f);function h(){}})()').findings, []);
  assert.deepEqual(checkCode('(function(){function f(){var h=f;function g(){h()}g()}f();function h(){}})()', { hot: false }).findings, []);
});

test('a bundle of every device, flattened for Espruino, is its language', async () => {
  const outFile = path.join(workspace({}), 'device.js');
  await bundle({ target: 'mps2-an521-m33', role: 'device', entry: path.join(packageRoot, 'firmware', 'apps', 'demo.ts'), outFile, engine: 'espruino' });
  const result = checkFile(outFile);
  // The demo gives set-up code a wide number, the time its clock starts at: that is none of hot code's.
  assert.deepEqual(result.findings, []);
  assert.ok(result.hotFunctions > 100, `${result.hotFunctions} hot functions`);
});

test('all findings come in one run, by position', () => {
  const { findings } = checkCode('(function(){\nfunction f(){return [{}]}\nfunction g(){return 1e9}f(g)})()');
  assert.deepEqual(findings.map(({ line, column }) => [line, column]), [[2, 21], [2, 22], [3, 21]]);
});

test('a bundle of the application core only has to be ES5', () => {
  const code = '(function(){function A(){this.a=[1e12]}new A})()';
  assert.deepEqual(checkCode(code, { hot: false }).findings, []);
  assert.notDeepEqual(checkCode(code).findings, []);
});

test('hot sources are hot files and the ports they call', () => {
  assert.ok(isHotSource('../../firmware/bus/bus.hot.ts'));
  assert.ok(isHotSource('/p/platforms/mps2-an521-m33/port.ts'));
  assert.ok(!isHotSource('firmware/main.ts'));
  assert.ok(!isHotSource('platforms/mps2-an521-m33/driver-port.ts'));
});
