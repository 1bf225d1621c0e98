// The proof that a port module fulfils hal/port.ts, seen failing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { knownTargets, packageRoot } from '../../tools/targets.js';
import { checkDevice, targetsWithPort } from '../../tools/bundle/typecheck.js';
import { workspace } from './workspace.js';

/** Its port has every function itself. */
const target = 'template';
const port = readFileSync(path.join(packageRoot, 'platforms', target, 'port.ts'), 'utf8').replace(/'\.\.\/\.\.\/|'\.\.\/|'\.\//g, (from) => (from.startsWith("'../../") ? "'../../../" : from === "'../" ? "'../../../platforms/" : `'../../../platforms/${target}/`));

/** The type errors when the target's port is this text. */
function check(text: string): string {
  return checkDevice(target, path.join(workspace({ 'port.ts': text }), 'port.ts')).join('\n');
}

test('every target has a port', () => {
  assert.deepEqual(targetsWithPort(), knownTargets());
});

test('a whole port fulfils Port', () => {
  assert.equal(check(port), '');
});

test('a port without ring does not', () => {
  assert.match(check(port.replace('export function ring', 'export function rings')), /port-fulfils-port\.ts:3:14: TS2741: Property 'ring' is missing/);
});

test('a port whose wait returns nothing does not', () => {
  assert.match(check(`${port.replace(/export function wait[\s\S]*$/, '')}export function wait(_limit: number): void {\n  return;\n}\n`), /port-fulfils-port\.ts:3:14: TS2322/);
});
