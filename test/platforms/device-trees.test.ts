// The device-tree fragments of the targets' READMEs against board.json: Linux is told of the memory and FIFOs that the image uses.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readBoard } from '../../tools/image/board.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';

interface Node {
  readonly name: string;
  readonly unit: number;
  readonly address: number;
  readonly bytes: number;
}

const platform = (target: string, file: string): string => readFileSync(path.join(packageRoot, 'platforms', target, file), 'utf8');

/** The memory nodes of a fragment; cells are one or two a number, the upper one 0. */
function memories(text: string): Node[] {
  return [...text.matchAll(/([\w-]+)@([0-9a-f]+) \{[^}]*\breg = <([^>]+)>/g)].map(([node, name = '', unit = '', cells = '']) => {
    const numbers = cells.trim().split(/\s+/).map(Number);
    const [high = 0, address = NaN, more = 0, bytes = NaN] = numbers.length === 2 ? [0, numbers[0], 0, numbers[1]] : numbers;
    assert.deepEqual([high, more], [0, 0], node);
    return { name, unit: parseInt(unit, 16), address, bytes };
  });
}

const withTree = knownTargets().filter((target) => platform(target, 'README.md').includes('reserved-memory {'));

test('the coprocessors of SoCs that run Linux have a fragment', () => {
  assert.deepEqual(withTree, ['am62x-m4f', 'am64x-r5f', 'imx8mp-m7', 'imx93-m33', 'rzg2l-m33', 'stm32mp15-m4', 'zynqmp-r5']);
});

for (const target of withTree) {
  const board = readBoard(target);
  const tree = memories(platform(target, 'README.md'));

  test(`${target}: the device tree reserves each shared window by its name, and what holds the image`, () => {
    for (const { name, unit, address } of tree) {
      assert.equal(unit, address, name);
    }
    for (const [index, node] of tree.entries()) {
      for (const other of tree.slice(index + 1)) {
        assert.ok(node.address + node.bytes <= other.address || other.address + other.bytes <= node.address, `${node.name} and ${other.name} overlap`);
      }
    }
    const shared = board.windows.filter(({ driverAddress }) => driverAddress !== '');
    for (const { name, driverAddress, bytes } of shared) {
      assert.deepEqual(tree.filter((node) => node.name === name).map((node) => [node.address, node.bytes]), [[Number(driverAddress), bytes]], name);
    }
    // Where both sides see memory at other addresses, the README's table says what is where.
    if (shared.every(({ cpuAddress, driverAddress }) => cpuAddress === Number(driverAddress))) {
      for (const memory of [board.images.device.flash, board.images.device.ram]) {
        assert.ok(memory !== undefined && tree.some(({ address, bytes }) => memory.address >= address && memory.address + memory.bytes <= address + bytes), JSON.stringify(memory));
      }
    }
  });
}

for (const target of withTree.filter((name) => name.startsWith('am6'))) {
  test(`${target}: Linux receives where the core transmits, and the other way round`, () => {
    const { mailbox } = JSON.parse(platform(target, 'board.json')) as { mailbox: Record<string, number> };
    const channels = [...platform(target, 'README.md').matchAll(/ti,mbox-rx = <(\d+) 0 (\d+)>; ti,mbox-tx = <(\d+) 0 (\d+)>/g)].map((match) => match.slice(1).map(Number));
    const users = new Set(channels.flatMap(([, receiver, , transmitter]) => [receiver, transmitter]));
    assert.equal(users.size, 1, 'Linux is one user');
    assert.ok(!users.has(mailbox['user']), 'and another one than the core');
    assert.deepEqual(channels.map(([receive, , transmit]) => [receive, transmit]), [
      [mailbox['controlTransmit'], mailbox['controlReceive']], [mailbox['transmit'], mailbox['receive']],
    ]);
  });
}
