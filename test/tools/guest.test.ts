// The pieces of a guest that need no guest: the archive's bytes, modules in loading order, and sentences for what is missing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { aarch64, architectureOf, isProgramFor, x86 } from '../../tools/guest/architecture.js';
import { characterDevice, cpioArchive, folderEntry, programEntry } from '../../tools/guest/cpio.js';
import { dependencies, kernelIn, moduleFiles } from '../../tools/guest/kernel.js';
import { builtModules } from '../../tools/guest/modules.js';
import { newerQemu } from '../../tools/guest/newer-qemu.js';
import { debianPackage, packagesInCache } from '../../tools/guest/packages.js';
import { UserError } from '../../tools/user-error.js';
import { workspace } from './workspace.js';

/** Reads an archive as the kernel does: magic, thirteen numbers of eight hexadecimal digits, name and content on multiples of 4. */
function entries(archive: Buffer): { name: string; mode: number; content: string; major: number; minor: number }[] {
  const found = [];
  for (let at = 0; at < archive.length; ) {
    assert.equal(archive.subarray(at, at + 6).toString(), '070701', `a header at ${at}`);
    const field = (index: number): number => parseInt(archive.subarray(at + 6 + index * 8, at + 14 + index * 8).toString(), 16);
    const nameEnd = at + 110 + field(11);
    const contentAt = (nameEnd + 3) & ~3;
    assert.equal(archive[nameEnd - 1], 0);
    found.push({
      name: archive.subarray(at + 110, nameEnd - 1).toString(),
      mode: field(1),
      content: archive.subarray(contentAt, contentAt + field(6)).toString(),
      major: field(9),
      minor: field(10),
    });
    at = (contentAt + field(6) + 3) & ~3;
  }
  return found;
}

test('an archive holds its entries with type, content and device numbers, and ends with a trailer', () => {
  const archive = cpioArchive([folderEntry('bin'), programEntry('bin/a', 'hello'), characterDevice('dev/console', 5, 1), programEntry('bin/bcd', '')]);
  assert.equal(archive.length % 4, 0);
  assert.deepEqual(entries(archive), [
    { name: 'bin', mode: 0o40755, content: '', major: 0, minor: 0 },
    { name: 'bin/a', mode: 0o100755, content: 'hello', major: 0, minor: 0 },
    { name: 'dev/console', mode: 0o20600, content: '', major: 5, minor: 1 },
    { name: 'bin/bcd', mode: 0o100755, content: '', major: 0, minor: 0 },
    { name: 'TRAILER!!!', mode: 0, content: '', major: 0, minor: 0 },
  ]);
});

/** An unpacked kernel package whose modules are what their names and `depends=` say. */
function kernelWith(modules: Readonly<Record<string, string>>): ReturnType<typeof kernelIn> {
  const folder = workspace({});
  const library = path.join(folder, 'lib', 'modules', '6.1.0-0-amd64', 'kernel', 'drivers');
  mkdirSync(library, { recursive: true });
  mkdirSync(path.join(folder, 'boot'));
  writeFileSync(path.join(folder, 'boot', 'vmlinuz-6.1.0-0-amd64'), '');
  Object.entries(modules).forEach(([name, needs]) => writeFileSync(path.join(library, `${name}.ko`), `ELF\0license=GPL\0depends=${needs}\0name=${name}\0`));
  return kernelIn(folder);
}

test('modules load behind all they need, each once, under either spelling of their names', () => {
  const kernel = kernelWith({ virtio: 'virtio_ring', virtio_ring: '', 'virtio-rng': 'virtio,virtio_ring', virtio_pci: 'virtio_ring,virtio' });
  assert.equal(kernel.version, '6.1.0-0-amd64');
  const names = (wanted: readonly string[]): string[] => moduleFiles(kernel, wanted).map((file) => path.basename(file, '.ko'));
  assert.deepEqual(names(['virtio_rng', 'virtio_pci']), ['virtio_ring', 'virtio', 'virtio-rng', 'virtio_pci']);
  assert.deepEqual(names(['virtio-rng']), ['virtio_ring', 'virtio', 'virtio-rng']);
});

test('a module file without dependencies has none', () => {
  assert.deepEqual(dependencies(Buffer.from('x\0depends=\0y=1\0')), []);
  assert.deepEqual(dependencies(Buffer.from('x\0name=a\0')), []);
  assert.deepEqual(dependencies(Buffer.from('x\0depends=a,b-c\0')), ['a', 'b-c']);
});

