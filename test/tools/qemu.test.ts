// Which QEMU runs the boards, and what is said where it has not got one.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { qemuProgram, qemuVersion, reasonWithoutEmulator } from '../../tools/emulator/qemu.js';
import { readBoard } from '../../tools/image/board.js';

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-qemu-'));
const before = { QEMU_SYSTEM_ARM: process.env['QEMU_SYSTEM_ARM'], PATH: process.env['PATH'] };
const start = process.cwd();

function programOf(file: string, lines: string): string {
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A program that starts these boards, each with any processor but a Cortex-R5, and says of others what QEMU says. */
function qemuWith(...machines: string[]): string {
  return programOf(path.join(folder, `qemu-${machines.join('-')}`), `
case "$*" in --version) echo "QEMU emulator version 7.2.22 (Debian)"; exit 0 ;; esac
case $2 in ${[...machines, 'none'].join('|')}) ;; *) echo "qemu-system-arm: unsupported machine type" >&2; exit 1 ;; esac
case "$*" in *"cortex-r5 "*) printf '%s\n' "audio: a warning" "qemu-system-arm: Invalid CPU model: cortex-r5" >&2; exit 1 ;; esac
read command && [ "$command" = quit ]`);
}

afterEach(() => {
  process.chdir(start);
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
});

test('QEMU_SYSTEM_ARM names the program, and a board that it has can be run', async () => {
  process.env['QEMU_SYSTEM_ARM'] = qemuWith('mps2-an521', 'mps3-an536');
  assert.equal(qemuProgram(), path.join(folder, 'qemu-mps2-an521-mps3-an536'));
  assert.equal(await reasonWithoutEmulator('mps3-an536-r52'), undefined);
  process.env['QEMU_SYSTEM_ARM'] = '';
  assert.equal(qemuProgram(), 'qemu-system-arm');
});

test('a board that this QEMU does not start, or not with its processor, is one sentence with QEMU\'s reason, what to set, and the version', async () => {
  process.env['QEMU_SYSTEM_ARM'] = qemuWith('mps2-an521', 'vexpress-a15');
  assert.equal(await reasonWithoutEmulator('mps2-an521-m33'), undefined);
  assert.equal(
    await reasonWithoutEmulator('mps3-an536-r52'),
    "The board mps3-an536 of target 'mps3-an536-r52' does not start in qemu-mps2-an521-vexpress-a15 (unsupported machine type): set QEMU_SYSTEM_ARM to the program of a QEMU that has it, 9.0 or later.",
  );
  assert.equal(
    await reasonWithoutEmulator('vexpress-r5'),
    "The board vexpress-a15 of target 'vexpress-r5' does not start in qemu-mps2-an521-vexpress-a15 (Invalid CPU model: cortex-r5): set QEMU_SYSTEM_ARM to the program of a QEMU that has it.",
  );
});

test('without QEMU_SYSTEM_ARM a board that the machine\'s QEMU lacks has a later one fetched; where none is to be had that is one sentence', async () => {
  delete process.env['QEMU_SYSTEM_ARM'];
  const place = mkdtempSync(path.join(tmpdir(), 'vmsg-qemu-'));
  const programs = path.join(place, 'bin');
  mkdirSync(programs);
  renameSync(qemuWith('mps2-an521'), path.join(programs, 'qemu-system-arm'));
  programOf(path.join(programs, 'apt-get'), 'exit 100');
  process.env['PATH'] = `${programs}${path.delimiter}${before.PATH ?? ''}`;
  process.chdir(place);
  const board = readBoard('mps3-an536-r52');
  assert.match(
    await reasonWithoutEmulator(board) ?? '',
    /^apt knows no archive .*; the board mps3-an536 of target 'mps3-an536-r52' needs it, or QEMU_SYSTEM_ARM as the program of such a QEMU\.$/,
  );
  assert.equal(qemuProgram(board), 'qemu-system-arm');
  const cached = path.join(place, 'build', 'cache', 'debian', 'qemu-system-arm+backports');
  mkdirSync(cached, { recursive: true });
  const newer = programOf(path.join(cached, 'qemu-system-arm'), 'echo "QEMU emulator version 10.0.2 (Debian)"');
  assert.equal(await reasonWithoutEmulator(board), undefined);
  assert.equal(qemuProgram(board), newer);
  assert.equal(qemuVersion(board), 'QEMU 10.0.2');
  assert.equal(qemuProgram(readBoard('mps2-an521-m33')), 'qemu-system-arm');
});

test('a program that is not there, and a target without an emulator, are one sentence', async () => {
  process.env['QEMU_SYSTEM_ARM'] = path.join(folder, 'nothing');
  assert.equal(await reasonWithoutEmulator('mps2-an521-m33'), `QEMU_SYSTEM_ARM is ${path.join(folder, 'nothing')}, which is no program.`);
  assert.equal(await reasonWithoutEmulator('imx93-m33'), "Target 'imx93-m33' has no emulator.");
});
