// The vhost-user runner as a process: real descriptors, real guest memory, and front sides that take it away.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { bundle } from '../../tools/bundle/bundle.js';
import { buildImage } from '../../tools/image/image.js';
import { note } from '../../tools/support/record.js';
import { packageRoot } from '../../tools/targets.js';
import { message, request, tablePayload, u32, u64, VERSION_1 } from '../support/vhost-front.js';
import { testFolder } from './machine.js';

const folder = testFolder();
const front = path.join(folder, 'vhost-front');
execFileSync('cc', ['-O1', '-Wall', '-Werror', path.join(packageRoot, 'test/platforms/vhost-front.c'), '-o', front]);
const app = path.join(packageRoot, 'firmware/apps/entropy.ts');
const { file: deviceBundle } = await bundle({ target: 'host-vhost-user', entry: app, role: 'device', outFile: path.join(folder, 'device.js') });
const { device: runner } = await buildImage({ target: 'host-vhost-user', engine: 'duktape', bundles: { device: deviceBundle }, outDir: folder });

interface Served {
  readonly child: ChildProcess;
  readonly socket: string;
  readonly log: () => number[][];
}

/** A hang guard, far above what a script takes. */
const hangMilliseconds = 240_000;

let sockets = 0;

/** A running process, stopped and awaited when `work` is done; returns its log lines. */
async function serving(work: (served: Served) => void | Promise<void>, options: readonly string[] = []): Promise<number[][]> {
  const socket = path.join(folder, `socket-${sockets++}`);
  const child = spawn(runner, ['--socket', socket, '--device', '1', '--seed', '7', ...options, deviceBundle], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const log = (): number[][] => text.split('\n').filter((line) => line.startsWith('~')).map((line) => line.slice(1).split(' ').map(Number));
  while (!existsSync(socket)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  try {
    await work({ child, socket, log });
    assert.equal(child.exitCode, null, 'the process still runs');
  } finally {
    child.kill('SIGTERM');
  }
  assert.equal(await ended, 0);
  assert.equal(existsSync(socket), false, 'it takes its socket away');
  return log();
}

const hex = (bytes: readonly number[]): string => Buffer.from(bytes).toString('hex');
const sent = (id: number, payload: readonly number[], descriptors = ''): string => `send ${hex(message(id, payload))} ${descriptors}`;

/** Runs a front side's script; returns what it printed. */
function play(socket: string, script: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(front, [socket], { input: `${script.join('\n')}\n`, encoding: 'utf8', timeout: hangMilliseconds });
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

const user = 0x7f0000000000n;
const oneMegabyte = tablePayload([{ guest: 0n, bytes: 1048576n, user, file: 0n }]);
const setUp = [
  sent(request.SET_FEATURES, u64(VERSION_1)),
  sent(request.SET_MEM_TABLE, oneMegabyte, 'm'),
  sent(request.SET_VRING_NUM, [...u32(0), ...u32(8)]),
  sent(request.SET_VRING_ADDR, [...u32(0), ...u32(0), ...u64(user + 0x1000n), ...u64(user + 0x3000n), ...u64(user + 0x2000n), ...u64(0n)]),
  sent(request.SET_VRING_KICK, u64(0n), 'e'),
  sent(request.SET_VRING_CALL, u64(0n), 'e'),
];
/** One buffer of 16 bytes at 0x8000: descriptor 0, and the available index last. */
const oneBuffer = [`write 4096 ${hex([...u64(0x8000n), ...u32(16), 2, 0, 0, 0])}`, `write 8196 0000`, `write 8194 0100`];
/** The first bytes of the seeded generator (platforms/engine/seeded-random.c), computed anew. */
function generator(seed: number, bytes: number): string {
  let state = seed;
  return hex(Array.from({ length: bytes }, () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state >>> 24;
  }));
}

/** Why each connection ended. */
const departures = (log: readonly (readonly number[])[]): (number | undefined)[] => log.filter(([code]) => code === 65).map(([, value]) => value);
const refused = (log: readonly (readonly number[])[]): number[][] => log.filter(([code]) => code === 66).map(([, value]) => [(value ?? 0) >> 5, (value ?? 0) & 31]);

test('a front side drives the ring with real descriptors, and serving allocates nothing', async () => {
  const rounds = Array.from({ length: 6 }, (_, at) => [`write ${8196 + 2 * at} 0000`, `write 8194 0${at + 1}00`, 'kick', 'called', `read 32768 16`]);
  let printed: string[] = [];
  const log = await serving(({ socket }) => {
    printed = play(socket, [...setUp, oneBuffer[0] as string, ...rounds.flat(), sent(request.GET_VRING_BASE, [...u32(0), ...u32(0)]), 'answer']);
  });
  const stream = generator(7, 96);
  assert.deepEqual(printed.filter((line) => line.length === 32), Array.from({ length: 6 }, (_, at) => stream.slice(at * 32, at * 32 + 32)));
  assert.equal(printed.at(-1), hex([...u32(11), ...u32(5), ...u32(8), ...u32(0), ...u32(6)]));
  const from = log.find(([code]) => code === 8);
  const to = log.find(([code]) => code === 65);
  assert.deepEqual(to?.slice(5, 8), from?.slice(5, 8), 'allocations, collections and live bytes stand still');
  assert.deepEqual([log.find(([code]) => code === 67)?.[1], log.find(([code]) => code === 68)?.[1]], [6, 6]);
  note({ target: 'host-vhost-user', engine: 'duktape', ranOn: 'a Linux process', test: 'test/platforms/vhost-user.test.ts' });
});

test('two front sides one after the other: the second finds nothing of the first', async () => {
  await serving(({ socket }) => {
    for (let turn = 0; turn < 2; turn++) {
      const printed = play(socket, [...setUp, ...oneBuffer, 'kick', 'called', 'read 12290 2']);
      assert.deepEqual(printed, ['called', '0100']);
    }
  });
});

test('messages in pieces, and many in one piece, are the same messages', async () => {
  await serving(({ socket }) => {
    const bytes = hex(message(request.GET_QUEUE_NUM, []));
    assert.equal(play(socket, [`send ${bytes.slice(0, 6)}`, `send ${bytes.slice(6, 22)}`, `send ${bytes.slice(22)}`, 'answer'])[0]?.slice(24), '0100000000000000');
    assert.equal(play(socket, [`send ${bytes.repeat(40)}`, ...new Array<string>(40).fill('answer')]).length, 40);
  });
});

const bad: readonly (readonly [string, string, number])[] = [
  ['a file shorter than its region', sent(request.SET_MEM_TABLE, oneMegabyte, 's'), 13],
  ['a region in /dev/null', sent(request.SET_MEM_TABLE, oneMegabyte, 'n'), 13],
  ['a read-only file', sent(request.SET_MEM_TABLE, tablePayload([{ guest: 0n, bytes: 4096n, user, file: 0n }]), 'r'), 13],
  ['twelve descriptors', sent(request.SET_MEM_TABLE, oneMegabyte, 'mmmmmmmmmmmm'), 4],
  ['twenty-eight descriptors', sent(request.SET_MEM_TABLE, oneMegabyte, 'e'.repeat(28)), 4],
  ['a message longer than it may be', `send ${hex([...u32(5), ...u32(1), ...u32(0x7fffffff), ...new Array<number>(3000).fill(0)])}`, 2],
  ['garbage', `send ${'a5'.repeat(500)}`, 2],
];
for (const [what, line, reason] of bad) {
  test(`refused with a log line and without harm: ${what}`, async () => {
    const log = await serving(({ socket }) => {
      assert.deepEqual(play(socket, [line, 'end']), ['closed']);
      assert.deepEqual(play(socket, [...setUp, ...oneBuffer, 'kick', 'called']), ['called']);
    });
    assert.equal(refused(log)[0]?.[1], reason);
  });
}

test('a kick that is no event is dropped, and does not keep the process awake', async () => {
  const log = await serving(({ socket }) => {
    const script = setUp.map((line) => line.replace(/ e$/, ' n'));
    play(socket, [...script, sent(request.GET_VRING_BASE, [...u32(0), ...u32(0)]), 'answer']);
  });
  assert.deepEqual(refused(log), []);
});

test('guest memory that is cut short under a running ring ends the connection, not the process, and the log says so', async () => {
  const log = await serving(({ socket }) => {
    assert.deepEqual(play(socket, [...setUp, ...oneBuffer, 'kick', 'called', 'shrink', 'kick', 'end']), ['called', 'closed']);
    assert.deepEqual(play(socket, [...setUp, ...oneBuffer, 'kick', 'called']), ['called']);
  });
  assert.deepEqual(departures(log), [1, 0]);
});

test('half a message and then the end is nothing, and the next front side is served', async () => {
  const log = await serving(({ socket }) => {
    // Were it taken for whole it would be refused.
    const bytes = hex(message(request.GET_FEATURES, u64(VERSION_1)));
    for (const length of [2, 22, 26, bytes.length - 2]) {
      play(socket, [`send ${bytes.slice(0, length)}`]);
    }
    assert.deepEqual(play(socket, [...setUp, ...oneBuffer, 'kick', 'called']), ['called']);
  });
  assert.deepEqual(refused(log), []);
});

test('a front side that never reads its answers loses its connection, the log says so, and the next one is served', async () => {
  const log = await serving(async ({ socket }) => {
    const connection = createConnection(socket);
    connection.pause();
    const closed = new Promise((resolve) => connection.on('error', resolve).on('close', resolve));
    const asked = Buffer.from(message(request.GET_FEATURES, []));
    const ask = (): void => {
      while (!connection.destroyed && connection.write(asked));
    };
    connection.on('drain', ask);
    ask();
    await closed;
    connection.destroy();
    assert.deepEqual(play(socket, [...setUp, ...oneBuffer, 'kick', 'called']), ['called']);
  });
  assert.deepEqual(departures(log), [2, 0]);
});

test('a process that is to stop while a front side is there still tells what the connection came to', async () => {
  const log = await serving(async ({ socket, log: now }) => {
    const connection = createConnection(socket);
    while (!now().some(([code]) => code === 64)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    connection.unref();
  });
  assert.deepEqual(log.slice(-3).map(([code]) => code), [67, 68, 65]);
});

test('a process that was killed leaves a socket behind, and the next one takes its place; a used one is refused', async () => {
  const socket = path.join(folder, 'left');
  const child = spawn(runner, ['--socket', socket, '--device', '1', deviceBundle], { stdio: 'ignore' });
  while (!existsSync(socket)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const second = spawnSync(runner, ['--socket', socket, '--device', '1', deviceBundle], { encoding: 'utf8' });
  assert.equal(second.status, 64);
  assert.match(second.stderr, /something is already there/);
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGKILL');
  await ended;
  assert.ok(existsSync(socket));
  const third = spawn(runner, ['--socket', socket, '--device', '1', deviceBundle], { stdio: 'ignore' });
  const gone = new Promise((resolve) => third.on('close', resolve));
  let answered = false;
  while (!answered) {
    answered = spawnSync(front, [socket], { input: `${sent(request.GET_QUEUE_NUM, [])}\nanswer\n`, encoding: 'utf8' }).status === 0;
  }
  third.kill('SIGTERM');
  await gone;
});

test('wrong usage and a device that the application does not have are one sentence', () => {
  const run = (...args: string[]): { status: number | null; stderr: string } => spawnSync(runner, args, { encoding: 'utf8' });
  const file = path.join(folder, 'plain');
  writeFileSync(file, '');
  assert.match(run().stderr, /^vmsg-host-vhost-user: usage: .*\n$/);
  assert.match(run('--socket', file, deviceBundle).stderr, /^vmsg-host-vhost-user: something is already there: .*\n$/);
  assert.match(run('--socket', path.join(folder, 'x'.repeat(120)), deviceBundle).stderr, /path is too long/);
  const missing = run('--socket', path.join(folder, 'none'), '--device', '9', deviceBundle);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^error: Error: the application has no device 9 on its first bus \(.*\)\n$/);
});
