// `vmsg linux-test` without a Linux: what it says of mistakes, of a guest's lines, and of a guest that is a shell script.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fake, seeded } from '../../hal/fake/port.js';
import { Budget, Capacity } from '../../firmware/capacity.js';
import { parseBoard } from '../../tools/image/board.js';
import { emulatedCoreReserved } from '../../tools/emulator/emulated-core.js';
import { help, linuxTest } from '../../tools/commands/linux-test.js';
import { help as serveHelp } from '../../tools/commands/serve.js';
import { checks, deviceIds, entropySeed, entropyStream, verdicts, verdictText, type Heard } from '../../tools/linux-test/verdicts.js';
import { packageRoot } from '../../tools/targets.js';
import { UserError } from '../../tools/user-error.js';
import { workspace } from './workspace.js';

const command = path.join(packageRoot, 'tools', 'vmsg.mjs');
const script = path.join(packageRoot, 'tools', 'linux-test', 'guest.sh');

/** What a good run says; the bytes of /dev/hwrng are some of the device's stream. */
function good(): Heard {
  const lines = checks.flatMap(([name]) => [
    `begin ${name}`,
    name === 'hwrng' ? `check hwrng bytes ${entropyStream(200).subarray(100, 132).toString('hex')}` : `check ${name} ok`,
  ]);
  return { lines, kernelLines: ['[    1.0] virtio_blk virtio3: [vda] 512 512-byte logical blocks'], deviceLines: ['bus 0: RUN', 'bus 0: driver shut down'], hung: false };
}

/** Results that are not ok, by what was checked. */
function others(heard: Partial<Heard>): string[] {
  return verdicts({ ...good(), ...heard }).filter(({ result }) => result !== 'ok').map(({ what, result, detail }) => `${what}: ${result}: ${detail}`);
}

/** A good run in which the line of one check is another one. */
function withLine(name: string, line: string): string[] {
  return others({ lines: good().lines.map((one) => (one.startsWith(`check ${name} `) ? line : one)) });
}

test('a good run is ok in every line', () => {
  assert.deepEqual(others({}), []);
  const text = verdictText(verdicts(good()));
  assert.match(text, /^ {2}the disk is formatted, written, read back +ok$/m);
  assert.match(text, /\n15 ok, 0 failed, 0 not run\n$/);
});

test('what a check says is what the table says, and silence is a failure', () => {
  assert.deepEqual(withLine('gpio', 'check gpio none no driver for GPIO'), ['a GPIO line reads what another one drives: not run: no driver for GPIO']);
  assert.deepEqual(withLine('gpio', "check gpio failed the line read '111', not '101'"), ["a GPIO line reads what another one drives: failed: the line read '111', not '101'"]);
  assert.deepEqual(withLine('gpio', 'something else'), ['a GPIO line reads what another one drives: failed: the guest ended in it']);
  const cut = good().lines.slice(0, good().lines.indexOf('begin remove'));
  assert.deepEqual(others({ lines: cut }).map((line) => line.replace(/^.*?: /, '')), new Array<string>(3).fill('failed: the guest did not come to it'));
});

test('the bytes of /dev/hwrng must be the device\'s, all 32 of them', () => {
  const bytes = entropyStream(64).subarray(10, 42);
  assert.deepEqual(withLine('hwrng', `check hwrng bytes ${bytes.toString('hex')}`), []);
  for (const other of [bytes.subarray(1).toString('hex'), Buffer.alloc(32).toString('hex'), bytes.reverse().toString('hex'), '']) {
    assert.equal(withLine('hwrng', `check hwrng bytes ${other}`).length, 1, other);
  }
});

test('the stream is that of the firmware\'s seeded source', () => {
  fake.clear();
  const [bytes] = fake.bytes;
  assert.ok(bytes !== undefined);
  bytes.set([0, 8, 16, 24].map((shift) => (entropySeed >>> shift) & 255));
  seeded(0, 64, 48, 0, 0);
  assert.deepEqual(Buffer.from(bytes.subarray(64, 112)), entropyStream(48));
});

