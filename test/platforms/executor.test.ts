// What the build adds to Duktape's executor changes no result: everything is as Node has it, and as the Duktape that Debian has.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { runInNewContext } from 'node:vm';
import { prepareDuktape } from '../../tools/engines/duktape.js';
import { packageRoot } from '../../tools/targets.js';
import { build, logLine, run, silent, testFolder } from './machine.js';

/** Around every border that the executor tests: 0 and -0, the widths of elements, 32 and 48 bits; and what is no whole number. */
const numbers = [
  '0', '-0', '1', '-1', '3', '-3', '127', '128', '255', '256', '32768', '65535', '65536', '-65536', '2147483647', '2147483648', '-2147483648', '4294967295',
  '4294967296', '-4294967296', '140737488355327', '140737488355328', '-140737488355328', '-140737488355329', '0.5', '-254.5', '1e300', 'NaN', 'Infinity',
];

/** Takes `x` and `y` from registers, from constants, and writes over an operand and over an object. */
const binary = ['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '===', '!==', '==', '&', '|', '^', '<<', '>>', '>>>'];
/** Prints values so that no two look alike: fractions by the halves of the double, since engines differ in the last of their digits. */
const show = `
    var double = new Float64Array(1), halves = new Uint32Array(double.buffer);
    function text(value) {
      if (typeof value !== 'number' || value !== value) { return String(value); }
      if (value === 0) { return 1 / value < 0 ? '-0' : '0'; }
      if (value % 1 === 0 && Math.abs(value) < 9e15) { return String(value); }
      double[0] = value;
      return halves[0] + '_' + halves[1];
    }
    function show(name, values) { native.print(name + ' ' + values.map(text).join(' ')); }`;

const arithmetic = `
  (function () {
    'use strict';
    ${show}
    var numbers = [${numbers.join()}], x, y, out, at;
    ${binary
      .map(
        (operator) => `
    (function () {
      var constants = [${numbers.map((number) => `[function (x) { return x ${operator} ${number}; }, function (y) { return ${number} ${operator} y; }]`).join()}];
      function over(x, y) { var z = {}; z = x ${operator} y; x = x ${operator} y; return z === x || (z !== z && x !== x) ? x : 'differs'; }
      for (var one = 0; one < numbers.length; one++) {
        var out = [];
        for (var other = 0; other < numbers.length; other++) {
          var result = over(numbers[one], numbers[other]);
          out.push(result);
          if (text(constants[other][0](numbers[one])) !== text(result) || text(constants[one][1](numbers[other])) !== text(result)) { out.push('constant differs'); }
        }
        show(text(numbers[one]) + ' ${operator}', out);
      }
    })();`,
      )
      .join('')}
    out = [];
    numbers.concat([true, false, null, undefined, '', '0', [], {}, function () {}]).forEach(function (value) {
      out.push(value ? 1 : 0, !value ? 1 : 0);
      if (value) { out.push('yes'); }
      if (!value) { out.push('no'); }
      at = 0;
      while (value && at < 2) { at++; }
      out.push(at);
    });
    show('conditions', out);
  })();
  native.exit(0);`;

const elements = `
  (function () {
    'use strict';
    ${show}
    var numbers = [${numbers.join()}];
    var values = numbers.concat([true, null, undefined, '7', 'text', { valueOf: function () { return 9; } }]);
    var buffer = new ArrayBuffer(64), bytes = new Uint8Array(buffer);
    var types = [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
    var half = 0.25 + 0.25;
    types.forEach(function (type, number) {
      var array = new type(buffer, 16, 3), out = [], at, taken, key;
      for (at = 0; at < values.length; at++) {
        array[1] = values[at];
        out.push(array[1]);
        // The neighbours stay.
        out.push(array[0], array[2]);
        taken = array;
        taken = taken[1];
        out.push(taken);
      }
      show('values ' + number, out);
      out = [];
      // Number 3 is behind the array and inside its buffer.
      var keys = [0, 1, 2, 3, 4, 63, 64, -1, -0, half, half + half, 4294967294, 4294967295, 4294967296, 4294967297, 2147483648, 1073741824, NaN, '1', '2', 'none', true, null];
      for (at = 0; at < keys.length; at++) {
        key = keys[at];
        out.push(array[key]);
        // Any other key makes a property of the object, which is not the executor's matter.
        if (typeof key === 'number' && key % 1 === 0 && key >= 0 && key < 3) {
          array[key] = at + 100;
          out.push(array[key], array[0], array[1], array[2]);
        }
      }
      // Duktape takes these for names of properties; no byte may change.
      [3, 63, 64, 1073741824, 4294967295].forEach(function (outside) { array[outside] = 77; });
      show('keys ' + number, out);
      show('bytes ' + number, Array.prototype.slice.call(bytes));
      show('constants ' + number, [array[0], array[2], array.length, array['length'], (array[0] = 5), array[0], (array[1] = -7), array[1], (array[2] = half), array[2]]);
      var part = array.subarray(1), child = Object.create(array);
      part[0] = 33;
      show('parts ' + number, [array[1], part[0], part[1], part[2], part.length, child[1], array instanceof type]);
    });
    // What has elements and is no typed array.
    var list = [1, , 'three'], object = { 0: 'zero', 4294967295: 'most' }, word = 'word', nothing = null, seen = [];
    (function () { seen.push(arguments[0], arguments[2], arguments[5]); arguments[0] = 2; seen.push(arguments[0]); })(6, 7, 8);
    list[4] = 5; object[1] = 'one';
    var kept = Object.defineProperty({}, '0', { get: function () { return 'got'; }, set: function (value) { seen.push('set ' + value); } });
    kept[0] = 4;
    seen.push(list[0], list[1], list[2], list[3], list[4], list.length, object[0], object[1], object[4294967295], word[1], word[9], kept[0]);
    [function () { return nothing[0]; }, function () { nothing[0] = 1; }, function () { return undefined[1]; }, function () { word[0] = 'W'; }, function () { Object.freeze(list)[0] = 2; }].forEach(function (wrong) {
      try { wrong(); seen.push('nothing thrown'); } catch (error) { seen.push(error instanceof TypeError); }
    });
    show('others', seen);
  })();
  native.exit(0);`;

/** Every operation, and elements of arrays of every type, with numbers drawn from a seed; prints what all results so far add up to. */
const random = (seed: number, rounds: number): string => `
  (function () {
    'use strict';
    ${show}
    var state = ${seed}, sum = 7, special = [${numbers.join()}];
    function next(below) { state = state * 16807 % 2147483647; return Math.floor(state / 2147483647 * below); }
    function add(value) {
      var word = text(value);
      for (var at = 0; at < word.length; at++) { sum = (sum * 31 + word.charCodeAt(at)) % 4294967291; }
    }
    function number() {
      switch (next(10)) {
        case 0: return next(4);
        case 1: return next(65536);
        case 2: return Math.pow(2, next(50)) + next(5) - 2;
        case 3: return 2 - Math.pow(2, next(50)) - next(5);
        case 4: return next(2147483647);
        case 5: return -next(2147483647);
        case 6: return next(1000000) / next(1000);
        case 7: return special[next(special.length)];
        case 8: return next(2147483647) * next(65536);
        default: return -next(2147483647) * next(65536);
      }
    }
    function value() {
      switch (next(12)) {
        case 0: return true;
        case 1: return undefined;
        case 2: return next(2) ? null : '7';
        case 3: return { valueOf: function () { return 11; } };
        default: return number();
      }
    }
    var operations = [${binary.map((operator) => `function (x, y) { return x ${operator} y; }`).join()}, function (x, y) { return x ? y : 'no'; }, function (x, y) { return !x || !y; },
      function (x, y) { x = x - y; return x; }, function (x, y) { y = x * y; return y; }, function (x, y) { var z = [x]; z = x + y; return z; }];
    var buffer = new ArrayBuffer(256), bytes = new Uint8Array(buffer), arrays = [];
    [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array].forEach(function (type) {
      arrays.push(new type(buffer), new type(buffer, 16, 3), new type(buffer, 64, 8));
    });
    for (var round = 1; round <= ${rounds}; round++) {
      add(operations[next(operations.length)](value(), value()));
      var array = arrays[next(arrays.length)], key = next(20) ? next(array.length + 2) : number();
      if (next(2)) { array[key] = value(); }
      add(array[key]);
      array = array[next(array.length)];
      add(array);
      if (round % 100 === 0) { for (var at = 0; at < 256; at++) { add(bytes[at]); } }
      if (round % (${rounds} / 10) === 0) { native.print(round + ' ' + sum); }
    }
  })();
  native.exit(0);`;

/** A buffer that became shorter than its arrays, and natives for numbers called with whatever comes. */
const withNatives = `
  (function () {
    'use strict';
    ${show}
    [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array].forEach(function (type, number) {
      var array = new type(native.backed(96), 16, 5), out = [];
      [96, 56, 20, 18, 17, 16, 8, 0, 96].forEach(function (size) {
        native.resize(size);
        for (var at = 0; at < 6; at++) { out.push(array[at]); array[at] = size + at; out.push(array[at]); }
      });
      show('shrunk ' + number, out);
    });
    var difference = native.difference, keep = native.keep, last = native.last, seen = [];
    [0, 1, 2147483647, 2147483648, 4294967296, -1, -0, 1.75, NaN, Infinity, '5', true, null, undefined, {}, []].forEach(function (one) {
      seen.push(difference(one, 1), difference(7, one), keep(one), last(), native.difference(one, one));
      var own = { keep: keep };
      seen.push(own.keep(one), last());
    });
    seen.push(difference(), difference(1), difference(5, 2, 9), keep(), last(4), difference.call(null, 9, 3), difference.apply(native, [9, 4]), difference.bind(null, 8)(1));
    seen.push([30, 20].map(last).length, (function () { return difference(3, 2); })(), typeof keep(1));
    seen.push((function () { return typeof new difference(1, 2); })());
    show('natives', seen);
  })();`;

const released = `
  (function () {
    'use strict';
    for (var turn = 8; turn <= 9; turn++) {
      for (var round = 0; round < 20; round++) {
        var held = new Uint8Array(64), sum = {};
        held[3] = round;
        held = held[3];
        sum = held + round;
      }
      native.log(turn, 0);
    }
  })();
  native.exit(0);`;

function inNode(text: string): string[] {
  const lines: string[] = [];
  runInNewContext(text, { native: { print: (line: string) => lines.push(line), exit: () => undefined } });
  return lines;
}

/** The lines of `output` that a bundle printed. */
const printedLines = (output: string): string[] => output.split('\n').filter((line) => line !== '' && !/^[~#]/.test(line));

/** What the unedited Duktape prints for a script, and, with `edited`, the one that images hold, on this machine. */
function duktapePrints(text: string, edited: boolean): string[] {
  const { folder } = prepareDuktape(path.join(packageRoot, 'build', 'obj'));
  const sources = edited ? folder : (process.env['DUKTAPE_DIR'] ?? '/usr/share/duktape');
  const program = path.join(testFolder(), 'executor-run');
  const args = ['-O0', '-w', ...(edited ? ['-DEDITED'] : []), `-I${sources}`, 'test/platforms/executor-run.c', path.join(sources, 'duktape.c'), '-lm', '-o', program];
  const compiled = spawnSync('cc', args, { cwd: packageRoot, encoding: 'utf8' });
  assert.equal(compiled.status, 0, compiled.stderr);
  const { status, stdout, stderr } = spawnSync(program, { input: text, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return printedLines(stdout);
}

for (const [name, text] of [['arithmetic and conditions', arithmetic], ['elements of typed arrays', elements]] as const) {
  for (const target of ['host', 'mps2-an521-m33']) {
    test(`${name} on ${target} give what they give in Node`, async () => {
      const { status, driver } = run(await build(target, silent, text));
      const printed = printedLines(driver);
      assert.equal(status, 0, driver);
      const expected = inNode(text);
      assert.ok(expected.length > 20);
      expected.forEach((line, at) => {
        assert.equal(printed[at], line);
      });
      assert.equal(printed.length, expected.length);
    });
  }
}

test('what only a register held goes when a number takes its place', async () => {
  const { driver } = run(await build('mps2-an521-m33', silent, released));
  assert.equal(logLine(driver, 9).live, logLine(driver, 8).live);
  assert.ok(logLine(driver, 9).allocations - logLine(driver, 8).allocations >= 40);
});

test('numbers, arrays, shrunk buffers and natives drawn at random or chosen give what they give in the Duktape that Debian has', async () => {
  const script = `${random(330, 20000)}${random(422, 1000)}${withNatives}`;
  const expected = duktapePrints(script, false);
  assert.ok(expected.length > 29);
  assert.deepEqual(duktapePrints(script, true), expected);
  const { status, driver } = run(await build('mps2-an521-m33', silent, random(422, 1000)));
  assert.equal(status, 0, driver);
  assert.deepEqual(printedLines(driver), expected.slice(10 + 1, 10 + 1 + 10));
});
