// Flattens a bundle's hot path for interpreters: calls become bodies, tables and variables become locals of one function.
//
// Works on rollup's output, before it is minified. An interpreter pays several times more for a variable of an enclosing
// function than for a local one, and for a call more than for the work of most small functions. Hot functions (those of
// *.hot.ts and of a target's port.ts) are therefore copied into the function that runs for ever, the loop. A function whose
// comment says @rare stays a call, one whose comment says @often is copied to all its callers. What is not flattened stays as it
// was.
import { UserError } from '../user-error.js';
import { emit, type Made } from './emit.js';
import { engineCosts, type FlattenEngine } from './engines.js';
import { functionNamed, type Plan } from './lower.js';
import { planFor } from './plan.js';
import type { HotFunction, Program } from './program.js';
import { children, readProgram } from './program.js';
import type { Segment, SourceMapJson } from './source-map.js';
import { decodeMappings, encodeMappings } from './source-map.js';
import type { AnyNode, Statement } from 'acorn';

export interface FlattenOptions {
  readonly code: string;
  /** Its source map, as JSON text: tells which functions are hot. */
  readonly map: string;
  /** How messages call a source of the map; default as the map has it. */
  readonly shown?: (source: string) => string;
  /** Whose costs count. The output has no labels and no switch, so every engine takes it. */
  readonly engine: FlattenEngine | 'none';
}

export interface FlattenResult {
  readonly code: string;
  readonly map: string;
  /** Functions that were made, with their number of variables; an engine may have few fast ones (Duktape: 256). */
  readonly made: readonly { readonly name: string; readonly variables: number; readonly inlined: readonly string[] }[];
}

/**
 * What terser may do to a flattened bundle. Nothing that turns a local back into the variable it was fetched from
 * (reduce_vars, collapse_vars), and nothing that turns statements into expressions: Duktape copies the value of every part of
 * `a, b` and of `a && b` although nobody asks for it, a fifth of all instructions.
 */
export const flattenedCompress = {
  passes: 2,
  reduce_funcs: false,
  reduce_vars: false,
  collapse_vars: false,
  sequences: false,
  conditionals: false,
  if_return: false,
} as const;

/** True for sources whose functions are hot. */
export function isHotFile(file: string): boolean {
  return /\.hot\.ts$/.test(file) || /(^|\/)platforms\/[^/]+\/port\.ts$/.test(file);
}

