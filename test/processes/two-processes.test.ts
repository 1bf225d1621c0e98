// Device and driver as processes of their own over shared files: every doorbell, signals, peers that vanish and come back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildProgram, runnerArguments, startProcess } from '../../tools/host-process/runner.js';
import { note } from '../../tools/support/record.js';
import { deviceBundle, driverBundle, freshFolder, MEMORY_BYTES, readAt, runner, SharedFiles, Side } from '../support/processes.js';

const APP = 'firmware/apps/entropy.ts';

/** Lines of the firmware's log by their codes (firmware/wire/log.ts). */
const PUBLISHED = '~1 0 ';
const RUN = '~3 0 ';
const DRIVER_SHUTDOWN = '~4 0 ';
const DRIVER_OK = '~8 1 ';

/** Runs the entropy program against `files` and checks what it found. */
async function readEntropy(files: SharedFiles, doorbell: string): Promise<void> {
  const driver = await files.driver('attached-entropy', doorbell);
  const { status, words } = await driver.ended;
  assert.equal(status, 0, words + driver.lines.join('\n'));
  assert.ok(driver.lines.includes('# entropy-bytes 4096'));
}

async function servesWith(deviceBell: string, driverBell: string): Promise<Side> {
  const files = new SharedFiles();
  const device = await files.device(APP, deviceBell);
  await device.saw(PUBLISHED);
  await readEntropy(files, driverBell);
  await device.saw(DRIVER_SHUTDOWN);
  // A second driver finds everything as the first one did.
  await readEntropy(files, driverBell);
  await device.saw(DRIVER_SHUTDOWN, 2);
  assert.equal(device.count(RUN), 2);
  assert.equal(device.count(DRIVER_OK), 2);
  return device;
}

test('polling serves one driver after the other', async () => {
  assert.deepEqual(await (await servesWith('poll:500', 'poll:500')).stop(), { status: 0, words: '' });
  note({ target: 'host-shm', engine: 'duktape', ranOn: 'a Linux process', test: 'test/processes/two-processes.test.ts' });
});

test('named pipes carry the doorbell both ways and are made when they are missing', async () => {
  const folder = freshFolder();
  const [there, back] = [path.join(folder, 'there'), path.join(folder, 'back')];
  const device = await servesWith(`fifo:${there},${back}`, `fifo:${back},${there}`);
  assert.equal((await device.stop()).status, 0);
});

test('a UNIX socket carries the doorbell both ways, survives its peer, and goes when the device side ends', async () => {
  const socket = path.join(freshFolder(), 'bell');
  const device = await servesWith(`unix:${socket}`, `connect:${socket}`);
  assert.ok(existsSync(socket));
  assert.equal((await device.stop()).status, 0);
  assert.ok(!existsSync(socket));
});

test('a socket left by a killed device side is taken over, one in use is refused', async () => {
  const socket = path.join(freshFolder(), 'bell');
  const files = new SharedFiles();
  const first = await files.device(APP, `unix:${socket}`);
  await first.saw(PUBLISHED);
  const other = await (await new SharedFiles().device(APP, `unix:${socket}`)).ended;
  assert.equal(other.status, 64);
  assert.match(other.words, /^vmsg-host-shm: cannot listen on the socket /);
  first.kill('SIGKILL');
  await first.ended;
  assert.ok(existsSync(socket));
  const second = await files.device(APP, `unix:${socket}`);
  await second.saw(PUBLISHED);
  await readEntropy(files, `connect:${socket}`);
  assert.equal((await second.stop()).status, 0);
});

test('inherited eventfds carry the doorbell both ways', async () => {
  const launcher = await buildProgram('with-eventfds', ['with-eventfds.c']);
  const files = new SharedFiles();
  const run = await runner();
  const device = [run, ...runnerArguments(files.options('device', 'eventfd:3,4')), await deviceBundle(APP)];
  const driver = [run, ...runnerArguments(files.options('driver', 'eventfd:4,3')), await driverBundle('attached-entropy')];
  const lines = execFileSync(launcher, [String(device.length), ...device, ...driver], { encoding: 'utf8', timeout: 60_000 }).split('\n');
  assert.ok(lines.includes('# entropy-bytes 4096'));
  assert.equal(lines.filter((line) => line.startsWith(DRIVER_OK)).length, 1);
  // Rung, not polled: the device woke for the driver's messages, not once in every 5 or 100 ms.
  const end = lines.find((line) => line.startsWith(DRIVER_SHUTDOWN));
  assert.ok(Number(end?.split(' ')[4]) >= 17, end);
});

