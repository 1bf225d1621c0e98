// The natives and their accounts, proved on the host runner with small bundles.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { build, logLine, mhu, ping, run, runOnHost, silent } from './machine.js';

const quiet = (driver: string, options: readonly string[] = []): ReturnType<typeof runOnHost> => runOnHost(silent, driver, options);

test('the object native has exactly the members that natives.ts declares', async () => {
  const source = readFileSync('platforms/engine/natives.ts', 'utf8');
  const declared = [...source.matchAll(/^ {2}(\w+)\(/gm)].map((match) => match[1]).sort();
  const { driver, status } = await quiet('native.print(Object.keys(native).sort().join()); native.exit(0);');
  assert.equal(status, 0);
  assert.deepEqual(driver.split('\n')[1]?.split(','), declared);
});

test('a window is one ArrayBuffer over real memory, which copy, fill and random change', async () => {
  const { driver } = await quiet(`
    var b = new Uint8Array(native.memory(0));
    native.print('bytes ' + b.length + ' same ' + (native.memory(0) === native.memory(0)));
    native.fill(0, 3, 4, 0x1a5);
    native.copy(0, 100, 0, 2, 6);
    native.print([b[100], b[101], b[104], b[105], b[106]].join());
    var w = new Uint16Array(native.memory(0));
    w[10] = 0x1234;
    native.print(b[20] + ',' + b[21]);
    native.print('placed ' + native.random(0, 200, 64));
    var seen = {}, count = 0;
    for (var i = 200; i < 264; i++) if (!seen[b[i]]) { seen[b[i]] = true; count++; }
    native.print(count > 30 && b[199] === 0 && b[264] === 0 ? 'random' : 'not random ' + count);
    native.clean(0, 0, 64);
    native.invalidate(0, 0, 64);
    native.barrier();
    native.exit(0);`);
  assert.deepEqual(driver.trim().split('\n').slice(1), ['bytes 16777216 same true', '0,165,165,0,0', '52,18', 'placed 64', 'random']);
});

test('a generator whose state lies in a window goes on where it stood', async () => {
  const { driver } = await quiet(`
    var b = new Uint8Array(native.memory(0));
    b[4] = 7;
    native.seeded(0, 100, 3, 0, 4);
    native.seeded(0, 103, 5, 0, 4);
    native.print([].slice.call(b, 99, 109).join());
    native.print([].slice.call(b, 3, 9).join());
    native.exit(0);`);
  // xorshift32 from 7, computed anew.
  let state = 7;
  const bytes = Array.from({ length: 8 }, () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state >>> 24;
  });
  const kept = [0, 8, 16, 24].map((shift) => (state >>> shift) & 255);
  assert.deepEqual(driver.trim().split('\n').slice(1), [[0, ...bytes, 0].join(), [0, ...kept, 0].join()]);
});

test('the same seed gives the same random bytes', async () => {
  const scene = await build('host', silent, `
    native.random(0, 0, 8);
    native.print([].join.call(new Uint8Array(native.memory(0), 0, 8)));
    native.exit(0);`);
  const first = run(scene, ['--seed', '7']).driver;
  assert.equal(run(scene, ['--seed', '7']).driver, first);
  assert.notEqual(run(scene, ['--seed', '8']).driver, first);
});

test('a register is read in two halves and written with one access; the doorbell is a latch', async () => {
  const { driver } = await quiet(`
    native.registerWrite(0, 0x04, 5, 0xffff);
    native.print(native.registerRead(0, 0) + ',' + native.registerHigh());
    native.print(native.idle(1000000) + ',' + native.idle(0) + ',' + native.clock());
    native.registerWrite(0, 0x08, 4, 0);
    native.print(native.registerRead(0, 0) + ',' + native.idle(0));
    native.registerWrite(0, 0x08, 1, 0);
    native.print(native.registerRead(0, 0) + ',' + native.idle(0));
    native.exit(0);`);
  assert.deepEqual(driver.trim().split('\n').slice(1), ['5,0', '1,1,2', '1,1', '0,0']);
});

test('idle moves the virtual clock by its limit and by one microsecond for the call', async () => {
  const { driver } = await quiet(`
    var start = native.clock();
    native.idle(1000);
    native.print(native.clock() - start);
    native.idle(0x7ffffff);
    native.print(native.clock() - start);
    native.exit(0);`);
  assert.deepEqual(driver.trim().split('\n').slice(1), ['1001', '1001']);
});

test('the earlier time-out wakes first, and the device does not run before its release', async () => {
  const { device, driver } = await runOnHost(
    `native.print('device at ' + native.clock()); native.idle(300); native.print('device at ' + native.clock()); native.exit(0);`,
    `native.idle(50); native.registerWrite(1, 0x118, 0, 0);
     native.idle(100); native.print('driver at ' + native.clock());
     native.idle(500); native.print('driver at ' + native.clock()); native.exit(0);`,
  );
  assert.match(driver, /driver at 152\ndriver at 653\n/);
  assert.match(device, /device at 52\ndevice at 353\n/);
});

