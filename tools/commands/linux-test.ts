// `vmsg linux-test`: a Linux machine in QEMU, with the user's kernel and virtio-msg modules, uses the devices of this package.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { profiles } from '../../firmware/wire/profile.js';
import { bundle } from '../bundle/bundle.js';
import { emulatedCoreReserved, emulatedCoreTarget, makeCoreMemory, otherMachineMebibytes, startCore } from '../emulator/emulated-core.js';
import { architectureOf, isProgramFor, x86 } from '../guest/architecture.js';
import { buildInitramfs, guestWord, startGuest, type GuestEnd } from '../guest/guest.js';
import { dependencies, moduleFiles, moduleName, modulesIn, type Kernel } from '../guest/kernel.js';
import { buildImage } from '../image/image.js';
import { buildIvshmemServer } from './ivshmem-server.js';
import { checks, deviceIds, verdicts, verdictText } from '../linux-test/verdicts.js';
import { buildRunner, startProcess, startRunner, type RunningSide, type SharedLayout } from '../host-process/runner.js';
import { packaged, progress } from '../emulator/scene.js';
import { sentence } from './serve.js';
import { UserError } from '../user-error.js';

const profileNames = profiles.map(({ name }) => name);

export const help = `vmsg linux-test --kernel IMAGE --modules DIR [options]
  Boots a Linux kernel with virtio-msg modules in stock QEMU (qemu-system-x86_64, or qemu-system-aarch64 -M virt, as the kernel wants),
  gives it the devices of the app linux-test, and prints a table: devices found, /dev/hwrng, a disk, a console, a network, GPIO, unbind
  and bind, module removed and inserted, devices that go and come, DEVICE_NEEDS_RESET.
  --kernel IMAGE       x86-64 bzImage, or arm64 Image or Image.gz. Without it nothing is run, and the command says how to get one
  --modules DIR        folders with modules (*.ko, uncompressed), searched with all below them; repeat it. What is loaded: the kernel's
                       drivers for the devices, modules named virtio_msg*, and the carriers: modules that need one of these
  --insmod 'M ARGS'    parameters for module M; repeat it
  --device host        the device side is a process (vmsg serve), default. The carrier finds the layout at offset 0x1000 of BAR 2 of
                       an ivshmem device (1af4:1110), and rings peer 0
  --device an524       it is the firmware on an emulated Cortex-M33 whose memory holds the machine's RAM; x86-64 only. The carrier
                       finds the layout at guest-physical 0x18001000, which the kernel leaves alone, and polls
  --doorbell KIND      with --device host: ivshmem (interrupts both ways, default) or poll (ivshmem-plain, both sides poll)
  --processors N       of the Linux machine, 1 to 8; default 1
  --profile P          wire profile (${profileNames.join(', ')}), default A
  --initrd-tool FILE   statically linked busybox for the kernel's architecture; Debian's by default, fetched by apt
  --kernel-log FILE    keeps the kernel's messages; docs/linux.md tells what they mean
  Exit status: 0 = no check failed, 1 = one did or could not be run for a mistake, 2 = not run for want of a kernel.`;

/** Said when there is nothing to run. */
const notRun = `not run: a kernel with virtio-msg is needed, and no kernel.org release has one.
  Build one from a tree that carries the driver (docs/linux.md names them), with a carrier module for this machine, then
    vmsg linux-test --kernel arch/x86/boot/bzImage --modules DIR      (or arch/arm64/boot/Image)
  where DIR holds the kernel's modules and the carrier.
`;

/** The guest's memory. */
const guestMebibytes = otherMachineMebibytes;
/** The layout behind the page that the carriers of the known trees leave free. */
const layoutOffset = 0x1000;
const ivshmemBytes = 2 ** 20;
/** A guest of which nothing is heard for so long is ended: longer than a request that the known driver waits for in vain, twice. */
const quietSeconds = 240;

/** The kernel's drivers for the app's devices, and for its disk's file system; those that are modules are loaded first. */
const drivers = ['virtio', 'virtio_ring', 'virtio_rng', 'virtio_console', 'virtio_blk', 'virtio_net', 'gpio_virtio', 'crc32c_generic', 'ext4'];

