// The driver's images for a Cortex-A: where such a core begins, in AArch64, and where it goes on from there. Renode runs them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { driverBoard, type Region, readBoard } from '../../tools/image/board.js';
import { knownTargets } from '../../tools/targets.js';
import { segments } from './elf.js';
import { build, silent } from './machine.js';

const targets = knownTargets().filter((target) => readBoard(target).driverCore?.cpu.startsWith('cortex-a') === true);

test('the driver beside an RPU and beside the Cortex-M33 of an RZ/G2L is a Cortex-A', () => {
  assert.deepEqual([...targets].sort(), ['rzg2l-m33', 'zynqmp-r5']);
});

for (const target of targets) {
  const board = driverBoard(readBoard(target));

  test(`${target}: the driver's image begins in AArch64, leaves to AArch32 in the supervisor mode, and lies apart from all else`, async () => {
    const { image } = await build(target, silent, silent);
    const elf = readFileSync(image.driver ?? '');
    const loaded = segments(elf).filter(({ memoryBytes }) => memoryBytes > 0);
    const { flash, ram } = board.images.driver ?? {};
    const inside = (region: Region | undefined, address: number, bytes = 4): boolean =>
      region !== undefined && address >= region.address && address + bytes <= region.address + region.bytes;
    assert.ok(loaded.every(({ physical, memoryBytes }) => inside(flash, physical, memoryBytes) || inside(ram, physical, memoryBytes)), JSON.stringify(loaded));
    for (const { physical, memoryBytes } of segments(readFileSync(image.device)).filter(({ memoryBytes }) => memoryBytes > 0)) {
      // One sees the other's memory elsewhere, or at its own place.
      assert.ok(loaded.every((own) => physical + memoryBytes <= own.physical || own.physical + own.memoryBytes <= physical));
    }
    const code = loaded.find(({ executable }) => executable);
    const entry = elf.readUInt32LE(24);
    assert.ok(code !== undefined && inside({ address: code.physical, bytes: code.fileBytes }, entry));
    const word = (address: number): number => elf.readUInt32LE(offsetOf(elf, code.physical) + address - code.physical);
    const words: number[] = [];
    for (let at = entry; words.at(-1) !== 0xd69f03e0; at += 4) {
      words.push(word(at));
      assert.ok(words.length < 32, 'an ERET ends it');
    }
    // LDR (literal) of a W register: what it loads.
    const literals = words.flatMap((code, at) => ((code & 0xff000000) >>> 0 === 0x18000000 ? [word(entry + 4 * (at + (code >> 5 & 0x7ffff)))] : []));
    // MOVZ of the lowest 16 bits: what is given to SCR_EL3 and SPSR_EL3 by the MSR behind it.
    const given = (msr: number): number | undefined => words.flatMap((code, at) => (code === msr ? [(words[at - 1] ?? 0) >> 5 & 0xffff] : []))[0];
    assert.equal((given(0xd51e1100) ?? -1) & 0x401, 0, 'SCR_EL3: secure, the lower levels in AArch32');
    assert.equal((given(0xd51e4000) ?? 0) & 0x3ff, 0x1d3, 'SPSR_EL3: AArch32, ARM state, supervisor, all masked');
    const { distributor = 0, redistributors } = board.gic ?? {};
    const reset = literals.at(-1) ?? 0;
    assert.deepEqual(literals.slice(0, -1), redistributors === undefined ? [] : [distributor]);
    assert.ok(inside({ address: code.physical, bytes: code.fileBytes }, reset));
    assert.equal(reset & 3, 0, 'ARM state');
    assert.ok([0xf10e01d3, 0xe10f0000].includes(word(reset)), 'CPSID AIF, SVC or MRS CPSR of vectors.S');
  });
}

/** Where in the file the segment at this address begins. */
function offsetOf(elf: Buffer, physical: number): number {
  const [table, size] = [elf.readUInt32LE(28), elf.readUInt16LE(42)];
  for (let at = table; ; at += size) {
    if (elf.readUInt32LE(at + 12) === physical) {
      return elf.readUInt32LE(at + 4);
    }
  }
}
