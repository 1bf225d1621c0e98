// The script for Espruino boards: what it serves on a model of the board, how it is pretokenised and sent, what is refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { espruinoScript, findCli, flashEspruino, pretokenise } from '../../tools/engines/espruino.js';
import { note } from '../../tools/support/record.js';
import { packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';
import { AmpBus } from '../support/driver/amp-bus.js';
import { DriverDevice } from '../support/driver/device.js';
import type { DriverMachine } from '../support/driver/machine.js';
import { EVENT_USED } from '../support/driver/message.js';
import { SplitQueue } from '../support/driver/split-queue.js';
import { workspace } from './workspace.js';

const target = 'mps2-an521-m33';
const windowAddress = 0x80000000;
const windowBytes = 16 * 1024 * 1024;
const folder = workspace({});
const entropy = path.join(packageRoot, 'firmware', 'apps', 'entropy.ts');
const script = espruinoScript({ target, app: entropy, outDir: folder, log: () => undefined });

interface Ended {
  readonly value?: unknown;
  readonly error?: string;
  readonly printed: readonly string[];
}

/** Starts a board; its window, its bells, and what it says when it ends. */
function startBoard(text: string, probe?: string): { shared: SharedArrayBuffer; bells: Int32Array; worker: Worker; ended: Promise<Ended> } {
  const shared = new SharedArrayBuffer(windowBytes);
  const bells = new SharedArrayBuffer(8);
  const worker = new Worker(new URL('../support/espruino-board.mjs', import.meta.url), { workerData: { script: text, shared, bells, windowAddress, probe }, execArgv: [] });
  const ended = new Promise<Ended>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { shared, bells: new Int32Array(bells), worker, ended };
}

async function servesEntropy(text: string): Promise<void> {
  const { shared, bells, worker } = startBoard(text);
  let waits = 0;
  const machine: DriverMachine = {
    words: new Uint16Array(shared),
    addressLow: windowAddress,
    addressHigh: 0,
    layout: 4096,
    ring: () => {
      Atomics.or(bells, 1, 1);
      Atomics.notify(bells, 1);
    },
    wait: () => {
      Atomics.wait(bells, 0, 0, 50);
      Atomics.store(bells, 0, 0);
      waits++;
    },
    barrier: () => undefined,
    // A hang guard of two thousand waits, not of seconds.
    clock: () => waits * 2500,
  };
  try {
    const bus = new AmpBus(machine, 'A');
    bus.connect();
    const device = new DriverDevice(bus, 1);
    assert.equal(device.info().deviceId, 4);
    device.negotiate(0);
    const queue = new SplitQueue(machine, 0x100000, 16);
    device.setQueue(0, queue.size, queue.areas());
    device.start();
    let written = 0;
    for (let turn = 0; turn < 8; turn++) {
      queue.add([{ offset: 0x200000 + turn * 256, bytes: 256, writable: true }]);
      queue.publish();
      device.kick(0);
      bus.event('used buffer notification', EVENT_USED, 1);
      for (let used = queue.take(); used !== undefined; used = queue.take()) {
        written += used.written;
      }
    }
    assert.equal(written, 2048);
    assert.ok(new Set(new Uint8Array(shared, 0x200000, 2048)).size > 200);
    assert.equal(new Uint8Array(shared, 0x200800, 256).every((byte) => byte === 0), true);
    assert.equal(device.setStatus(0), 0);
  } finally {
    await worker.terminate();
  }
}

test('the script serves entropy to a driver on a model of Espruino', async () => {
  await servesEntropy(readFileSync((await script).file, 'utf8'));
  note({ target, engine: 'espruino', ranOn: 'a model of Espruino', test: 'test/tools/espruino.test.ts' });
});

test('a script has tables for as many devices and queues as it is built for', async () => {
  const out = path.join(folder, 'small');
  const { status, stderr } = vmsg(['build', '--engine', 'espruino', '--target', target, '--source', '--devices', '1', '--queues', '1', '--out', out, entropy]);
  assert.equal(status, 0, stderr);
  const small = readFileSync(path.join(out, 'espruino.js'), 'utf8');
  // Tables of 64 devices and 128 queues, of 16 bits or 32.
  const tables = (text: string): number => (text.match(/Array\((64|128|256|512)\)/g) ?? []).length;
  assert.ok(tables(readFileSync((await script).file, 'utf8')) > 20);
  assert.ok(tables(small) < 10, `${tables(small)} large tables`);
  await servesEntropy(small);
  assert.equal(vmsg(['build', '--engine', 'espruino', '--target', target, '--devices', '65']).stderr, "vmsg: --devices takes a number from 1 to 64, not '65'.\n");
});

test('the natives copy, fill, count, number and write as those of the other engines', async () => {
  await script;
  const natives = readFileSync(path.join(folder, 'espruino-natives.js'), 'utf8');
  const { ended } = startBoard(natives, `(function () {
    var shared = new Uint8Array(native.memory(0)), own = new Uint8Array(native.memory(1));
    native.fill(1, 2, 3, 0x41);
    native.copy(0, 70001, 1, 0, 8);
    native.copy(0, 0, 0, 0, 0);
    native.write(1, 2, 3);
    own[8] = 0x78; own[9] = 0x56; own[10] = 0x34; own[11] = 0x12;
    native.seeded(0, 100, 6, 1, 8);
    poke32(0x80000020, 0x9abcdef0);
    native.registerWrite(0, 0x14, 3, 0);
    var clock = native.clock();
    native.barrier(); native.clean(0, 0, 16); native.invalidate(0, 0, 16);
    return JSON.stringify({
      copied: [].slice.call(shared.subarray(70000, 70010)), seeded: [].slice.call(shared.subarray(100, 107)), state: [].slice.call(own.subarray(8, 12)), clock: clock >= 0 && clock < 134217728 && clock % 1 === 0,
      random: native.random(0, 200, 9), end: shared[209], register: [native.registerRead(0, 0x10), native.registerHigh()], idle: [native.idle(0), native.idle(0)], own: own.length, exits: (function () { try { native.exit(5); } catch (thrown) { return thrown; } })()
    });
  })()`);
  const { value, error, printed } = await ended;
  assert.equal(error, undefined);
  // xorshift32 from 0x12345678; each byte is the upper one of the next state.
  let state = 0x12345678;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 24;
  };
  const seeded = Array.from({ length: 6 }, next);
  const kept = [0, 8, 16, 24].map((shift) => (state >>> shift) & 255);
  assert.deepEqual(JSON.parse(String(value)), {
    copied: [0, 0, 0, 0x41, 0x41, 0x41, 0, 0, 0, 0], seeded: [...seeded, 0], state: kept, clock: true, random: 9, end: 0, register: [3, 0], idle: [1, 1], own: 32768, exits: 'ended with status 5',
  });
  assert.deepEqual(printed, ['AAA']);
});