test('doorbells go both ways a thousand times without an allocation, and two runs are the same', async () => {
  const scene = await build('host', ...ping(mhu(0)));
  const first = run(scene);
  assert.equal(first.status, 0, first.driver + first.device);
  for (const [text, from, to] of [[first.device, 10, 11], [first.driver, 20, 21]] as const) {
    const begin = logLine(text, from);
    const end = logLine(text, to);
    assert.equal(end.wakes - begin.wakes, 1000);
    assert.equal(end.allocations, begin.allocations);
    assert.equal(end.collections, begin.collections);
    assert.equal(end.live, begin.live);
  }
  assert.deepEqual(run(scene), first);
});

test('the allocation counter counts a planted allocation and nothing else', async () => {
  const { driver } = await quiet(`
    (function () {
      var log = native.log, kept;
      function plain(n) { var sum = 0; for (var i = 0; i < n; i++) sum = sum + i & 1023; return sum; }
      function planted() { kept = {}; }
      plain(10); planted(); log(1, 0);
      plain(1000); log(2, 0);
      for (var i = 0; i < 10; i++) planted();
      log(3, 0);
      native.exit(kept ? 0 : 1);
    })();`);
  const [plainStart, plainEnd, planted] = [1, 2, 3].map((code) => logLine(driver, code));
  assert.ok(plainStart && plainEnd && planted);
  assert.equal(plainEnd.allocations, plainStart.allocations);
  assert.ok(planted.allocations - plainEnd.allocations >= 10);
});

test('the collector counter counts a run that the bundle asks for', async () => {
  const { driver } = await quiet('native.log(1, 0); Duktape.gc(); native.log(2, 0); native.log(3, 0); native.exit(0);');
  const [before, after, later] = [1, 2, 3].map((code) => logLine(driver, code).collections);
  assert.ok(before !== undefined && after !== undefined && after > before);
  assert.equal(later, after);
});

test('a log line carries code and value with their signs', async () => {
  const { driver } = await quiet('native.log(-1, 0x7ffffff); native.log(5, -0x8000000); native.exit(0);');
  assert.equal(logLine(driver, -1).value, 2 ** 27 - 1);
  assert.equal(logLine(driver, 5).value, -(2 ** 27));
});

test('a full heap ends the program with one sentence and status 2', async () => {
  const { status, device } = await quiet('var a = []; while (true) a.push(new Uint8Array(1000));', ['--heap', '300000']);
  assert.equal(status, 2);
  assert.match(device, /^fatal: the driver's heap is full: \d+ of 300000 bytes were in use and the next block did not fit; .*\n$/);
});

test('a heap too small for the engine itself is a full heap too', async () => {
  const { status, device } = await quiet(silent, ['--heap', '8192']);
  assert.equal(status, 2);
  assert.match(device, /^fatal: the driver's heap is full: .*\n$/);
});

test('an uncaught error ends the program with one line and status 1, on either side', async () => {
  const driver = await quiet('\n\nnative.nothing();');
  assert.equal(driver.status, 1);
  assert.match(driver.device, /^error: TypeError: .* \(driver\.js\)\n$/);
  const device = await runOnHost(`throw 'first\\nsecond';`, 'native.registerWrite(1, 0x118, 0, 0); native.idle(1000); native.exit(0);');
  assert.equal(device.status, 1);
  assert.match(device.device, /^error: first$/m);
  const syntax = await quiet('var = 3;');
  assert.equal(syntax.status, 1);
  assert.match(syntax.device, /^error: SyntaxError: .*\n$/);
});

test('recursion without end is an error, not a crash', async () => {
  const { status, device } = await quiet('function f() { return [1].map(f); } f();');
  assert.equal(status, 1);
  assert.match(device, /^error: RangeError: .*\n$/);
});

test('a range outside its window ends the program with status 3', async () => {
  for (const call of ['native.fill(0, 16777210, 7, 0)', 'native.copy(0, 0, 2, 0, 1)', 'native.copy(0, -1, 0, 0, 4)', 'native.random(0, 0, -1)', 'native.seeded(0, 0, 4, 0, 16777213)']) {
    const { status, device } = await quiet(`${call}; native.exit(0);`);
    assert.equal(status, 3, call);
    assert.match(device, /^fatal: a native was given a range outside its window\n$/);
  }
});

test('the exit status is that of the driver; a device that ends well leaves the driver running', async () => {
  const go = 'native.registerWrite(1, 0x118, 0, 0); native.idle(1000);';
  assert.equal((await runOnHost('native.exit(0);', `${go} native.exit(42);`)).status, 42);
  assert.equal((await runOnHost('native.exit(7);', `${go} native.exit(42);`)).status, 7);
  assert.equal((await runOnHost('var done = 1;', `${go} var done = 1;`)).status, 0);
});

test('--memory keeps the window in a file', async () => {
  const scene = await build('host', silent, 'native.fill(0, 4096, 3, 0x61); native.exit(0);');
  const file = path.join(scene.folder, 'window');
  writeFileSync(file, '');
  assert.equal(run(scene, ['--memory', file]).status, 0);
  const content = readFileSync(file);
  assert.equal(content.length, 16777216);
  assert.equal(content.toString('latin1', 4095, 4100), '\0aaa\0');
});
