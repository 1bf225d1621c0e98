// A bundle compiled on the developer's machine does on the core what its text does, and takes less heap.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { build, logLine, run, silent } from './machine.js';

/** Everything the image's form of a function has to carry: constants of each kind, closures, names, formals, constructors. */
const language = `
  (function () {
    'use strict';
    var print = native.print;
    var table = [0, 1, -1, -134217728, 1073741823, 1073741824, 4294967295, 0.5, -0, 1e300, NaN];
    print(table.map(function (value) { return 1 / value + ':' + value; }).join(' '));
    print(['', 'a', '\\u00e4\\u20ac', 'nul\\u0000after', new Array(300).join('x').length].join('|'));
    var counters = [];
    function counter(from) { var count = from; return function () { return count++; }; }
    for (var at = 0; at < 3; at++) { counters.push(counter(at * 10)); }
    print(counters.map(function (next) { next(); return next() + (next === counters[0] ? 0.5 : 0); }).join());
    var made = [];
    for (var turn = 0; turn < 3; turn++) { made.push(function () { return turn; }); }
    print([made[0] === made[1], made[0](), made[2]()].join());
    print((function factorial(n) { return n < 2 ? 1 : n * factorial(n - 1); })(10));
    print((function () { return arguments.length + arguments[2]; })(1, 2, 3));
    try { null.member; } catch (error) { print(error instanceof TypeError); }
    try { undefinedName(); } catch (error) { print(error instanceof ReferenceError); }
    switch (table.length) { case 11: print('eleven'); break; default: print('other'); }
    print(JSON.stringify({ b: [1, 'two'], a: null }));
  })();
  native.exit(0);`;

/** Variables of the bundle that inner functions read, write, count, call and shadow: more of them than fit in eight bits. */
const variables = `
  !function () {
    var print = native.print, out = [], seen, n = 0, text = '7', object = { n: 1 }, e = 'outer', factorial = 'kept', gone = 3;
    ${Array.from({ length: 300 }, (_, at) => `var v${at} = ${at}, f${at} = function () { return v${at} + ${at}; };`).join(' ')}
    function low() { n = n + 1; n++; ++n; n--; --n; return n; }
    function high() { v299 = v299 * 2; v299++; return f299() + f250(); }
    function value(from) { return [from++, from, --n, n--, n, text++, text].join(); }
    function between() { var n = 40; return function () { n += 1; return n + v1; }; }
    function caught() { try { throw 'inner'; } catch (e) { return e + (function () { return e; })() + v2; } }
    function after() { try { undefinedName(); } catch (error) { e = e + '!'; } return e; }
    function named() { return (function factorial(n) { return n < 2 ? 1 : n * factorial(n - 1); })(5) + factorial; }
    function kinds() { return [typeof n, typeof low, typeof nowhere, typeof e].join(); }
    function deep(left) { return left === 0 ? v3 : deep(left - 1) + 1; }
    function assigned() { seen = out; low = function () { return 'replaced'; }; return low(); }
    function thrown() { throw new Error('n is ' + n); }
    function parameter(n, e) { n = n + 1; return n + e; }
    function global() { return Math.abs(-v4) + (native === seen); }
    out.push(low(), high(), value(5), between()(), caught(), after(), named(), kinds(), deep(300), parameter(1, 2), assigned(), global());
    out.push([1, 2].map(function (one) { return one + v5 + object.n; }).join(), seen === out, n, text, e);
    function late() { try { thrown(); } catch (error) { out.push(error.message); } }
    late();
    print(out.join('|'));
    native.exit(0);
  }();`;

const constructors = `
  function Point(x) { this.x = x; }
  Point.prototype.twice = function () { return 2 * this.x; };
  native.print([new Point(4).twice(), new Point(1) instanceof Point, Point.name].join());
  native.exit(0);`;

