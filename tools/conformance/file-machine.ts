// The driver side of a foreign device: shared memory is a file that both map, the doorbell a command that is run.
//
// The file is read and written with plain calls. Linux keeps those and the mappings of other processes on the same pages, so
// each side sees what the other wrote; a 16-bit word is one call and never torn.
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { DriverMachine } from '../../test/support/driver/machine.js';
import { UserError } from '../user-error.js';

export interface FileMachineOptions {
  readonly file: string;
  /** Byte offset of the layout header in the file. */
  readonly layout: number;
  /** 64-bit address under which the device knows the file's first byte, below 2^53. */
  readonly address: number;
  /** Shell command that rings the device; undefined = the device polls. */
  readonly doorbell: string | undefined;
}

/** Between two looks at the file while waiting, in milliseconds. */
const LOOK = 1;

/** Sleeps without giving the process's other work a turn: the runner is written as one straight program. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

export interface FileMachine extends DriverMachine {
  close(): void;
}

/** Opens the file; throws UserError when it cannot be used. */
export function fileMachine(options: FileMachineOptions): FileMachine {
  let descriptor: number;
  try {
    descriptor = openSync(options.file, 'r+');
  } catch (error) {
    throw new UserError(`The shared memory ${options.file} cannot be opened: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`);
  }
  const size = fstatSync(descriptor).size;
  if (options.layout + 64 > size) {
    closeSync(descriptor);
    throw new UserError(`The shared memory ${options.file} has ${size} bytes: too few for a layout at ${options.layout}.`);
  }
  const two = Buffer.alloc(2);
  const read = (word: number): number => {
    if (readSync(descriptor, two, 0, 2, word * 2) !== 2) {
      throw new UserError(`The layout leads outside the shared memory ${options.file}.`);
    }
    return two.readUInt16LE(0);
  };
  const write = (word: number, value: number): void => {
    two.writeUInt16LE(value & 0xffff, 0);
    writeSync(descriptor, two, 0, 2, word * 2);
  };
  // The driver's half indexes memory as an array of words; here every access goes to the file.
  const words = new Proxy(new Uint16Array(0), {
    get: (_target, property) => (property === 'length' ? Math.floor(size / 2) : read(Number(property))),
    set: (_target, property, value: number) => {
      write(Number(property), value);
      return true;
    },
  });
  const start = process.hrtime.bigint();
  const clock = (): number => Number((process.hrtime.bigint() - start) / 1000n) % 134217728;
  /** Word of the device's queue head: its status; tail and head follow. */
  const deviceHead = (): number => {
    const at = read((options.layout + 24) / 2) + read((options.layout + 26) / 2) * 65536;
    return at < 64 || options.layout + at + 8 > size ? -1 : (options.layout + at) / 2;
  };
  const look = (): string => {
    const at = deviceHead();
    return at < 0 ? '' : [1, 2, 3].map((word) => read(at + word)).join();
  };
  return {
    words,
    addressLow: options.address % 4294967296,
    addressHigh: Math.floor(options.address / 4294967296),
    layout: options.layout,
    ring(): void {
      if (options.doorbell !== undefined) {
        const { status, stderr } = spawnSync('/bin/sh', ['-c', options.doorbell], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
        if (status !== 0) {
          const [first = ''] = stderr.trim().split('\n');
          throw new UserError(`The doorbell command ended with status ${status}${first === '' ? '' : `: ${first}`}.`);
        }
      }
    },
    wait(microseconds: number): void {
      const before = look();
      const until = process.hrtime.bigint() + BigInt(microseconds) * 1000n;
      do {
        sleep(LOOK);
      } while (process.hrtime.bigint() < until && look() === before);
    },
    barrier(): void {
      // Every access is a system call: they stay in order.
    },
    clock,
    close: () => closeSync(descriptor),
  };
}
