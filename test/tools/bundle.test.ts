// The bundler: what it writes, and the sentences it has for what it cannot bundle.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import vm from 'node:vm';
import { bundle } from '../../tools/bundle/bundle.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';
import { fixtures, workspace } from './workspace.js';

const firmware = path.join(fixtures, 'firmware', 'main.ts');

/** Bundles an app's text with the fixtures' firmware. */
function app(text: string, target = 'mps2-an521-m33'): ReturnType<typeof bundle> {
  const folder = workspace({ 'app.ts': text });
  return bundle({ target, role: 'device', entry: path.join(folder, 'app.ts'), firmware, outFile: path.join(folder, 'out', 'device.js') });
}

/** The sentence with which bundling ends. */
async function sentence(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
  return assert.fail('it was bundled');
}

test('a bundle runs: one ES5 function over the natives, the map beside it', async () => {
  const { file, mapFile, bytes } = await app("export default { name: 'x', ranges: [{ first: 0, count: 4 }, { first: 4, count: 4 }] };");
  const code = readFileSync(file, 'utf8');
  assert.equal(Buffer.byteLength(code), bytes);
  assert.ok(existsSync(mapFile));
  const memory = Uint16Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  const logged: number[][] = [];
  const nothing = (): number => 0;
  const native = { memory: () => memory, log: (...pair: number[]) => logged.push(pair), idle: nothing, registerRead: nothing, registerWrite: nothing };
  vm.runInNewContext(code, { native, Uint16Array });
  // The fixtures' firmware logs the number of the port's windows with each sum.
  assert.deepEqual(logged, [[2, 30], [2, 78]]);
});

test('nothing but the bundle and its map is left behind', async () => {
  const { file } = await app("export default { name: 'x', ranges: [] };");
  assert.deepEqual(readdirSync(path.dirname(file)).sort(), ['device.js', 'device.js.map']);
});

test('an unknown target is refused with the known ones', async () => {
  assert.equal(await sentence(app('export default 1;', 'pdp-11')), `Unknown target 'pdp-11'; known targets: ${knownTargets().join(', ')}.`);
});

test('a type error names file, line and column', async () => {
  assert.match(await sentence(app("export default { name: 'x', ranges: [] };\nexport const a: number = 'b';")), /app\.ts:2:14: TS2322: Type 'string' is not assignable/);
});

test('a run-time helper of the compiler breaks the build', async () => {
  assert.match(await sentence(app("const a = [1];\nexport default { name: 'x', ranges: [], more: [...a, 2] };")), /app\.ts: needs the compiler's run-time helper __spreadArray/);
});

test('what is beyond ES5 is a type error', async () => {
  assert.match(await sentence(app("export default { name: 'x', ranges: [], a: new Map() };")), /Cannot find name 'Map'/);
});

test('a missing module, a missing export and a missing default are sentences', async () => {
  assert.match(await sentence(app("import { a } from './nowhere.js';\nexport default a;")), /app\.ts:1:19: TS2307: Cannot find module/);
  assert.match(await sentence(app("import { log2 } from '#port';\nexport default log2;")), /TS2724|TS2305/);
  assert.match(await sentence(app('export const a = 1;')), /app\.ts has no default export/);
  assert.match(await sentence(bundle({ target: 'host', role: 'device', entry: 'nowhere.ts', outFile: 'build/x.js' })), /nowhere\.ts does not exist\./);
});

test('an app outside the package imports it by name', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-app-'));
  try {
    writeFileSync(path.join(folder, 'app.ts'), "import { bus, entropy } from 'virtio-msg-device';\nexport default bus({ profile: 'A', devices: [entropy({ number: 7 })] });\n");
    const { sources } = await bundle({ target: 'mps2-an521-m33', role: 'device', entry: path.join(folder, 'app.ts'), outFile: path.join(folder, 'device.js') });
    assert.ok(sources.some((source) => source.endsWith('firmware/devices/entropy.ts')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a driver program is bundled as it is, over #driver-port', async () => {
  const folder = workspace({ 'program.ts': "import { print } from '#driver-port';\nclass Greeting { constructor(readonly text: string) {} }\nprint(new Greeting('hello').text);\n" });
  const { file } = await bundle({ target: 'mps2-an521-m33', role: 'driver', entry: path.join(folder, 'program.ts'), outFile: path.join(folder, 'driver.js') });
  const printed: string[] = [];
  vm.runInNewContext(readFileSync(file, 'utf8'), { native: { print: (text: string) => printed.push(text), memory: () => new ArrayBuffer(16) }, Uint16Array });
  assert.deepEqual(printed, ['hello']);
});

/** Bundles the entropy app for `target` under `name`, each source changed by `change` first. */
async function entropyBundle(out: string, target: string, name: string, more: { trace?: boolean; change?: (code: string, file: string) => string } = {}): Promise<string> {
  const { file } = await bundle({ target, role: 'device', entry: path.join(packageRoot, 'firmware', 'apps', 'entropy.ts'), outFile: path.join(out, name), ...more });
  return readFileSync(file, 'utf8');
}

/** A change of sources that takes the parts of a hook out of the files it is in, and counts those it found. */
function without(hook: Readonly<Record<string, readonly RegExp[]>>): { readonly change: (code: string, file: string) => string; found: number } {
  const taken = {
    found: 0,
    change: (code: string, file: string): string =>
      (hook[path.basename(file)] ?? []).reduce((text, part) => {
        taken.found += part.test(text) ? 1 : 0;
        return text.replace(part, '');
      }, code),
  };
  return taken;
}

test('the trace hook costs nothing where it is compiled out: the bundle is byte for byte that of sources without the hook', async () => {
  const out = workspace({});
  const hook = [/import \{ traced, traceElement \} from '#trace';/, /var tracedHead = .*;/, /if \(traced\) \{[^}]*\}/, /if \(traced\) \{[^}]*\}/, /function traceNew\(bus\) \{[^]*?\n\}/];
  const taken = without({ 'amp-shmem.hot.ts': hook });
  const plain = await entropyBundle(out, 'host-shm', 'plain.js');
  assert.equal(await entropyBundle(out, 'host-shm', 'without.js', { change: taken.change }), plain);
  assert.equal(taken.found, hook.length, 'all of the hook was there, and is gone');
  assert.notEqual(await entropyBundle(out, 'host-shm', 'traced.js', { trace: true }), plain);
});

test('in-flight tracking costs nothing where there is no vhost-user: the bundle is byte for byte that of sources without it', async () => {
  const out = workspace({});
  const imported = /import \{[^}]*tracked[^}]*\} from '#inflight';/;
  const call = /if \(tracked\) \{[^}]*\}/;
  const calls = (count: number): RegExp[] => new Array<RegExp>(count).fill(call);
  const hook = { 'split.hot.ts': [imported, ...calls(5)], 'packed.hot.ts': [imported, ...calls(5)], 'queue.hot.ts': [imported, call] };
  const taken = without(hook);
  const plain = await entropyBundle(out, 'mps2-an521-m33', 'plain.js');
  assert.equal(await entropyBundle(out, 'mps2-an521-m33', 'without.js', { change: (code, file) => {
    const text = taken.change(code, file);
    assert.doesNotMatch(text, /\btracked\b/, 'all of the hook is gone');
    return text;
  } }), plain);
  assert.equal(taken.found, Object.values(hook).flat().length, 'all of the hook was there');
});
