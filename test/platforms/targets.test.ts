// Every target of a SoC and every Cortex-R: the default app is built, and what a loader reads of the image is read back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Board, isCortexR, isDeviceOnly, readBoard, type Region } from '../../tools/image/board.js';
import { imageSize } from '../../tools/image/image.js';
import { note } from '../../tools/support/record.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';
import { type Resource, resources, section, segments } from './elf.js';
import { buildDefault } from './machine.js';

const targets = knownTargets().filter((target) => isDeviceOnly(readBoard(target)) || isCortexR(readBoard(target)));
const within = (region: Region | undefined, address: number, bytes = 1): boolean =>
  region !== undefined && address >= region.address && address + bytes <= region.address + region.bytes;

/** Targets of TI's K3 SoCs. */
const attachesAtStart = /^am6/;
/** Targets whose remoteproc driver in Linux attaches to a core that runs. */
const attaches = /^(am6|imx|stm32mp|zynqmp)/;

/** The first instruction of an image of a Cortex-M: it has a vector table with a stack and a Thumb address. */
function startOfM(elf: Buffer, { images: { device: { flash, ram, boot = flash, stackBytes } } }: Board): number {
  const { address, content } = section(elf, '.vectors');
  assert.equal(address, boot?.address);
  assert.equal(address % 1024, 0, 'the vector table is aligned');
  const [stack, reset] = [content.readUInt32LE(0), content.readUInt32LE(4)];
  assert.ok(within(ram, stack - stackBytes, stackBytes) && stack % 8 === 0, 'the stack is in RAM');
  assert.equal(reset & 1, 1, 'Thumb');
  assert.ok(within(boot, reset - 1, 2), 'the first instructions need no other memory than that of the vectors');
  return reset - 1;
}

/** The first instruction of an image of a Cortex-R: its vectors are instructions that load an address, and its entry is ARM code. */
function startOfR(elf: Buffer, { images: { device: { flash, vectors = flash?.address } } }: Board): number {
  const { address, content } = section(elf, '.vectors');
  assert.equal(address, vectors);
  const first = content.readUInt32LE(0);
  assert.equal(first >>> 12, 0xe59ff, 'ldr pc, [pc, #...]');
  const reset = content.readUInt32LE(8 + (first & 0xfff));
  const entry = elf.readUInt32LE(24);
  assert.equal(entry, vectors === 0xffff0000 ? reset : vectors, 'a loader enters where a reset does; high vectors are not executable at first');
  assert.ok(reset % 4 === 0 && within(flash, reset, 4), 'ARM state, in the image');
  return reset;
}

test('bytes that can be foretold pass for entropy on emulated boards only', () => {
  const seeded = knownTargets().filter((target) => readBoard(target).seededRandom);
  assert.ok(seeded.length > 0);
  seeded.forEach((target) => assert.ok(readBoard(target).qemu !== undefined, target));
});

