// `vmsg new`: what it writes passes its test, builds and runs at once, with the package as npm packs it, under any good name.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../tools/targets.js';

const parent = mkdtempSync(path.join(tmpdir(), 'vmsg-new-'));
after(() => rmSync(parent, { recursive: true, force: true }));

interface Outcome { readonly status: number | null; readonly out: string; readonly error: string }

function run(command: string, args: readonly string[], cwd: string): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined } });
  return { status, out: stdout, error: stderr };
}

const vmsg = (...args: string[]): Outcome => run(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...args], parent);

/** The package as a user gets it: only the files that npm packs, beside this checkout's dependencies. */
const packed = path.join(parent, 'node_modules', 'virtio-msg-device');
before(() => {
  const { status, out, error } = run('npm', ['pack', '--silent', '--pack-destination', parent], packageRoot);
  assert.equal(status, 0, error);
  mkdirSync(packed, { recursive: true });
  assert.equal(run('tar', ['-xzf', path.join(parent, out.trim()), '-C', packed, '--strip-components=1'], parent).status, 0);
  for (const name of readdirSync(path.join(packageRoot, 'node_modules')).filter((found) => !found.startsWith('.'))) {
    symlinkSync(path.join(packageRoot, 'node_modules', name), path.join(parent, 'node_modules', name));
  }
});

/** What `npm install` would make of it. */
function install(folder: string): void {
  const commands = path.join(folder, 'node_modules', '.bin');
  mkdirSync(commands, { recursive: true });
  symlinkSync(path.join(packed, 'tools', 'vmsg.mjs'), path.join(commands, 'vmsg'));
}

for (const [kind, name, tests] of [['device', 'door-lock', 3], ['app', 'first', 3]] as const) {
  test(`new ${kind}: its test passes, it builds and runs, as it is`, () => {
    const made = vmsg('new', kind, name);
    assert.equal(made.status, 0, made.error);
    const folder = path.join(parent, name);
    install(folder);
    const tested = run('npm', ['test'], folder);
    assert.equal(tested.status, 0, tested.out + tested.error);
    assert.match(tested.out, new RegExp(`^# pass ${tests}$`, 'm'));
    const built = run('npm', ['run', 'build'], folder);
    assert.equal(built.status, 0, built.out + built.error);
    assert.match(built.out, /device\.elf: flash \d+/);
    assert.ok(existsSync(path.join(folder, 'build', 'mps2-an521-m33', 'device.elf')));
    const ran = run('npm', ['run', 'sim'], folder);
    assert.equal(ran.status, 0, ran.out + ran.error);
    assert.match(ran.out, /SET_DEVICE_STATUS +answer dev 1 +ACKNOWLEDGE\+DRIVER\+FEATURES_OK\+DRIVER_OK\n/);
  });
}

test('new device: the name stands wherever the template had one', () => {
  const folder = path.join(parent, 'door-lock');
  const files = readdirSync(folder).filter((file) => /\.(ts|json)$/.test(file));
  assert.deepEqual(files.sort(), ['app.ts', 'door-lock.hot.ts', 'door-lock.test.ts', 'door-lock.ts', 'package.json', 'tsconfig.json']);
  const text = files.map((file) => readFileSync(path.join(folder, file), 'utf8')).join('');
  assert.doesNotMatch(text, /sample/i);
  ["from './door-lock.hot.js'", "name: 'door-lock'", 'function serveDoorLock(', 'doorLock({ number: 1 })'].forEach((part) => assert.ok(text.includes(part), part));
});

test('new: a broken device fails its test, so the test is one', () => {
  assert.equal(vmsg('new', 'device', 'broken').status, 0);
  const folder = path.join(parent, 'broken');
  install(folder);
  const hot = path.join(folder, 'broken.hot.ts');
  writeFileSync(hot, readFileSync(hot, 'utf8').replace('valueOf[device] = 0;', ''));
  const tested = run('npm', ['test'], folder);
  assert.notEqual(tested.status, 0);
  assert.match(tested.out, /^not ok .* a reset forgets the value$/m);
});

test('new: mistakes are one sentence, and nothing that is there is written over', () => {
  const cases: [string[], RegExp][] = [
    [['new'], /^vmsg: new wants what to make and its name: vmsg new device NAME, or vmsg new app NAME\.\n$/],
    [['new', 'thing', 'x'], /^vmsg: new wants what to make/],
    [['new', 'device', 'Door'], /^vmsg: 'Door' cannot be the name of a new device: /],
    [['new', 'device', 'class'], /^vmsg: 'class' cannot be the name of a new device: /],
    [['new', 'app', 'x', '--target', 'moon'], /^vmsg: Unknown target 'moon'; known targets: /],
    [['new', 'device', 'door-lock'], /^vmsg: .*app\.ts is there already; choose another folder with --in\.\n$/],
  ];
  cases.forEach(([args, expected]) => {
    const { status, error } = vmsg(...args);
    assert.equal(status, 1, args.join(' '));
    assert.match(error, expected);
  });
});
