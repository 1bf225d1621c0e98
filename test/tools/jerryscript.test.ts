// What a user is told who has no JerryScript, or not the right one: every machine can run these.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkPrefix, findSnapshotTool, makeSnapshot } from '../../tools/engines/jerryscript.js';
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
  const folder = prefix({ 'jerry-snapshot': '#!/bin/sh\necho "Error: SyntaxError in $4" >&2\nexit 1\n', 'bundle.js': 'var = 1;' });
  const tool = path.join(folder, 'jerry-snapshot');
  chmodSync(tool, 0o755);
  const said = refusal(['snapshot', path.join(folder, 'bundle.js')], { JERRY_SNAPSHOT: tool });
  assert.equal(said, `vmsg: ${tool} makes no snapshot of bundle.js: Error: SyntaxError in bundle.js.\n`);
});

test('a snapshot is what the tool wrote', () => {
  const folder = prefix({ 'jerry-snapshot': '#!/bin/sh\n(printf JRRY; cat "$4") > "$3"\n' });
  const tool = path.join(folder, 'jerry-snapshot');
  chmodSync(tool, 0o755);
  process.env['JERRY_SNAPSHOT'] = tool;
  try {
    assert.equal(makeSnapshot('x()', 'bundle.js', folder).toString(), 'JRRYx()');
  } finally {
    delete process.env['JERRY_SNAPSHOT'];
  }
});

test('vmsg snapshot wants one bundle that exists', () => {
  assert.equal(refusal(['snapshot'], {}), 'vmsg: snapshot takes one bundle, not 0.\n');
  assert.equal(refusal(['snapshot', 'nowhere.js'], {}), 'vmsg: nowhere.js does not exist.\n');
});
