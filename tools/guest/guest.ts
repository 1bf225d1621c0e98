// A guest for tests: Linux with a small file system of its own in QEMU, without anything installed on a disk.
//
// The kernel's messages go to the first serial line, which is kept in a file. The second one belongs to the guest's script: lines
// from it come to `onLine`, and `send` hands it lines. A guest that says nothing for a long time is ended.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { writeWhole } from '../image/build-files.js';
import { UserError } from '../user-error.js';
import { x86, type Architecture } from './architecture.js';
import { characterDevice, cpioArchive, folderEntry, programEntry } from './cpio.js';
import { moduleFiles, type Kernel } from './kernel.js';
import { debianPackage, type OnStep } from './packages.js';

export interface InitramfsOptions {
  readonly kernel: Kernel;
  /** Modules that are loaded before the script starts, with all they need. */
  readonly modules: readonly string[];
  /** What the guest does, for busybox's shell; its input and output are the second serial line. */
  readonly script: string;
  /** More programs, by name in /bin. */
  readonly programs?: Readonly<Record<string, Buffer>>;
  /** Module files that are not of the kernel's package, loaded last. */
  readonly ownModules?: readonly string[];
  /** Module files that the script loads itself, from /modules. */
  readonly laterModules?: readonly string[];
  /** A statically linked busybox; Debian's by default. */
  readonly busybox?: string;
  /** The file to write. */
  readonly outFile: string;
}

/** How lines begin that the guest itself writes, on either line. */
export const guestWord = 'guest: ';

/** Everything before the script: mounts, modules; and after it the end. */
function initScript({ consoleLine, scriptLine }: Architecture, modules: readonly string[]): string {
  const line = `/dev/${scriptLine}`;
  return `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
if ! stty -F ${line} raw -echo onlcr; then
  echo "${guestWord}this kernel has no ${line}" >/dev/${consoleLine}
  poweroff -f
fi
for module in ${modules.join(' ')}; do
  insmod /modules/$module || echo "module $module: not loaded" >${line}
done
sh /script <${line} >${line} 2>&1
echo "${guestWord}the script ended with status $?" >${line}
sync
poweroff -f
`;
}

/** Writes the guest's first file system; returns the file. */
export async function buildInitramfs(options: InitramfsOptions, onStep: OnStep): Promise<string> {
  const { architecture } = options.kernel;
  const busybox = readFileSync(options.busybox ?? path.join(await debianPackage('busybox-static', architecture, onStep), 'bin', 'busybox'));
  const files = [...moduleFiles(options.kernel, options.modules), ...(options.ownModules ?? [])];
  const all = [...files, ...(options.laterModules ?? [])];
  const archive = cpioArchive([
    ...['bin', 'dev', 'proc', 'sys', 'tmp', 'mnt', 'modules'].map(folderEntry),
    characterDevice('dev/console', 5, 1),
    programEntry('bin/busybox', busybox),
    ...Object.entries(options.programs ?? {}).map(([name, content]) => programEntry(`bin/${name}`, content)),
    ...all.map((file) => programEntry(`modules/${path.basename(file)}`, readFileSync(file))),
    programEntry('script', options.script),
    programEntry('init', initScript(architecture, files.map((file) => path.basename(file)))),
  ]);
  writeWhole(options.outFile, gzipSync(archive, { level: 1 }));
  return options.outFile;
}

/**
 * The machine of every guest: memory that other processes can map, by a descriptor that QEMU hands them or as a file whose
 * offsets are guest-physical addresses, from the RAM's base on. For people, too: `vmsg vhost-user` prints it.
 */
export function sharedMachine(mebibytes: number, architecture: Architecture = x86, file?: string): string[] {
  const object = file === undefined ? 'memory-backend-memfd' : `memory-backend-file,mem-path=${file.replaceAll(',', ',,')}`;
  return ['-machine', `${architecture.machine},accel=tcg,memory-backend=ram`, '-m', String(mebibytes), '-object', `${object},id=ram,size=${mebibytes}M,share=on`];
}