/** What to load for virtio-msg, in order, and what to remove again. */
interface MessageModules {
  readonly files: readonly string[];
  /** Modules that no other one of these needs. */
  readonly leaves: readonly string[];
}

/** Modules named virtio_msg*, and those that need one. */
function messageModules(kernel: Kernel): MessageModules {
  const needs = new Map([...kernel.modules].map(([name, file]) => [name, dependencies(readFileSync(file)).map(moduleName)]));
  const found = new Set([...kernel.modules.keys()].filter((name) => name.startsWith('virtio_msg')));
  // A carrier may need another one.
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    needs.forEach((names, module) => names.some((name) => found.has(name)) && found.add(module));
  }
  const leaves = [...found].filter((name) => ![...found].some((other) => needs.get(other)?.includes(name) === true));
  return { files: moduleFiles(kernel, [...found]).filter((file) => found.has(moduleName(path.basename(file, '.ko')))), leaves };
}

/** The user's kernel: its image, and every module below the folders. */
function userKernel(image: string, folders: readonly string[]): Kernel {
  [image, ...folders].forEach((file) => {
    if (!existsSync(file)) {
      throw new UserError(`${file} does not exist.`);
    }
  });
  const architecture = statSync(image).isFile() ? architectureOf(readFileSync(image)) : undefined;
  if (architecture === undefined) {
    throw new UserError(`${image} is neither a bzImage of an x86 kernel nor an Image or Image.gz of an arm64 one.`);
  }
  const modules = modulesIn(folders);
  if (folders.length > 0 && modules.size === 0) {
    throw new UserError(`There is no uncompressed module (*.ko) below ${folders.join(', ')}.`);
  }
  return { architecture, version: path.basename(image), image, modules };
}

/** Reads `--insmod 'M ARGS'`. */
function parameters(options: readonly string[], files: readonly string[]): Map<string, string> {
  return new Map(
    options.map((option) => {
      const [name = '', ...words] = option.trim().split(/\s+/);
      if (words.length === 0 || !files.some((file) => moduleName(path.basename(file, '.ko')) === moduleName(name))) {
        throw new UserError(`--insmod wants one of the virtio-msg modules and its parameters, not '${option}'.`);
      }
      return [moduleName(name), words.join(' ')];
    }),
  );
}

/** The guest's script: what guest.sh says it wants, and guest.sh. */
function guestScript({ files, leaves }: MessageModules, own: ReadonlyMap<string, string>): string {
  const carriers = files.map((file) => `${path.basename(file)} ${own.get(moduleName(path.basename(file, '.ko'))) ?? ''}`.trim());
  const variables = [['CARRIERS', carriers.join('\n')], ['LEAVES', leaves.join(' ')], ['IDS', deviceIds.join(' ')], ['CHECKS', checks.map(([name]) => name).join(' ')]];
  return `${variables.map(([name, value]) => `${name}='${value}'\n`).join('')}${readFileSync(packaged('tools', 'linux-test', 'guest.sh'), 'utf8')}`;
}

/** A device side that runs, and what QEMU must be told to reach it. */
interface Served {
  readonly sides: readonly RunningSide[];
  readonly devices: readonly string[];
  readonly kernelWords: readonly string[];
}

interface Setting {
  readonly folder: string;
  readonly kernel: Kernel;
  readonly memory: string;
  readonly profile: string;
  readonly onLine: (line: string) => void;
}

/** Turns the firmware's log lines into those of `vmsg serve`. */
function follow(layout: SharedLayout, onLine: (line: string) => void): (line: string) => void {
  return (line) => {
    const [, code, value] = (/^~(-?\d+) (-?\d+) /.exec(line) ?? []).map(Number);
    const text = code === undefined || value === undefined ? undefined : sentence(code, value, [layout]);
    if (text !== undefined) {
      onLine(text);
    } else if (/^(error|fatal): /.test(line)) {
      onLine(line);
    }
  };
}

/** The app's bundle for a target. */
async function deviceBundle(target: string, { folder, profile }: Setting): Promise<string> {
  progress(`bundling the app linux-test for ${target}`);
  return (await bundle({ target, role: 'device', entry: packaged('firmware', 'apps', 'linux-test.ts'), outFile: path.join(folder, 'device.js'), profile })).file;
}