test('a doorbell that cannot be used is one sentence and status 64', async () => {
  const folder = freshFolder();
  const cases: readonly (readonly [string, RegExp])[] = [
    ['horn:1', /^vmsg-host-shm: unknown kind of doorbell: horn:1$/],
    ['poll:1s', /^vmsg-host-shm: polling wants 1 to 1000000 microseconds: poll:1s$/],
    ['fifo:one', /^vmsg-host-shm: a doorbell needs IN,OUT: one$/],
    [`fifo:${folder},${folder}/out`, /^vmsg-host-shm: is no named pipe that can be opened: /],
    [`ivshmem:${folder}/none`, /^vmsg-host-shm: no ivshmem server listens on /],
    [`unix:${folder}/none/bell`, /^vmsg-host-shm: cannot listen on the socket /],
  ];
  for (const [doorbell, sentence] of cases) {
    const { status, words } = await (await new SharedFiles().device(APP, doorbell)).ended;
    assert.equal(status, 64, doorbell);
    assert.match(words, sentence);
  }
});

test('a signal takes the layout back: no magic, status INIT', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const files = new SharedFiles();
    const device = await files.device(APP);
    await device.saw(PUBLISHED);
    assert.equal(files.layoutBytes(0, 2).toString('hex'), '4f4c');
    device.kill(signal);
    assert.deepEqual(await device.ended, { status: 0, words: '' });
    assert.equal(files.layoutBytes(0, 2).toString('hex'), '0000');
    assert.equal(files.layoutBytes(64, 8).toString('hex'), '4f51000000000000');
  }
});

test('nothing lies outside the layout and the driver\'s areas: the rest of both files stays as it was', async () => {
  const files = new SharedFiles();
  const device = await files.device(APP);
  await device.saw(PUBLISHED);
  await readEntropy(files, 'poll');
  await device.stop();
  const zero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);
  // Header, heads and two rings of 16 elements; then the queue at 1 MiB and the buffers at 2 MiB.
  assert.ok(zero(files.layoutBytes(-0x1000, 0x1000)) && zero(files.layoutBytes(128 + 2048, 0x8000)));
  assert.ok(zero(readAt(files.memory, 0, 0x100000)) && !zero(readAt(files.memory, 0x100000, 0x1000)));
  assert.ok(zero(readAt(files.memory, 0x101000, 0xff000)) && !zero(readAt(files.memory, 0x200000, 0x1000)));
  assert.ok(zero(readAt(files.memory, 0x201000, MEMORY_BYTES - 0x201000)));
});

test('nothing needs privileges: both sides run as a user that owns the files and nothing else', async () => {
  const files = new SharedFiles();
  const [program, device, driver] = ['runner', 'device.js', 'driver.js'].map((name) => path.join(files.folder, name)) as [string, string, string];
  copyFileSync(await runner(), program);
  copyFileSync(await deviceBundle(APP), device);
  copyFileSync(await driverBundle('attached-entropy'), driver);
  chmodSync(program, 0o755);
  // Who is not root has no privileges anyway.
  const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--no-new-privs'] : ['env'];
  if (process.getuid?.() === 0) {
    [files.folder, files.memory, files.layout.file, device, driver].forEach((file) => chownSync(file, 65534, 65534));
  }
  const start = (side: 'device' | 'driver', bundle: string): Side => {
    const [command = '', ...words] = [...nobody, program, ...runnerArguments(files.options(side, side === 'device' ? `unix:${files.folder}/bell` : `connect:${files.folder}/bell`)), bundle];
    return new Side((onLine) => startProcess(command, words, onLine));
  };
  const served = start('device', device);
  await served.saw(PUBLISHED);
  const { status, words } = await start('driver', driver).ended;
  assert.equal(status, 0, words);
  assert.deepEqual(await served.stop(), { status: 0, words: '' });
});