test('a window that the board does not have in one array is refused before the bundle starts', async () => {
  await script;
  const natives = readFileSync(path.join(folder, 'espruino-natives.js'), 'utf8');
  const { ended } = startBoard(natives.replace('bytes:32768', 'bytes:32768.5'), '1');
  assert.equal((await ended).error, 'Window private of 32768.5 bytes is longer than an array of this Espruino can be.');
});

test('boards with a data cache or without an NVIC are refused', async () => {
  await assert.rejects(espruinoScript({ target: 'host', app: 'app.ts', outDir: folder, log: () => undefined }), (error) => error instanceof UserError && /^Espruino's natives are for Cortex-M cores without a data cache; host has /.test(error.message));
});

/** The status and the messages of vmsg with a program in place of Espruino's. */
function vmsg(args: readonly string[], cli = '/nowhere'): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...args], { env: { ...process.env, ESPRUINO_CLI: cli }, encoding: 'utf8' });
}

test('vmsg flash builds the script and gives it to Espruino\'s program with the port', () => {
  const cli = path.join(folder, 'cli.sh');
  writeFileSync(cli, `#!/bin/sh\nprintf '%s\\n' "$@" > ${path.join(folder, 'arguments')}\necho 'Upload Complete'\n`);
  chmodSync(cli, 0o755);
  const out = workspace({});
  const { status, stdout, stderr } = vmsg(['flash', '--engine', 'espruino', '--target', target, '--port', '/dev/ttyACM0', '--out', out], cli);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /espruino\.js: \d+ bytes, sent to \/dev\/ttyACM0\n$/);
  assert.deepEqual(readFileSync(path.join(folder, 'arguments'), 'utf8').trimEnd().split('\n'), ['--config', 'SAVE_ON_SEND=1', '--no-ble', '--config', 'PRETOKENISE=1', '--port', '/dev/ttyACM0', path.join(out, 'espruino.js')]);
});