/** Waits for a line that a side must say; a UserError when it ends before. */
async function said(what: string, start: (heard: (line: string) => void) => RunningSide, wanted: RegExp): Promise<RunningSide> {
  let tell: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const side = start((line) => {
    if (wanted.test(line)) {
      tell();
    }
  });
  const end = await Promise.race([heard, side.ended]);
  if (end !== undefined) {
    throw new UserError(`The ${what} ended with status ${end.status}: ${end.words}`);
  }
  return side;
}

async function serveAsProcess(setting: Setting, doorbell: string): Promise<Served> {
  const layout = { file: path.join(setting.folder, 'ivshmem'), offset: layoutOffset };
  const socket = path.join(setting.folder, 'peers');
  writeFileSync(layout.file, '');
  truncateSync(layout.file, ivshmemBytes);
  truncateSync(setting.memory, guestMebibytes * 2 ** 20);
  const file = await deviceBundle('host-shm', setting);
  const runner = await buildRunner(progress);
  const rings = doorbell === 'ivshmem';
  const sides: RunningSide[] = [];
  if (rings) {
    const server = await buildIvshmemServer();
    sides.push(await said('ivshmem server', (heard) => startProcess(server, [socket, layout.file, String(ivshmemBytes), '1'], heard), /^listening/));
  }
  const options = { side: 'device', memory: [{ file: setting.memory, base: setting.kernel.architecture.ramBase }], layouts: [layout], doorbell: rings ? `ivshmem:${socket}` : 'poll' } as const;
  const told = follow(layout, setting.onLine);
  sides.push(await said('device side', (heard) => startRunner(runner, file, options, (line) => { told(line); heard(line); }), /^~1 /));
  return {
    sides,
    devices: rings
      ? ['-chardev', `socket,path=${socket},id=peers`, '-device', 'ivshmem-doorbell,chardev=peers,vectors=1']
      : ['-object', `memory-backend-file,id=layout,mem-path=${layout.file},size=${ivshmemBytes},share=on`, '-device', 'ivshmem-plain,memdev=layout'],
    kernelWords: [],
  };
}

async function serveOnCore(setting: Setting): Promise<Served> {
  makeCoreMemory(setting.memory);
  const device = await deviceBundle(emulatedCoreTarget, setting);
  const image = await buildImage({ target: emulatedCoreTarget, engine: 'duktape', bundles: { device }, outDir: setting.folder, log: progress });
  const told = follow({ file: 'RAM', offset: emulatedCoreReserved + layoutOffset }, setting.onLine);
  const side = await said('emulated core', (heard) => startCore(image.device, setting.memory, (line) => { told(line); heard(line); }), /^~1 /);
  // The kernel's own notation: bytes $ address.
  return { sides: [side], devices: [], kernelWords: [`memmap=1M$0x${emulatedCoreReserved.toString(16)}`] };
}

/** Everything the user asked for, checked. */
interface Plan {
  readonly kernel: Kernel;
  readonly modules: MessageModules;
  readonly script: string;
  readonly serve: (setting: Setting) => Promise<Served>;
  readonly profile: string;
  readonly processors: number;
  readonly busybox: string | undefined;
  readonly kernelLog: string | undefined;
}

/** Boots the guest and returns how it ended, and what the device side said meanwhile. */
async function runGuest(plan: Plan, folder: string): Promise<{ readonly end: GuestEnd; readonly deviceLines: readonly string[] }> {
  const deviceLines: string[] = [];
  const setting: Setting = { folder, kernel: plan.kernel, memory: path.join(folder, 'ram'), profile: plan.profile, onLine: (line) => deviceLines.push(line) };
  writeFileSync(setting.memory, '');
  const initramfs = await buildInitramfs({
    kernel: plan.kernel,
    modules: drivers.filter((name) => plan.kernel.modules.has(name)),
    laterModules: plan.modules.files,
    script: plan.script,
    outFile: path.join(folder, 'initramfs.gz'),
    ...(plan.busybox === undefined ? {} : { busybox: plan.busybox }),
  }, progress);
  const served = await plan.serve(setting);
  try {
    progress('booting Linux');
    const guest = startGuest({
      kernel: plan.kernel,
      initramfs,
      kernelLog: plan.kernelLog ?? path.join(folder, 'kernel.log'),
      mebibytes: guestMebibytes,
      processors: plan.processors,
      memoryFile: setting.memory,
      devices: served.devices,
      kernelWords: served.kernelWords,
      quietSeconds,
      onLine: (line) => {
        const [, word, name] = /^(begin|check) (\w+)/.exec(line) ?? [];
        if (word !== 'check') {
          progress(checks.find(([one]) => one === name)?.[1] ?? line);
        }
      },
    });
    return { end: await guest.ended, deviceLines };
  } finally {
    served.sides.forEach(({ child }) => child.kill('SIGKILL'));
    await Promise.all(served.sides.map(({ ended }) => ended));
    progress('');
  }
}

