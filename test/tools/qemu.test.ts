// Which QEMU runs the boards, and what is said where it has not got one.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { qemuProgram, reasonWithoutEmulator } from '../../tools/emulator/qemu.js';

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-qemu-'));
const before = process.env['QEMU_SYSTEM_ARM'];

/** A program that has these boards, as QEMU lists them. */
function qemuWith(...machines: string[]): string {
  const file = path.join(folder, `qemu-${machines.join('-')}`);
  writeFileSync(file, `#!/bin/sh\nprintf 'Supported machines are:\\n'\n${machines.map((name) => `printf '${name}   a board\\n'`).join('\n')}\n`);
  chmodSync(file, 0o755);
  return file;
}

afterEach(() => {
  if (before === undefined) {
    delete process.env['QEMU_SYSTEM_ARM'];
  } else {
    process.env['QEMU_SYSTEM_ARM'] = before;
  }
});

test('QEMU_SYSTEM_ARM names the program, and a board that it has can be run', () => {
  process.env['QEMU_SYSTEM_ARM'] = qemuWith('mps2-an521', 'mps3-an536');
  assert.equal(qemuProgram(), path.join(folder, 'qemu-mps2-an521-mps3-an536'));
  assert.equal(reasonWithoutEmulator('mps3-an536-r52'), undefined);
  process.env['QEMU_SYSTEM_ARM'] = '';
  assert.equal(qemuProgram(), 'qemu-system-arm');
});

test('a board that this QEMU has not got is one sentence with what to set, and the version', () => {
  process.env['QEMU_SYSTEM_ARM'] = qemuWith('mps2-an521');
  assert.equal(reasonWithoutEmulator('mps2-an521-m33'), undefined);
  assert.equal(
    reasonWithoutEmulator('mps3-an536-r52'),
    "The board mps3-an536 of target 'mps3-an536-r52' is not in qemu-mps2-an521: set QEMU_SYSTEM_ARM to the program of a QEMU that has it, 9.0 or later.",
  );
});

test('a program that is not there, and a target without an emulator, are one sentence', () => {
  process.env['QEMU_SYSTEM_ARM'] = path.join(folder, 'nothing');
  assert.equal(reasonWithoutEmulator('mps2-an521-m33'), `QEMU_SYSTEM_ARM is ${path.join(folder, 'nothing')}, which is no program.`);
  assert.equal(reasonWithoutEmulator('imx93-m33'), "Target 'imx93-m33' has no emulator.");
});