test('a missing module or kernel is one sentence', () => {
  assert.throws(() => moduleFiles(kernelWith({}), ['gpio-virtio']), (error) => error instanceof UserError && error.message === 'Linux 6.1.0-0-amd64 has no module gpio-virtio.');
  const empty = workspace({});
  mkdirSync(path.join(empty, 'boot'));
  assert.throws(() => kernelIn(empty), (error) => error instanceof UserError && /holds no kernel\.$/.test(error.message));
});

test('the image of a kernel shows which architecture it is for', () => {
  const withMagic = (magic: string, at: number): Buffer => {
    const image = Buffer.alloc(4096, 0x90);
    image.write(magic, at);
    return image;
  };
  const [bzImage, image] = [withMagic('HdrS', 0x202), withMagic('ARMd', 0x38)];
  assert.equal(architectureOf(bzImage), x86);
  assert.equal(architectureOf(image), aarch64);
  assert.equal(architectureOf(gzipSync(image)), aarch64);
  // An x86 kernel inside gzip is none that QEMU boots; EFI's compressed form, a broken archive, other files and short ones are none either.
  const others = [gzipSync(bzImage), withMagic('zimg', 4), gzipSync(image).subarray(0, 24), withMagic('HdrS', 0x203), withMagic('ARMd', 0x39), Buffer.from('HdrS'), Buffer.alloc(0)];
  others.forEach((other, at) => assert.equal(architectureOf(other), undefined, `file ${at}`));
});

test('a program is for an architecture when its ELF header says so', () => {
  const program = Buffer.alloc(64);
  program.write('\x7fELF', 'latin1');
  program.writeUInt16LE(183, 18);
  assert.deepEqual([x86, aarch64].map((one) => isProgramFor(one, program)), [false, true]);
  assert.equal(isProgramFor(aarch64, program.subarray(0, 19)), false);
  assert.equal(isProgramFor(aarch64, Buffer.concat([Buffer.from('#!'), program.subarray(2)])), false);
});

test('packages of another architecture come by lists in a folder of their own, which are fetched when a package is not found; the system\'s lists stay as they are', async () => {
  const folder = workspace({});
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  // A stand-in for apt that finds a package only after an update of the lists that it is told, and one that unpacks.
  const apt = `#!/bin/sh
echo "$@" >>${folder}/told
for word; do case "$word" in Dir::State::lists=*) lists=\${word#*=};; esac; done
case "$*" in
  *update) touch "$lists/known" ;;
  *download*) [ -e "$lists/known" ] || { echo "E: Unable to locate package" >&2; exit 100; }; touch tool.deb ;;
esac
`;
  writeFileSync(path.join(bin, 'apt-get'), apt, { mode: 0o755 });
  writeFileSync(path.join(bin, 'dpkg-deb'), '#!/bin/sh\nmkdir -p "$3/bin"; echo "$2" >"$3/bin/tool"\n', { mode: 0o755 });
  const other = process.arch === 'arm64' ? x86 : aarch64;
  const [before, searched, getuid] = [process.cwd(), process.env['PATH'], process.getuid];
  process.chdir(folder);
  process.env['PATH'] = `${bin}:${searched}`;
  // Nobody in particular may do it.
  Object.assign(process, { getuid: () => 1000 });
  try {
    const unpacked = await debianPackage('tool', other, () => undefined);
    assert.equal(unpacked, path.join(process.cwd(), 'build', 'cache', 'debian', `tool:${other.debian}`));
    assert.ok(existsSync(path.join(unpacked, 'bin', 'tool')));
    const told = readFileSync(path.join(folder, 'told'), 'utf8').trim().split('\n');
    assert.deepEqual(told.map((line) => line.split(' ').filter((word) => !word.includes('::') && word !== '-o').join(' ')), [`download tool:${other.debian}`, 'update', `download tool:${other.debian}`]);
    told.forEach((line) => ['APT::Architecture=', 'Dir::State::lists=', 'Dir::Cache='].forEach((option) => assert.ok(line.includes(` ${option}`) || line.includes(`-o ${option}`), line)));
    assert.ok(told.every((line) => line.includes(`Dir::State::lists=${path.join(process.cwd(), 'build', 'cache', `debian-${other.debian}`)}/`)));
    // The second time it is in the cache.
    await debianPackage('tool', other, () => undefined);
    assert.equal(readFileSync(path.join(folder, 'told'), 'utf8').trim().split('\n').length, 3);
    assert.deepEqual([packagesInCache(other), packagesInCache(other === x86 ? aarch64 : x86)], [['tool'], []]);
  } finally {
    process.chdir(before);
    process.env['PATH'] = searched;
    Object.assign(process, { getuid });
  }
});

