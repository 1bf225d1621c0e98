// What a user is told who has no JerryScript, or not the right one: every machine can run these.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkPrefix, findSnapshotTool, makeSnapshot, type Snapshot } from '../../tools/engines/jerryscript.js';
import { packageRoot } from '../../tools/targets.js';
import { workspace } from './workspace.js';

const header = 'include/jerryscript.h';
const core = 'lib/libjerry-core.a';
const arm = 40;
const version3 = '#define JERRY_API_MAJOR_VERSION 3\n';

/** A library with one object file for a machine, or with something else. */
function library(machine: number | 'not an object', symbols = 'jerry_port_context_get'): string {
  const member = Buffer.alloc(64);
  member.write(symbols, 32, 'latin1');
  if (machine !== 'not an object') {
    member.writeUInt32BE(0x7f454c46, 0);
    member.writeUInt16LE(machine, 18);
  }
  const odd = `${'symbols/'.padEnd(48)}${'3'.padEnd(10)}\`\nabc\n`;
  return `!<arch>\n${odd}${'a.o/'.padEnd(48)}${String(member.length).padEnd(10)}\`\n${member.toString('latin1')}`;
}

function prefix(files: Readonly<Record<string, string>>): string {
  const folder = workspace({});
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content, 'latin1');
  }
  return folder;
}

/** The message of `vmsg` with these variables set. */
function refusal(args: readonly string[], environment: Readonly<Record<string, string>>): string {
  const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
  const { status, stderr } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...args], { env, encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  assert.doesNotMatch(stderr, /\n +at /);
  return stderr;
}

test('vmsg build --engine jerryscript without JERRYSCRIPT_PREFIX says what to set', () => {
  const said = refusal(['build', '--target', 'host', '--engine', 'jerryscript', '--out', workspace({})], { JERRYSCRIPT_PREFIX: '' });
  assert.match(said, /^vmsg: The engine jerryscript is linked as a library of yours: set JERRYSCRIPT_PREFIX to the folder it was installed to \(with include\/jerryscript\.h and lib\/libjerry-core\.a\); docs\/engines\.md says how to build it\.\n$/);
});

test('a JERRYSCRIPT_PREFIX without the header or without the library is named with what is missing', () => {
  const folder = prefix({});
  assert.throws(() => checkPrefix(folder, 'host', arm), { name: 'UserError', message: new RegExp(`^JERRYSCRIPT_PREFIX is ${folder}, but .*jerryscript\\.h is missing: `) });
  assert.throws(() => checkPrefix(prefix({ [header]: version3 }), 'host', arm), { name: 'UserError', message: /libjerry-core\.a is missing: / });
});

test('a JerryScript of another version is refused by its number', () => {
  const folder = prefix({ [header]: '#define JERRY_API_MAJOR_VERSION 2\n', [core]: library(arm) });
  assert.throws(() => checkPrefix(folder, 'host', arm), { name: 'UserError', message: /is of JerryScript 2; the glue is written for version 3\.$/ });
});

test('a library for another machine is refused, and both machines are named', () => {
  const folder = prefix({ [header]: version3, [core]: library(62) });
  assert.throws(() => checkPrefix(folder, 'mps2-an386-m4', arm), { name: 'UserError', message: /is built for x86-64, and mps2-an386-m4 wants Arm: / });
});

test('a library of link-time objects, or of nothing, is refused', () => {
  for (const content of [library('not an object'), 'no library', '']) {
    assert.throws(() => checkPrefix(prefix({ [header]: version3, [core]: content }), 'host', arm), { name: 'UserError', message: /holds no object files: build JerryScript with --lto=OFF/ });
  }
});

test('a library that keeps its own heap is refused', () => {
  const folder = prefix({ [header]: version3, [core]: library(arm, 'jerry_context') });
  assert.throws(() => checkPrefix(folder, 'host', arm), { name: 'UserError', message: /build JerryScript with --external-context=ON/ });
});

