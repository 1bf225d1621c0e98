// Flattens a bundle's hot path for interpreters: calls become bodies, tables and variables become locals of one function.
//
// Works on rollup's output, before it is minified. An interpreter pays several times more for a variable of an enclosing
// function than for a local one, and for a call more than for the work of most small functions. Hot functions (those of
// *.hot.ts and of a target's port.ts) are therefore copied into the function that runs for ever, the loop. A function whose
// comment says @rare stays a call, one whose comment says @often is copied to all its callers. What is not flattened stays as it
// was.
import { UserError } from './user-error.js';
import { removeExits } from './flatten/exits.js';
import type { Expr, Local, Stmt } from './flatten/ir.js';
import { eachExpression, eachPart } from './flatten/ir.js';
import { functionNamed, Lowering, turnsRound, Variables, type Plan } from './flatten/lower.js';
import type { Line } from './flatten/print.js';
import { printBlock } from './flatten/print.js';
import type { HotFunction, Program } from './flatten/program.js';
import { children, readProgram } from './flatten/program.js';
import { shareVariables } from './flatten/registers.js';
import { reuseReads } from './flatten/reuse.js';
import { simplify } from './flatten/simplify.js';
import type { Segment, SourceMapJson } from './flatten/source-map.js';
import { decodeMappings, encodeMappings } from './flatten/source-map.js';
import type { AnyNode, Statement } from 'acorn';

export interface FlattenOptions {
  readonly code: string;
  /** Its source map, as JSON text: tells which functions are hot. */
  readonly map: string;
  /** How messages call a source of the map; default as the map has it. */
  readonly shown?: (source: string) => string;
  /** Whose costs count. The output has no labels and no switch, so every engine takes it. */
  readonly engine: 'duktape' | 'jerryscript' | 'espruino' | 'none';
}

export interface FlattenResult {
  readonly code: string;
  readonly map: string;
  /** Functions that were made, with their number of variables; an engine may have few fast ones (Duktape: 256). */
  readonly made: readonly { readonly name: string; readonly variables: number; readonly inlined: readonly string[] }[];
}

/**
 * Functions that are called at several places are copied to each only up to this size (nodes of the syntax tree, what they
 * call included).
 */
const smallFunction = 130;