test('the device side must have seen the handshake and the driver that shuts down', () => {
  assert.deepEqual(others({ deviceLines: ['bus 0: driver shut down'] }), ['layout found, handshake: failed: the device side saw no driver in state RUN']);
  assert.deepEqual(others({ deviceLines: ['bus 0: RUN'] }), ['the module is removed and inserted again: failed: the device side saw no driver that shuts down']);
});

test('the kernel\'s complaints fail the run; what the driver says of its own removal does not', () => {
  const complaints = [
    '[  105.4] vmsg_carrier 0000:00:01.0: Failed waiting for a response: -110', '[    4.5] carrier virtio: Unexpected msg dev_id=4, type/id=01/07, ret=0',
    '[    4.5] BUG: kernel NULL pointer dereference, address: 0', '[  105.4] WARNING: CPU: 0 PID: 94 at include/linux/virtio_config.h:272', '[    1.0] Kernel panic - not syncing',
    '[    2.0] virtio_net virtio4: response invalid: msg_id=0x05 ret=-71', '[    2.0] virtio_net virtio4: drop used event: size=16', '[    2.0] virtio_net virtio4: drop event: msg_id=0x42 (device not registered)',
  ];
  for (const line of complaints) {
    assert.deepEqual(others({ kernelLines: [line] }), [`the kernel complains of nothing: failed: ${line.replace(/^.*?\] /, '')}`]);
  }
  const unloading = ['[   16.7] virtio_rng virtio0: Transfer request failed (-5)', '[   16.7] virtio_rng virtio0: Set status 0 failed', '[   16.7] virtio_rng virtio0: Virtqueue reset failed', '[   16.7] virtio_rng virtio0: drop event: msg_id=0x42 dev=1 (device stopped)'];
  assert.deepEqual(others({ kernelLines: [...unloading, '[    2.4] virtio_msg: module verification failed: signature and/or required key missing - tainting kernel'] }), []);
  assert.deepEqual(others({ hung: true }), ['the kernel complains of nothing: failed: the guest said nothing for too long']);
});

test('a driver whose unbind is the device\'s end cannot bind again, and that is no failure of the device side', () => {
  const failed = good().lines.map((line) => (line.startsWith('check rebind ') ? 'check rebind failed vda does not come back' : line));
  const kernelLines = ['[   13.6] virtio_blk virtio3: device reset while unwinding vq 0', '[   13.6] virtio_blk virtio3: tx rejected (fatal): msg_id=0x07', '[   13.7] virtio_blk: probe of virtio3 failed with error -5'];
  assert.deepEqual(others({ lines: failed, kernelLines }), ['a driver is unbound and bound again: not run: this driver binds no device again that it has let go']);
  // Without its word it is one.
  assert.deepEqual(others({ lines: failed, kernelLines: kernelLines.slice(1) }), [
    'a driver is unbound and bound again: failed: vda does not come back', 'the kernel complains of nothing: failed: virtio_blk virtio3: tx rejected (fatal): msg_id=0x07',
  ]);
  const other = kernelLines.map((line) => line.replace('virtio_blk: probe', 'virtio_net: probe'));
  assert.deepEqual(others({ kernelLines: other }), ['the kernel complains of nothing: failed: virtio_net: probe of virtio3 failed with error -5']);
});

test('guest.sh is a script, with a function for each check', () => {
  assert.equal(spawnSync('sh', ['-n', script]).status, 0);
  const text = readFileSync(script, 'utf8');
  assert.deepEqual([...text.matchAll(/^check_(\w+)\(\)/gm)].map(([, name]) => name), checks.map(([name]) => name));
});

