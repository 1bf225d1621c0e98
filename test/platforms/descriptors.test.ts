// The two readers of descriptors, that in C and that in TypeScript, against each other: the same answers, the same tables, the same
// calls for cache and order, on whatever a driver writes and wherever the windows lie.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { packedDescriptor, splitDescriptor } from '#descriptors';
import { descriptorOther, elementBytes, elementOffset, elementWindow, translation, windowBarred, windowBase, windowCached, windowLast } from '#tables';
import { fake, windows, windowWords } from '../../hal/fake/port.js';
import { translateFor } from '../../firmware/memory/window.hot.js';
import { addWindows, shareWindows } from '../../firmware/memory/windows.js';
import { packageRoot } from '../../tools/targets.js';
import { testFolder } from './machine.js';

const AVAILABLE = 0x80;
const USED = 0x8000;
const SHARED = [0, 1, 3];
const CASES = 3000;
/** Bytes of the longest window. */
const LONGEST = 2 ** 27;

/** Where a window begins for its driver: low, at 0x80000000 and above, at the end of 4 GiB, above 4 GiB; not always at a multiple of 64 KiB. */
const driverAddress = (bytes: number): fc.Arbitrary<bigint> =>
  fc
    .tuple(fc.constantFrom(0n, 0n, 1n, 0xffffn, 0x10000n, 0xffffffffn), fc.oneof(fc.constantFrom(0, 0x80000000, 0xf0000000, 0x100000000 - bytes), fc.nat(0xffff).map((page) => page * 4096), fc.nat(0xffffff).map((unit) => unit * 16)))
    .map(([upper, low]) => (upper << 32n) + BigInt(Math.min(low, 0x100000000 - bytes)));

/** A distance from a border, mostly a small one. */
const near = fc.oneof({ arbitrary: fc.integer({ min: -40, max: 40 }), weight: 4 }, { arbitrary: fc.nat(70000), weight: 1 });
const length = fc.oneof(
  { arbitrary: fc.nat(70), weight: 3 },
  { arbitrary: fc.nat(258).map((entries) => entries * 16), weight: 3 },
  { arbitrary: fc.constantFrom(0, 65535, 65536, 0x7ffffff, 0x8000000, 0x80000000, 0xfffffff0, 0xffffffff), weight: 1 },
);
const descriptor = fc.record({
  window: fc.constantFrom(...SHARED),
  fromEnd: fc.boolean(),
  distance: near,
  /** The end of the bytes lies at the border, not their start. */
  endsThere: fc.boolean(),
  /** Added to the address: another window's, or none's. */
  carry: fc.oneof({ arbitrary: fc.constant(0n), weight: 12 }, { arbitrary: fc.constantFrom(1n << 16n, 1n << 31n, 1n << 32n, 1n << 48n, 1n << 63n), weight: 1 }),
  bytes: length,
  flags: fc.oneof({ arbitrary: fc.nat(7), weight: 3 }, { arbitrary: fc.nat(65535), weight: 1 }),
  other: fc.nat(65535),
});
const one = fc.record({
  /**
   * Not 0: the first window is as long as one can be, and this many bytes from its start on are described, most of them behind its
   * memory; there are no tables then.
   */
  longest: fc.oneof({ arbitrary: fc.constant(0), weight: 12 }, { arbitrary: fc.constantFrom(LONGEST - 1, LONGEST, LONGEST + 16), weight: 1 }),
  addresses: fc.tuple(...windows.map(({ bytes }, number) => driverAddress(number === 0 ? LONGEST : bytes))),
  barred: fc.subarray(SHARED),
  bus: fc.nat(1),
  packed: fc.boolean(),
  /** Where the descriptor read lies, and the one it refers to if it refers to a table. */
  window: fc.constantFrom(...SHARED),
  at: fc.nat(40),
  entry: fc.nat(3),
  place: fc.constantFrom(0, 1, 63, 64),
  sign: fc.constantFrom(0, AVAILABLE, AVAILABLE, USED),
  bits: fc.constantFrom(AVAILABLE, AVAILABLE, USED, AVAILABLE | USED, 0),
  toTable: fc.record({ inWindow: fc.boolean(), word: fc.nat(600), entries: fc.integer({ min: 0, max: 258 }), odd: fc.nat(12).map((value) => (value === 0 ? 1 : 0)) }),
  first: descriptor,
  second: descriptor,
});
/** The bytes of a window as they are described. */
const bytesOf = ({ longest }: { longest: number }, window: number): number => (longest > 0 && window === 0 ? LONGEST : (windows[window]?.bytes ?? 0));
type Case = typeof one extends fc.Arbitrary<infer Type> ? Type : never;

/** A case as it is done: the words written and the call. */
function written(given: Case): [number, number, number][] {
  const { addresses, packed, window, at, entry, bits, toTable, second } = given;
  const first = given.longest > 0 ? { ...given.first, window: 0, fromEnd: false, distance: 0, endsThere: false, bytes: given.longest, flags: given.first.flags & ~4 } : given.first;
  const words: [number, number, number][] = [];
  const put = (to: number, word: number, values: readonly number[]): void => values.forEach((value, index) => words.push([to, word + index, value]));
  const halves = (value: bigint): number[] => [0n, 16n, 32n, 48n].map((by) => Number((value >> by) & 0xffffn));
  const fields = (address: bigint, bytes: number, flags: number, other: number): number[] =>
    [...halves(address), bytes & 65535, bytes >>> 16].concat(packed ? [other, flags] : [flags, other]);
  const addressOf = ({ window: of, fromEnd, distance, endsThere, carry, bytes }: Case['first']): bigint =>
    BigInt.asUintN(64, (addresses[of] ?? 0n) + BigInt((fromEnd ? bytesOf(given, of) : 0) + distance - (endsThere ? bytes : 0)) + carry);
  const refers = (first.flags & 4) !== 0 && toTable.inWindow;
  const tableAt = toTable.word;
  put(second.window, tableAt, fields(addressOf(first), first.bytes, second.flags, second.other));
  const address = refers ? (addresses[second.window] ?? 0n) + BigInt(tableAt * 2 + toTable.odd) : addressOf(second);
  // Last: tables may lie over the ring.
  put(window, at + entry * 8, fields(address, refers ? toTable.entries * 16 : second.bytes, (first.flags & ~0x8080) | bits, first.other));
  return words;
}

