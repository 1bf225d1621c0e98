// Debian's Linux kernel for guests: the image, and its modules in the order in which they are loaded.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../user-error.js';
import { x86, type Architecture } from './architecture.js';
import { debianPackage, dependencyOf, packagesInCache, type OnStep } from './packages.js';

export interface Kernel {
  readonly architecture: Architecture;
  /** As uname -r tells it. */
  readonly version: string;
  readonly image: string;
  /** Files of the modules by name, dashes written as underscores. */
  readonly modules: ReadonlyMap<string, string>;
}

const start = 'linux-image-';
const versioned = /^linux-image-\d[^/]*-amd64$/;

/** Module files below folders that may be missing, by name; of two with one name the later folder's. */
export function modulesIn(folders: readonly string[]): Map<string, string> {
  const modules = new Map<string, string>();
  for (const folder of folders) {
    const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
    for (const file of files.filter((name) => name.endsWith('.ko'))) {
      modules.set(moduleName(path.basename(file, '.ko')), path.join(folder, file));
    }
  }
  return modules;
}

/** A kernel for x86-64 that was unpacked to `folder`, as Debian's packages are laid out. */
export function kernelIn(folder: string): Kernel {
  const version = readdirSync(path.join(folder, 'boot')).find((name) => name.startsWith('vmlinuz-'))?.slice('vmlinuz-'.length);
  if (version === undefined) {
    throw new UserError(`${folder} holds no kernel.`);
  }
  // Where / is one with /usr the modules lie there.
  const modules = modulesIn([path.join(folder, 'lib', 'modules'), path.join(folder, 'usr', 'lib', 'modules')]);
  return { architecture: x86, version, image: path.join(folder, 'boot', `vmlinuz-${version}`), modules };
}

/** Debian's present kernel for amd64, or the one that the cache has. */
export async function debianKernel(onStep: OnStep): Promise<Kernel> {
  const cached = packagesInCache(x86).filter((name) => versioned.test(name)).sort().pop();
  return kernelIn(await debianPackage(cached ?? (await dependencyOf('linux-image-amd64', start, x86)), x86, onStep));
}

/** As the kernel names a module: the file's dashes are underscores. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** The modules that a module file says it needs ("depends=" of its .modinfo section). */
export function dependencies(file: Buffer): string[] {
  const key = Buffer.from('\0depends=');
  const at = file.indexOf(key);
  const end = file.indexOf(0, at + key.length);
  const text = at < 0 ? '' : file.subarray(at + key.length, end).toString();
  return text.split(',').filter((name) => name !== '');
}

/** Files of the modules `names` and of all they need, each behind what it needs. Throws a UserError for one that the kernel does not have. */
export function moduleFiles(kernel: Kernel, names: readonly string[]): string[] {
  const files = new Set<string>();
  const add = (name: string): void => {
    const file = kernel.modules.get(moduleName(name));
    if (file === undefined) {
      throw new UserError(`Linux ${kernel.version} has no module ${name}.`);
    }
    if (!files.has(file)) {
      dependencies(readFileSync(file)).forEach(add);
      files.add(file);
    }
  };
  names.forEach(add);
  return [...files];
}