test('without a kernel it says "not run" and how to get one, with status 2', () => {
  const { status, stdout } = spawnSync(process.execPath, [command, 'linux-test'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stdout, /^not run: a kernel with virtio-msg is needed/);
  assert.match(stdout, /vmsg linux-test --kernel arch\/x86\/boot\/bzImage --modules DIR/);
});

/** What kernels of an architecture look like, and programs for it: the magic numbers and where they lie. */
const kinds = {
  x86: { emulator: 'qemu-system-x86_64', image: 'bzImage', magic: 'HdrS', at: 0x202, elfMachine: 62 },
  aarch64: { emulator: 'qemu-system-aarch64', image: 'Image', magic: 'ARMd', at: 0x38, elfMachine: 183 },
} as const;
type Kind = keyof typeof kinds;

interface Files {
  readonly folder: string;
  readonly kernel: string;
  readonly modules: string;
  readonly busybox: string;
}

/** A folder with files that look like a kernel and a busybox, and modules that need what `modules` says. */
function kernelFiles(modules: Readonly<Record<string, string>>, kind: Kind = 'x86'): Files {
  const folder = workspace({});
  const { image: name, magic, at, elfMachine } = kinds[kind];
  const kernel = path.join(folder, name);
  const image = Buffer.alloc(1024);
  image.write(magic, at);
  writeFileSync(kernel, image);
  const busybox = path.join(folder, 'busybox');
  const program = Buffer.alloc(64);
  program.write('\x7fELF', 'latin1');
  program.writeUInt16LE(elfMachine, 18);
  writeFileSync(busybox, program);
  mkdirSync(path.join(folder, 'modules'));
  Object.entries(modules).forEach(([name, needs]) => writeFileSync(path.join(folder, 'modules', `${name}.ko`), `ELF\0license=GPL\0depends=${needs}\0name=${name}\0`));
  return { folder, kernel, modules: path.join(folder, 'modules'), busybox };
}

test('a mistake is one sentence', async () => {
  const { folder, kernel, modules, busybox } = kernelFiles({ virtio_msg: '', carrier: 'virtio_msg', other: '' });
  const places = ['--kernel', kernel, '--modules', modules];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--kernel', `${folder}/none`], /none does not exist\.$/],
    [['--kernel', modules], /is neither a bzImage of an x86 kernel nor an Image or Image\.gz of an arm64 one\.$/],
    [['--kernel', script], /is neither a bzImage of an x86 kernel nor an Image or Image\.gz of an arm64 one\.$/],
    [['--kernel', kernel, '--modules', `${folder}/none`], /none does not exist\.$/],
    [['--kernel', kernel, '--modules', path.join(packageRoot, 'docs')], /There is no uncompressed module \(\*\.ko\) below /],
    [[...places, '--device', 'abacus'], /--device is host or an524, not 'abacus'\.$/],
    [[...places, '--doorbell', 'horn'], /--doorbell is ivshmem or poll/],
    [[...places, '--device', 'an524', '--doorbell', 'ivshmem'], /with --device an524 both sides poll/],
    [[...places, '--processors', '9'], /--processors wants 1 to 8, not '9'\.$/],
    [[...places, '--profile', 'Z'], /Unknown profile 'Z'; known profiles: A/],
    [[...places, '--insmod', 'carrier'], /--insmod wants one of the virtio-msg modules and its parameters, not 'carrier'\.$/],
    [[...places, '--insmod', 'other a=1'], /--insmod wants one of the virtio-msg modules/],
    [[...places, '--initrd-tool', `${folder}/none`], /none is no program for x86-64: --initrd-tool wants a statically linked busybox\.$/],
    [[...places, '--initrd-tool', kernelFiles({}, 'aarch64').busybox], /is no program for x86-64/],
    [['--kernel', kernelFiles({}, 'aarch64').kernel, '--initrd-tool', busybox], /is no program for aarch64/],
    [['--kernel', kernelFiles({}, 'aarch64').kernel, '--device', 'an524'], /--device an524 wants an x86-64 kernel/],
  ];
  for (const [args, sentence] of cases) {
    await assert.rejects(linuxTest(args), (error) => error instanceof UserError && sentence.test(error.message), args.join(' '));
  }
});

