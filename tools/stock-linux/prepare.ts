// What the guests of this room need: kernel, programs, the bundle and its runner.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../bundle/bundle.js';
import { packaged, progress } from '../emulator/scene.js';
import { debianKernel, type Kernel } from '../guest/kernel.js';
import { builtModules } from '../guest/modules.js';
import { debianPackage } from '../guest/packages.js';
import { buildVhostUserRunner } from '../host-process/vhost-user-runner.js';
import { run } from '../image/build-files.js';
import { UserError } from '../user-error.js';
import { builtSources } from './rows.js';

/** Everything the guests need. */
export interface Prepared {
  readonly kernel: Kernel;
  readonly runner: string;
  readonly bundle: string;
  readonly programs: Readonly<Record<string, Buffer>>;
  /** The modules built from the kernel's source, by name, or why there are none. */
  readonly built: Promise<ReadonlyMap<string, string> | UserError>;
  /** Sockets, logs and the guests' file systems. */
  readonly folder: string;
}

async function buildTool(name: string, folder: string): Promise<Buffer> {
  const out = path.join(folder, name);
  const { status, output } = await run('cc', ['-std=gnu11', '-O2', '-static', packaged('tools', 'stock-linux', `${name}.c`), '-o', out]).catch(() => {
    throw new UserError('The compiler cc is missing: install the packages gcc and libc6-dev.');
  });
  if (status !== 0) {
    throw new UserError(`cc cannot build the guest's ${name}: ${output.trim().split('\n').pop()}.`);
  }
  return readFileSync(out);
}

/** What a user could do something about is handed on; anything else is thrown. */
export function userError(error: unknown): UserError {
  if (error instanceof UserError) {
    return error;
  }
  throw error;
}

/** Fetches, builds and bundles it, in `folder` what is not kept; throws a UserError when something cannot be had. */
export async function prepare(folder: string, needsBuilt: boolean): Promise<Prepared> {
  const kernel = await debianKernel(progress);
  // While the first guests run: it takes a minute, most of it to fetch the source.
  const built = needsBuilt ? builtModules(kernel, builtSources, progress).catch(userError) : Promise.resolve(new Map<string, string>());
  const e2fsck = path.join(await debianPackage('e2fsck-static', kernel.architecture, progress), 'sbin', 'e2fsck.static');
  const runner = await buildVhostUserRunner(progress);
  progress('bundling guest for host-vhost-user');
  const { file } = await bundle({ target: 'host-vhost-user', role: 'device', entry: packaged('firmware', 'apps', 'guest.ts'), outFile: path.join(folder, 'device.js') });
  return { kernel, runner, bundle: file, folder, built, programs: { 'guest-tool': await buildTool('guest-tool', folder), 'io-tool': await buildTool('io-tool', folder), e2fsck: readFileSync(e2fsck) } };
}
