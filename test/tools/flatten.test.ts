// The flattener: what it makes behaves like what it was given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'acorn';
import { checkCode } from '../../tools/bundle/check-bundle.js';
import { flatten } from '../../tools/flatten/flatten.js';
import { decodeMappings, encodeMappings } from '../../tools/flatten/source-map.js';
import { engineCosts, type FlattenEngine } from '../../tools/flatten/engines.js';
import { bundleEngines } from '../../tools/targets.js';
import { bundleOf, flattened, mapOf, randomProgram, run } from './flatten-programs.js';

/** Hot functions by what they show; each ends in `step`, which the bundle's loop calls. */
const fixtures: Record<string, { hot: string; cold?: string }> = {
  'an early return in a loop, a constant behind it': {
    hot: `function find(value) { for (var at = 0; at < 8; at++) { if (table[at] === value) { return at; } } return -1; }
    function step(a, b) { table[a & 7] = b; var first = find(b); var second = find(99); return first * 100 + second; }`,
  },
  'an early return in a loop, work behind it': {
    hot: `function find(value) { for (var at = 0; at < 8; at++) { if (table[at] === value) { return at; } } trace(value); shared += 1; table[value & 7] = 5; trace(shared); return shared; }
    function step(a, b) { return find(a) + find(b) + find(5); }`,
  },
  'a return from two loops': {
    hot: `function pair(sum) { for (var one = 0; one < 4; one++) { var two = 0; while (two < 4) { if (one * two === sum) { return one * 10 + two; } if (one + two === 6) { break; } two += 1; } trace(one); } return -1; }
    function step(a, b) { return pair(a) * 1000 + pair(b + 3); }`,
  },
  'returns in a switch in a loop': {
    hot: `function walk(from) { var sum = 0; for (var at = from; at < 9; at++) { switch (at) { case 0: case 1: continue; case 2: sum += 5; break; case 5: return sum; case 7: { if (sum === 0) { break; } return -sum; } default: sum += at; } trace(sum); } return sum + 1000; }
    function step(a, b) { return walk(a) + walk(b); }`,
  },
  'a switch with many cases': {
    hot: `function name(id) { switch (id) { case 2: return 20; case 3: return 30; case 9: return trace(id); case 4: case 5: return 45; case 7: shared = 7; break; case 1: other += 1; break; default: return -1; } return shared + other; }
    function step(a, b) { return name(a) * 100 + name(b) + name(a + b); }`,
  },
  'conditions with calls': {
    hot: `function odd(value) { trace(value); return (value & 1) === 1; }
    function small(value) { if (value < 0) { return false; } for (var at = 0; at < 4; at++) { if (at === value) { return true; } } return false; }
    function step(a, b) {
      var result = 0;
      if (odd(a) && small(b)) { result += 1; }
      if (odd(a) || small(b)) { result += 2; } else { result += 4; }
      if (!(odd(a) && (small(b) || !odd(b)))) { result += 8; } else { result += 16; }
      while (small(a) && result < 40) { a += 1; result += odd(a) ? 3 : 1; if (result === 30) { continue; } result += 1; }
      var both = odd(a) && small(b);
      var any = odd(b) || small(a);
      return (both ? 1000 : 2000) + (any ? 100 : 0) + result;
    }`,
  },
  'conditions that return conditions': {
    hot: `function a1(v) { return v > 2 && table[v & 7] === 0; }
    function a2(v) { return a1(v) || v === 1; }
    function a3(v) { if (a2(v)) { return !a1(v + 1); } return a2(v + 2) ? false : a1(3); }
    function step(a, b) { table[a & 7] += 1; return (a3(a) ? 1 : 0) + (a3(b) && a2(a) ? 10 : 0) + (a1(a) === a1(b) ? 100 : 0); }`,
  },
  'names that hide names': {
    hot: `function inner(shared, trace) { var table = shared + trace; var other = table * 2; return other; }
    function step(a, b) { var at = inner(a, b); return at + inner(b, at) + shared; }`,
  },
  'parameters that are written': {
    hot: `function count(n) { var sum = 0; while (n > 0) { n -= 1; sum += n; } return sum + n; }
    function step(a, b) { return count(a) * 100 + count(a) + a + count(b); }`,
  },
  'a result that replaces its own argument': {
    hot: `function twice(v) { if (v > 3 && trace(v) !== 4) { return v + v; } return v > 1 ? v - 1 : v + 1; }
    function both(v) { return twice(v) > 2 && twice(v) + v; }
    function step(a, b) { var x = a; x = twice(x); x = twice(x + x); b = twice(b) + b; x = both(x) ? x : b; return x * 100 + b; }`,
  },
  'variables without a first value': {
    hot: `function pick(v) { var found; for (var at = 0; at < 3; at++) { if (at === v) { found = at + 1; } } return found === undefined ? 50 : found; }
    function step(a, b) { return pick(a) + pick(b) * 100 + pick(0); }`,
  },
  'the order of evaluation': {
    hot: `function bump(by) { shared += by; table[0] += 1; return shared; }
    function step(a, b) { var x = shared + bump(a) + shared; x += bump(1) * (shared - bump(b)); shared += bump(2); table[bump(1) & 7] = table[0] + bump(3); return trace(shared) + bump(trace(x)) + table[0]; }`,
  },
  'a first round that is written twice': {
    hot: `function take(v) { if (shared > 20) { return -1; } shared += v + 1; return shared; }
    function step(a, b) { shared = 1; var head = take(a); while (head >= 0) { if (head === 7) { other += 1; } trace(head); head = take(b); } return head + other; }`,
  },
  'calls of rare functions that use shared variables': {
    hot: `/** Comes seldom. @rare */
    function reset(v) { if (v > 2) { shared = v; } other += shared; return other; }
    function step(a, b) { shared += 1; if ((a & 1) === 0) { other += reset(a) + shared; } shared += other; return shared; }`,
  },
  'a table with one type of handler': {
    hot: `function serve(v) { shared += v; if (shared > 12) { return -1; } table[v & 7] += 1; return shared; }
    function step(a, b) { return handlers[a & 0](a) + b; }`,
    cold: 'var type = { serve: serve };\nhandlers.push(type.serve);',
  },
  'a table with two types of handler': {
    hot: `function one(v) { shared += v; return shared; }
    function two(v) { for (var at = 0; at < v; at++) { if (at === 3) { return at; } other += one(at); } return other; }
    function step(a, b) { return handlers[a & 1](b) + handlers[b & 1](a); }`,
    cold: 'var types = [{ serve: one }, { serve: two }];\ntypes.forEach(function (type) { handlers.push(type.serve === undefined ? one : type.serve); });',
  },
  'a table that anything may be in': {
    hot: `function one(v) { shared += v; return shared; }
    function two(v) { other += v; return one(v); }
    function step(a, b) { shared += 1; var x = handlers[a & 1](b); return x + shared; }`,
    cold: 'handlers[0] = one;\nhandlers.push(two);\nhandlers.forEach(function (handler) { handler(3); });',
  },
  'a handler that is called otherwise too': {
    hot: `function one(v) { shared += v; return shared; }
    function step(a, b) { return handlers[0](a) + b; }`,
    cold: 'var type = { serve: one };\nhandlers.push(type.serve);\nvar apart = type.serve;\nnative.end(apart(5));',
  },
  'a handler whose parameter hides a variable': {
    hot: `function add(v) { shared += v; return shared; }
    function one(shared) { return add(shared) + shared; }
    function two(v) { return add(v); }
    function three(other) { return add(other) + add(1); }
    function step(a, b) { return handlers[a % 3](b); }`,
    cold: 'handlers.push(one);\nhandlers.push(two);\nhandlers.push(three);',
  },
  'elements read again': {
    hot: `function twice(at) { return table[at] + table[at]; }
    function step(a, b) {
      var at = a & 7;
      var sum = twice(at);
      table[at] = b; sum += table[at]; table[at + 1 & 7] = 3; sum += table[at];
      bytes[at] = 300; sum += bytes[at]; bytes[at] = 200; sum += bytes[at];
      if (table[at] > 3 && table[b & 7] > 0) { table[b & 7] -= 1; } else { sum += table[at]; }
      sum += table[at] + table[b & 7];
      for (var n = 0; n < table[at] && n < 3; n++) { sum += table[n] + bytes[at]; if (n === 1) { table[at] += 1; } if (n === 2) { at = 1; } }
      at = at + 1 & 7;
      sum += table[at] + bytes[at];
      shared = sum & 7; sum += table[shared]; shared = shared + 1 & 7; sum += table[shared];
      return sum;
    }`,
  },
  'a table of one constant element': {
    hot: `var windows = [table];
    function word(window, at) { return windows[window][at & 7]; }
    function step(a, b) { windows[0][a & 7] = b; var memory = windows[0]; memory[b & 7] |= 8; return word(0, a) + word(0, b); }`,
  },
  'tables in a constant table whose index is a variable': {
    hot: `function word(at) { return banks[which][at & 7]; }
    function turn(v) { which = v & 1; }
    /** Seldom. @rare */
    function turnBack() { which = 0; trace(banks[which][2]); }
    function step(a, b) {
      banks[which][a & 7] = b; banks[1 - which][a & 7] = a;
      var sum = word(a); turn(a); sum += word(a); if (a === 3) { turnBack(); sum += word(2); }
      var mine = banks[which]; turn(b); sum = sum * 10 + mine[a & 7] + word(a);
      for (which = 0; which < 1; which++) { sum += word(a); } which = 1;
      return sum;
    }`,
  },
  'the order of a table call: what is called, then its arguments': {
    hot: `function left(v) { return v; }
    function right(v) { shared += v; return shared; }
    function odd(v) { trace(v); return v & 1; }
    function step(a, b) { return handlers[trace(odd(a)) & 1](trace(b) + 1) * 100 + handlers[odd(b)](odd(a)); }`,
    cold: 'handlers.push(left); handlers.push(right);',
  },
  'a constant that names a function': {
    hot: `function one(v) { shared += v; return shared; }
    var alias = one;
    function step(a, b) { var mine = one; shared += 1; return alias(a) * 1000 + mine(b) + shared; }`,
  },
  'do, for with calls everywhere': {
    hot: `function next(v) { trace(v); return v + 1; }
    function under(v, limit) { return v < limit; }
    function step(a, b) { var n = 0; do { n = next(n); if (n === 2) { continue; } shared += n; if (shared > 200) { break; } } while (under(n, 4)); for (var at = next(a); under(at, b + 4); at = next(at)) { if (at === 5) { continue; } if (at === 7) { break; } other += at; } return n; }`,
  },
  'functions without a result': {
    hot: `function note(v) { if (v === 2) { return; } if (v > 3) { trace(v); return; } shared += v; }
    function step(a, b) { note(a); note(b); note(a + b); return shared; }`,
  },
};

