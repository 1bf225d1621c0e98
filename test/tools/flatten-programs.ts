// Runs small bundles plain and flattened, and makes random ones: what tests of the flattener share.
import vm from 'node:vm';
import { flatten } from '../../tools/flatten/flatten.js';
import type { FlattenEngine } from '../../tools/flatten/engines.js';
import { encodeMappings } from '../../tools/flatten/source-map.js';

/** A source map that says of each line of `code` that it came from `file` of the same line. */
export function mapOf(code: string, file = 'src/x.hot.ts', coldFile = 'src/x.ts'): string {
  let cold = false;
  const lines = code.split('\n').map((line, index): [number, number, number, number][] => {
    cold = /\/\/ cold/.test(line) ? true : /\/\/ hot/.test(line) ? false : cold;
    return [[0, cold ? 1 : 0, index, 0], [line.length - line.trimStart().length, cold ? 1 : 0, index, 0]];
  });
  return JSON.stringify({ version: 3, file: 'bundle.js', sources: [file, coldFile], names: [], mappings: encodeMappings(lines) });
}

export function flattened(code: string, engine: FlattenEngine = 'duktape'): string {
  return flatten({ code, map: mapOf(code), engine }).code;
}

/**
 * Runs a bundle; returns what it told `native.trace` and `native.end`. `trace` answers with a number that depends on how
 * often it was called, `more` is true for `rounds` calls.
 */
export function run(code: string, rounds = 6): string {
  const seen: unknown[] = [];
  let turns = 0;
  const native = {
    trace: (value: unknown): number => {
      seen.push(value);
      if (seen.length > 20000) {
        throw new Error('the program does not end');
      }
      return (seen.length * 7 + 3) & 15;
    },
    more: (): boolean => turns++ < rounds,
    end: (...values: unknown[]): void => {
      seen.push(...values.map((value) => (ArrayBuffer.isView(value) ? Array.from(value as unknown as number[]) : value)));
    },
  };
  vm.runInNewContext(code, { native, Int32Array, Uint8Array }, { timeout: 5000 });
  return JSON.stringify(seen);
}

/** Wraps hot functions, of which `step` is called with 0, 1, ... in the loop, in a bundle. `cold` is module-level code that runs first. */
export function bundleOf(hot: string, cold = ''): string {
  return `(function () {
    'use strict';
    // hot
    var trace = native.trace;
    var more = native.more;
    var table = new Int32Array(8);
    var bytes = new Uint8Array(8);
    var handlers = [], banks = [new Int32Array(8), new Int32Array(8)], which = 0;
    var shared = 1;
    var other = 2;
${hot}
    function loop() {
        var turn = 0;
        while (more()) {
            trace(step(turn, turn + 3));
            turn += 1;
        }
    }
    // cold
    function look() {
        return shared * 1000 + other;
    }
${cold}
    loop();
    native.end(table, bytes, look());
})();
`;
}