/** A call through a table of functions tests for this many functions before it becomes a call. */
const testedFunctions = 2;

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

  const made = new Map<string, { lines: Line[]; mentions: ReadonlySet<string> }>();
  const report: { name: string; variables: number; inlined: string[] }[] = [];
  const make = (fn: HotFunction, resident: boolean): Plan => {
    const plan = planFor(fn, program);
    const { lines, mentions, variables } = emit(fn, plan, program, mark, resident, where);
    made.set(fn.name, { lines, mentions });
    report.push({ name: fn.name, variables, inlined: [...plan.inlined] });
    return plan;
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
    noteTables(make(fn, true));
  }
  for (const fn of program.functions.values()) {
    if (fn.hot && !fn.rare && program.escaping.has(fn.name) && !inlinedFromTables.has(fn.name) && (fn.calls.length > 0 || fn.tables.length > 0)) {
      noteTables(make(fn, false));
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
      const called = callers.some((other) => {
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

/** How often a function's body, as it will be lowered, calls each function or table. */
function callsIn(fn: HotFunction, program: Program): { functions: string[]; tables: string[] } {
  const functions: string[] = [];
  const tables: string[] = [];
  const look = (node: AnyNode): void => {
    if (node.type === 'CallExpression') {
      const { callee } = node;
      if (callee.type === 'Identifier' && !fn.locals.has(callee.name)) {
        const called = functionNamed(callee.name, program);
        if (called !== undefined) {
          functions.push(called.name);
        }
      } else if (callee.type === 'MemberExpression' && callee.computed && callee.object.type === 'Identifier' && !fn.locals.has(callee.object.name)) {
        tables.push(callee.object.name);
      }
    }
    const parts = children(node);
    // A first round that is written twice is lowered once.
    parts.filter((part, index) => !turnsRound(part as Statement, parts[index + 1] as Statement | undefined, program.code)).forEach(look);
  };
  look(fn.node.body);
  return { functions, tables };
}

/** Chooses what is copied into `root`. */
function planFor(root: HotFunction, program: Program): Plan {
  const tables = new Map<string, { functions: readonly string[]; closed: boolean }>();
  const tableTargets = (table: string): readonly string[] => {
    const possible = program.tableFunctions.get(table) ?? [];
    const good = possible.filter((name) => program.functions.get(name)?.hot === true);
    return possible.length > 0 && possible.length <= testedFunctions && good.length === possible.length ? good : [];
  };
  const callees = (name: string): string[] => {
    const fn = program.functions.get(name) as HotFunction;
    const { functions, tables: used } = callsIn(fn, program);
    return [...functions, ...used.flatMap(tableTargets)].filter((called) => {
      const callee = program.functions.get(called);
      return callee !== undefined && callee.hot && !callee.rare;
    });
  };
  const fullSize = (name: string): number => (program.functions.get(name) as HotFunction).size + callees(name).reduce((sum, called) => sum + fullSize(called), 0);

  // Callers first: by then it is known how often each body will be copied.
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (!seen.has(name)) {
      seen.add(name);
      callees(name).forEach(visit);
      order.unshift(name);
    }
  };
  visit(root.name);
  const copies = new Map([[root.name, 1]]);
  const inlined = new Set<string>();
  for (const name of order) {
    const count = copies.get(name) ?? 0;
    const taken = name === root.name || (count > 0 && (count === 1 || program.functions.get(name)?.often === true || fullSize(name) <= smallFunction));
    if (taken) {
      if (name !== root.name) {
        inlined.add(name);
      }
      callees(name).forEach((called) => copies.set(called, (copies.get(called) ?? 0) + count));
      callsIn(program.functions.get(name) as HotFunction, program).tables.forEach((table) => tables.set(table, { functions: tableTargets(table), closed: program.tableFunctions.has(table) }));
    }
  }
  // A function is inlined from a table only if it is inlined at all.
  for (const [table, { functions, closed }] of tables) {
    if (!functions.every((name) => inlined.has(name))) {
      tables.set(table, { functions: [], closed });
    }
  }
  return { inlined, tables };
}

/** The text of a made function. */
function emit(fn: HotFunction, plan: Plan, program: Program, mark: string, resident: boolean, where: (offset: number) => string): { lines: Line[]; mentions: Set<string>; variables: number } {
  const variables = new Variables();
  // Names that go on with a digit stand for nothing of the wrapper's.
  const params = fn.params.map((_, index): Local => ({ t: 'local', name: `${mark}${index}p` }));
  const fixed = new Set(params.map(({ name }) => name));
  const lowering = new Lowering(program, plan, variables, where);
  const isOwn = (table: string): boolean => program.ownTables.has(table);
  const isConstant = (name: string): boolean => program.variables.get(name)?.assigned !== true;
  const structured = removeExits(lowering.root(fn, params), () => variables.take().name, () => lowering.newRegion());
  const once = reuseReads(simplify(structured, fixed, isOwn, isConstant), program.ownTables, () => variables.take());
  const { body, variables: shared } = shareVariables(simplify(once, fixed, isOwn, isConstant), fixed, (index) => `${mark}${index}`);

  const weights = new Map<string, number>();
  const written = new Set<string>();
  const count = (e: Expr, weight: number, isWrite: boolean): void =>
    eachPart(e, (part) => {
      if (part.t === 'module') {
        weights.set(part.name, (weights.get(part.name) ?? 0) + weight);
        if (isWrite) {
          written.add(part.name);
        }
      }
    });
  eachExpression(body, count);
  const isLet = (name: string): boolean => program.variables.get(name)?.assigned === true;
  const pays = (name: string): boolean => resident || (!isLet(name) && (weights.get(name) ?? 0) > 1.5);
  const fetched = [...weights.keys()].filter(pays).sort((one, other) => (weights.get(other) ?? 0) - (weights.get(one) ?? 0));
  const names = (name: string): string => (fetched.includes(name) ? mark + name.replace(/^(.*)\[0\]$/, '0_$1') : name);
  const held = fetched.filter(isLet);
  const stored = held.filter((name) => written.has(name));
  const store = (name: string): string => `${name} = ${names(name)};`;
  const load = (name: string): string => `${names(name)} = ${name};`;

  /** Variables held in locals are put back before code that may read them, and read again behind code that may write them. */
  const around = (s: Stmt): { before: string[]; after: string[] } => {
    if (s.k === 'return') {
      return { before: stored.map(store), after: [] };
    }
    if (s.k !== 'call') {
      return { before: [], after: [] };
    }
    const { reads, writes } = s.effects;
    return { before: stored.filter((name) => reads.has(name) || writes.has(name)).map(store), after: held.filter((name) => writes.has(name)).map(load) };
  };
  const at = fn.node.start;
  const lines: Line[] = [{ text: `    function ${fn.name}(${params.map(({ name }) => name).join(', ')}) {`, at }];
  fetched.forEach((name) => lines.push({ text: `      var ${names(name)} = ${name};`, at }));
  if (shared > 0) {
    lines.push({ text: `      var ${Array.from({ length: shared }, (_, index) => `${mark}${index}`).join(', ')};`, at });
  }
  lines.push(...printBlock(body, names, around, '      '));
  const last = body[body.length - 1];
  if (last === undefined || last.k !== 'return') {
    stored.forEach((name) => lines.push({ text: `      ${store(name)}`, at }));
  }
  lines.push({ text: '    }', at });
  const mentions = new Set([...weights.keys()].filter((name) => program.functions.has(name)));
  return { lines, mentions, variables: fetched.length + shared + params.length };
}
