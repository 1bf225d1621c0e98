// Debian packages for guests: downloaded and unpacked into a cache folder; nothing is installed on this machine.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run, temporaryName, type Outcome } from '../image/build-files.js';
import { UserError } from '../user-error.js';

/** Where unpacked packages stay, each in a folder of its name. Who deletes a folder gets the package anew. */
export function cacheFolder(): string {
  return path.resolve('build', 'cache', 'debian');
}

/** Says what takes time. */
export type OnStep = (line: string) => void;

async function program(command: string, args: readonly string[], folder?: string): Promise<Outcome> {
  try {
    return await run(command, args, folder);
  } catch {
    throw new UserError(`There is no ${command} here: Debian packages cannot be fetched.`);
  }
}

/** The last line that tells something, for one sentence. */
function lastWords(output: string): string {
  return output.trim().split('\n').pop()?.replace(/\.$/, '') ?? '';
}

/** Runs an apt command; when it fails and the lists may be renewed, renews them and tries once more. */
async function apt(command: string, args: readonly string[], folder?: string): Promise<string> {
  const first = await program(command, args, folder);
  if (first.status === 0) {
    return first.output;
  }
  if (process.getuid?.() === 0) {
    await program('apt-get', ['update']);
    const second = await program(command, args, folder);
    if (second.status === 0) {
      return second.output;
    }
  }
  throw new UserError(`${command} ${args.join(' ')} failed: ${lastWords(first.output)}.`);
}

/** The folder with the unpacked files of package `name`; fetches it where it is not in the cache. Throws a UserError when that cannot be. */
export async function debianPackage(name: string, onStep: OnStep): Promise<string> {
  const folder = path.join(cacheFolder(), name);
  if (existsSync(folder)) {
    return folder;
  }
  const temporary = temporaryName(folder);
  mkdirSync(temporary, { recursive: true });
  try {
    onStep(`fetching the Debian package ${name}`);
    await apt('apt-get', ['download', name], temporary);
    const file = readdirSync(temporary).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) {
      throw new UserError(`apt-get download ${name} left no package.`);
    }
    onStep(`unpacking ${file}`);
    const unpacked = await program('dpkg-deb', ['-x', path.join(temporary, file), path.join(temporary, 'files')]);
    if (unpacked.status !== 0) {
      throw new UserError(`dpkg-deb cannot unpack ${file}: ${lastWords(unpacked.output)}.`);
    }
    // Another run may have been faster; what it left is as good.
    if (!existsSync(folder)) {
      renameSync(path.join(temporary, 'files'), folder);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** The name of the package that the package `meta` stands for and whose name begins with `start`. */
export async function dependencyOf(meta: string, start: string): Promise<string> {
  const output = await apt('apt-cache', ['depends', meta]);
  const name = [...output.matchAll(/Depends: (\S+)/g)].map((match) => match[1] ?? '').find((one) => one.startsWith(start));
  if (name === undefined) {
    throw new UserError(`The package ${meta} does not name a package ${start}...`);
  }
  return name;
}
