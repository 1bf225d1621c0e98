// Runs a scene on a target's emulator, or as a process on the host, and gathers what both cores print.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { type Board, isCortexR } from '../image/board.js';
import { UserError } from '../user-error.js';
import { qemuProgram, reasonWithoutEmulator } from './qemu.js';

/** One line of the device core's log: a code of firmware/wire/log.ts and the engine's counters at that moment. */
export interface DeviceLog {
  readonly code: number;
  readonly value: number;
  readonly microseconds: number;
  /** Timer ticks this core was not idle since its start. */
  readonly busyTicks: number;
  readonly wakes: number;
  readonly allocations: number;
  readonly collections: number;
  readonly heapLive: number;
  readonly heapPeak: number;
}

export interface RunResult {
  /** Exit status of the emulator: that of the driver's program, -1 when it had to be killed. */
  readonly status: number;
  readonly driver: readonly string[];
  readonly device: readonly string[];
  readonly log: readonly DeviceLog[];
  /** True when the time limit ended the run. */
  readonly hung: boolean;
}

export interface RunOptions {
  readonly board: Board;
  readonly images: { readonly device: string; readonly driver?: string | undefined };
  /** The host's runner reads the bundles itself. */
  readonly bundles: { readonly device: string; readonly driver: string };
  readonly outDir: string;
  /** A guard against a hang, in seconds of this machine's time. */
  readonly limitSeconds: number;
  readonly onDriverLine?: (line: string) => void;
  /** Told what takes a while before the run, such as the download of a QEMU. */
  readonly onStep?: (line: string) => void;
  /** Host only: the file that is the shared memory. */
  readonly memory?: string;
  /** QEMU only: what comes in over the device core's serial line, as fast as the core takes it. */
  readonly input?: Readable;
  /** QEMU only: a 16-bit number that stands in memory before a core starts. */
  readonly poke?: { readonly address: number; readonly value: number };
}

/** The log among what the device's core printed. */
export function parseLog(lines: readonly string[]): DeviceLog[] {
  return lines
    .filter((line) => line.startsWith('~'))
    .map((line) => line.slice(1).split(' ').map(Number))
    .filter((numbers) => numbers.length === 9 && numbers.every(Number.isFinite))
    .map(([code, value, microseconds, busyTicks, wakes, allocations, collections, heapLive, heapPeak]) => ({
      code: code as number,
      value: value as number,
      microseconds: microseconds as number,
      busyTicks: busyTicks as number,
      wakes: wakes as number,
      allocations: allocations as number,
      collections: collections as number,
      heapLive: heapLive as number,
      heapPeak: heapPeak as number,
    }));
}

/** What QEMU is told to run a target's images; the device's serial line goes to `deviceFile`, and a socket may be its other end. */
export function qemuArguments(board: Board, images: RunOptions['images'], deviceFile: string, socket?: string): string[] {
  const { qemu } = board;
  if (qemu === undefined) {
    throw new UserError(`Target '${board.name}' has no emulator.`);
  }
  const args = ['-M', qemu.machine, '-icount', 'shift=0,sleep=off', '-display', 'none', '-monitor', 'none', '-audiodev', 'none,id=none'];
  const quoted = (file: string): string => file.replaceAll(',', ',,');
  args.push(...(socket === undefined ? [] : ['-chardev', `socket,id=device,path=${quoted(socket)},logfile=${quoted(deviceFile)}`]));
  args.push('-serial', 'stdio', '-serial', socket === undefined ? `file:${deviceFile}` : 'chardev:device', '-semihosting-config', 'enable=on,target=native');
  args.push(...(qemu.cpu === undefined ? [] : ['-cpu', qemu.cpu]));
  args.push(...(qemu.cores === undefined ? [] : ['-smp', String(qemu.cores)]));
  args.push(...(qemu.memory === undefined ? [] : ['-m', String(qemu.memory)]));
  if (images.driver === undefined) {
    args.push('-kernel', images.device);
  } else if (isCortexR(board) && board.images.driver !== undefined) {
    // A Cortex-R begins at its image's entry, a Cortex-M at its vector table.
    args.push('-device', `loader,file=${images.driver},cpu-num=${board.images.driver.core}`);
    args.push('-device', `loader,file=${images.device},cpu-num=${board.images.device.core}`);
  } else {
    args.push('-kernel', images.driver, '-device', `loader,file=${images.device}`);
  }
  return args;
}

