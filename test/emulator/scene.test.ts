// The scene as a test: the bundle on the emulated coprocessor and in the host's engine, and programs that must fail.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { qemuVersion, reasonWithoutEmulator } from '../../tools/emulator/qemu.js';
import { readBoard } from '../../tools/image/board.js';
import { figures, runScene } from '../../tools/emulator/scene.js';
import { note } from '../../tools/support/record.js';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const results = mkdtempSync(path.join(tmpdir(), 'vmsg-scene-'));

interface Outcome {
  status: number;
  out: string;
  error: string;
}

/** Runs `vmsg sim`; the guard only ends a run that hangs. */
function sim(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['tools/vmsg.mjs', 'sim', ...args], { cwd: root, timeout: 600000 }, (error, out, stderr) => {
      resolve({ status: error === null ? 0 : ((error.code as unknown as number) ?? -1), out, error: stderr });
    });
  });
}

function program(name: string): string {
  return path.join(root, 'test', 'emulator', 'programs', `${name}.ts`);
}

const conversation = [
  /driver -> device {2}GET_DEVICES +bus +offset 0 count 32/,
  /driver <- device {2}GET_DEVICES +answer bus +offset 0 count 32 next 0 devices \[1\]/,
  /driver <- device {2}GET_DEVICE_INFO +answer dev 1 +device id 4/,
  /driver <- device {2}SET_DEVICE_STATUS +answer dev 1 +ACKNOWLEDGE\+DRIVER\+FEATURES_OK$/m,
  /driver -> device {2}SET_VQUEUE +dev 1 +queue 0 size 16/,
  /driver <- device {2}SET_DEVICE_STATUS +answer dev 1 +ACKNOWLEDGE\+DRIVER\+FEATURES_OK\+DRIVER_OK/,
  /driver -> device {2}EVENT_AVAIL +dev 1 +queue 0/,
  /driver <- device {2}EVENT_USED +dev 1 +queue 0/,
  /-- shut the bus down/,
];

for (const target of ['mps2-an521-m33', 'mps2-an386-m4', 'vexpress-r5', 'mps3-an536-r52', 'host']) {
  const skip = target === 'host' ? false : await reasonWithoutEmulator(target) ?? false;

  test(`${target}: entropy is served, reset and shut down without an allocation`, { skip }, async () => {
    const json = path.join(results, `${target}.json`);
    const { status, out, error } = await sim('--target', target, '--json', json);
    assert.equal(status, 0, error);
    conversation.forEach((line) => assert.match(out, line));
    const summary = JSON.parse(readFileSync(json, 'utf8')) as Record<string, number>;
    assert.equal(summary['messages'], 32);
    assert.equal(summary['allocationsWhileServing'], 0);
    assert.equal(summary['collectionsWhileServing'], 0);
    assert.ok((summary['wakes'] ?? 0) >= 17, 'every message the driver sent woke the device core');
    note({ target, engine: 'duktape', ranOn: target === 'host' ? 'a Linux process' : qemuVersion(readBoard(target)), test: 'test/emulator/scene.test.ts' });
  });
}

const everyDevice = ['entropy', 'console', 'block', 'network', 'gpio', 'rtc', 'i2c', 'spi', 'can', 'input', 'scmi'];

for (const target of ['mps2-an521-m33', 'host']) {
  test(`${target}: the demo uses every one of its devices, each without an allocation`, async () => {
    const json = path.join(results, `demo-${target}.json`);
    const { status, out, error } = await sim('--target', target, '--app', 'demo', '--json', json);
    assert.equal(status, 0, error);
    const { devices } = JSON.parse(readFileSync(json, 'utf8')) as { devices: { name: string; requests: number; allocations: number; collections: number }[] };
    assert.deepEqual(devices.map(({ name }) => name), everyDevice);
    devices.forEach(({ name, requests, allocations, collections }) => {
      assert.ok(requests >= 2, name);
      assert.deepEqual([allocations, collections], [0, 0], name);
    });
    everyDevice.forEach((name) => assert.match(out, new RegExp(`-- use the ${name} device`)));
  });
}

for (const target of ['vexpress-r5', 'mps3-an536-r52']) {
  test(`${target}: rings go round many times, and once more after a reset`, { skip: await reasonWithoutEmulator(target) ?? false }, async () => {
    const { status, driver } = await runScene({
      target, app: path.join(root, 'firmware', 'apps', 'entropy.ts'), program: program('wrap-around'), limitSeconds: 600, onStep: () => undefined,
    });
    assert.equal(status, 0, driver.join('\n'));
    assert.equal(figures(driver).get('requests'), 200);
  });
}