export interface GuestOptions {
  readonly kernel: Kernel;
  /** QEMU's program; the machine's own for the kernel's architecture by default. */
  readonly emulator?: string;
  readonly initramfs: string;
  /** Where the kernel's messages go. */
  readonly kernelLog: string;
  readonly mebibytes: number;
  /** A file that is the guest's memory, for processes that map it. */
  readonly memoryFile?: string;
  /** Processors; 1 by default. */
  readonly processors?: number;
  /** Devices, as QEMU's options. */
  readonly devices: readonly string[];
  /** Path of a socket for QEMU's monitor, when `command` is to be used. */
  readonly monitor?: string;
  /** Words for the kernel's command line. */
  readonly kernelWords?: readonly string[];
  /** A line of the guest's script. */
  readonly onLine: (line: string) => void;
  /** The guard against a hang: seconds without a line of the script before the guest is ended. */
  readonly quietSeconds: number;
  /** Called before a silent guest is ended; what it returns is kept in `hang`. */
  readonly onHang?: () => Promise<string[]> | string[];
}

/** How a guest ended. */
export interface GuestEnd {
  /** QEMU's status; 0 after the guest has switched itself off. */
  readonly status: number;
  /** Lines of the script, and of the kernel. */
  readonly lines: readonly string[];
  readonly kernelLines: readonly string[];
  /** What QEMU said. */
  readonly words: string;
  /** Set when it was ended for its silence: what was known then. */
  readonly hang?: readonly string[];
}

export interface RunningGuest {
  /** Hands the script a line. */
  readonly send: (line: string) => void;
  /** Has QEMU's monitor carry out a command such as `stop`; resolves when it is done, or when the guest has ended. */
  readonly command: (text: string) => Promise<void>;
  readonly ended: Promise<GuestEnd>;
  /** Ends the guest. */
  readonly stop: () => void;
}

const prompt = '(qemu) ';
/** Seconds that QEMU has to end. */
const deadSeconds = 20;

/** Says `text` to the monitor behind the socket `file`, between its first and its second prompt. */
function monitorCommand(file: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    let heard = '';
    const connection = createConnection(file, () => undefined);
    connection.on('data', (data: Buffer) => {
      const prompts = heard.split(prompt).length;
      heard += data.toString();
      const now = heard.split(prompt).length;
      if (prompts === 1 && now > 1) {
        connection.write(`${text}\n`);
      } else if (now > 2) {
        connection.end();
      }
    });
    connection.on('error', () => undefined);
    connection.on('close', () => resolve());
  });
}

/** Starts a guest; `ended` rejects with a UserError when there is no QEMU for it. */
export function startGuest(options: GuestOptions): RunningGuest {
  const { architecture } = options.kernel;
  const words = [`console=${architecture.consoleLine}`, 'panic=-1', 'loglevel=6', ...architecture.kernelWords, ...(options.kernelWords ?? [])];
  const child = spawn(
    options.emulator ?? architecture.emulator,
    [
      ...sharedMachine(options.mebibytes, architecture, options.memoryFile),
      '-cpu', architecture.processor, '-smp', String(options.processors ?? 1), '-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot',
      '-serial', `file:${options.kernelLog}`, ...architecture.scriptSerial,
      '-monitor', options.monitor === undefined ? 'none' : `unix:${options.monitor},server=on,wait=off`,
      '-kernel', options.kernel.image, '-initrd', options.initramfs, '-append', words.join(' '),
      ...options.devices,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const lines: string[] = [];
  let said = '';
  let hang: readonly string[] | undefined;
  let guard: NodeJS.Timeout | undefined;
  const silent = async (): Promise<void> => {
    hang = (await options.onHang?.()) ?? [];
    child.kill('SIGTERM');
    // It may wait for a device process that does not answer any more.
    setTimeout(() => child.kill('SIGKILL'), deadSeconds * 1000).unref();
  };
  const heard = (): void => {
    clearTimeout(guard);
    guard = setTimeout(() => void silent(), options.quietSeconds * 1000);
  };
  heard();
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard();
    lines.push(line);
    options.onLine(line);
  });
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  // A guest that is gone hears nothing.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<GuestEnd>((resolve, reject) => {
    child.on('error', () => {
      clearTimeout(guard);
      reject(new UserError(`There is no ${architecture.emulator} here: install the package ${architecture.emulatorPackage}.`));
    });
    child.on('close', (status) => {
      clearTimeout(guard);
      const kernelLines = existsSync(options.kernelLog) ? readFileSync(options.kernelLog, 'latin1').split(/\r*\n/) : [];
      resolve({ status: status ?? -1, lines, kernelLines, words: said.trim(), ...(hang === undefined ? {} : { hang }) });
    });
  });
  const command = (text: string): Promise<void> => (options.monitor === undefined ? Promise.reject(new Error('the guest has no monitor')) : monitorCommand(options.monitor, text));
  return { command, send: (line) => child.stdin.write(`${line}\n`), ended, stop: () => child.kill('SIGTERM') };
}
