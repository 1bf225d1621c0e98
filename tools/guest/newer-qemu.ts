// A QEMU newer than the one of this machine, from the backports to its Debian release, run where it was unpacked.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../image/build-files.js';
import { UserError } from '../user-error.js';
import { backports, cached, download, unpack, type OnStep } from './packages.js';

/** QEMU's program for a machine's processor, and the Debian package that has it. */
export interface Emulator {
  readonly emulator: string;
  readonly emulatorPackage: string;
}

/** What Debian splits off of QEMU: its loadable modules, and the firmware of its boards. */
const parts = ['qemu-system-common', 'qemu-system-data', 'seabios'];

/** Calls the program beside it with its own modules and firmware: by itself it would take those of the QEMU that is installed. */
const caller = (emulator: string): string => `#!/bin/sh
usr=$(dirname "$(readlink -f "$0")")/usr
export QEMU_MODULE_DIR=$(echo "$usr"/lib/*/qemu)
exec "$usr/bin/${emulator}" -L "$usr/share/qemu" -L "$usr/share/seabios" "$@"
`;

type Version = readonly [major: number, minor: number];

/** Version of a program of QEMU, or what came instead of it. */
async function versionOf(program: string): Promise<Version | string> {
  const { output } = await run(program, ['--version']).catch(() => ({ output: 'it is not there' }));
  const [, major, minor] = /^QEMU emulator version (\d+)\.(\d+)/.exec(output) ?? [];
  return major === undefined ? (output.trim().split('\n').pop() ?? '').replace(/\.$/, '') : [Number(major), Number(minor)];
}

/**
 * The program of a QEMU of at least version `major`.`minor`: the machine's own where it is that new, else that of the backports, which is
 * fetched into the cache (14 MB). Throws a UserError when there is none, or when it does not run here.
 */
export async function newerQemu([major, minor]: Version, { emulator, emulatorPackage }: Emulator, onStep: OnStep): Promise<string> {
  const isEnough = (version: Version | string): boolean => typeof version !== 'string' && (version[0] > major || (version[0] === major && version[1] >= minor));
  if (isEnough(await versionOf(emulator))) {
    return emulator;
  }
  const folder = await cached(`${emulatorPackage}+backports`, async (files, scratch) => {
    const lists = await backports();
    for (const name of [emulatorPackage, ...parts]) {
      await unpack(await download(name, lists, path.join(scratch, name), onStep), files, onStep);
    }
    writeFileSync(path.join(files, emulator), caller(emulator), { mode: 0o755 });
  });
  const program = path.join(folder, emulator);
  const found = await versionOf(program);
  if (typeof found === 'string') {
    throw new UserError(`The ${emulator} of the backports does not run here: ${found}.`);
  }
  if (!isEnough(found)) {
    throw new UserError(`QEMU ${major}.${minor} or later is neither here nor in the backports to this machine's Debian, which have ${found.join('.')}.`);
  }
  return program;
}