test('R-278 R-280 a driver side that asks and reads nothing stops no device: read late, every answer is there; shut down, all is reset', async () => {
  const { status, out, error } = await sim('--program', program('silent-peer'));
  assert.equal(status, 0, error);
  // Its messages are not shown, so nothing is said of them.
  assert.doesNotMatch(out, /per message|both directions/);
});

test('R-303 R-304 R-309 a device comes and goes while another one serves', async () => {
  const { status, driver } = await runScene({
    target: 'mps2-an521-m33', app: path.join(root, 'test', 'emulator', 'apps', 'guest.ts'), program: program('hot-removal'), limitSeconds: 600, onStep: () => undefined,
  });
  assert.equal(status, 0, driver.join('\n'));
  assert.equal(figures(driver).get('requests'), 4);
});

test('a device whose handler allocates is found when its app runs', async () => {
  const { status, error } = await sim('--target', 'host', '--app', path.join(root, 'test', 'emulator', 'apps', 'allocating.ts'), '--program', program('entropy'));
  assert.equal(status, 1);
  assert.match(error, /^vmsg: The engine allocated or collected while serving: both must be 0\.\n$/);
});

test('a program that makes no request is told so', async () => {
  const { status, error } = await sim('--target', 'host', '--program', program('only-status'));
  assert.equal(status, 1);
  assert.match(error, /^vmsg: The program on the application core made no request, or did not say so: figure\('requests', number\)\.\n$/);
});

test('an app that is not there is one sentence that names those that are', async () => {
  const { status, error } = await sim('--app', 'nothing');
  assert.notEqual(status, 0);
  assert.match(error, /^vmsg: No app is called 'nothing'; there are demo, entropy, guest, linux-test, terminal, and files of your own\.\n$/);
});

test('an app without a program of its own has each of its devices brought up and reset', async () => {
  const { status, out, error } = await sim('--target', 'host', '--app', path.join(root, 'tools', 'templates', 'app', 'app.ts'));
  assert.equal(status, 0, error);
  [1, 2, 3].forEach((number) => {
    assert.match(out, new RegExp(`driver <- device {2}SET_DEVICE_STATUS +answer dev ${number} +ACKNOWLEDGE\\+DRIVER\\+FEATURES_OK\\+DRIVER_OK\n`));
    assert.match(out, new RegExp(`driver <- device {2}SET_DEVICE_STATUS +answer dev ${number} +0\n`));
  });
  assert.match(out, /driver -> device {2}SET_VQUEUE +dev 2 +queue 1 size 16/);
  assert.match(out, /^ {2}block-3 +0 /m);
});

test('an app that does not start says why', async () => {
  const { status, error } = await sim('--app', 'guest');
  assert.notEqual(status, 0);
  assert.match(error, /^vmsg: The scene failed in the step 'release the coprocessor from reset': no room for \d+ bytes: the private window has \d+ bytes left.*\n$/);
});

test('what ends a core below its bundle is the reason that a scene failed for', async () => {
  const program = path.join(mkdtempSync(path.join(tmpdir(), 'vmsg-scene-')), 'program.ts');
  writeFileSync(program, 'declare const native: { fill(window: number, at: number, bytes: number, value: number): void };\nnative.fill(0, 16777216, 1, 0);\n');
  const { status, error } = await sim('--target', 'host', '--program', program);
  assert.notEqual(status, 0);
  assert.equal(error, "vmsg: The scene failed in the step 'start of the application core': a native was given a range outside its window.\n");
});

test('an app of another profile is told that it wants a program of its own', async () => {
  const { status, error } = await sim('--target', 'host', '--app', path.join(root, 'test', 'emulator', 'apps', 'entropy-b.ts'));
  assert.notEqual(status, 0);
  assert.match(error, /^vmsg: The scene failed in the step 'ask for the devices, in profile A: an app of another one needs a --program of its own': .*\n$/);
});

test('a driver that rings before the handshake gets no answer, and the scene says what did not come', async () => {
  const { status, out, error } = await sim('--program', program('rings-early'));
  assert.notEqual(status, 0);
  assert.match(error, /failed in the step 'send GET_DEVICES without a handshake'.*answer to GET_DEVICES/);
  assert.doesNotMatch(out, /driver <- device/);
  assert.doesNotMatch(error, / at .*\.ts/);
});

test('a program that never ends is ended, with the step it hung in', async () => {
  const { status, error } = await sim('--program', program('hangs'), '--limit', '10');
  assert.notEqual(status, 0);
  assert.match(error, /hung for 10 s in the step 'wait for ever'/);
});

test('an unknown target is one sentence', async () => {
  const { status, error } = await sim('--target', 'mps2-an999');
  assert.notEqual(status, 0);
  assert.match(error, /Unknown target 'mps2-an999'; known targets: /);
  assert.equal(error.trim().split('\n').length, 1);
});
