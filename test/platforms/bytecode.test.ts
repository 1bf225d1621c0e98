// A bundle compiled on the developer's machine does on the core what its text does, and takes less heap.
import assert from 'node:assert/strict';
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

test('a compiled bundle takes a fifth of the heap and less than half of the start-up that its text takes', async () => {
  const compiled = run(await build('mps2-an521-m33', silent, large));
  const interpreted = run(await build('mps2-an521-m33', silent, large, { source: true }));
  const [few, many] = [logLine(compiled.driver, 9), logLine(interpreted.driver, 9)];
  assert.equal(few.value, many.value);
  assert.ok(few.peak * 5 < many.peak, `${few.peak} and ${many.peak} bytes`);
  assert.ok(few.busy * 2 < many.busy, `${few.busy} and ${many.busy} ticks`);
});

test('functions and strings of a bundle take no heap, whatever words a message has', async () => {
  const spoken = large.replace('native.log(9', "t[0] = 'this prototype'; native.log(9");
  const [quiet, loud] = [logLine(run(await build('mps2-an521-m33', silent, large)).driver, 9), logLine(run(await build('mps2-an521-m33', silent, spoken)).driver, 9)];
  assert.ok(loud.live - quiet.live < 8, `${quiet.live} and ${loud.live} bytes`);
  const none = logLine(run(await build('mps2-an521-m33', silent, '(function () { native.log(9, 0); native.exit(0); })();')).driver, 9);
  // The array that holds the functions: 8 bytes an element, and some to grow.
  assert.ok(quiet.live - none.live < 200 * 12, `${quiet.live - none.live} bytes for 200 functions`);
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

test('what an image holds as constants cannot be changed, and code in strict mode is told so', async () => {
  const text = `
    (function () {
      'use strict';
      function told(change) { try { change(); return 'changed'; } catch (error) { return error instanceof TypeError; } }
      native.print([
        told(function () { Array.prototype.last = 1; }), told(function () { Math.PI = 3; }), told(function () { delete Object.keys; }),
        [].last, Math.PI > 3, Object.keys({ a: 1 }).length,
      ].join());
    })();
    added = 5; native.print(added + typeof native.copy);
    native.exit(0);`;
  const { driver, status } = run(await build('mps2-an521-m33', silent, text));
  assert.equal(status, 0, driver);
  assert.match(driver, /^true,true,true,,true,1\n5function$/m);
});

test('functions that are given members are objects of their own', async () => {
  const text = `
    (function () {
      'use strict';
      function counter() { counter.calls = (counter.calls || 0) + 1; return counter.calls; }
      var other = function () { return 1; };
      other.label = 'named';
      counter(); native.print(counter() + other.label + counter.length);
    })();
    native.exit(0);`;
  const { driver, status } = run(await build('mps2-an521-m33', silent, text));
  assert.equal(status, 0, driver);
  assert.match(driver, /^2named0$/m);
  // A parameter of a function's name is no function, and costs none.
  const quiet = `(function () { function a(b) { b.member = 1; return b; } function b(a) { a.member = 2; return a; } native.log(9, b(a({})).member); native.exit(0); })();`;
  const loud = quiet.replace('native.log', 'a.member = 3; native.log');
  const [shared, apart] = [logLine(run(await build('mps2-an521-m33', silent, quiet)).driver, 9), logLine(run(await build('mps2-an521-m33', silent, loud)).driver, 9)];
  assert.equal(shared.value, 2);
  assert.ok(shared.live + 100 < apart.live, `${shared.live} and ${apart.live} bytes`);
});

test('call, apply and what an array offers work on functions in flash', async () => {
  const text = `
    (function () {
      function sum(a, b) { return a + b; }
      native.print([sum.call(null, 1, 2), sum.apply(null, [3, 4]), sum instanceof Function, [3, 1, 2].sort(function (a, b) { return a - b; }).join('')].join());
    })();
    native.exit(0);`;
  assert.match(run(await build('mps2-an521-m33', silent, text)).driver, /^3,7,true,123$/m);
});

test('a bundle that is no JavaScript is one sentence', async () => {
  await assert.rejects(build('mps2-an521-m33', silent, 'var = 1;'), /^UserError: driver\.js does not compile: SyntaxError: .*\.$/);
});