/** The command that runs the scene, and the file in which the device core's UART ends up, where it is a file. */
async function command(options: RunOptions, socket?: string): Promise<{ program: string; args: string[]; deviceFile?: string }> {
  const { board, images, bundles } = options;
  if (board.windows.length === 0) {
    throw new UserError(`Target '${board.name}' is one side alone: run it with vmsg serve.`);
  }
  if (board.images.device.flash === undefined) {
    const memory = options.memory === undefined ? [] : ['--memory', options.memory];
    return { program: images.device, args: [...memory, bundles.device, bundles.driver] };
  }
  const deviceFile = path.join(options.outDir, 'device-uart.log');
  rmSync(deviceFile, { force: true });
  const reason = await reasonWithoutEmulator(board, options.onStep);
  if (reason !== undefined) {
    throw new UserError(reason);
  }
  const { poke } = options;
  const poked = poke === undefined ? [] : ['-device', `loader,addr=0x${poke.address.toString(16)},data=${poke.value},data-len=2`];
  return { program: qemuProgram(board), args: [...qemuArguments(board, images, deviceFile, socket), ...poked], deviceFile };
}

/** The other end of a serial line: a socket that gives what `input` has to whoever connects. */
async function serialSocket(input: Readable): Promise<{ socket: string; close(): void }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-serial-'));
  const socket = path.join(folder, 'line');
  const server = createServer((end) => {
    // What the core says is in its log.
    end.resume();
    end.on('error', () => input.unpipe(end));
    // A line has no end: QEMU would hang up, and what the core says would go nowhere.
    input.pipe(end, { end: false });
  });
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(socket, resolve));
  return {
    socket,
    close(): void {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lines that are not empty. */
export function toLines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** Runs until the driver's program ends or the limit is reached. Throws UserError when there is no emulator. */
export async function runImages(options: RunOptions): Promise<RunResult> {
  const line = options.input === undefined ? undefined : await serialSocket(options.input);
  try {
    return await runCommand(options, await command(options, line?.socket));
  } finally {
    line?.close();
  }
}

async function runCommand(options: RunOptions, { program, args, deviceFile }: Awaited<ReturnType<typeof command>>): Promise<RunResult> {
  const driver: string[] = [];
  let stderr = '';
  const result = await new Promise<{ status: number; hung: boolean }>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let hung = false;
    const guard = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, options.limitSeconds * 1000);
    let rest = '';
    const take = (line: string): void => {
      driver.push(line);
      options.onDriverLine?.(line);
    };
    child.stdout.on('data', (data: Buffer) => {
      const lines = (rest + data.toString('latin1')).split(/\r?\n/);
      rest = lines.pop() ?? '';
      lines.forEach(take);
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString('latin1');
    });
    child.on('error', (error) => {
      clearTimeout(guard);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(guard);
      if (rest !== '') {
        take(rest);
      }
      resolve({ status: hung ? -1 : (code ?? -1), hung });
    });
  });
  if (driver.length === 0 && result.status > 0 && stderr !== '') {
    throw new UserError(`${path.basename(program)} could not run the scene: ${toLines(stderr)[0]}`);
  }
  const device = deviceFile === undefined ? toLines(stderr) : existsSync(deviceFile) ? toLines(readFileSync(deviceFile, 'latin1')) : [];
  return { ...result, driver, device, log: parseLog(device) };
}