test('a library that fits is taken, its version from whichever header has it', () => {
  const folder = prefix({ [header]: '#include "jerryscript-types.h"\n', 'include/jerryscript-types.h': version3, [core]: library(arm) });
  assert.equal(checkPrefix(folder, 'mps2-an386-m4', arm), folder);
});

test('jerry-snapshot is taken from JERRY_SNAPSHOT, then from the prefix, then from the PATH', () => {
  const named = prefix({ tool: '' });
  const inPrefix = prefix({ 'bin/jerry-snapshot': '' });
  const onPath = prefix({ 'jerry-snapshot': '' });
  const all = { JERRY_SNAPSHOT: path.join(named, 'tool'), JERRYSCRIPT_PREFIX: inPrefix, PATH: onPath };
  assert.equal(findSnapshotTool(all), path.join(named, 'tool'));
  assert.equal(findSnapshotTool({ ...all, JERRY_SNAPSHOT: '' }), path.join(inPrefix, 'bin/jerry-snapshot'));
  assert.equal(findSnapshotTool({ PATH: onPath }), path.join(onPath, 'jerry-snapshot'));
  assert.throws(() => findSnapshotTool({ PATH: named }), { name: 'UserError', message: /^jerry-snapshot is neither in JERRYSCRIPT_PREFIX\/bin nor on the PATH: set JERRY_SNAPSHOT to it, or link the text with vmsg build --source; / });
  assert.throws(() => findSnapshotTool({ JERRY_SNAPSHOT: '/nowhere' }), { name: 'UserError', message: /^JERRY_SNAPSHOT is \/nowhere, which does not exist; / });
});

test('what jerry-snapshot says about a bundle comes with the bundle\'s name, and no file is left behind', () => {
  const folder = prefix({ 'jerry-snapshot': '#!/bin/sh\necho "Error: SyntaxError in $4" >&2\nexit 1\n', 'bundle.js': 'x();' });
  const tool = path.join(folder, 'jerry-snapshot');
  chmodSync(tool, 0o755);
  const said = refusal(['snapshot', path.join(folder, 'bundle.js')], { JERRY_SNAPSHOT: tool });
  assert.equal(said, `vmsg: ${tool} makes no snapshot of bundle.js: Error: SyntaxError in bundle.js.\n`);
});

/** A tool whose snapshots are the scripts themselves behind the word that begins one, and which finds in each the strings of `list`, octal escapes as printf knows them. */
function copyingTool(list: string): string {
  const folder = prefix({
    'jerry-snapshot': `#!/bin/sh
case "$1 $2" in
'generate -o') cp "$4" "$3" ;;
'litdump -o') printf '${list}' > "$3" ;;
'generate --static') { printf JRRY; cat "$7"; } > "$6" ;;
esac
`,
  });
  chmodSync(path.join(folder, 'jerry-snapshot'), 0o755);
  return folder;
}

/** Makes a snapshot with the tool of a folder. */
function snapshotBy(folder: string, text: string): Snapshot {
  process.env['JERRY_SNAPSHOT'] = path.join(folder, 'jerry-snapshot');
  try {
    return makeSnapshot(text, 'bundle.js', folder);
  } finally {
    delete process.env['JERRY_SNAPSHOT'];
  }
}

test('a snapshot is of an array: strings to compare, then the bundle; odd numbers and regular expressions are made by calls', () => {
  const folder = copyingTool('1 x\\n13 vmsg snapshot\\n5 a b\\nc\\n4 \\303\\251"?\\n1 1\\n');
  const text = 'x(/a"\\/b/g,.5,4294967296, 134217728, 134217727, 1e-7,"-1", "1", {1: 7, length: "a b\\nc"}); function x(){return/a/}; x\n.5.x // end';
  const { code, strings } = snapshotBy(folder, text);
  assert.equal(code.toString(),
    'JRRY["vmsg snapshot","length","Number","RegExp","String",function(){x( RegExp("a\\"\\\\/b","g"), Number("5E-1"), Number("4.294967296E+9"),  Number("1.34217728E+8"), 134217727,  Number("1E-7"), String(Number("-1E+0")), "1", {1: 7, length: "a b\\nc"}); function x(){return RegExp("a","")}; x\n Number("5E-1").x // end\n}]');
  assert.equal(strings, 'OWN(1, "x")\nOWN(13, "vmsg snapshot")\nOWN(5, "a b\\012c")\nOWN(4, "\\303\\251\\042\\077")\nOWN(1, "1")\nPROBE("vmsg snapshot")\nPROBE("length")\nPROBE("Number")\nPROBE("RegExp")\nPROBE("String")\n');
  assert.deepEqual(readdirSync(folder), ['jerry-snapshot']);
});

