// The firmware on JerryScript, where JERRYSCRIPT_PREFIX names a library for the target; elsewhere each test says why it is not run.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeSnapshot, reasonWithout } from '../../tools/engines/jerryscript.js';
import { readBoard } from '../../tools/image/board.js';
import { qemuVersion, reasonWithoutEmulator } from '../../tools/emulator/qemu.js';
import { note } from '../../tools/support/record.js';
import { packaged, runScene } from '../../tools/emulator/scene.js';
import { summarize } from '../../tools/emulator/summary.js';
import { build, logLine, mhu, ping, run, silent } from '../platforms/machine.js';

const hangSeconds = 600;
const jerryscript = { engine: 'jerryscript' } as const;

/** The entropy scene without an allocation while it serves; notes where it ran. */
async function serveEntropy(target: string, ranOn: string): Promise<void> {
  const result = await runScene({
    target, ...jerryscript, app: packaged('firmware', 'apps', 'entropy.ts'), program: packaged('test', 'emulator', 'programs', 'entropy.ts'),
    limitSeconds: hangSeconds, onStep: () => undefined,
  });
  assert.equal(result.status, 0, result.driver.join('\n'));
  const { messages, allocationsWhileServing, collectionsWhileServing } = summarize(result);
  assert.deepEqual({ messages, allocationsWhileServing, collectionsWhileServing }, { messages: 32, allocationsWhileServing: 0, collectionsWhileServing: 0 });
  note({ target, ...jerryscript, ranOn, test: 'test/engines/jerryscript.test.ts' });
}

