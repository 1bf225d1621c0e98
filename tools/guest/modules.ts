// Modules that Debian's kernel is configured without, built from Debian's own kernel source, unmodified, against its headers.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../image/build-files.js';
import { UserError } from '../user-error.js';
import type { Kernel } from './kernel.js';
import { cached, debianPackage, download, listsOf, packageField, unpack, type OnStep } from './packages.js';

/** Runs a program of the build, of the Debian package `name`; throws a UserError when it is missing or fails. */
async function build(name: string, command: string, args: readonly string[], folder?: string): Promise<void> {
  const { status, output } = await run(command, args, folder).catch(() => {
    throw new UserError(`There is no ${command} to build modules for Linux: install the package ${name}.`);
  });
  if (status !== 0) {
    throw new UserError(`${name} cannot build modules for Linux: ${output.trim().split('\n').pop() ?? ''}.`);
  }
}

/** The series of kernel sources that a version such as 6.1.0-56-amd64 is of. */
function seriesOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Takes the files `sources` out of the kernel's source package, without writing its hundreds of megabytes anywhere. */
async function extract(packageFile: string, series: string, sources: readonly string[], folder: string): Promise<void> {
  const archive = `linux-source-${series}`;
  // With --occurrence tar ends as soon as it has everything; what the programs before it say of that does not matter.
  const script = `file=$1 folder=$2; shift 2
dpkg-deb --fsys-tarfile "$file" | tar -xO ./usr/src/${archive}.tar.xz | xz -dc -T0 | tar -x -C "$folder" --strip-components=1 --occurrence=1 "$@"`;
  await build('tar', 'sh', ['-c', script, 'sh', packageFile, folder, ...sources.map((source) => `${archive}/${source}`)]);
}

/**
 * Files of modules by name, built from the C files `sources` of the kernel's source tree, one module each. Kept in the cache, together
 * with their sources, in a folder named for the kernel; throws a UserError when something cannot be fetched or built.
 */
export async function builtModules(kernel: Kernel, sources: readonly string[], onStep: OnStep): Promise<Map<string, string>> {
  const names = sources.map((source) => path.basename(source, '.c'));
  const folder = await cached(`${names.join('+')}_${kernel.version}`, async (files, scratch) => {
    const series = seriesOf(kernel.version);
    const { architecture } = kernel;
    const fetched = (name: string, version = ''): Promise<string> => download(`${name}:${architecture.debian}${version}`, listsOf(architecture), path.join(scratch, name), onStep);
    // Before anything is fetched: the programs that a bare machine may lack.
    await build('make', 'make', ['--version']);
    await build('xz-utils', 'xz', ['--version']);
    const headers = await fetched(`linux-headers-${kernel.version}`);
    const version = `=${await packageField(headers, 'Version')}`;
    // Their links lead from one to the other: they share a folder.
    const tree = path.join(scratch, 'tree');
    await unpack(headers, tree, onStep);
    const common = `linux-headers-${kernel.version.replace(/-[^-]*$/, '-common')}`;
    for (const name of [common, `linux-kbuild-${series}`]) {
      await unpack(await fetched(name, version), tree, onStep);
    }
    const source = await fetched(`linux-source-${series}`, version);
    onStep(`building ${names.join(', ')} for Linux ${kernel.version}`);
    await extract(source, series, sources, scratch);
    const modules = path.join(scratch, 'modules');
    mkdirSync(modules);
    sources.forEach((file) => copyFileSync(path.join(scratch, file), path.join(modules, path.basename(file))));
    writeFileSync(path.join(modules, 'Makefile'), `obj-m := ${names.map((name) => `${name}.o`).join(' ')}\n`);
    // Their own Makefile names the place where they would be installed.
    const makefile = path.join('..', common, 'Makefile');
    const libraries = path.join(await debianPackage('libelf1', architecture, onStep), 'usr', 'lib', 'x86_64-linux-gnu');
    const place = path.join(tree, 'usr', 'src', `linux-headers-${kernel.version}`);
    await build('make', 'env', [`LD_LIBRARY_PATH=${libraries}`, 'make', '-s', '-f', makefile, `M=${modules}`, 'modules'], place);
    names.forEach((name) => [`${name}.c`, `${name}.ko`].forEach((file) => copyFileSync(path.join(modules, file), path.join(files, file))));
  });
  return new Map(names.map((name) => [name, path.join(folder, `${name}.ko`)]));
}
