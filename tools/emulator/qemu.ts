// The QEMU that runs Arm boards: which program that is, and whether it has a target's board.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { type Board, readBoard } from '../image/board.js';

/** `QEMU_SYSTEM_ARM`, for a newer QEMU than the machine's own, else the program of that name in PATH. */
export function qemuProgram(): string {
  const own = process.env['QEMU_SYSTEM_ARM'];
  return own === undefined || own === '' ? 'qemu-system-arm' : own.includes(path.sep) ? path.resolve(own) : own;
}

/** What a program that was not found is called in messages. */
export function missingQemu(): string {
  const program = qemuProgram();
  return program === 'qemu-system-arm' ? 'qemu-system-arm is missing: install the Debian package qemu-system-arm.' : `QEMU_SYSTEM_ARM is ${program}, which is no program.`;
}

/** Names of the boards that a QEMU has, by program: it takes a tenth of a second to ask. */
const asked = new Map<string, readonly string[] | undefined>();

function machinesOf(program: string): readonly string[] | undefined {
  if (!asked.has(program)) {
    const { status, stdout } = spawnSync(program, ['-M', 'help'], { encoding: 'utf8' });
    asked.set(program, status === 0 ? stdout.split('\n').map((line) => line.split(' ')[0] ?? '') : undefined);
  }
  return asked.get(program);
}

/** The QEMU in use with its version, such as "QEMU 7.2.22". */
export function qemuVersion(): string {
  const { stdout } = spawnSync(qemuProgram(), ['--version'], { encoding: 'utf8' });
  return `QEMU ${/version (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1] ?? 'of an unknown version'}`;
}

/** Why a target's board cannot be emulated here, as one sentence; undefined when it can. */
export function reasonWithoutEmulator(target: string | Board): string | undefined {
  const { name, qemu } = typeof target === 'string' ? readBoard(target) : target;
  if (qemu === undefined) {
    return `Target '${name}' has no emulator.`;
  }
  const machines = machinesOf(qemuProgram());
  if (machines === undefined) {
    return missingQemu();
  }
  return machines.includes(qemu.machine) ? undefined
    : `The board ${qemu.machine} of target '${name}' is not in ${path.basename(qemuProgram())}: set QEMU_SYSTEM_ARM to the program of a QEMU that has it${qemu.since === undefined ? '' : `, ${qemu.since} or later`}.`;
}
