// Reads back what a loader reads of an image: segments, the vector table, the resource table. Numbers are those of the specifications.
import assert from 'node:assert/strict';
import { readElfSections } from '../../tools/image/image.js';

/** A PT_LOAD segment. */
export interface Segment {
  readonly virtual: number;
  /** Where a loader puts it. */
  readonly physical: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly executable: boolean;
  readonly writable: boolean;
}

/** An entry of the resource table. */
export type Resource =
  | { readonly type: 'carveout'; readonly device: number; readonly physical: number; readonly bytes: number; readonly name: string }
  | { readonly type: 'trace'; readonly device: number; readonly bytes: number; readonly name: string };

/** The PT_LOAD segments of a little-endian ELF file of 32 bits for Arm. */
export function segments(elf: Buffer): Segment[] {
  assert.equal(elf.readUInt32BE(0), 0x7f454c46);
  assert.deepEqual([...elf.subarray(4, 7)], [1, 1, 1], '32 bits, little-endian, version 1');
  assert.deepEqual([elf.readUInt16LE(16), elf.readUInt16LE(18)], [2, 40], 'a program for Arm');
  const [table, size, count] = [elf.readUInt32LE(28), elf.readUInt16LE(42), elf.readUInt16LE(44)];
  return Array.from({ length: count }, (_, index) => Array.from({ length: 7 }, (_word, word) => elf.readUInt32LE(table + index * size + 4 * word)))
    .filter(([type]) => type === 1)
    .map(([, , virtual = 0, physical = 0, fileBytes = 0, memoryBytes = 0, flags = 0]) => ({ virtual, physical, fileBytes, memoryBytes, executable: (flags & 1) !== 0, writable: (flags & 2) !== 0 }));
}

/** The content of a section. */
export function section(elf: Buffer, name: string): { address: number; content: Buffer } {
  const found = readElfSections(elf).filter((candidate) => candidate.name === name);
  const [only] = found;
  assert.ok(found.length === 1 && only !== undefined, `one section ${name}`);
  assert.ok(only.allocated && only.stored, `${name} is loaded`);
  return { address: only.address, content: elf.subarray(only.offset, only.offset + only.bytes) };
}

/** The resource table as Linux's remoteproc reads it; what it would refuse fails the test. */
export function resources(table: Buffer): Resource[] {
  assert.ok(table.length >= 16, 'a head');
  assert.equal(table.readUInt32LE(0), 1, 'version');
  const count = table.readUInt32LE(4);
  assert.equal(table.readUInt32LE(8) | table.readUInt32LE(12), 0, 'reserved');
  assert.ok(table.length >= 16 + 4 * count, 'offsets');
  let free = 16 + 4 * count;
  return Array.from({ length: count }, (_, index) => {
    const at = table.readUInt32LE(16 + 4 * index);
    assert.ok(at >= free && at % 4 === 0, 'entries do not overlap');
    const type = table.readUInt32LE(at);
    assert.ok(type === 0 || type === 2, `known type ${type}`);
    free = at + (type === 0 ? 56 : 48);
    assert.ok(table.length >= free, 'the entry ends inside the table');
    const name = table.subarray(free - 32, free);
    const end = name.indexOf(0);
    assert.ok(end > 0 && name.subarray(end).every((byte) => byte === 0), 'the name ends');
    assert.equal(table.readUInt32LE(free - 36), 0, 'reserved');
    const word = (offset: number): number => table.readUInt32LE(at + offset);
    const text = name.toString('latin1', 0, end);
    if (type === 2) {
      return { type: 'trace', device: word(4), bytes: word(8), name: text };
    }
    assert.equal(word(16), 0, 'flags');
    return { type: 'carveout', device: word(4), physical: word(8), bytes: word(12), name: text };
  });
}