test('more strings than jerry-snapshot has room for are refused', () => {
  const list = (count: number): string => Array.from({ length: count }, (_, index) => `4 ${String(index).padStart(4, 'x')}\\n`).join('');
  assert.equal(snapshotBy(copyingTool(list(4096)), 'x();').strings.split('OWN').length, 4097);
  assert.throws(() => snapshotBy(copyingTool(list(4097)), 'x();'), { name: 'UserError', message: /makes no snapshot of bundle\.js: it has 4097 different strings and names, and the tool takes 4096\.$/ });
});

test('vmsg snapshot writes the snapshot and its strings, and says the size of both', () => {
  const folder = copyingTool('1 x\\n13 vmsg snapshot\\n');
  writeFileSync(path.join(folder, 'bundle.js'), 'x();');
  const env = { ...process.env, JERRY_SNAPSHOT: path.join(folder, 'jerry-snapshot') };
  const { stdout } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'snapshot', 'bundle.js'], { cwd: folder, env, encoding: 'utf8' });
  const [code, strings] = ['bundle.snapshot', 'bundle.snapshot.strings'].map((file) => readFileSync(path.join(folder, file), 'utf8')) as [string, string];
  assert.equal(code, 'JRRY["vmsg snapshot","length","Number","RegExp","String",function(){x();\n}]');
  assert.equal(stdout, `bundle.snapshot: ${code.length} bytes\nbundle.snapshot.strings: ${strings.length} bytes\n`);
});

test('a property whose name reads like an odd number is refused in an object literal, where no call can stand', () => {
  for (const key of ['0.5', '"-1"', '4294967296']) {
    const message = `A static snapshot of bundle.js cannot have the property ${key} in an object literal: set it by an assignment.`;
    assert.throws(() => snapshotBy(copyingTool(''), `x({ ${key}: 1 });`), { name: 'UserError', message });
  }
});

test('what a tool writes that is no snapshot is refused', () => {
  const folder = prefix({ 'jerry-snapshot': '#!/bin/sh\ncase "$1 $2" in\n*-static) echo hello > "$6" ;;\n*) printf "1 x\\n" > "$3" ;;\nesac\n' });
  chmodSync(path.join(folder, 'jerry-snapshot'), 0o755);
  assert.throws(() => snapshotBy(folder, 'x();'), { name: 'UserError', message: /jerry-snapshot makes no snapshot of bundle\.js: what it wrote is none\.$/ });
});

test('a bundle with a name of its own for what the calls need is refused', () => {
  for (const text of ['var RegExp;', 'function String() {}', '(function (Number) {})();', 'try {} catch (Number) {}', '(function RegExp() {})();']) {
    assert.throws(() => snapshotBy(copyingTool(''), text), { name: 'UserError', message: /^A static snapshot of bundle\.js cannot have a name (RegExp|String|Number) of its own: give it another one\.$/ }, text);
  }
});

test('a bundle that is no ES5 script is refused before jerry-snapshot runs', () => {
  assert.throws(() => snapshotBy(copyingTool(''), 'let x;'), { name: 'UserError', message: /^bundle\.js is no ES5 script: Unexpected token \(1:4\)\.$/ });
});

test('vmsg snapshot wants one bundle that exists', () => {
  assert.equal(refusal(['snapshot'], {}), 'vmsg: snapshot takes one bundle, not 0.\n');
  assert.equal(refusal(['snapshot', 'nowhere.js'], {}), 'vmsg: nowhere.js does not exist.\n');
});
