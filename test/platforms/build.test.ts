// What the image builder reports: sizes read from the ELF, and one sentence for what a user can mend.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parseBoard, readBoard } from '../../tools/image/board.js';
import { buildImage, readElfSections } from '../../tools/image/image.js';
import { knownTargets } from '../../tools/targets.js';
import { build, silent, testFolder } from './machine.js';

async function bundles(driver: string): Promise<{ device: string; driver: string; outDir: string }> {
  const outDir = testFolder();
  writeFileSync(path.join(outDir, 'device.js'), silent);
  writeFileSync(path.join(outDir, 'driver.js'), driver);
  return Promise.resolve({ device: path.join(outDir, 'device.js'), driver: path.join(outDir, 'driver.js'), outDir });
}

test('sizes come from the image: heap and stack are the board\'s, flash grows by the bundle', async () => {
  const small = await build('mps2-an521-m33', silent, silent, { source: true });
  const large = await build('mps2-an521-m33', silent, `${silent}//${'x'.repeat(10000)}`, { source: true });
  const board = readBoard('mps2-an521-m33');
  assert.equal(small.image.sizes.device.heap, board.images.device.heapBytes);
  assert.equal(small.image.sizes.device.stack, board.images.device.stackBytes);
  assert.ok(small.image.sizes.driver && large.image.sizes.driver);
  assert.ok(Math.abs(large.image.sizes.driver.flash - small.image.sizes.driver.flash - 10002) < 8);
  assert.equal(large.image.sizes.device.flash, small.image.sizes.device.flash);
  const vectors = readElfSections(readFileSync(small.image.device)).find((section) => section.name === '.vectors');
  assert.equal(vectors?.bytes, (16 + 128) * 4);
});

test('nothing is compiled twice', async () => {
  const { device, driver, outDir } = await bundles(silent);
  const options = { target: 'host', engine: 'duktape', bundles: { device, driver }, outDir } as const;
  await buildImage(options);
  const steps: string[] = [];
  await buildImage({ ...options, log: (line) => steps.push(line) });
  assert.deepEqual(steps, ['link vmsg-host']);
});

test('an image that does not fit is one sentence', async () => {
  const { device, driver, outDir } = await bundles(`${silent}//${'x'.repeat(1048576)}`);
  await assert.rejects(
    buildImage({ target: 'mps2-an521-m33', engine: 'duktape', bundles: { device, driver }, outDir, source: true }),
    /^UserError: The driver image does not fit mps2-an521-m33: flash is \d+ bytes too small \(images\.driver in its board\.json\)\.$/,
  );
});

test('missing sources of the engine are one sentence that names the package', async () => {
  const { device, driver, outDir } = await bundles(silent);
  process.env['DUKTAPE_DIR'] = outDir;
  try {
    await assert.rejects(
      buildImage({ target: 'host', engine: 'duktape', bundles: { device, driver }, outDir }),
      /^UserError: .*duktape\.c is missing: install the package duktape-dev, or set DUKTAPE_DIR .*\.$/,
    );
    ['duktape.c', 'duk_config.h', 'duktape.h'].forEach((name) => {
      writeFileSync(path.join(outDir, name), '');
    });
    await assert.rejects(
      buildImage({ target: 'host', engine: 'duktape', bundles: { device, driver }, outDir }),
      /^UserError: .*duktape\.c is not the Duktape 2\.7 that the build knows: .*\.$/,
    );
  } finally {
    delete process.env['DUKTAPE_DIR'];
  }
});

test('a missing compiler is one sentence that names the packages', async () => {
  const { device, driver, outDir } = await bundles(silent);
  const before = process.env['PATH'];
  process.env['PATH'] = outDir;
  try {
    await assert.rejects(
      buildImage({ target: 'mps2-an386-m4', engine: 'duktape', bundles: { device, driver }, outDir }),
      /^UserError: The compiler arm-none-eabi-gcc for mps2-an386-m4 is missing: install the packages gcc-arm-none-eabi and libnewlib-arm-none-eabi\.$/,
    );
  } finally {
    process.env['PATH'] = before;
  }
});

test('every board.json is well formed and named like its folder', () => {
  for (const target of knownTargets()) {
    assert.equal(readBoard(target).name, target);
  }
});

test('an unknown target is one sentence that lists the known ones', () => {
  assert.throws(() => readBoard('pdp11'), /^UserError: Unknown target 'pdp11'; known targets: .*host, .*mps2-an386-m4, .*\.$/);
});

test('a fault in a board.json is named with its place', () => {
  const good = readFileSync('platforms/mps2-an521-m33/board.json', 'utf8');
  const refuses = (change: (text: string) => string, message: RegExp): void => {
    assert.throws(() => parseBoard(change(good), 'board.json'), message);
  };
  assert.equal(parseBoard(good, 'board.json').registers[1]?.address, 0x50021000);
  refuses((text) => text.replace('"0x50021000"', '1342312448'), /^UserError: board\.json: registers\[1\]\.address must be a string\.$/);
  refuses((text) => text.replace('"0x50021000"', '"50021000"'), /registers\[1\]\.address must be an address such as/);
  refuses((text) => text.replace('16777216', '16777217'), /windows\[0\]\.bytes must be a multiple of 16/);
  refuses((text) => text.replace('"stackBytes": 16384', '"stackBytes": -1'), /images\.device\.stackBytes must be a whole number/);
  refuses((text) => text.slice(1), /board\.json is not JSON/);
});
