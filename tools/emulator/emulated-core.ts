// A device's side on an emulated core beside another machine: QEMU runs the target's image, and a file is its main memory.
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { readBoard } from '../image/board.js';
import { startProcess, type RunningSide } from '../host-process/runner.js';
import { UserError } from '../user-error.js';
import { missingQemu, qemuProgram } from './qemu.js';

/** The target whose main memory can be another machine's RAM (platforms/mps3-an524-m33/README.md). */
export const emulatedCoreTarget = 'mps3-an524-m33';

/** Bytes of the board's main memory: QEMU takes no other amount. The file is sparse. */
const memoryBytes = 2 ** 31;

/** How much of that is RAM of the other machine, from its start on. */
export const otherMachineMebibytes = 512;

/** Byte offset in the file of the MiB that the other machine leaves alone; the layout lies behind its first page. */
export const emulatedCoreReserved = 0x18000000;

/** Makes the file as long as the board's memory, so that the other machine may start first. */
export function makeCoreMemory(file: string): void {
  const descriptor = openSync(file, 'a+');
  try {
    ftruncateSync(descriptor, memoryBytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Starts the image with `file` as the board's main memory; every line of its serial line goes to `onLine`. */
export function startCore(image: string, file: string, onLine: (line: string) => void): RunningSide {
  const { child, ended } = startProcess(qemuProgram(), [
    '-M', `${readBoard(emulatedCoreTarget).qemu?.machine},memory-backend=ddr`, '-m', String(memoryBytes / 2 ** 20),
    '-object', `memory-backend-file,id=ddr,mem-path=${file.replaceAll(',', ',,')},size=${memoryBytes},share=on`,
    '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-semihosting-config', 'enable=on,target=native', '-kernel', image,
  ], onLine);
  return {
    child,
    ended: ended.catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new UserError(missingQemu()) : error;
    }),
  };
}