for (const target of ['host', 'mps2-an521-m33', 'mps2-an386-m4']) {
  const reason = reasonWithout(target);
  const only = reason === undefined ? {} : { skip: `not run: ${reason}` };

  test(`${target}: the entropy scene runs on JerryScript and allocates nothing while it serves`, only, async () => {
    await serveEntropy(target, target === 'host' ? 'a Linux process' : qemuVersion());
  });

  test(`${target}: JerryScript's object native has exactly the members that natives.ts declares`, only, async () => {
    const declared = [...readFileSync(packaged('platforms', 'engine', 'natives.ts'), 'utf8').matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]).sort();
    const { driver } = run(await build(target, silent, 'native.print(Object.keys(native).sort().join()); native.exit(0);', jerryscript));
    assert.ok(driver.includes(`\n${declared.join()}\n`), driver);
  });

  test(`${target}: JerryScript's counter counts planted allocations, and native calls and wide windows cost none`, only, async () => {
    const { driver } = run(await build(target, silent, `
      (function () {
        var log = native.log, words = new Uint16Array(native.memory(0)), kept;
        function plain(n) { for (var i = 0; i < n; i++) { words[100000 + i] = i; words[7] = words[100000 + i] + native.clock() & 7; native.copy(0, 0, 0, 64, 4); } }
        plain(2); log(1, 0);
        plain(200); log(2, 0);
        for (var i = 0; i < 10; i++) kept = {};
        log(3, 0);
        native.exit(kept ? 0 : 1);
      })();`, jerryscript));
    const [from, after, planted] = [1, 2, 3].map((code) => logLine(driver, code).allocations) as [number, number, number];
    assert.equal(after, from);
    assert.ok(planted - after >= 10, driver);
  });

  test(`${target}: doorbells go both ways a thousand times on JerryScript without an allocation`, only, async () => {
    const scene = await build(target, ...ping(mhu(target === 'mps2-an521-m33' ? 0x3800 : 0)), jerryscript);
    const ended = run(scene);
    assert.equal(ended.status, 0, ended.driver + ended.device);
    const [begin, end] = [logLine(ended.device, 10), logLine(ended.device, 11)];
    assert.equal(end.wakes - begin.wakes, 1000);
    assert.equal(end.allocations, begin.allocations);
  });

  test(`${target}: an error that the bundle does not catch on JerryScript is one line and status 1`, only, async () => {
    const { status, driver, device } = run(await build(target, silent, 'nowhere();', jerryscript));
    assert.equal(status, 1);
    assert.match(driver + device, /^error: ReferenceError: nowhere is not defined \(driver\.js\)$/m);
  });

  test(`${target}: a full heap on JerryScript is one line and status 2`, only, async () => {
    const { status, driver, device } = run(await build(target, silent, 'var all = []; for (;;) all.push([1, 2, 3, 4, 5, 6, 7, 8]);', jerryscript));
    assert.equal(status, 2);
    assert.match(driver + device, /^fatal: the driver's heap is full: \d+ of \d+ bytes were in use/m);
  });

  // The host's runner reads text.
  if (target === 'host') {
    test('host: a snapshot in place of a bundle\'s text is refused with one line, since its strings are not there', only, async () => {
      const scene = await build(target, silent, silent, jerryscript);
      writeFileSync(path.join(scene.folder, 'driver.js'), makeSnapshot(silent, 'driver.js', scene.folder).code);
      const { status, driver, device } = run(scene);
      assert.equal(status, 3);
      assert.match(driver + device, /^fatal: a snapshot runs only where it is linked with its strings: here the bundle's text is wanted$/m);
    });
    continue;
  }

  /** What a scene's driver says when its snapshot has been changed in the image. */
  const changed = async (change: (snapshot: Buffer) => void): Promise<ReturnType<typeof run>> => {
    const scene = await build(target, silent, 'native.print("ran"); native.exit(0);', jerryscript);
    const image = scene.image.driver ?? scene.image.device;
    const elf = readFileSync(image);
    // The glue holds the same four letters without a version behind them.
    for (let at = elf.indexOf('JRRY'); at >= 0; at = elf.indexOf('JRRY', at + 4)) {
      change(elf.subarray(at));
    }
    writeFileSync(image, elf);
    return run(scene);
  };
  const doesNotFit = /^fatal: the snapshot does not fit the JerryScript library: make it with the jerry-snapshot of the same version/m;

  test(`${target}: a snapshot of another version is refused before anything of it runs`, only, async () => {
    const { status, driver } = await changed((snapshot) => snapshot.writeUInt32LE(snapshot.readUInt32LE(4) + 1, 4));
    assert.equal(status, 3);
    assert.match(driver, doesNotFit);
    assert.doesNotMatch(driver, /^ran$/m);
  });

  test(`${target}: a snapshot whose strings have other numbers than the library's is refused before the bundle runs`, only, async () => {
    const { status, driver } = await changed((snapshot) => {
      // A string is a word with 13 in its lower five bits and its number above: those of the probe lie in front of the byte code.
      for (let at = 24; at < 256 && at + 4 <= snapshot.length; at += 4) {
        const word = snapshot.readUInt32LE(at);
        if ((word & 31) === 13 && word < 0x10000) {
          snapshot.writeUInt32LE(word + 32, at);
          return;
        }
      }
    });
    assert.equal(status, 3);
    assert.match(driver, doesNotFit);
    assert.doesNotMatch(driver, /^ran$/m);
  });

  test(`${target}: regular expressions, odd numbers and strings that are not ASCII come out of a snapshot as they were written`, only, async () => {
    const { driver } = run(await build(target, silent,
      'var o = {}; o["0.5"] = "key"; function word() { return/^a\\/"(b)/i; } native.print([word().exec("A/\\"b")[1], .1 + .5, 4294967296 - 4294967295, 134217728, -134217728, 1e21, o[1 / 2], "-1" === String(1 - 2), "1e+" + 21 === String(1e20 * 10), "134217728" === 134217727 + 1 + "", "é\\ud83d\\ude00".length, "?\\u00007".charCodeAt(2)].join()); native.exit(0);', jerryscript));
    assert.ok(driver.includes('\nb,0.6,1,134217728,-134217728,1e+21,key,true,true,true,3,55\n'), driver);
  });
}

// The MPU of these cores keeps the image from being written to, as real flash does; the flash of the other boards here is memory.
for (const target of ['vexpress-r5', 'mps3-an536-r52']) {
  const reason = reasonWithout(target) ?? (await reasonWithoutEmulator(target));
  const only = reason === undefined ? {} : { skip: `not run: ${reason}` };

  test(`${target}: snapshots run from an image that cannot be written to`, only, async () => {
    await serveEntropy(target, qemuVersion(readBoard(target)));
  });
}