/** What flashing says with a program in place of Espruino's that says `lines` and ends with `status`. */
async function flashing(lines: readonly string[], status: number, port = 'COM1'): Promise<{ cli: string; message: string }> {
  const cli = path.join(workspace({}), 'cli.sh');
  writeFileSync(cli, `#!/bin/sh\necho "$*" > "$0.arguments"\ncat <<'END'\n${lines.join('\n')}\nEND\nexit ${status}\n`);
  chmodSync(cli, 0o755);
  const made = await script;
  const { ESPRUINO_CLI } = process.env;
  process.env['ESPRUINO_CLI'] = cli;
  try {
    flashEspruino(made, port);
    return { cli, message: '' };
  } catch (error) {
    assert.ok(error instanceof UserError);
    return { cli, message: error.message };
  } finally {
    if (ESPRUINO_CLI === undefined) {
      delete process.env['ESPRUINO_CLI'];
    } else {
      process.env['ESPRUINO_CLI'] = ESPRUINO_CLI;
    }
  }
}

test('what Espruino\'s program says when it fails is the one sentence', async () => {
  const failed = await flashing(['starting', 'No space left.'], 1);
  assert.equal(failed.message, `${failed.cli} failed: No space left.`);
  const thrown = await flashing(['throw err;', 'Error: connect ENOENT /var/run/dbus/system_bus_socket', '    at PipeConnectWrap.afterConnect', 'Node.js v20.20.2'], 1);
  assert.equal(thrown.message, `${thrown.cli} failed: Error: connect ENOENT /var/run/dbus/system_bus_socket.`);
});

test('a script that no board took is not said to be sent, though Espruino\'s program ends with status 0', async () => {
  const unsent = await flashing(['serial: Port "COM1" not found', 'Unable to connect!'], 0);
  assert.equal(unsent.message, `${unsent.cli} sent nothing whole to COM1: Unable to connect.`);
  assert.equal((await flashing(['Upload Complete'], 0)).message, '');
});

test('Espruino\'s program looks for Bluetooth only at a Bluetooth address, and sends bytes above 127 nowhere but where it can', async () => {
  const given = async (port: string): Promise<string> => readFileSync(`${(await flashing(['Upload Complete'], 0, port)).cli}.arguments`, 'utf8');
  for (const [port, quiet, tokens] of [['aa:BB:cc:dd:ee:01', false, 1], ['/dev/ttyACM0', true, 1], ['COM3', true, 1], ['tcp://10.0.0.2', true, 0], ['tcp://host:2323', true, 0]] as const) {
    const said = await given(port);
    assert.equal(said.includes('--no-ble'), quiet, said);
    assert.ok(said.includes(`--config PRETOKENISE=${tokens} --port ${port} `), said);
  }
});

test('vmsg build and flash without Espruino\'s program say what to install or set', () => {
  assert.throws(() => findCli({ PATH: '/nowhere' }, '/'), { name: 'UserError', message: /^Espruino's program is neither in node_modules nor on the PATH: run npm install espruino, or set ESPRUINO_CLI to it; / });
  assert.throws(() => findCli({ ESPRUINO_CLI: '/nowhere' }), { name: 'UserError', message: 'ESPRUINO_CLI is /nowhere, which does not exist.' });
  for (const [args, sentence] of [
    [['flash'], "flash wants --engine espruino: images with other engines are flashed by the board's own means."],
    [['flash', '--engine', 'duktape'], "flash wants --engine espruino, not duktape: images with other engines are flashed by the board's own means."],
    [['flash', '--engine', 'espruino', '--target', target], 'flash wants --port: a serial port, a Bluetooth address or tcp://HOST.'],
    [['build', '--engine', 'espruino', '--target', target], 'ESPRUINO_CLI is /nowhere, which does not exist.'],
  ] as const) {
    const { status, stderr } = vmsg(args, '/nowhere');
    assert.equal(status, 1);
    assert.equal(stderr, `vmsg: ${sentence}\n`);
  }
});

let missing: string | undefined;
try {
  findCli();
} catch (error) {
  missing = (error as Error).message;
}

test('Espruino\'s own program pretokenises the script', missing === undefined ? {} : { skip: `not run: ${missing}` }, async () => {
  const made = pretokenise(await script);
  const tokens = readFileSync(made.file, 'latin1');
  assert.ok(made.bytes < (await script).bytes);
  assert.doesNotMatch(tokens, /\bfunction\b|\breturn\b/);
  // 0xaa and 0xab are Espruino's tokens of `function` and `return`.
  assert.ok(tokens.split('\xaa').length > 100 && tokens.split('\xab').length > 50);
});
