// The vmsg command as a user meets it: help, and one sentence with a non-zero exit for each mistake.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bundleEngines, knownTargets, packageRoot } from '../../tools/targets.js';
import { bundleHot, workspace } from './workspace.js';

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function vmsg(...args: readonly string[]): Ended {
  return spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Asserts a mistake's one sentence. */
function refused(args: readonly string[], sentence: RegExp | string): void {
  const { status, stderr } = vmsg(...args);
  assert.equal(status, 1);
  if (typeof sentence === 'string') {
    assert.equal(stderr, `vmsg: ${sentence}\n`);
  } else {
    assert.match(stderr, sentence);
  }
  assert.doesNotMatch(stderr, /\n +at /);
}

const targets = knownTargets().join(', ');

test('help lists the commands, and each command has its own', () => {
  const { status, stdout } = vmsg('--help');
  assert.equal(status, 0);
  const names = [...stdout.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1] ?? '');
  assert.ok(names.includes('build') && names.includes('sim') && names.includes('test'));
  for (const name of names) {
    const own = vmsg(name, '--help');
    assert.equal(own.status, 0, name);
    assert.match(own.stdout, new RegExp(`^vmsg ${name}\\b`));
  }
});

test('no command at all shows the commands and fails', () => {
  const { status, stderr } = vmsg();
  assert.equal(status, 2);
  assert.match(stderr, /vmsg <command>/);
});

test('an unknown command', () => refused(['fly'], /^vmsg: Unknown command 'fly'; known commands: new, build, .*\n$/));
test('a name that every object has is no command', () => refused(['constructor'], /Unknown command 'constructor'/));
test('an unknown option', () => refused(['build', '--wings'], "Unknown option '--wings'."));
test('an option without its value', () => refused(['build', '--target'], /^vmsg: Option '--target <value>' argument missing\.\n$/));
test('an unknown target', () => refused(['build', '--target', 'pdp-11'], `Unknown target 'pdp-11'; known targets: ${targets}.`));
test('no target', () => refused(['build'], `build wants --target; known targets: ${targets}.`));
test('an unknown engine', () => refused(['build', '--target', 'host', '--engine', 'abacus'], `Unknown engine 'abacus'; known engines: ${bundleEngines.join(', ')}.`));
test('an unknown engine of a bundle', () => refused(['bundle', '--target', 'host', '--engine', 'abacus', 'app.ts'], `Unknown engine 'abacus'; known engines: ${bundleEngines.join(', ')}, none.`));
test('vmsg bundle flattens for the engine that it is told, and not at all for none', () => {
  const folder = workspace({});
  const made = ['duktape', 'espruino', 'none'].map((engine) => {
    const out = path.join(folder, `${engine}.js`);
    const { status, stderr } = vmsg('bundle', '--target', 'host', '--engine', engine, '--out', out, path.join(packageRoot, 'firmware', 'apps', 'entropy.ts'));
    assert.equal(status, 0, stderr);
    return readFileSync(out, 'utf8');
  });
  assert.equal(new Set(made).size, 3);
});
test('a missing app', () => refused(['build', '--target', 'host', 'nowhere.ts'], 'nowhere.ts does not exist.'));
test('a missing bundle', () => refused(['check-bundle', 'nowhere.js'], 'nowhere.js does not exist.'));
test('an unknown step', () => refused(['test', 'luck'], /^vmsg: Unknown step 'luck'; known steps: lint, /));

test('check-bundle names each finding by line and column and fails', async () => {
  const { file } = await bundleHot('export function work(a: number, b: number): number {\n  return [a, b][0] + 1e9;\n}\n');
  const { status, stderr } = vmsg('check-bundle', file);
  assert.equal(status, 1);
  assert.match(stderr, /device\.js:1:\d+: an array literal allocates \(from .*work\.hot\.ts:2\)\n.*device\.js:1:\d+: the number 1000000000 needs more than 28 bits.*\nvmsg: 2 findings\.\n$/);
});
