// The ivshmem server between two runners, and with a stock QEMU as its client.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { packageRoot } from '../../tools/targets.js';
import { freshFolder, LAYOUT_OFFSET, SharedFiles } from '../support/processes.js';

const APP = 'firmware/apps/entropy.ts';
const HANG = 60_000;

const children: ChildProcess[] = [];
after(() => children.forEach((child) => child.kill('SIGKILL')));

/** A process and its lines; `saw` waits for one. */
class Lines {
  readonly lines: string[] = [];
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;
  private waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(this.child);
    const guard = setTimeout(() => this.child.kill('SIGKILL'), HANG);
    const note = (line: string): void => {
      this.lines.push(line);
      this.waiting.splice(0).forEach((wake) => wake());
    };
    this.ended = new Promise((resolve) => {
      this.child.on('close', (status) => {
        clearTimeout(guard);
        note('(ended)');
        resolve(status);
      });
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', note);
  }

  async saw(wanted: string): Promise<void> {
    while (!this.lines.includes(wanted)) {
      assert.ok(!this.lines.includes('(ended)'), `no line '${wanted}' in:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

interface Server {
  readonly process: Lines;
  readonly socket: string;
  readonly memory: string;
}

async function server(vectors = 1): Promise<Server> {
  const folder = freshFolder();
  const [socket, memory] = ['peers', 'memory'].map((name) => path.join(folder, name)) as [string, string];
  const process_ = new Lines(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'ivshmem-server', '--socket', socket, '--memory', memory, '--bytes', '64K', '--vectors', String(vectors)]);
  await process_.saw(`listening on ${socket}`);
  return { process: process_, socket, memory };
}

/** A client that keeps what the server sends; descriptors are lost on the way through Node, the numbers are not. */
class Client {
  readonly socket: Socket;
  private bytes = Buffer.alloc(0);
  private waiting: (() => void)[] = [];

  constructor(file: string) {
    this.socket = createConnection(file);
    this.socket.on('data', (data: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, data]);
      this.waiting.splice(0).forEach((wake) => wake());
    });
  }

  /** The next `count` numbers. */
  async take(count: number): Promise<number[]> {
    while (this.bytes.length < count * 8) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    const numbers = Array.from({ length: count }, (_, at) => Number(this.bytes.readBigInt64LE(at * 8)));
    this.bytes = this.bytes.subarray(count * 8);
    return numbers;
  }
}

test('a client gets version 0, its number, the memory, the others\' vectors and its own; departures are one number', async () => {
  const { process: running, socket, memory } = await server(2);
  assert.equal(statSync(memory).size, 65536);
  const first = new Client(socket);
  assert.deepEqual(await first.take(5), [0, 0, -1, 0, 0]);
  const second = new Client(socket);
  assert.deepEqual(await second.take(7), [0, 1, -1, 0, 0, 1, 1]);
  assert.deepEqual(await first.take(2), [1, 1]);
  second.socket.destroy();
  assert.deepEqual(await first.take(1), [1]);
  await running.saw('peer 1 left');
  const third = new Client(socket);
  assert.deepEqual(await third.take(7), [0, 2, -1, 0, 0, 2, 2], 'a number is not used again soon');
  first.socket.destroy();
  assert.deepEqual(await third.take(1), [0]);
  third.socket.destroy();
  assert.equal(await running.stop(), 0);
  assert.ok(running.lines.includes('stopped') && !existsSync(socket));
});

test('two runners ring each other through the server, and a device side outlives it', async () => {
  const { process: running, socket, memory } = await server();
  const files = new SharedFiles();
  const options = (side: 'device' | 'driver') => ({ ...files.options(side, `ivshmem:${socket}`), layouts: [{ file: memory, offset: LAYOUT_OFFSET }] });
  const device = await files.start(APP, options('device'));
  await device.saw('~1 ');
  const driver = await files.start('attached-entropy', options('driver'));
  assert.equal((await driver.ended).status, 0, driver.lines.join('\n'));
  await device.saw('~4 ');
  // Rung: a device that only polled would have seen 31 messages in its polls of 100 ms, this one woke for them.
  const wakes = (code: string): number => Number(device.lines.find((line) => line.startsWith(code))?.split(' ')[4]);
  assert.ok(wakes('~4 ') - wakes('~3 ') >= 16);
  assert.equal(await running.stop(), 0);
  assert.equal(running.lines.filter((line) => line.endsWith('connected')).length, 2);
  const again = await files.start('attached-entropy', { ...options('driver'), doorbell: 'poll' });
  assert.equal((await again.ended).status, 0, again.lines.join('\n'));
  assert.equal((await device.stop()).status, 0);
});

test('a stock QEMU connects as a client and announces itself to the others', async () => {
  const { process: running, socket } = await server(2);
  const other = new Client(socket);
  assert.deepEqual(await other.take(5), [0, 0, -1, 0, 0]);
  const machine = new Lines('qemu-system-aarch64', [
    '-M', 'virt', '-cpu', 'cortex-a57', '-accel', 'tcg', '-m', '64', '-S', '-display', 'none', '-nodefaults', '-monitor', 'none', '-serial', 'none',
    '-chardev', `socket,path=${socket},id=peers`, '-device', 'ivshmem-doorbell,chardev=peers,vectors=2',
  ]);
  assert.deepEqual(await other.take(2), [1, 1]);
  await running.saw('peer 1 connected');
  await machine.stop();
  assert.deepEqual(await other.take(1), [1]);
  other.socket.destroy();
  assert.equal(await running.stop(), 0);
});
