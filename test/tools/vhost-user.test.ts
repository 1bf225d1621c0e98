// `vmsg vhost-user` as its user meets it: QEMU's command line, what happens, and one sentence for each mistake.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { characterDevice, cpioArchive, folderEntry, programEntry } from '../../tools/guest/cpio.js';
import { debianKernel, moduleFiles, type Kernel } from '../../tools/guest/kernel.js';
import { debianPackage } from '../../tools/guest/packages.js';
import { packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';
import { chosenDevices, commandLine, sentence, vhostUser } from '../../tools/commands/vhost-user.js';
import { frontSide, type OfferedDevice } from '../../tools/host-process/vhost-user-runner.js';
import { workspace } from './workspace.js';

const command = path.join(packageRoot, 'tools', 'vmsg.mjs');
/** The guard against a hang. */
const hangMilliseconds = 900_000;
const device = (number: number, deviceId: number, queues = 1, queueSize = 64): OfferedDevice => ({ number, deviceId, queues, queueSize });

const app = `import { block, bus, console, echo, entropy, gpio, loopBack, network, ramDisk } from '../../../firmware/main.js';
export default bus({ profile: 'A', devices: [
  entropy({ number: 1 }), console({ number: 2, ports: [{ backend: echo() }] }), block({ number: 3, backend: ramDisk({ sectors: 32 }) }),
  network({ number: 4, backend: loopBack() }), gpio({ number: 5, lines: 2 }),
] });
`;

test('one process for each device that QEMU can use, the command line for all, a front side that is found again, and a clean end', async () => {
  const folder = workspace({ 'app.ts': app });
  const socket = path.join(folder, 'dev');
  const child = spawn(process.execPath, [command, 'vhost-user', '--app', path.join(folder, 'app.ts'), '--socket', socket], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let connections = 0;
  let current: Socket | undefined;
  const front = createServer((connection) => {
    connection.on('error', () => undefined);
    connections++;
    current = connection;
    // Twice a front side comes and goes, then there is none any more.
    if (connections === 2) {
      front.close();
    }
  });
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('-nographic')) {
      front.listen(`${socket}.1`);
    } else if (line === 'device 1: connected') {
      current?.end();
    } else if (line === 'device 1: disconnected' && lines.filter((one) => one === line).length === 2) {
      child.kill('SIGTERM');
    }
  }
  assert.equal(await ended, 0, errors);
  assert.deepEqual(lines.slice(0, 3), [
    'device 2: not served: QEMU has no vhost-user device for virtio device id 3',
    'device 4: not served: QEMU wants queues of 256 entries for network, and the smallest here has 64',
    'device 5: not served: QEMU wants queues of 256 entries for gpio, and the smallest here has 64',
  ]);
  assert.deepEqual(lines.slice(3, 11).map((line) => line.replace(/ \\$/, '').trim()), [
    'qemu-system-x86_64',
    '-machine q35,accel=tcg,memory-backend=ram',
    '-m 512',
    '-object memory-backend-memfd,id=ram,size=512M,share=on',
    `-chardev socket,id=vmsg1,path=${socket}.1,server=on`,
    '-device vhost-user-rng-pci,chardev=vmsg1',
    `-chardev socket,id=vmsg3,path=${socket}.3,reconnect=1`,
    '-device vhost-user-blk-pci,chardev=vmsg3,num-queues=1,queue-size=64',
  ]);
  assert.deepEqual(lines.slice(-5), ['device 1: connected', 'device 1: disconnected', 'device 1: connected', 'device 1: disconnected', 'stopped']);
  assert.equal(existsSync(`${socket}.3`), false);
});

const kernel = await debianKernel(() => undefined).catch((error: Error) => error.message);