/** Does a case in TypeScript; returns what descriptors-run.c prints. */
function inTypeScript(given: Case, words: readonly [number, number, number][]): string {
  const asked: string[] = [];
  fake.clear();
  words.forEach(([window, word, value]) => ((windowWords[window] as Uint16Array)[word] = value));
  descriptorOther.fill(-1);
  elementWindow.fill(255);
  elementOffset.fill(-1);
  elementBytes.fill(-1);
  const { packed, window, at, entry, place, sign } = given;
  const answer = packed ? packedDescriptor(window, at, entry, place, sign) : splitDescriptor(window, at, entry, place);
  fake.cacheCalls.forEach(({ kind, window: of, offset, length: bytes }) => asked.push(`${kind} ${of} ${offset} ${bytes} `));
  // The one barrier stands between the two looks at a list's first descriptor.
  asked.splice(fake.cacheCalls.length > 0 && window === 3 ? 1 : 0, 0, 'barrier '.repeat(fake.barriers));
  return `${asked.join('')}answer ${answer} other ${Array.from(descriptorOther).join(' ')} row ${elementWindow[place]} ${elementOffset[place]} ${elementBytes[place]}`;
}

/** Builds the program in C, with `flags` for the reader and for all of it; returns its file. */
function build(name: string, reader: readonly string[], all: readonly string[]): string {
  const program = path.join(testFolder(), name);
  const sources = path.join(packageRoot, 'platforms/engine');
  const tests = path.join(packageRoot, 'test/platforms');
  const warnings = ['-std=gnu11', '-O2', '-g', '-Wall', '-Wextra', '-Werror', ...all, `-I${sources}`];
  for (const [what, ...rest] of [
    [path.join(sources, 'descriptors.c'), '-c', '-o', `${program}.o`, ...reader],
    [path.join(tests, 'descriptors-run.c'), path.join(tests, 'descriptors-reads.c'), `${program}.o`, '-o', program],
  ]) {
    const compiled = spawnSync('cc', [...warnings, what ?? '', ...rest], { encoding: 'utf8' });
    assert.equal(compiled.status, 0, compiled.stderr);
  }
  return program;
}

test('R-227 R-337 R-342 R-384 the reader of descriptors in C gives what the one in TypeScript gives, and reads no word twice', (context) => {
  const input: (number | string)[] = [CASES, ...windows.map(({ bytes }) => bytes)];
  const expected: string[] = [];
  fc.sample(one, { numRuns: CASES, seed: 20261126 }).forEach((given) => {
    const described = windows.map((window, number) => ({ ...window, bytes: bytesOf(given, number), driverAddress: number === 2 ? '' : `0x${(given.addresses[number] ?? 0n).toString(16).padStart(16, '0')}` }));
    addWindows(described);
    shareWindows(1, SHARED.filter((number) => !given.barred.includes(number)).map((number) => described[number]?.name ?? ''), described);
    translateFor(given.bus);
    const words = written(given);
    input.push(translation[1] ?? NaN);
    windows.forEach((_, window) => input.push(windowLast[window] ?? NaN, windowCached[window] ?? NaN, windowBarred[window] ?? NaN, ...windowBase.subarray(window * 4, window * 4 + 4)));
    input.push(words.length, ...words.flat(), given.packed ? 1 : 0, given.window, given.at, given.entry, given.place, given.sign);
    expected.push(inTypeScript(given, words));
  });
  const checked = build('descriptors-run', [], ['-fsanitize=address,undefined', '-fno-sanitize-recover']);
  const counting = build('descriptors-count', ['-fsanitize=thread'], []);
  const reads = [checked, counting].map((program) => {
    const { status, stdout, stderr } = spawnSync(program, { input: input.join(' '), encoding: 'utf8', maxBuffer: 2 ** 26 });
    assert.equal(status, 0, stdout.slice(-300) + stderr);
    const seen = stdout.trimEnd().split('\n');
    expected.forEach((line, number) => assert.equal(seen[number], line, `case ${number}`));
    return Number(stderr);
  });
  // A descriptor that is not empty has eight words; the program whose reader is not instrumented sees none.
  assert.equal(reads[0], 0);
  assert.ok(Number(reads[1]) > CASES * 4, `${reads[1]} words read`);
  // The cases reach every kind of answer.
  const answers = expected.map((line) => Number(/answer (\d+)/.exec(line)?.[1] ?? NaN));
  const often = (what: (answer: number) => boolean): number => answers.filter(what).length;
  const counts = {
    broken: often((answer) => answer === 128), nothing: often((answer) => answer === 129), byTable: often((answer) => answer < 128 && (answer & 64) !== 0),
    last: often((answer) => answer < 128 && (answer & 65) === 0), next: often((answer) => answer < 128 && (answer & 1) === 1), high: often((answer) => answer < 128 && ((answer >> 2) & 15) === 3),
  };
  context.diagnostic(JSON.stringify(counts));
  Object.entries(counts).forEach(([kind, count]) => assert.ok(count > CASES / 60, `${kind}: ${count}`));
});