/** Runs the command; returns the exit status. */
export async function linuxTest(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kernel: { type: 'string' },
      modules: { type: 'string', multiple: true, default: [] },
      insmod: { type: 'string', multiple: true, default: [] },
      device: { type: 'string', default: 'host' },
      doorbell: { type: 'string' },
      processors: { type: 'string', default: '1' },
      profile: { type: 'string', default: 'A' },
      'initrd-tool': { type: 'string' },
      'kernel-log': { type: 'string' },
    },
  });
  const { device, doorbell = 'ivshmem', processors, profile } = values;
  if (device !== 'host' && device !== 'an524') {
    throw new UserError(`--device is host or an524, not '${device}'.`);
  }
  if ((doorbell !== 'ivshmem' && doorbell !== 'poll') || (device === 'an524' && values.doorbell === 'ivshmem')) {
    throw new UserError(`--doorbell is ivshmem or poll, and with --device an524 both sides poll: not '${doorbell}'.`);
  }
  if (!/^[1-8]$/.test(processors)) {
    throw new UserError(`--processors wants 1 to 8, not '${processors}'.`);
  }
  if (!profileNames.some((name) => name === profile)) {
    throw new UserError(`Unknown profile '${profile}'; known profiles: ${profileNames.join(', ')}.`);
  }
  if (values.kernel === undefined) {
    process.stdout.write(notRun);
    return 2;
  }
  const kernel = userKernel(values.kernel, values.modules);
  if (device === 'an524' && kernel.architecture !== x86) {
    throw new UserError(`--device an524 wants an x86-64 kernel: the RAM of a machine for ${kernel.architecture.name} lies where this core has no window.`);
  }
  const busybox = values['initrd-tool'];
  if (busybox !== undefined && !(existsSync(busybox) && isProgramFor(kernel.architecture, readFileSync(busybox)))) {
    throw new UserError(`${busybox} is no program for ${kernel.architecture.name}: --initrd-tool wants a statically linked busybox.`);
  }
  const modules = messageModules(kernel);
  const plan: Plan = {
    kernel,
    modules,
    script: guestScript(modules, parameters(values.insmod, modules.files)),
    serve: (setting) => (device === 'an524' ? serveOnCore(setting) : serveAsProcess(setting, doorbell)),
    profile,
    processors: Number(processors),
    busybox,
    kernelLog: values['kernel-log'],
  };
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-linux-test-'));
  try {
    const { end, deviceLines } = await runGuest(plan, folder);
    if (end.lines.length === 0 && end.status > 0 && end.words !== '') {
      throw new UserError(`QEMU could not run the machine: ${end.words.split('\n')[0]}`);
    }
    const refusal = end.kernelLines.find((line) => line.startsWith(guestWord));
    if (refusal !== undefined) {
      throw new UserError(`The guest gave up: ${refusal.slice(guestWord.length)}.`);
    }
    const table = verdicts({ lines: end.lines, kernelLines: end.kernelLines, deviceLines, hung: end.hang !== undefined });
    process.stdout.write(`Linux ${kernel.version} for ${kernel.architecture.name}, device side ${device === 'an524' ? 'on an emulated Cortex-M33' : `as a process, doorbell ${doorbell}`}, profile ${profile}\n`);
    process.stdout.write(verdictText(table));
    return table.some(({ result }) => result === 'failed') ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
