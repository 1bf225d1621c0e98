// The device trees that the documents give for Linux: dtc compiles them, and their reserved memory is the windows of board.json.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { readBoard } from '../../tools/image/board.js';
import { packageRoot } from '../../tools/targets.js';

/** SoCs on whose main cores Linux can run, and the labels of their own device trees that the fragments refer to. */
const besideLinux = {
  'am62x-m4f': ['mailbox0_cluster0', 'mcu_m4fss'],
  'am64x-r5f': ['mailbox0_cluster2', 'main_timer8', 'main_r5fss0', 'main_r5fss0_core0'],
  'imx8mp-m7': ['clk', 'mu'],
  'imx93-m33': ['cm33', 'mu1'],
  'rzg2l-m33': [],
  'stm32mp15-m4': ['ipcc', 'm4_rproc', 'mlahb'],
  'zynqmp-r5': ['ttc0', 'uart1', 'zynqmp_ipi'],
};

/** The only fragment of a document. */
function fragmentIn(...file: string[]): string {
  const found = [...readFileSync(path.join(packageRoot, ...file), 'utf8').matchAll(/^```dts\n(.*?)^```$/gms)];
  assert.equal(found.length, 1, `fragments in ${file.join('/')}`);
  return found[0]?.[1] ?? '';
}

/** A board's device tree with nodes of these labels: with the board's sizes of an address, mailboxes and clocks with as many cells as are given. */
function boardFor(fragment: string, labels: readonly string[]): string {
  const size = /#address-cells = <(\d)>/.exec(fragment)?.[1];
  const cells = `#address-cells = <${size}>; #size-cells = <${size}>;`;
  const nodes = labels.map((label) => {
    const given = new RegExp(`<&${label}((?: [&\\w]+)+)>`).exec(fragment)?.[1]?.trim().split(' ').length;
    return `${label}: ${label.replaceAll('_', '-')} { ranges; ${cells} ${given === undefined ? '' : `#${label === 'clk' ? 'clock' : 'mbox'}-cells = <${given}>;`} };`;
  });
  return `/dts-v1/;\n/ { ${cells} ${nodes.join(' ')} };\n`;
}

/** What dtc says of a fragment at the end of a board's device tree. */
function compile(fragment: string, labels: readonly string[]): string {
  const { error, status, stderr } = spawnSync('dtc', ['-I', 'dts', '-O', 'dtb', '-o', '/dev/null', '-'], { input: boardFor(fragment, labels) + fragment, encoding: 'utf8' });
  assert.equal(error, undefined);
  assert.equal(status, 0, stderr);
  return stderr;
}

for (const [target, labels] of Object.entries(besideLinux)) {
  test(`${target}: the device tree of its README compiles, and reserves what board.json shares`, () => {
    const fragment = fragmentIn('platforms', target, 'README.md');
    assert.equal(compile(fragment, labels), '');
    const reserved = new Map([...fragment.matchAll(/^ {8}(\w+): [\w-]+@([0-9a-f]+) \{.* reg = <(?:0 )?0x([0-9a-f]+) (?:0 )?0x([0-9a-f]+)>; \};/gm)].map(([, label = '', unit, address, bytes]) => {
      assert.equal(unit, address, `${target}: ${label}`);
      return [label, [BigInt(`0x${address}`), BigInt(`0x${bytes}`)]];
    }));
    const windows = readBoard(target).windows.filter(({ driverAddress }) => driverAddress !== '');
    assert.deepEqual(windows.map(({ name }) => name).sort(), ['pool', 'vmsg']);
    for (const { name, driverAddress, bytes } of windows) {
      assert.deepEqual(reserved.get(name === 'pool' ? 'vmsg_pool' : name), [BigInt(driverAddress), BigInt(bytes)], `${target}: ${name}`);
    }
    assert.match(fragment, /memory-region = <&vmsg>, <&vmsg_pool>;/);
    // What Linux's driver for the i.MX calls the memory of the table (imx_rproc: "rsc-table", listed by the remote processor).
    const { table } = readBoard(target).images.device;
    if (target.startsWith('imx')) {
      assert.deepEqual(reserved.get('rsc_table'), [BigInt(table?.address ?? 0), BigInt(table?.bytes ?? 0)]);
      assert.match(fragment, /rsc_table: rsc-table@/);
      // It does not start without a clock, which the SoC's own node of the remote processor has where there is one.
      assert.match(fragment, /^ +clocks = <&clk \d+>;|^&cm33 \{$/m);
      assert.match(fragment, /memory-region = <&m\d+_reserved>, <&vmsg>, <&rsc_table>;/);
    }
  });
}

for (const name of ['linux.md', 'targets.md']) {
  test(`the device tree in docs/${name} compiles`, () => {
    assert.equal(compile(fragmentIn('docs', name), ['mailbox']), '');
  });
}