/** A stand-in for QEMU: a shell script that does `body` with the guest's command line in "$@". */
function runWith(body: string, modules: Readonly<Record<string, string>>, args: readonly string[] = [], kind: Kind = 'x86'): { status: number | null; stdout: string; stderr: string } {
  const files = kernelFiles(modules, kind);
  mkdirSync(path.join(files.folder, 'bin'));
  writeFileSync(path.join(files.folder, 'bin', kinds[kind].emulator), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return spawnSync(
    process.execPath, [command, 'linux-test', '--kernel', files.kernel, '--modules', files.modules, '--initrd-tool', files.busybox, ...args],
    { encoding: 'utf8', env: { ...process.env, PATH: `${path.join(files.folder, 'bin')}:${process.env['PATH']}` } },
  );
}

test('a guest that is a shell script: its lines are the table, the device side is there while it runs, no handshake is a failure', () => {
  // It sees the layout's magic through the file that QEMU would map, and the modules in the archive.
  const body = `
    # The pattern does not match itself in grep's own command line.
    for word; do case "$word" in *mem-path=*/ivshmem,*) layout=\${word#*mem-path=}; layout=\${layout%%,*};; esac; done
    magic=$(od -An -tx2 -j 4096 -N 2 "$layout" | tr -d ' ')
    while [ "$1" != -initrd ]; do shift; done
    echo begin load; echo check load ok; echo begin probe; echo "check probe failed magic $magic"
    echo "check status failed" $(zcat "$2" | grep -a -A 3 "CARRIERS='" | tr -d '\\0' | sed 's/.*CARRIERS/CARRIERS/')`;
  const { status, stdout, stderr } = runWith(body, { virtio_msg: '', 'virtio-msg-amp': 'virtio_msg', carrier: 'virtio_msg_amp', other: '', virtio: '' }, ['--doorbell', 'poll', '--insmod', 'carrier a=1 b=2']);
  assert.equal(status, 1, stderr);
  assert.match(stdout, /^Linux bzImage for x86-64, device side as a process, doorbell poll, profile A$/m);
  assert.match(stdout, /^ {2}layout found, handshake +failed +the device side saw no driver in state RUN$/m);
  assert.match(stdout, /^ {2}the modules load +ok$/m);
  assert.match(stdout, /^ {2}every device is found, with its id +failed +magic 4c4f$/m);
  assert.match(stdout, /^ {2}the console echoes +failed +the guest did not come to it$/m);
  assert.match(stdout, /to status 0x0f +failed +CARRIERS='virtio_msg\.ko virtio-msg-amp\.ko carrier\.ko a=1 b=2' LEAVES='carrier'$/m);
});

test('a QEMU that cannot run the machine is one sentence', () => {
  const { status, stderr } = runWith('echo "qemu: no memory for the guest" >&2; exit 1', { virtio_msg: '' });
  assert.equal(status, 1);
  assert.match(stderr, /^vmsg: QEMU could not run the machine: qemu: no memory for the guest/m);
});

test('an arm64 kernel runs on the virt machine, its RAM is served at 40000000, and its script has the line on the PCI bus', () => {
  // What QEMU was told and how the device side maps the RAM's file, as the guest's lines.
  const body = `
    echo begin load; echo "check load failed" "$@"
    # The pattern does not match itself in grep's own command line.
    for word; do case "$word" in *mem-path=*/ram,*) ram=\${word#*mem-path=}; ram=\${ram%%,*};; esac; done
    echo begin probe; echo "check probe failed" $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -a -o -- "--window $ram 0 134217728 0x[0-9a-f][0-9a-f]*")
    while [ "$1" != -initrd ]; do shift; done
    echo "check status failed" $(zcat "$2" | grep -a -c '</dev/ttyS0 >/dev/ttyS0')`;
  const { status, stdout, stderr } = runWith(body, { virtio_msg: '' }, ['--processors', '2'], 'aarch64');
  assert.equal(status, 1, stderr);
  assert.match(stdout, /^Linux Image for aarch64, device side as a process, doorbell ivshmem, profile A$/m);
  const told = /the modules load +failed +(.*)$/m.exec(stdout)?.[1] ?? '';
  ['-machine virt,accel=tcg,memory-backend=ram -m 512', '-cpu cortex-a57 -smp 2 ', '-append console=ttyAMA0 ', '-device pci-serial,chardev=script', '-device ivshmem-doorbell,chardev=peers'].forEach((words) => assert.ok(told.includes(words), `${words} in ${told}`));
  assert.match(stdout, /with its id +failed +--window \/\S+\/ram 0 134217728 0x40000000$/m);
  assert.match(stdout, /to status 0x0f +failed +1$/m);
});

test('a guest that gives up for want of its serial line is one sentence', () => {
  const body = 'for word; do case "$word" in file:*) echo "guest: this kernel has no /dev/ttyS0" >"${word#file:}";; esac; done';
  const { status, stderr } = runWith(body, { virtio_msg: '' }, [], 'aarch64');
  assert.equal(status, 1);
  assert.match(stderr, /^vmsg: The guest gave up: this kernel has no \/dev\/ttyS0\.$/m);
});

test('docs/linux.md names numbers, options and places as they are', () => {
  const page = readFileSync(path.join(packageRoot, 'docs', 'linux.md'), 'utf8');
  const says = (text: string): void => assert.ok(page.includes(text), text);
  says(`not used again for ${Budget.Quarantine / 1e6} s`);
  says(`at most ${Capacity.Windows} windows`);
  says(`address=0x${(emulatedCoreReserved + 4096).toString(16)}`);
  says(`all ${checks.length + 2} lines of the table were ok`);
  says(`${checks.length + 1} lines were ok`);
  [...page.matchAll(/vmsg linux-test (.*)/g)].flatMap(([, line]) => line?.match(/--[a-z-]+/g) ?? []).forEach((option) => assert.match(help, new RegExp(`^  ${option} `, 'm')));
  // The one window of the device tree's pool, as board.json has it.
  const pool = /pool@(\w+) *\{.*reg = <(0x\w+) (0x\w+)>/.exec(page) ?? [];
  assert.equal(Number(`0x${pool[1]}`), Number(pool[2]));
  says(`"driverAddress": "0x${(pool[2] ?? '').slice(2).padStart(16, '0')}"\`, \`"bytes": ${Number(pool[3])}`);
  const bound = parseBoard(JSON.stringify({
    ...JSON.parse(readFileSync(path.join(packageRoot, 'platforms', 'mps3-an524-m33', 'board.json'), 'utf8')) as object,
    windows: [{ name: 'pool', cpuAddress: '0x60000000', driverAddress: `0x${(pool[2] ?? '').slice(2).padStart(16, '0')}`, bytes: Number(pool[3]) }],
  }), 'board.json');
  assert.equal(bound.windows[0]?.bytes, 4194304);
  // The device side's sentences are those of vmsg serve, and every place that is named is there.
  ['driver lost', 'ring error'].forEach((words) => assert.ok(page.includes(`N: ${words}`) && serveHelp.includes(`N: ${words}`), words));
  const places = [...page.matchAll(/\b(test\/[\w/.-]+\.ts|hal\/mailboxes)|\]\(\.\.\/([\w/.-]+)\)/g)].map(([, file, link]) => file ?? link ?? '');
  assert.ok(places.length >= 3);
  places.forEach((place) => assert.ok(existsSync(path.join(packageRoot, place)), place));
});

test('what docs/linux.md says of the kernel\'s messages is what the table makes of them', () => {
  const page = readFileSync(path.join(packageRoot, 'docs', 'linux.md'), 'utf8');
  const rows = [...page.slice(page.indexOf('## dmesg'), page.indexOf('## Try it')).matchAll(/^\| (`.*?`) \| (.*) \|$/gm)];
  assert.ok(rows.length >= 20, `${rows.length} messages`);
  for (const [, messages = '', meaning = ''] of rows) {
    for (const [, message = ''] of messages.matchAll(/`(.*?)`/g)) {
      const complaints = others({ kernelLines: [`[    9.9] virtio_net virtio4: ${message}`] });
      assert.equal(complaints.length, /^harmless|while the carrier is removed/.test(meaning) ? 0 : 1, `${message}: ${meaning}`);
    }
  }
});

test('the device ids are those of the app', () => {
  const app = readFileSync(path.join(packageRoot, 'firmware', 'apps', 'linux-test.ts'), 'utf8');
  const made = [...app.matchAll(/^ {4}(entropy|console|block|network|gpio|guest)\((?!Guest\.Comes)/gm)].map(([, name]) => name);
  const ids: Readonly<Record<string, number>> = { entropy: 4, console: 3, block: 2, network: 1, gpio: 41, guest: 4 };
  assert.deepEqual(made.map((name) => Number(ids[name ?? ''])), deviceIds.map(Number));
});