test('a function that is called often is copied to each of its callers, whatever its size', () => {
  const long = Array.from({ length: 30 }, (_, line) => `table[v + ${line} & 7] += trace(v);`).join(' ');
  const code = (tag: string): string => bundleOf(`/** Long.${tag} */\n    function note(v) { ${long} }\n    function step(a, b) { note(a); note(b); return a; }`);
  assert.match(flattened(code('')), /function note/);
  assert.doesNotMatch(flattened(code(' @often')), /function note/);
  assert.equal(run(flattened(code(' @often'))), run(code('')));
});

test('a made function has no more variables than the engine can name in an instruction', () => {
  const names = Array.from({ length: 400 }, (_, index) => `v${index}`);
  const code = bundleOf(`${names.map((name, index) => `var ${name} = ${index};`).join('\n')}
    function step(a, b) { ${names.map((name) => `${name} += a;`).join(' ')} return ${names.join(' + ')}; }`);
  for (const engine of ['duktape', 'jerryscript'] as const) {
    const flat = flatten({ code, map: mapOf(code), engine });
    assert.deepEqual(flat.made.map(({ name, variables }) => [name, variables]), [['loop', 240]]);
    assert.equal(run(flat.code), run(code));
  }
});

test('a large function that several handlers call is made once and called', () => {
  const long = Array.from({ length: 30 }, (_, line) => `table[v + ${line} & 7] = small(v);`).join(' ');
  const handlers = ['one', 'two', 'three'];
  const code = bundleOf(
    `function small(v) { return trace(v) & 3; }
    function note(v) { ${long} }
    ${handlers.map((name, index) => `function ${name}(v) { note(v + ${index}); }`).join('\n')}
    function step(a, b) { handlers[a % 3](b); return a; }`,
    `${handlers.map((name) => `handlers.push(${name});`).join(' ')}`,
  );
  const flat = flattened(code);
  assert.equal(flat.match(/function note\(/g)?.length, 1);
  assert.doesNotMatch(flat, /small\(/, 'what it calls itself is in it');
  assert.equal(run(flat), run(code));
});

test('a handler that a made function calls by name keeps its body', () => {
  const long = (value: string): string => Array.from({ length: 30 }, (_, line) => `table[v + ${line} & 7] = ${value};`).join(' ');
  const code = bundleOf(
    `function left(v) { return v; }
    function right(v) { ${long('trace(v)')} return v + 1; }
    function note(v) { ${long('trace(v) + 1')} return right(v) + right(v + 1); }
    function step(a, b) { return handlers[a & 1](b) + note(a) + note(b); }`,
    'handlers.push(left); handlers.push(right);',
  );
  const flat = flattened(code);
  assert.match(flat, /function note\(/, 'it is called');
  assert.equal(run(flat), run(code));
});

test('what a loop does before it begins and at the end of each turn is copied once, unless a turn may end elsewhere', () => {
  const code = (more: string, again: string): string =>
    bundleOf(`function next() { shared += 54321; return shared % 7; }
    function step(a, b) { var n = next(); while (n > 1) { ${more} other += n; ${again} } return other; }`);
  const copies = (text: string): number => flattened(text).match(/54321/g)?.length ?? 0;
  for (const [more, again, count] of [['', 'n = next();', 1], ['', 'n = next() & 7;', 2], ['if (n === 3) { n = 0; continue; }', 'n = next();', 2]] as const) {
    assert.equal(copies(code(more, again)), count, more + again);
    assert.equal(run(flattened(code(more, again))), run(code(more, again)));
  }
});

test('a variable that calls would put back more often than it is used stays where it is', () => {
  const long = Array.from({ length: 30 }, (_, line) => `table[v + ${line} & 7] += trace(v);`).join(' ');
  const code = (calls: string): string =>
    bundleOf(`/** Long. @rare */\n    function note(v) { ${long} shared += 1; }\n    function step(a, b) { ${calls} other += shared; return other; }`);
  const always = code('note(a); note(b);');
  const seldom = code('if (a === 3) { note(a); note(b); }');
  assert.doesNotMatch(flattened(always), /var \$shared = /);
  assert.match(flattened(seldom), /var \$shared = /);
  assert.equal(run(flattened(always)), run(always));
  assert.equal(run(flattened(seldom)), run(seldom));
});

for (const [name, { hot, cold }] of Object.entries(fixtures)) {
  test(`flattening keeps ${name}`, () => {
    const code = bundleOf(hot, cold);
    const flat = flattened(code);
    parse(flat, { ecmaVersion: 5 });
    assert.equal(run(flat), run(code), flat);
    assert.doesNotMatch(flat, /function step/, 'everything is in the loop');
  });
}

test('a table that is emptied before it is filled is known, one that gets what nobody sees is not', () => {
  const code = (cold: string): string =>
    bundleOf(`function serve(v) { shared += v; return shared; }\n    function step(a, b) { return handlers[a & 0](a) + b; }`, `${cold}\nhandlers.push(serve);`);
  const known = code('handlers.splice(0, handlers.length);');
  assert.doesNotMatch(flattened(known), /handlers\[/);
  assert.equal(run(flattened(known)), run(known));
  const unknown = code('handlers.splice(0, 0, look);');
  assert.match(flattened(unknown), /handlers\[/);
  assert.equal(run(flattened(unknown)), run(unknown));
});

test('random programs of the hot subset do the same when flattened, for each engine', () => {
  let outside = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const code = randomProgram(seed);
    const expected = run(code, 3);
    // A few double a variable until it leaves the subset's 28 bits, on which a JIT's whole numbers rely.
    const inSubset = (expected.match(/\d+/g) ?? []).every((number) => Number(number) < 2 ** 31);
    for (const engine of Object.keys(engineCosts) as FlattenEngine[]) {
      if (inSubset || !engineCosts[engine].typed) {
        assert.equal(run(flattened(code, engine), 3), expected, `${engine}, seed ${seed}`);
      }
    }
    outside += inSubset ? 0 : 1;
  }
  assert.ok(outside < 20, `${outside} programs leave 28 bits`);
});

test('for a JIT every fetch says what a variable is, for an interpreter it only fetches', () => {
  const code = bundleOf(`var open = false;
    var least = -1;
    /** Comes seldom. @rare */
    function reset(v) { shared = v; open = v > 2; least = v; return v; }
    function step(a, b) { for (var at = 0; at < 9; at++) { shared += open ? a : b; least -= 1; open = least < shared; } if (a === 3) { reset(b); } return shared + table[1]; }`);
  const fetches = (engine: FlattenEngine): string[] => ['shared', 'open', 'least', 'table'].map((name) => {
    const found = [...flattened(code, engine).matchAll(new RegExp(`\\$${name} = ([^$]*?\\b${name}\\b.*?);`, 'g'))].map(([, value]) => value);
    return [...new Set(found)].join();
  });
  assert.deepEqual(fetches('node'), ['shared | 0', '!!open', 'least | 0', 'table']);
  assert.deepEqual(fetches('duktape'), ['shared', 'open', 'least', 'table']);
  assert.equal(run(flattened(code, 'node')), run(code));
});

test('what is flattened has no labels, no switch and no function below the wrapper', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const code = randomProgram(seed);
    const { findings } = checkCode(flattened(code, bundleEngines[seed % bundleEngines.length]));
    assert.deepEqual(findings.filter(({ reason }) => /label|switch|closure/.test(reason)).map(({ reason }) => reason), []);
  }
});

const refusals: Record<string, { hot: string; message: RegExp }> = {
  recursion: { hot: 'function one(v) { return v > 0 ? two(v) : 0; }\nfunction two(v) { return one(v - 1); }\nfunction step(a, b) { return one(a); }', message: /^src\/x\.hot\.ts:11: .*one calls two calls one\.$/ },
  'a property': { hot: 'function step(a, b) { return table.length; }', message: /^src\/x\.hot\.ts:12: .*properties\.$/ },
  'a string': { hot: "function step(a, b) {\nreturn 'a';\n}", message: /^src\/x\.hot\.ts:13: .*numbers and booleans only\.$/ },
  'falling through': { hot: 'function step(a, b) { switch (a) { case 1: shared = 1; case 2: return 2; default: return 3; } }', message: /:12: A case of a hot switch ends with/ },
  try: { hot: 'function step(a, b) { try { return 1; } finally { shared = 2; } }', message: /:12: A hot function cannot have a TryStatement\.$/ },
};
for (const [name, { hot, message }] of Object.entries(refusals)) {
  test(`${name} in a hot function is refused with file and line`, () => {
    const code = bundleOf(hot);
    assert.throws(() => flatten({ code, map: mapOf(code), engine: 'duktape' }), { name: 'UserError', message });
  });
}

test('every line of a made function is mapped to a hot source', () => {
  const code = bundleOf((fixtures['conditions with calls'] as { hot: string }).hot);
  const result = flatten({ code, map: mapOf(code), engine: 'duktape' });
  const lines = result.code.split('\n');
  const mappings = decodeMappings((JSON.parse(result.map) as { mappings: string }).mappings);
  const first = lines.findIndex((line) => line.includes('function loop('));
  const last = lines.findIndex((line, index) => index > first && line === '    }');
  assert.ok(first > 0 && last > first + 10);
  for (let line = first; line <= last; line++) {
    assert.equal(mappings[line]?.[0]?.[1], 0, lines[line]);
  }
  const { hotFunctions } = checkCode(result.code, { map: result.map });
  assert.equal(hotFunctions, 1);
});

test('mappings survive reading and writing', () => {
  const text = 'AAAA,SAAS,GAAG;AACZ,CCAC;;gBAAA,gBAsBgB';
  assert.equal(encodeMappings(decodeMappings(text)), text);
});

test("engine 'none' changes nothing", () => {
  const code = bundleOf('function step(a, b) { return a + b; }');
  const map = mapOf(code);
  assert.deepEqual(flatten({ code, map, engine: 'none' }), { code, map, made: [] });
});