export function flatten({ code, map, engine, shown = (source) => source }: FlattenOptions): FlattenResult {
  if (engine === 'none') {
    return { code, map, made: [] };
  }
  const json = JSON.parse(map) as SourceMapJson;
  const mappings = decodeMappings(json.mappings);
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) {
    starts.push(at + 1);
  }
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  };
  /** The first segment from `offset` on: maps may lose the word `function` behind a removed `export`. */
  const segmentAt = (offset: number): Segment | undefined => {
    const line = lineOf(offset);
    const column = offset - (starts[line] as number);
    const here = (mappings[line] ?? []).find((segment) => segment.length > 1 && segment[0] >= column);
    for (let next = line + 1; here === undefined && next < mappings.length; next++) {
      const first = mappings[next]?.find((segment) => segment.length > 1);
      if (first !== undefined) {
        return first;
      }
    }
    return here;
  };
  const fileAt = (offset: number): string => json.sources[segmentAt(offset)?.[1] ?? -1] ?? '';
  const where = (offset: number): string => {
    const segment = segmentAt(offset);
    return `${shown(fileAt(offset))}:${(segment?.[2] ?? 0) + 1}`;
  };

  const program = readProgram(code, (offset) => isHotFile(fileAt(offset)));
  refuseRecursion(program, where);
  let mark = '$';
  while ([...program.identifiers].some((name) => name.startsWith(mark))) {
    mark += '$';
  }

  const made = new Map<string, Made>();
  const report: { name: string; variables: number; inlined: string[] }[] = [];
  const isWorthMaking = (fn: HotFunction): boolean => fn.hot && !fn.rare && !made.has(fn.name) && (fn.calls.length > 0 || fn.tables.length > 0);
  /** Makes `fn` and what it still calls. */
  const make = (fn: HotFunction, resident: boolean): void => {
    const plan = planFor(fn, program, resident);
    const result = emit(fn, plan, program, { mark, resident, costs: engineCosts[engine], where });
    made.set(fn.name, result);
    report.push({ name: fn.name, variables: result.variables, inlined: [...plan.inlined] });
    noteTables(plan);
    for (const name of result.mentions) {
      const called = program.functions.get(name);
      if (called !== undefined && isWorthMaking(called) && !program.escaping.has(name)) {
        make(called, false);
      }
    }
  };
  const residents = [...program.functions.values()].filter((fn) => isResident(fn, program));
  const inlinedFromTables = new Set<string>();
  /** What a made function may still call through a table. */
  const calledFromTables = new Set<string>();
  const noteTables = ({ tables }: Plan): void =>
    tables.forEach(({ functions }, table) => {
      functions.forEach((name) => inlinedFromTables.add(name));
      program.tableFunctions.get(table)?.filter((name) => !functions.includes(name)).forEach((name) => calledFromTables.add(name));
    });
  for (const fn of residents) {
    make(fn, true);
  }
  for (const fn of program.functions.values()) {
    if (program.escaping.has(fn.name) && !inlinedFromTables.has(fn.name) && isWorthMaking(fn)) {
      make(fn, false);
    }
  }

  // What is still mentioned stays; a function that can only be reached through a table all of whose calls were replaced
  // stays as an empty one: its value is all that is asked for.
  const emptied = new Set([...inlinedFromTables].filter((name) => program.onlyInTables.has(name) && !made.has(name) && !calledFromTables.has(name)));
  const reach = (): Set<string> => {
    const reached = new Set<string>();
    const look = (name: string): void => {
      if (!reached.has(name)) {
        reached.add(name);
        if (!emptied.has(name)) {
          (made.get(name)?.mentions ?? program.mentioned.get(name))?.forEach(look);
        }
      }
    };
    program.mentioned.get('')?.forEach(look);
    for (const fn of program.functions.values()) {
      if (!fn.hot) {
        look(fn.name);
      }
    }
    return reached;
  };
  let reached = reach();
  for (let changed = true; changed; reached = reach()) {
    changed = false;
    for (const name of emptied) {
      const callers = [...reached].filter((other) => !emptied.has(other) && !made.has(other));
      const calledByMade = [...reached].some((other) => made.get(other)?.calls.has(name));
      const called = calledByMade || callers.some((other) => {
        const fn = program.functions.get(other);
        return fn?.calls.includes(name) || fn?.tables.some((table) => program.tableFunctions.get(table)?.includes(name));
      });
      if (called || program.calledFromCold.has(name)) {
        emptied.delete(name);
        changed = true;
      }
    }
  }

  const out: { text: string; segments: readonly Segment[] }[] = [];
  const copyLines = (from: number, to: number): void => {
    for (let line = from; line < to; line++) {
      out.push({ text: code.slice(starts[line], (starts[line + 1] ?? code.length + 1) - 1), segments: (mappings[line] ?? []).map((segment) => segment.slice(0, 4) as unknown as Segment) });
    }
  };
  let copied = 0;
  let previousEnd = program.body.length > 0 ? lineOf((program.body[0] as Statement).start) : 0;
  for (const statement of program.body) {
    const first = lineOf(statement.start);
    const behind = lineOf(statement.end) + 1;
    const fn = statement.type === 'FunctionDeclaration' ? program.functions.get(statement.id.name) : undefined;
    if (fn !== undefined && fn.hot && (made.has(fn.name) || emptied.has(fn.name) || !reached.has(fn.name))) {
      const dropped = !reached.has(fn.name);
      copyLines(copied, dropped ? Math.max(copied, previousEnd) : first);
      if (!dropped) {
        const lines = made.get(fn.name)?.lines ?? [{ text: `    function ${fn.name}(${fn.params.join(', ')}) {}`, at: statement.start }];
        for (const { text, at } of lines) {
          const segment = segmentAt(at);
          const column = text.length - text.trimStart().length;
          out.push({ text, segments: segment === undefined ? [] : [[column, segment[1] as number, segment[2] as number, segment[3] as number]] });
        }
      }
      copied = behind;
    }
    previousEnd = behind;
  }
  copyLines(copied, starts.length);
  const result: SourceMapJson = { ...json, names: [], mappings: encodeMappings(out.map(({ segments }) => segments)) };
  return { code: out.map(({ text }) => text).join('\n'), map: JSON.stringify(result), made: report };
}

/** Throws for hot functions that call themselves, over whatever way. */
function refuseRecursion(program: Program, where: (offset: number) => string): void {
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    const fn = program.functions.get(name);
    if (fn === undefined || !fn.hot || done.has(name)) {
      return;
    }
    if (way.includes(name)) {
      throw new UserError(`${where(fn.node.start)}: Recursion is not for hot functions: ${[...way.slice(way.indexOf(name)), name].join(' calls ')}.`);
    }
    [...fn.calls, ...fn.tables.flatMap((table) => program.tableFunctions.get(table) ?? [])].forEach((called) => visit(called, [...way, name]));
    done.add(name);
  };
  [...program.functions.keys()].forEach((name) => visit(name, []));
}

/** A function that is entered once and stays: called by code that is not hot, with hot calls in a loop. */
function isResident(fn: HotFunction, program: Program): boolean {
  if (!fn.hot || fn.rare || !program.calledFromCold.has(fn.name) || program.escaping.has(fn.name)) {
    return false;
  }
  const hotCall = (node: AnyNode): boolean =>
    (node.type === 'CallExpression' && node.callee.type === 'Identifier' && functionNamed(node.callee.name, program)?.hot === true) || children(node).some(hotCall);
  return fn.node.body.body.some((statement) => statement.type === 'WhileStatement' && hotCall(statement));
}