/** A first file system whose kernel says of each virtio device: its id, its status, its driver; and switches itself off. */
async function initrdOf(modules: readonly string[], { folder, linux }: { folder: string; linux: Kernel }): Promise<string> {
  const files = moduleFiles(linux, modules);
  const busybox = path.join(await debianPackage('busybox-static', linux.architecture, () => undefined), 'bin', 'busybox');
  const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
${files.map((file) => `/bin/busybox insmod /${path.basename(file)}`).join('\n')}
for one in /sys/bus/virtio/devices/*; do
  echo "device $(/bin/busybox cat $one/device) $(/bin/busybox cat $one/status) $(/bin/busybox basename "$(/bin/busybox readlink $one/driver)")"
done
/bin/busybox poweroff -f
`;
  const file = path.join(folder, 'initrd');
  writeFileSync(file, gzipSync(cpioArchive([
    ...['bin', 'dev', 'proc', 'sys'].map(folderEntry), characterDevice('dev/console', 5, 1), programEntry('bin/busybox', readFileSync(busybox)),
    ...files.map((one) => programEntry(path.basename(one), readFileSync(one))), programEntry('init', init),
  ])));
  return file;
}

test('the printed command line, pasted into a shell with a kernel, boots a Linux whose drivers take the devices', { skip: typeof kernel === 'string' ? kernel : false }, async () => {
  const linux = kernel as Kernel;
  const folder = workspace({ 'app.ts': app.replace('loopBack() })', 'loopBack(), queueSize: 256 })') });
  const initrd = await initrdOf(['virtio_pci', 'virtio_rng', 'virtio_blk', 'virtio_net'], { folder, linux });
  const child = spawn(process.execPath, [command, 'vhost-user', '--app', path.join(folder, 'app.ts'), '--socket', path.join(folder, 'dev')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let consoleText = '';
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('-nographic')) {
      const pasted = lines.slice(lines.findIndex((one) => one.startsWith('qemu-system-'))).join('\n').replace('KERNEL', `'${linux.image}'`).replace('INITRD', `'${initrd}'`);
      execFile('sh', ['-c', `exec ${pasted}`], { timeout: hangMilliseconds }, (_error, out, said) => {
        consoleText = out + said;
        child.kill('SIGTERM');
      });
    }
  }
  const devices = [...consoleText.matchAll(/^device (0x\S+) (0x\S+) (\w+)/gm)].map(([, ...words]) => words.join(' ')).sort();
  assert.deepEqual(devices, ['0x0001 0x0000000f virtio_net', '0x0002 0x0000000f virtio_blk', '0x0004 0x0000000f virtio_rng'], consoleText);
  for (const number of [1, 3, 4]) {
    assert.ok(lines.includes(`device ${number}: DRIVER_OK`), lines.join('\n'));
  }
});

test('a device for which Debian 12\'s QEMU is too old is printed with what it needs', async () => {
  const folder = workspace({ 'app.ts': app.replace('gpio, ', 'gpio, input, ').replace('] });', 'input({ number: 6, name: \'keys\' })] });') });
  const child = spawn(process.execPath, [command, 'vhost-user', '--app', path.join(folder, 'app.ts'), '--device', '6', '--socket', path.join(folder, 'dev')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('-nographic')) {
      child.kill('SIGTERM');
    }
  }
  assert.equal(lines[0], 'device 6: needs QEMU 9.1 or later: earlier ones refuse it without KVM ("requires kvm")');
  assert.ok(lines.some((line) => line.includes('-device vhost-user-input-pci,chardev=vmsg6')));
});

test('a device that QEMU cannot use is left out with the reason, or refused where it was asked for', () => {
  const skipped: string[] = [];
  const skip = ({ number }: OfferedDevice, reason: string): number => skipped.push(`${number} ${reason}`);
  const devices = [device(1, 4), device(2, 3), device(3, 1, 2, 64), device(4, 18)];
  assert.deepEqual(chosenDevices(devices, [], skip).map(({ number }) => number), [1, 4]);
  assert.deepEqual(skipped, ['2 QEMU has no vhost-user device for virtio device id 3', '3 QEMU wants queues of 256 entries for network, and the smallest here has 64']);
  assert.deepEqual(chosenDevices(devices, [4], skip).map(({ number }) => number), [4]);
  assert.equal(skipped.length, 2, 'nothing is said of what was not asked for');
  const refused = (asked: readonly number[], offered: readonly OfferedDevice[], sentenceOf: RegExp): void =>
    assert.throws(() => chosenDevices(offered, asked, skip), (error) => error instanceof UserError && sentenceOf.test(error.message));
  refused([2], devices, /^Device 2 cannot be served: QEMU has no vhost-user device/);
  refused([9], devices, /^The app has no device 9; its devices: 1, 2, 3, 4\.$/);
  refused([], [device(2, 3)], /^QEMU can use none of the app's devices: 2\.$/);
  const network = frontSide(device(1, 1, 2, 256));
  assert.ok('name' in network && network.name === 'network' && network.needs === undefined);
});

test('the command line has every word as a shell takes it', () => {
  const line = commandLine([{ device: device(7, 2, 2, 128), socket: '/tmp/a b' }, { device: device(8, 1, 2, 256), socket: '/n' }]);
  assert.match(line, /-chardev 'socket,id=vmsg7,path=\/tmp\/a b,reconnect=1' \\\n/);
  assert.match(line, /-device vhost-user-blk-pci,chardev=vmsg7,num-queues=2,queue-size=128 \\\n/);
  assert.match(line, /-netdev vhost-user,id=vmsg8-net,chardev=vmsg8 \\\n {2}-device virtio-net-pci,netdev=vmsg8-net,romfile=,vectors=0 \\\n/);
});

test('what a user reads of the log', () => {
  assert.deepEqual([64, 65, 6, 7, 8, 67].map((code) => sentence(code, 0)), ['connected', 'disconnected', 'ring error', 'reset', 'DRIVER_OK', undefined]);
  assert.deepEqual([1, 2].map((why) => sentence(65, why)), ['disconnected: guest memory was cut short', 'disconnected: answers were not read']);
  assert.equal(sentence(66, 5 * 32 + 13), 'refused SET_MEM_TABLE: the memory of a region cannot be mapped');
  assert.equal(sentence(66, 77 * 32 + 3), 'refused request 77: not a request that was offered');
  // Each reason that the firmware has is told in words of its own.
  const told = Array.from({ length: 18 }, (_, at) => sentence(66, 5 * 32 + at + 1));
  assert.equal(new Set(told).size, 18);
  told.forEach((line) => assert.doesNotMatch(line ?? '', /reason \d/));
  assert.match(sentence(66, 5 * 32 + 19) ?? '', /reason 19/);
});

test('a mistake is one sentence', async () => {
  const folder = workspace({ 'app.ts': app, 'empty.ts': "import { bus } from '../../../firmware/main.js';\nexport default bus({ profile: 'A', devices: [] });\n", plain: '' });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /vhost-user wants --socket PATH/],
    [['--socket', `${folder}/s`, '--app', 'nothing'], /There is no app 'nothing'/],
    [['--socket', `${folder}/s`, '--device', 'x'], /--device wants a number, not 'x'/],
    [['--socket', `${folder}/s`, '--seed', '-'], /--seed wants a number, not '-'/],
    [['--socket', `${folder}/plain`, '--app', path.join(folder, 'app.ts'), '--device', '3'], /something is already there: /],
    [['--socket', `${folder}/s`, '--app', path.join(folder, 'empty.ts')], /The app cannot be served: no device was chosen\./],
  ];
  for (const [args, expected] of cases) {
    await assert.rejects(vhostUser(args), (error) => error instanceof UserError && expected.test(error.message), args.join(' '));
  }
});