/** Has programs of these names stand before the machine's own, in a folder to build in; returns what `work` does there. */
async function withPrograms<T>(programs: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const [folder, before, searched] = [workspace({}), process.cwd(), process.env['PATH']];
  Object.entries(programs).forEach(([name, script]) => {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  });
  process.chdir(folder);
  process.env['PATH'] = `${folder}:${searched}`;
  try {
    return await work();
  } finally {
    process.chdir(before);
    process.env['PATH'] = searched;
  }
}

const cached = (): string[] => readdirSync(path.join('build', 'cache', 'debian'));
const sources = ['drivers/gpio/gpio-virtio.c', 'drivers/i2c/busses/i2c-virtio.c'];

test('modules whose packages cannot be fetched are one sentence, and leave nothing in the cache', async () => {
  const kernel = kernelWith({});
  await withPrograms({ 'apt-get': 'echo "E: Unable to locate package $2." >&2; exit 100' }, async () => {
    await assert.rejects(builtModules(kernel, sources, () => undefined), (error) =>
      error instanceof UserError && error.message === 'apt-get download linux-headers-6.1.0-0-amd64:amd64 failed: E: Unable to locate package linux-headers-6.1.0-0-amd64:amd64.');
    assert.deepEqual(cached(), []);
  });
});

/** Stands in for Debian's programs: packages that hold what is asked of them. */
const packages = {
  'dpkg-deb': 'case $1 in -x) mkdir -p "$3/usr/src/linux-headers-6.1.0-0-amd64" ;; -f) echo 6.1.7-1 ;; esac',
  tar: `for word; do
  case $word in
    */*.c) mkdir -p "$folder/$(dirname "\${word#*/}")"; echo source >"$folder/\${word#*/}" ;;
    -C) next=yes ;;
    *) [ -z "$next" ] || folder=$word; next= ;;
  esac
done`,
  xz: '',
};

test('a module that does not compile is one sentence, and is not kept', async () => {
  const programs = {
    'apt-get': 'case $1 in download) touch "$2_1.deb" ;; esac',
    ...packages,
    make: 'case $1 in --version) ;; *) echo "gpio-virtio.c:3: error"; exit 2 ;; esac',
  };
  const kernel = kernelWith({});
  await withPrograms(programs, async () => {
    await assert.rejects(builtModules(kernel, sources, () => undefined), (error) =>
      error instanceof UserError && error.message === 'make cannot build modules for Linux: gpio-virtio.c:3: error.');
    assert.deepEqual(cached().filter((name) => name.includes('virtio')), []);
  });
});

test('modules are built from the source of the headers\' version, kept with it under the kernel\'s name, and not built again', async () => {
  const asked = path.join(workspace({}), 'asked');
  const programs = {
    'apt-get': `echo "$2" >>${asked}; touch "$2_1.deb"`,
    ...packages,
    make: 'for word; do case $word in M=*) for file in "${word#M=}"/*.c; do cp "$file" "${file%.c}.ko"; done ;; esac; done',
  };
  const kernel = kernelWith({});
  await withPrograms(programs, async () => {
    const modules = await builtModules(kernel, sources, () => undefined);
    assert.deepEqual([...modules].map(([name, file]) => [name, path.basename(path.dirname(file)), readFileSync(file, 'utf8')]), [
      ['gpio-virtio', 'gpio-virtio+i2c-virtio_6.1.0-0-amd64', 'source\n'], ['i2c-virtio', 'gpio-virtio+i2c-virtio_6.1.0-0-amd64', 'source\n'],
    ]);
    const names = readFileSync(asked, 'utf8').trim().split('\n');
    assert.deepEqual(names, [
      'linux-headers-6.1.0-0-amd64:amd64', 'linux-headers-6.1.0-0-common:amd64=6.1.7-1', 'linux-kbuild-6.1:amd64=6.1.7-1', 'linux-source-6.1:amd64=6.1.7-1', 'libelf1:amd64',
    ]);
    assert.deepEqual(await builtModules(kernel, sources, () => undefined), modules);
    assert.equal(readFileSync(asked, 'utf8').trim().split('\n').length, names.length);
  });
});

