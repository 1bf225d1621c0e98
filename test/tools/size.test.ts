// `vmsg size --all`: every engine has its row, numbers are those of the ELF file, and the picture shows them to scale.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { type Board, isProcess, readBoard } from '../../tools/image/board.js';
import { imageSize } from '../../tools/image/image.js';
import { memoryMap } from '../../tools/image/memory-map.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-size-'));

function size(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env };
  delete env['JERRYSCRIPT_PREFIX'];
  return spawnSync('node', [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'size', ...args], { encoding: 'utf8', cwd: packageRoot, env });
}

test('a row for each engine with the numbers of the image, and a reason for the one that is not installed', () => {
  const { status, stdout, stderr } = size('--all', '--target', 'template', '--svg', path.join(folder, 'memory.svg'));
  assert.equal(status, 0, stderr);
  const { flash, ram, heap, stack } = imageSize(readFileSync(path.join(packageRoot, 'build', 'template', 'size', 'device.elf')));
  const lines = stdout.split('\n');
  const at = lines.findIndex((line) => line.startsWith('target '));
  const [duktape = '', jerryscript = '', espruino = '', reason = '', script = ''] = lines.slice(at + 1);
  const bundle = String(readFileSync(path.join(packageRoot, 'build', 'template', 'size', 'device.js')).length);
  assert.deepEqual(duktape.trim().split(/ +/), ['template', 'duktape', bundle, ...[flash, ram, heap, stack].map(String)]);
  assert.deepEqual(jerryscript.trim().split(/ {2,}/), ['template', 'jerryscript', 'not installed']);
  assert.match(reason, /^jerryscript: .*JERRYSCRIPT_PREFIX/);
  const scriptBytes = String(readFileSync(path.join(packageRoot, 'build', 'template', 'size', 'espruino', 'espruino.js')).length);
  assert.deepEqual(espruino.trim().split(/ +/), ['template', 'espruino', scriptBytes], 'a script has no image');
  assert.match(script, /^espruino: no image but a script/);
  const picture = readFileSync(path.join(folder, 'memory.svg'), 'utf8');
  assert.ok(picture.includes(`<title>code and constants: ${flash} bytes</title>`) && picture.includes(`<title>heap: ${heap} bytes</title>`));
});

/** Bytes of the parts of each image in a picture. */
function imagesIn(picture: string): Map<string, Map<string, number>> {
  const images = picture.split(' font-weight="bold">').slice(1);
  return new Map(images.map((image) => [
    image.slice(0, image.indexOf('<')),
    new Map([...image.matchAll(/<title>([^:]+): (\d+) bytes<\/title>/g)].map(([, part = '', bytes]) => [part, Number(bytes)])),
  ]));
}

test('docs/memory.svg shows every target that has an image, and what the one built here takes to within 3 %', () => {
  const shown = imagesIn(readFileSync(path.join(packageRoot, 'docs', 'memory.svg'), 'utf8'));
  // A pair on one core is one image for both sides.
  const hasImage = (board: Board): boolean => !isProcess(board) && (board.images.driver === undefined || board.images.driver.flash !== undefined);
  const expected = knownTargets().filter((target) => hasImage(readBoard(target))).map((target) => `${target}, duktape`);
  assert.deepEqual([...shown.keys()].filter((name) => name.endsWith(', duktape')), expected);
  const [built] = imagesIn(readFileSync(path.join(folder, 'memory.svg'), 'utf8')).entries();
  assert.ok(built !== undefined);
  const [name, parts] = built;
  assert.deepEqual([...parts.keys()].sort(), ['code and constants', 'heap', 'stack', 'variables']);
  for (const [part, bytes] of parts) {
    const old = shown.get(name)?.get(part) ?? 0;
    assert.ok(Math.abs(old - bytes) <= bytes * 0.03, `${name}: ${part} was ${old} bytes and is ${bytes}: npx vmsg size --all --svg docs/memory.svg`);
  }
});

test('--svg alone is one sentence', () => {
  const { status, stderr } = size('--svg', 'x.svg');
  assert.equal(status, 1);
  assert.equal(stderr.trim().split('\n').length, 1);
  assert.match(stderr, /--svg goes with --all/);
});

test('in the picture a part has its share of the bar, and parts follow each other', () => {
  const picture = memoryMap([{ name: 'a & b', memories: [{ name: 'RAM', use: { bytes: 1000, parts: [{ name: 'stack', bytes: 250 }, { name: 'heap', bytes: 500 }] } }] }]);
  const bars = [...picture.matchAll(/<rect x="([\d.]+)" y="36" width="([\d.]+)"/g)].map(([, x, width]) => [Number(x), Number(width)]);
  const [[left = 0, whole = 0] = [], ...parts] = bars;
  assert.deepEqual(parts, [[left, whole / 4], [left + whole / 4, whole / 2]]);
  assert.ok(picture.includes('a &amp; b') && picture.includes('1 KiB of 1 KiB'));
});
