// Makes one function: lowers it with all that is copied into it, and chooses what it holds in variables of its own.
import type { AnyNode } from 'acorn';
import type { EngineCosts } from './engines.js';
import { removeExits } from './exits.js';
import type { Expr, Local, Stmt } from './ir.js';
import { eachExpression, eachPart, eachStatement } from './ir.js';
import { Lowering, Variables, type Plan } from './lower.js';
import type { Line } from './print.js';
import { printBlock } from './print.js';
import type { HotFunction, Program } from './program.js';
import { shareVariables } from './registers.js';
import { reuseReads } from './reuse.js';
import { simplify } from './simplify.js';
import { mapExpressions, mapParts } from './substitute.js';

export interface EmitOptions {
  /** Begins the names of all variables. */
  readonly mark: string;
  /** The function is entered once and stays. */
  readonly resident: boolean;
  readonly costs: EngineCosts;
  readonly where: (offset: number) => string;
}

export interface Made {
  readonly lines: readonly Line[];
  /** The wrapper's functions that it still names, and those of them that it calls by name. */
  readonly mentions: ReadonlySet<string>;
  readonly calls: ReadonlySet<string>;
  /** How many variables it has. */
  readonly variables: number;
}

/** Makes `fn` with what `plan` copies into it. */
export function emit(
  fn: HotFunction,
  plan: Plan,
  program: Program,
  { mark, resident, costs, where }: EmitOptions,
): Made {
  const variables = new Variables();
  // Names that go on with a digit stand for nothing of the wrapper's.
  const params = fn.params.map((_, index): Local => ({ t: 'local', name: `${mark}${index}p` }));
  const fixed = new Set(params.map(({ name }) => name));
  const lowering = new Lowering(program, plan, variables, where);
  const isOwn = (table: string): boolean => program.ownTables.has(table);
  const isConstant = (name: string): boolean => program.variables.get(name)?.assigned !== true;
  const structured = removeExits(lowering.root(fn, params), () => variables.take().name, () => lowering.newRegion());
  const once = reuseReads(simplify(structured, fixed, isOwn, isConstant), program.ownTables, program.fixed, () => variables.take());
  const { body: whole, variables: shared } = shareVariables(simplify(once, fixed, isOwn, isConstant), fixed, (index) => `${mark}${index}`);

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
  eachExpression(whole, count);
  const isLet = (name: string): boolean => program.variables.get(name)?.assigned === true;
  const weightOf = (name: string): number => weights.get(name) ?? 0;
  const pays = (name: string): boolean =>
    resident ? !isLet(name) || weightOf(name) * Math.min(costs.read, costs.write) > callCosts(whole, name, written.has(name), costs) : !isLet(name) && weightOf(name) > 1.5;
  /** Elements of fixed tables whose index is a variable of the wrapper that the function holds: they are held, too. */
  const views = new Map<string, { readonly table: string; readonly index: string }>();
  const noteView = (part: Expr): void => {
    if (part.t === 'element' && part.table.t === 'module' && part.index.t === 'module' && program.fixed.has(part.table.name) && isLet(part.index.name) && pays(part.index.name)) {
      views.set(viewName(part.table.name, part.index.name), { table: part.table.name, index: part.index.name });
    }
  };
  if (resident) {
    eachExpression(whole, (e) => eachPart(e, noteView));
    // The update of a for has no place for the look that would have to follow.
    eachStatement(whole, (s) => {
      if (s.k === 'loop') {
        s.update.forEach((part) => part.k === 'set' && views.forEach(({ index }, name) => part.target.t === 'module' && part.target.name === index && views.delete(name)));
      }
    });
  }
  const fetched = [...weights.keys()]
    .filter(pays)
    .sort((one, other) => weightOf(other) - weightOf(one))
    .slice(0, Math.max(0, costs.variables - shared - params.length - views.size));
  views.forEach(({ index }, name) => fetched.includes(index) || views.delete(name));
  const names = (name: string): string => {
    const view = views.get(name);
    return view !== undefined ? `${mark}${view.index}_${view.table}` : fetched.includes(name) ? mark + name.replace(/^(.*)\[0\]$/, '0_$1') : name;
  };
  const body = mapExpressions(whole, (e) =>
    mapParts(e, (part) => {
      const name = part.t === 'element' && part.table.t === 'module' && part.index.t === 'module' ? viewName(part.table.name, part.index.name) : '';
      return views.has(name) ? { t: 'module', name } : part;
    }),
  );
  const held = fetched.filter(isLet);
  const look = ([name, { table, index }]: [string, { readonly table: string; readonly index: string }]): string => `${names(name)} = ${names(table)}[${names(index)}];`;
  const looksBehind = (changed: (index: string) => boolean): string[] => [...views].filter(([, { index }]) => changed(index)).map(look);
  const stored = held.filter((name) => written.has(name));
  const store = (name: string): string => `${name} = ${names(name)};`;
  const load = (name: string): string => `${names(name)} = ${costs.typed ? typed(name, program.variables.get(name)?.init) : name};`;

  /**
   * Variables held in locals are put back before code that may read them, and read again behind code that may write them; a view
   * is looked up again behind what may change its index.
   */
  const around = (s: Stmt): { before: string[]; after: string[] } => {
    if (s.k === 'return') {
      return { before: stored.map(store), after: [] };
    }
    if (s.k === 'set' && s.target.t === 'module') {
      const { name } = s.target;
      return { before: [], after: looksBehind((index) => index === name) };
    }
    if (s.k !== 'call') {
      return { before: [], after: [] };
    }
    const { reads, writes } = s.effects;
    return {
      before: stored.filter((name) => reads.has(name) || writes.has(name)).map(store),
      after: [...held.filter((name) => writes.has(name)).map(load), ...looksBehind((index) => writes.has(index))],
    };
  };
  const at = fn.node.start;
  const lines: Line[] = [{ text: `    function ${fn.name}(${params.map(({ name }) => name).join(', ')}) {`, at }];
  fetched.forEach((name) => lines.push({ text: `      var ${load(name)}`, at }));
  [...views].forEach((view) => lines.push({ text: `      var ${look(view)}`, at }));
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
  const calls = new Set<string>();
  eachStatement(body, (s) => s.k === 'call' && s.callee.t === 'module' && calls.add(s.callee.name));
  return { lines, mentions, calls, variables: fetched.length + views.size + shared + params.length };
}

/** How a view is called among the wrapper's names: no identifier looks like that. */
function viewName(table: string, index: string): string {
  return `${table}[${index}]`;
}

/**
 * The variable `name` of the wrapper as an expression that can have no other type than what it begins with: a whole number, which
 * 28 bits hold, or a condition.
 */
function typed(name: string, init: AnyNode | undefined): string {
  const literal = init?.type === 'UnaryExpression' && init.operator === '-' ? init.argument : init;
  const first = literal?.type === 'Literal' ? literal.value : undefined;
  return typeof first === 'number' ? `${name} | 0` : typeof first === 'boolean' ? `!!${name}` : name;
}

/** What it costs that calls put the variable `name` back and fetch it again, when the function holds it in one of its own. */
function callCosts(body: readonly Stmt[], name: string, isWritten: boolean, costs: EngineCosts): number {
  let sum = 0;
  eachStatement(body, (s, weight) => {
    if (s.k === 'call') {
      const writes = s.effects.writes.has(name);
      sum += weight * ((isWritten && (writes || s.effects.reads.has(name)) ? costs.write : 0) + (writes ? costs.read : 0));
    }
  });
  return sum;
}
