// The template on an emulated core: its clock, its log in shared memory, and starts on what an earlier run left behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { qemuProgram, qemuVersion } from '../../tools/emulator/qemu.js';
import { readBoard } from '../../tools/image/board.js';
import { readElfSections } from '../../tools/image/image.js';
import { note } from '../../tools/support/record.js';
import { buildDefault } from '../platforms/machine.js';

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-template-'));
const board = readBoard('template');
const windowBytes = board.windows[0]?.bytes ?? 0;
const memory = path.join(folder, 'window');
const images = { driver: '', device: '' };

/** Bytes that repeat at each run and mean nothing. */
function noise(bytes: number): Buffer {
  const block = Buffer.concat(Array.from({ length: 64 }, (_, index) => createHash('sha512').update(String(index)).digest()));
  return Buffer.alloc(bytes, block);
}

/** What QEMU loads: the ELF file, or raw bytes at an address. */
const raw = (file: string, address = 0): string[] => ['-device', `loader,file=${file},addr=0x${address.toString(16)},force-raw=on`];
const elf = (): string[] => ['-device', `loader,file=${images.device}`];

/** Runs the first scene of the MPS2+ AN521's core 0 against the template's core; returns what both said. */
function run(loaded: string[]): { driver: string; trace: string } {
  const driver = execFileSync(qemuProgram(), [
    '-M', 'mps2-an521,memory-backend=psram', '-object', `memory-backend-file,id=psram,mem-path=${memory},size=${windowBytes},share=on`,
    '-icount', 'shift=0,sleep=off', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-serial', 'null',
    '-semihosting-config', 'enable=on,target=native', '-kernel', images.driver, ...loaded,
  ], { encoding: 'utf8', timeout: 600_000, stdio: ['ignore', 'pipe', 'inherit'] });
  const trace = readFileSync(memory).subarray(0, board.trace?.bytes);
  return { driver, trace: trace.toString('latin1', 0, trace.indexOf(0)) };
}

/** The value and the clock, in microseconds, of a log line that is there once. */
function logged(trace: string, code: number): { value: number; clock: number } {
  const [line, ...more] = trace.split('\n').filter((text) => text.startsWith(`~${code} `));
  assert.ok(line !== undefined && more.length === 0, `code ${code} once in:\n${trace}`);
  const [, value = NaN, clock = NaN] = line.split(' ').map(Number);
  return { value, clock };
}

before(() => {
  images.driver = path.join(buildDefault('mps2-an521-m33'), 'driver.elf');
  images.device = path.join(buildDefault('template'), 'device.elf');
});

test('template: a first start in memory full of noise serves entropy, and the trace buffer holds its log alone', () => {
  writeFileSync(memory, noise(windowBytes));
  const { flash, ram } = board.images.device;
  const [flashFile, ramFile] = [path.join(folder, 'flash'), path.join(folder, 'ram')];
  // Nothing clears RAM for an image that is no ELF file.
  execFileSync('arm-none-eabi-objcopy', ['-O', 'binary', images.device, flashFile]);
  writeFileSync(ramFile, noise(ram?.bytes ?? 0));
  const { driver, trace } = run([...raw(flashFile, flash?.address), ...raw(ramFile, ram?.address)]);
  assert.match(driver, /^# messages 32$/m);
  assert.match(trace, /^(~[\d -]+\n)+$/, 'text in order, nothing else');
  assert.equal(logged(trace, 0).value, 50, 'SysTick counts the core\'s 20 MHz');
  const [start, end] = [logged(trace, 0).clock, logged(trace, 4).clock];
  assert.ok(end > start && end < 1_000_000, `${start} to ${end} microseconds`);
  note({ target: 'template', engine: 'duktape', ranOn: qemuVersion(), test: 'test/emulator/template.test.ts' });
});

/** The image with other words in its only carveout, as a loader writes them back: device address, physical address, bytes. */
function written(device: number, physical: number, bytes: number): string {
  const content = readFileSync(images.device);
  const table = readElfSections(content).find(({ name }) => name === '.resource_table');
  assert.ok(table !== undefined);
  const carveout = table.offset + content.readUInt32LE(table.offset + 16);
  [device, physical, bytes].forEach((word, index) => content.writeUInt32LE(word, carveout + 4 + 4 * index));
  const file = path.join(folder, 'written.elf');
  writeFileSync(file, content);
  return file;
}

const [{ cpuAddress: home = 0 } = {}] = board.windows;

for (const [what, device, bytes] of [
  ['elsewhere', home + windowBytes, windowBytes],
  ['a page further', home + 4096, windowBytes],
  ['too short', home, windowBytes - 1],
  ['before it', home - windowBytes, windowBytes],
  ['nowhere', 0xffffffff, windowBytes],
] as const) {
  test(`template: where a loader has put the carveout ${what}, the core stops and touches nothing that is not its own`, () => {
    const before = noise(windowBytes);
    writeFileSync(memory, before);
    assert.throws(() => run(['-device', `loader,file=${written(device, device, bytes)}`]), { status: 3 });
    const after = readFileSync(memory);
    // The driver's program takes the magic of an older layout away before it releases the core.
    before.copy(after, 4096, 4096, 4098);
    assert.ok(after.equals(before));
  });
}

test('template: a carveout that became the whole of the reserved memory around it, with its physical address, is served', () => {
  writeFileSync(memory, noise(windowBytes));
  const { driver } = run(['-device', `loader,file=${written(home - 4096, 0x12345000, windowBytes + 8192)}`]);
  assert.match(driver, /^# messages 32$/m);
});

test('template: a second and a third start on what the run before left in shared memory are like the first', () => {
  writeFileSync(memory, Buffer.alloc(windowBytes));
  const first = run(elf());
  const left = readFileSync(memory).subarray(4096, 4096 + 64);
  assert.ok(left.some((byte) => byte !== 0), 'the run left its layout behind');
  assert.deepEqual(run(elf()), first);
  assert.deepEqual(run(elf()), first);
});