/** A stream of numbers that depends on the seed only. */
export function seeded(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 12345;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** A random program of the hot subset. Every function calls only earlier ones; loops count, so that all programs end. */
export function randomProgram(seed: number): string {
  const pick = seeded(seed);
  const functions: { name: string; params: number; result: boolean; cost: number }[] = [];
  /** Calls that one call of a function may lead to; loops count with their most rounds. */
  const mostCost = 1500;
  let temporaries = 0;
  const out: string[] = [];

  interface Scope {
    readonly readable: string[];
    readonly writable: string[];
    readonly result: boolean;
    budget: number;
    /** How often what is being written runs at most. */
    rounds: number;
    cost: number;
  }
  const expression = (scope: Scope, depth: number): string => {
    const sub = (): string => expression(scope, depth - 1);
    switch (depth <= 0 ? pick(3) : pick(16)) {
      case 0:
        return String(pick(9) - 2).replace(/^-/, '-');
      case 1:
        return scope.readable[pick(scope.readable.length)] ?? '1';
      case 2:
        return pick(3) === 0 ? `banks[which][(${sub()}) & 7]` : ['shared', 'other', 'which'][pick(3)] as string;
      case 3:
        return `table[(${sub()}) & 7]`;
      case 4:
        return `bytes[(${sub()}) & 7]`;
      case 5:
      case 6:
        return `((${sub()}) ${['+', '-', '*'][pick(3)]} (${sub()}) & 1023)`;
      case 7:
        return `((${sub()}) ${['&', '|', '^', '>>', '<<'][pick(5)]} (${pick(4)}))`;
      case 8:
        return `((${condition(scope, depth - 1)}) ? (${sub()}) : (${sub()}))`;
      case 9:
        return `trace(${sub()})`;
      case 10:
        // Handlers are the costliest there are.
        if (scope.cost + 200 * scope.rounds > mostCost) {
          return 'other';
        }
        scope.cost += 200 * scope.rounds;
        return `handlers[(${sub()}) & 1](${sub()})`;
      case 11:
        return `(-(${sub()}) & 255)`;
      default:
        return call(scope, depth);
    }
  };
  const callee = (scope: Scope, result: boolean): { name: string; params: number } | undefined => {
    const choices = functions.filter((fn) => (fn.result || !result) && scope.cost + fn.cost * scope.rounds <= mostCost);
    const fn = choices[pick(Math.max(1, choices.length))];
    scope.cost += (fn?.cost ?? 0) * scope.rounds;
    return fn;
  };
  const call = (scope: Scope, depth: number): string => {
    const fn = callee(scope, true);
    return fn === undefined ? 'shared' : `${fn.name}(${Array.from({ length: fn.params }, () => expression(scope, depth - 2)).join(', ')})`;
  };
  const condition = (scope: Scope, depth: number): string => {
    const sub = (): string => expression(scope, depth - 1);
    switch (depth <= 0 ? 0 : pick(6)) {
      case 1:
        return `(${condition(scope, depth - 1)}) && (${condition(scope, depth - 1)})`;
      case 2:
        return `(${condition(scope, depth - 1)}) || (${condition(scope, depth - 1)})`;
      case 3:
        return `!(${condition(scope, depth - 1)})`;
      case 4:
        return `(${call(scope, depth)}) !== 0`;
      default:
        return `(${sub()}) ${['===', '!==', '<', '>', '<=', '>='][pick(6)]} (${sub()})`;
    }
  };
  const statements = (scope: Scope, depth: number, indent: string, inLoop: boolean, inSwitch: boolean): string => {
    let text = '';
    const known = scope.readable.length;
    const writableKnown = scope.writable.length;
    for (let count = 1 + pick(4); count > 0 && scope.budget > 0; count--) {
      scope.budget -= 1;
      const inner = (switches = inSwitch, loops = inLoop): string => statements(scope, depth - 1, `${indent}    `, loops, switches);
      const put = (line: string): void => {
        text += `${indent}${line}\n`;
      };
      switch (depth <= 0 ? pick(7) : pick(18)) {
        case 0:
        case 1: {
          const name = `t${temporaries++}`;
          put(`var ${name} = ${expression(scope, 3)};`);
          scope.readable.push(name);
          scope.writable.push(name);
          break;
        }
        case 2: {
          const target = scope.writable[pick(Math.max(1, scope.writable.length))] ?? 'shared';
          put(`${target} ${['=', '=', '+=', '-='][pick(4)]} ${expression(scope, 3)};`);
          break;
        }
        case 3:
          put(pick(3) === 0 ? `which = (${expression(scope, 3)}) & 1;` : `${['shared', 'other'][pick(2)]} = (${expression(scope, 3)}) & 255;`);
          break;
        case 4:
          put(`${['table', 'bytes', 'banks[which]'][pick(3)]}[(${expression(scope, 1)}) & 7] = ${expression(scope, 3)};`);
          break;
        case 5:
          put(`table[${pick(8)}] += ${pick(5)};`);
          break;
        case 6: {
          const fn = callee(scope, false);
          put(fn === undefined ? `trace(${expression(scope, 2)});` : `${fn.name}(${Array.from({ length: fn.params }, () => expression(scope, 2)).join(', ')});`);
          break;
        }
        case 7:
        case 8:
          put(`if (${condition(scope, 2)}) {\n${inner()}${indent}}`);
          break;
        case 9:
        case 10:
          put(`if (${condition(scope, 2)}) {\n${inner()}${indent}} else {\n${inner()}${indent}}`);
          break;
        case 11: {
          const name = `i${temporaries++}`;
          put(`for (var ${name} = 0; ${name} < ${1 + pick(3)}${pick(3) === 0 ? ` && (${condition(scope, 1)})` : ''}; ${name}++) {`);
          scope.readable.push(name);
          scope.rounds *= 3;
          text += `${inner(false, true)}`;
          scope.rounds /= 3;
          put('}');
          break;
        }
        case 12: {
          const name = `n${temporaries++}`;
          put(`var ${name} = ${1 + pick(3)};`);
          scope.readable.push(name);
          put(`while (${name} > 0${pick(2) === 0 ? ` && (${condition(scope, 2)})` : ''}) {`);
          scope.rounds *= 3;
          text += `${indent}    ${name} -= 1;\n${inner(false, true)}`;
          scope.rounds /= 3;
          put('}');
          break;
        }
        case 13: {
          const name = `d${temporaries++}`;
          put(`var ${name} = ${1 + pick(2)};`);
          scope.readable.push(name);
          put('do {');
          scope.rounds *= 3;
          text += `${indent}    ${name} -= 1;\n${inner(false, true)}`;
          scope.rounds /= 3;
          put(`} while (${name} > 0 && (${condition(scope, 1)}));`);
          break;
        }
        case 14: {
          put(`switch ((${expression(scope, 2)}) & 7) {`);
          for (let entries = pick(6), key = 0; entries > 0; entries--, key++) {
            put(`    case ${key}:`);
            if (pick(4) > 0) {
              text += `${indent}        {\n${inner(true)}${indent}        ${pick(4) === 0 && scope.result ? `return ${expression(scope, 1)};` : 'break;'}\n${indent}        }\n`;
            }
          }
          put('    default: {');
          text += inner(true);
          put('    }');
          put('}');
          break;
        }
        case 15:
          if (inLoop && !inSwitch) {
            put(`if (${condition(scope, 1)}) {\n${indent}    ${pick(2) === 0 ? 'break' : 'continue'};\n${indent}}`);
          } else if (inSwitch) {
            put(`if (${condition(scope, 1)}) {\n${indent}    ${inLoop && pick(2) === 0 ? 'continue' : 'break'};\n${indent}}`);
          }
          break;
        default:
          put(`if (${condition(scope, 1)}) {\n${indent}    return${scope.result ? ` ${expression(scope, 2)}` : ''};\n${indent}}`);
          break;
      }
    }
    // What a block declares is not used behind it.
    scope.readable.length = Math.min(scope.readable.length, known);
    scope.writable.length = Math.min(scope.writable.length, writableKnown);
    return text;
  };
  const make = (name: string, params: number, result: boolean, most = mostCost): void => {
    const indent = '    ';
    const names = Array.from({ length: params }, (_, index) => `p${index}`);
    const scope: Scope = { readable: [...names], writable: pick(2) === 0 ? [...names] : names.slice(1), result, budget: 6 + pick(8), rounds: 1, cost: 1 + mostCost - most };
    const tag = name === 'step' ? '' : [`${indent}/** Seldom. @rare */\n`, `${indent}/** All the time. @often */\n`][pick(10)] ?? '';
    const locals = statements(scope, 3, `${indent}    `, false, false);
    out.push(`${tag}${indent}function ${name}(${names.join(', ')}) {\n${locals}${result ? `${indent}    return ${expression(scope, 2)};\n` : ''}${indent}}`);
    functions.push({ name, params, result, cost: scope.cost - (mostCost - most) });
  };
  // Handlers come first, so that calls through their table do not recurse.
  const noTables = (text: string): string => text.replace(/handlers\[/g, 'others[');
  make('left', 1, true, 150);
  make('right', 1, true, 150);
  for (let index = 0; index < out.length; index++) {
    out[index] = noTables(out[index] as string);
  }
  out.unshift('    var others = [];\n    function zero(value) {\n        return value & 3;\n    }');
  for (let index = 0; index < 5; index++) {
    make(`f${index}`, pick(4), pick(3) > 0);
  }
  make('step', 2, true);
  const leaks = pick(3) === 0 ? '    trace(kinds[0].serve === left ? 1 : 0);\n    kinds.forEach(function (kind) { var serve = kind.serve; serve(1); });\n' : '';
  const cold = `    others.push(zero);\n    others.push(zero);\n    var kinds = [{ serve: left }, { serve: ${pick(2) === 0 ? 'left' : 'right'} }];\n    kinds.forEach(function (kind) { handlers.push(kind.serve); });\n${leaks}`;
  return bundleOf(out.join('\n'), cold);
}
