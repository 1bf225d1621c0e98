// Makes one function: lowers it with all that is copied into it, and chooses what it holds in variables of its own.
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

export interface EmitOptions {
  /** Begins the names of all variables. */
  readonly mark: string;
  /** The function is entered once and stays. */
  readonly resident: boolean;
  readonly costs: EngineCosts;
  readonly where: (offset: number) => string;
}

/** The text of a made function, the wrapper's functions that it still names, and its number of variables. */
export function emit(
  fn: HotFunction,
  plan: Plan,
  program: Program,
  { mark, resident, costs, where }: EmitOptions,
): { lines: Line[]; mentions: Set<string>; variables: number } {
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
  const weightOf = (name: string): number => weights.get(name) ?? 0;
  const pays = (name: string): boolean =>
    resident ? !isLet(name) || weightOf(name) * Math.min(costs.read, costs.write) > callCosts(body, name, written.has(name), costs) : !isLet(name) && weightOf(name) > 1.5;
  const fetched = [...weights.keys()]
    .filter(pays)
    .sort((one, other) => weightOf(other) - weightOf(one))
    .slice(0, Math.max(0, costs.variables - shared - params.length));
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