for (const target of targets) {
  const board = readBoard(target);
  const { flash, ram, boot, table, vectors, heapBytes } = board.images.device;
  const vectorMemory = vectors === undefined ? undefined : { address: vectors, bytes: 64 };
  const memories = [flash, ram, boot, table, vectorMemory];
  const shared = board.windows.flatMap(({ cpuAddress, ...window }) => (cpuAddress === undefined ? [] : [{ ...window, address: cpuAddress }]));

  test(`${target}: the image is loaded where the board has memory, starts there, and fits`, () => {
    const elf = readFileSync(path.join(buildDefault(target), 'device.elf'));
    const loaded = segments(elf).filter(({ memoryBytes }) => memoryBytes > 0);
    assert.ok(loaded.length >= 3);
    for (const { virtual, physical, fileBytes, memoryBytes } of loaded) {
      const home = memories.find((region) => within(region, physical, memoryBytes));
      assert.ok(home !== undefined, `0x${physical.toString(16)}, ${memoryBytes} bytes, is in no memory of the image`);
      assert.ok(fileBytes === 0 ? physical === virtual : home !== ram, 'start values are kept where code is, so that they are there at the next start');
    }
    const start = isCortexR(board) ? startOfR(elf, board) : startOfM(elf, board);
    assert.ok(loaded.some(({ executable, virtual, fileBytes }) => executable && within({ address: virtual, bytes: fileBytes }, start, 2)), 'it leads to code');
    assert.equal(imageSize(elf).heap, heapBytes);

    if (board.trace !== undefined) {
      const { address, content } = section(elf, '.resource_table');
      assert.ok(within(table ?? flash, address, content.length));
      const window = board.windows[board.trace.window];
      assert.deepEqual(resources(content), [
        ...board.layouts.map((layout): Resource => {
          const { name = '', cpuAddress: device = 0, driverAddress, bytes = 0 } = board.windows[layout.window] ?? {};
          return { type: 'carveout', device, physical: Number(driverAddress), bytes, name };
        }),
        { type: 'trace', device: (window?.cpuAddress ?? 0) + board.trace.offset, bytes: board.trace.bytes, name: 'vmsg' },
      ] satisfies Resource[]);
      // Where Linux's driver looks for the table of a core that runs already: at the start of the core's memory, or by what lies there.
      if (attachesAtStart.test(target)) {
        assert.equal(address, flash?.address);
        assert.ok(content.length <= 256, 'all that the driver looks at');
      }
      // A detach writes back what lay here at the attach, a KiB at most.
      assert.ok(loaded.filter(({ virtual, memoryBytes }) => address < virtual + memoryBytes && address + 1024 > virtual).every(({ writable }) => !writable), 'what follows the table never changes');
      assert.ok(within(table ?? flash, address, 1024));
      if (table !== undefined) {
        assert.equal(address, table.address);
        assert.ok(loaded.some(({ physical, fileBytes }) => physical === address && fileBytes >= content.length), 'a loader puts it there');
      }
      if (board.trace.metadata) {
        const metadata = section(elf, '.resource_table_metadata');
        assert.equal(metadata.address, flash?.address);
        const [version, magic = 0, other = 0, bytes, low, high, ...more] = Array.from({ length: metadata.content.length / 4 }, (_, index) => metadata.content.readUInt32LE(4 * index));
        assert.deepEqual([version, magic, other ^ magic, bytes, low, high, more], [1, 0x78616d70, -1, content.length, address, 0, []]);
      }
      // Nothing in the table is free to be anything: a word that changes is refused, or it is another table.
      for (let at = 0; at < content.length; at += 4) {
        const other = Buffer.from(content);
        other.writeUInt32LE((other.readUInt32LE(at) ^ 0x80) >>> 0, at);
        const same = (): void => { assert.deepEqual(resources(other), resources(content)); };
        assert.throws(same, `word ${at}`);
      }
    }
    note({ target, engine: 'duktape', test: 'test/platforms/targets.test.ts' });
  });

  test(`${target}: no two memories of the board overlap, and the README has its numbers`, () => {
    const regions = memories.flatMap((region) => (region === undefined ? [] : [region])).concat(shared);
    for (const [index, region] of regions.entries()) {
      assert.ok(region.address + region.bytes <= 2 ** 32);
      for (const other of regions.slice(index + 1)) {
        assert.ok(region.address + region.bytes <= other.address || other.address + other.bytes <= region.address, `0x${region.address.toString(16)} and 0x${other.address.toString(16)}`);
      }
    }
    for (const { line = 0 } of board.interrupts) {
      assert.ok(isCortexR(board) || line < 128, 'the vector table has 128 lines');
    }
    const readme = readFileSync(path.join(packageRoot, 'platforms', target, 'README.md'), 'utf8');
    const numbers = memories.flatMap((region) => (region === undefined ? [] : [region.address])).concat(board.registers.map(({ address = 0 }) => address))
      .map((address) => address.toString(16).padStart(8, '0'));
    assert.match(readme, new RegExp(`npx vmsg (build|sim) --target ${target}\\b`), 'README.md does not say how to build or run it');
    if (attaches.test(target)) {
      assert.match(readme, /\battach/i, 'README.md does not say how Linux attaches');
    }
    for (const number of [...numbers, ...board.interrupts.map(({ line = 0 }) => String(line))]) {
      assert.ok(readme.toLowerCase().includes(number), `README.md does not say ${number}`);
    }
  });
}

test('docs/targets.md says of every target with an image whether it was only built', () => {
  const table = readFileSync(path.join(packageRoot, 'docs', 'targets.md'), 'utf8');
  const rows = [...table.matchAll(/^\| `([\w-]+)` \|.*\| yes \|(.*)\| \|$/gm)].map(([, name = '', emulated = '']) => [name, emulated.trim()]);
  const images = knownTargets().map(readBoard).filter((board) => board.images.device.flash !== undefined);
  const emulators = ({ qemu, renode }: Board): string => [...(qemu === undefined ? [] : ['QEMU']), ...(renode === undefined ? [] : ['Renode'])].join(', ');
  assert.deepEqual(rows.sort(), images.map((board) => [board.name, emulators(board)]).sort());
});
