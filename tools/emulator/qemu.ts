// The QEMU that runs Arm boards: which program that is for a board, fetched where the machine's own is too old, and why there is none.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { newerQemu } from '../guest/newer-qemu.js';
import { type Board, readBoard } from '../image/board.js';
import { UserError } from '../user-error.js';

const ordinary = 'qemu-system-arm';

/** Programs that were fetched for boards which the machine's own QEMU has not got, by machine. */
const fetched = new Map<string, string>();

/**
 * `QEMU_SYSTEM_ARM`, for another QEMU than the machine's own; else the one that `reasonWithoutEmulator` has fetched for the board;
 * else the program of the usual name in PATH.
 */
export function qemuProgram(board?: Board): string {
  const own = process.env['QEMU_SYSTEM_ARM'];
  if (own === undefined || own === '') {
    return fetched.get(board?.qemu?.machine ?? '') ?? ordinary;
  }
  return own.includes(path.sep) ? path.resolve(own) : own;
}

/** What a program that was not found is called in messages. */
export function missingQemu(): string {
  const program = qemuProgram();
  return program === ordinary ? 'qemu-system-arm is missing: install the Debian package qemu-system-arm.' : `QEMU_SYSTEM_ARM is ${program}, which is no program.`;
}

/** What boards came to, by program and board: it takes a few tenths of a second to ask. */
const asked = new Map<string, string | undefined>();

/** Why `program` does not start the board, in its own words, or as `missingQemu` says; undefined when it does. */
function refusal(program: string, { machine, cpu, cores, memory }: NonNullable<Board['qemu']>): string | undefined {
  const options = [
    '-M', machine, ...(cpu === undefined ? [] : ['-cpu', cpu]), ...(cores === undefined ? [] : ['-smp', String(cores)]), ...(memory === undefined ? [] : ['-m', String(memory)]),
  ];
  const key = [program, ...options].join(' ');
  if (!asked.has(key)) {
    // Stopped before its first instruction, and told to leave: a list of machines does not say which processors they take.
    const { error, status, stderr } = spawnSync(program, [...options, '-S', '-display', 'none', '-serial', 'none', '-audiodev', 'none,id=none', '-monitor', 'stdio'], { encoding: 'utf8', input: 'quit\n' });
    const words = /^\S*qemu\S*: (.+)$/m.exec(stderr ?? '')?.[1];
    // A program that leaves without reading its input is one all the same.
    const missing = error !== undefined && (error as NodeJS.ErrnoException).code !== 'EPIPE';
    asked.set(key, missing ? missingQemu() : status === 0 ? undefined : words ?? `it ended with status ${status}`);
  }
  return asked.get(key);
}

/** The QEMU in use for the board with its version, such as "QEMU 7.2.22". */
export function qemuVersion(board?: Board): string {
  const { stdout } = spawnSync(qemuProgram(board), ['--version'], { encoding: 'utf8' });
  return `QEMU ${/version (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1] ?? 'of an unknown version'}`;
}

/**
 * Why a target's board cannot be emulated here, as one sentence; undefined when it can, with `qemuProgram`. A board that QEMU has
 * only since a version which the machine's own lacks has that version fetched into the cache, unless `QEMU_SYSTEM_ARM` is set.
 */
export async function reasonWithoutEmulator(target: string | Board, onStep: (line: string) => void = () => undefined): Promise<string | undefined> {
  const board = typeof target === 'string' ? readBoard(target) : target;
  const { name, qemu } = board;
  if (qemu === undefined) {
    return `Target '${name}' has no emulator.`;
  }
  const program = qemuProgram(board);
  const words = refusal(program, qemu);
  if (words === undefined || words === missingQemu()) {
    return words;
  }
  const { machine, since } = qemu;
  if (since === undefined || program !== ordinary) {
    return `The board ${machine} of target '${name}' does not start in ${path.basename(program)} (${words}): set QEMU_SYSTEM_ARM to the program of a QEMU that has it${since === undefined ? '' : `, ${since} or later`}.`;
  }
  const [major = 0, minor = 0] = since.split('.').map(Number);
  try {
    fetched.set(machine, await newerQemu([major, minor], { emulator: ordinary, emulatorPackage: ordinary }, onStep));
  } catch (error) {
    if (error instanceof UserError) {
      return `${error.message.replace(/\.$/, '')}; the board ${machine} of target '${name}' needs it, or QEMU_SYSTEM_ARM as the program of such a QEMU.`;
    }
    throw error;
  }
  return undefined;
}
