// The pieces of a guest that need no guest: the archive's bytes, modules in loading order, and sentences for what is missing.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { characterDevice, cpioArchive, folderEntry, programEntry } from '../../tools/guest/cpio.js';
import { dependencies, kernelIn, moduleFiles } from '../../tools/guest/kernel.js';
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