for (const [name, text] of [['the language', language], ['variables of the bundle', variables], ['constructors', constructors]] as const) {
  test(`${name}: bytecode and text print the same`, async () => {
    const lines = (output: string): string[] => output.split('\n').filter((line) => line !== '' && !/^[~#]/.test(line));
    const compiled = run(await build('mps2-an521-m33', silent, text));
    const interpreted = run(await build('mps2-an521-m33', silent, text, { source: true }));
    assert.equal(interpreted.status, 0, interpreted.driver);
    assert.equal(compiled.status, 0, compiled.driver);
    assert.ok(lines(interpreted.driver).length >= 1);
    assert.deepEqual(lines(compiled.driver), lines(interpreted.driver));
  });
}

test('a bundle whose function is called twice, or by itself, keeps a set of variables for each call', async () => {
  const twice = `function counter() { var n = 0; return function () { n++; return n; }; }
    var one = counter(), two = counter(); one(); one();
    native.print([one(), two()].join()); native.exit(0);`;
  assert.match(run(await build('mps2-an521-m33', silent, twice)).driver, /^3,1$/m);
  const byItself = `(function bundle(depth) { var n = depth; function inner() { return n; }
    if (depth < 2) { bundle(depth + 1); native.print('depth ' + inner()); } else { native.print('end'); }
    if (depth === 0) { native.exit(0); } })(0);`;
  assert.match(run(await build('mps2-an521-m33', silent, byItself)).driver, /^end\ndepth 1\ndepth 0$/m);
});

/** Two hundred functions that nobody calls, and a log line. */
const large = `(function () { var t = [];${Array.from({ length: 200 }, (_, n) => `t[${n}] = function (a, b) { var i = 0, s = ${n}; while (i < a) { s += (b * i) & ${n + 100}; i++; } return s; };`).join('')} native.log(9, t[3](4, 5)); native.exit(0); })();`;

test('a bundle in bytecode takes two thirds of the heap and less than half of the start-up that its text takes', async () => {
  const compiled = run(await build('mps2-an521-m33', silent, large));
  const interpreted = run(await build('mps2-an521-m33', silent, large, { source: true }));
  const [few, many] = [logLine(compiled.driver, 9), logLine(interpreted.driver, 9)];
  assert.equal(few.value, many.value);
  assert.ok(few.peak * 3 < many.peak * 2, `${few.peak} and ${many.peak} bytes`);
  assert.ok(few.busy * 2 < many.busy, `${few.busy} and ${many.busy} ticks`);
});

test('functions cost no prototype, no name and no names of variables, whatever words a message has', async () => {
  const spoken = large.replace('native.log(9', "t[0] = 'this prototype'; native.log(9");
  const [quiet, loud] = [logLine(run(await build('mps2-an521-m33', silent, large)).driver, 9), logLine(run(await build('mps2-an521-m33', silent, spoken)).driver, 9)];
  // The message is two blocks at most.
  assert.ok(loud.live - quiet.live < 100, `${quiet.live} and ${loud.live} bytes`);
  const none = logLine(run(await build('mps2-an521-m33', silent, '(function () { native.log(9, 0); native.exit(0); })();')).driver, 9);
  assert.ok(quiet.live - none.live < 200 * 160, `${quiet.live - none.live} bytes for 200 functions`);
});

test('names decide at run time where they have to: in with, in eval and behind a catch', async () => {
  const text = `
    var out = [];
    (function (object) { var a = 1; with (object) { out.push(a); } out.push(a); })({ a: 2 });
    (function () { var e = 1; try { throw 5; } catch (e) { out.push(e); } out.push(e); })();
    (function () { var e = 1; try { throw 6; } catch (e) { out.push((function () { return e; })()); } out.push(e); })();
    native.print(out.join());
    native.exit(0);`;
  const { driver, status } = run(await build('mps2-an521-m33', silent, text));
  assert.equal(status, 0, driver);
  assert.match(driver, /^2,1,5,1,6,1$/m);
});

test('bytecode of another build of the engine is refused when the core starts', async () => {
  const scene = await build('mps2-an521-m33', silent, language);
  const image = scene.image.driver ?? '';
  const elf = readFileSync(image);
  const at = elf.indexOf(Buffer.from([0xbf, 0x6d, 0x76, 0x62]));
  elf[at + 4] = (elf[at + 4] ?? 0) ^ 1;
  // The glue holds the same four bytes; the bundle is the occurrence that the stamp follows.
  const other = elf.indexOf(Buffer.from([0xbf, 0x6d, 0x76, 0x62]), at + 4);
  elf[other + 4] = (elf[other + 4] ?? 0) ^ 1;
  writeFileSync(image, elf);
  const { status, driver } = run(scene);
  assert.equal(status, 3);
  assert.match(driver, /^fatal: the bundle's bytecode was made for another build of the engine$/m);
});

test('a bundle that is no JavaScript is one sentence', async () => {
  await assert.rejects(build('mps2-an521-m33', silent, 'var = 1;'), /^UserError: driver\.js does not compile: SyntaxError: .*\.$/);
});