/** A stand-in for apt that knows the archive of this machine's release, and packages only after an update of the lists it is told. */
const aptWithBackports = (asked: string, version: string): Readonly<Record<string, string>> => ({
  'apt-get': `echo "$@" >>${asked}
. /etc/os-release
for word; do case $word in Dir::State::lists=*) lists=\${word#*=} ;; Dir::Etc::sourcelist=*) cat "\${word#*=}" >>${asked} ;; esac; done
case "$*" in
  *--print-uris) for suite in $VERSION_CODENAME-security $VERSION_CODENAME; do echo "'http://archive/of-$suite/dists/$suite/InRelease' x 0 "; done ;;
  *update) touch "$lists/known" ;;
  *) [ -e "$lists/known" ] || { echo "E: Unable to locate package" >&2; exit 100; }
     for name; do :; done
     touch "$name.deb" ;;
esac`,
  'dpkg-deb': `case $2 in *qemu-system-x86.deb)
  mkdir -p "$3/usr/bin" "$3/usr/lib/some/qemu"
  printf '#!/bin/sh\\n[ $# -eq 5 ] && echo "${version} $0 $QEMU_MODULE_DIR $*" || echo "have $*"\\n' >"$3/usr/bin/qemu-system-x86_64"
  chmod +x "$3/usr/bin/qemu-system-x86_64" ;; esac`,
  'qemu-system-x86_64': 'echo "QEMU emulator version 7.2.22 (Debian)"',
});

test('a newer QEMU is the machine\'s own where that is new enough, else the one of the backports of where apt has the release, with its own modules and firmware', async () => {
  const asked = path.join(workspace({}), 'asked');
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  await withPrograms(aptWithBackports(asked, 'QEMU emulator version 10.0.2'), async () => {
    const program = await newerQemu([7, 2], x86, () => undefined);
    assert.equal(program, 'qemu-system-x86_64');
    assert.ok(!existsSync(asked));
    const newer = await newerQemu([9, 1], x86, () => undefined);
    const folder = path.join(process.cwd(), 'build', 'cache', 'debian', 'qemu-system-x86+backports');
    assert.equal(newer, path.join(folder, 'qemu-system-x86_64'));
    const [usr, { stdout }] = [path.join(folder, 'usr'), spawnSync(newer, ['--version'], { encoding: 'utf8' })];
    assert.equal(stdout, `QEMU emulator version 10.0.2 ${usr}/bin/qemu-system-x86_64 ${usr}/lib/some/qemu -L ${usr}/share/qemu -L ${usr}/share/seabios --version\n`);
    const lines = readFileSync(asked, 'utf8').trim().split('\n');
    assert.equal(lines[0], 'update --print-uris');
    assert.deepEqual(new Set(lines.filter((line) => line.startsWith('deb '))), new Set([`deb http://archive/of-${release} ${release}-backports main`]));
    assert.deepEqual(lines.filter((line) => line.includes('download ')).map((line) => line.split(' ').pop()), ['qemu-system-x86', 'qemu-system-x86', 'qemu-system-common', 'qemu-system-data', 'seabios']);
    // The second time it is in the cache.
    assert.equal(await newerQemu([9, 1], x86, () => undefined), newer);
    assert.equal(readFileSync(asked, 'utf8').trim().split('\n').length, lines.length);
    await assert.rejects(newerQemu([10, 1], x86, () => undefined), (error) =>
      error instanceof UserError && error.message === 'QEMU 10.1 or later is neither here nor in the backports to this machine\'s Debian, which have 10.0.');
  });
});

test('a newer QEMU that cannot be found, fetched or run is one sentence', async () => {
  const asked = path.join(workspace({}), 'asked');
  const programs = aptWithBackports(asked, 'libnew.so.9: cannot open shared object file.');
  const sentence = (message: string) => (error: unknown): boolean => error instanceof UserError && error.message === message;
  await withPrograms(programs, async () => {
    await assert.rejects(newerQemu([9, 0], x86, () => undefined), /^UserError: The qemu-system-x86_64 of the backports does not run here: libnew\.so\.9: cannot open shared object file\..*\.$/s);
  });
  await withPrograms({ ...programs, 'apt-get': 'true' }, async () => {
    await assert.rejects(newerQemu([9, 0], x86, () => undefined), sentence('apt knows no archive of this machine\'s Debian release: its backports cannot be found.'));
  });
  await withPrograms({ ...programs, 'apt-get': `case "$*" in *update) exit 100 ;; *download*) echo "E: Unable to locate package x." >&2; exit 100 ;; esac\n${programs['apt-get']}` }, async () => {
    await assert.rejects(newerQemu([9, 0], x86, () => undefined), sentence('apt-get download qemu-system-x86 failed: E: Unable to locate package x.'));
    assert.deepEqual(cached(), []);
  });
});
