// Chooses which of the functions that a made function calls are copied into it.
import type { AnyNode, Statement } from 'acorn';
import { functionNamed, turnsRound, type Plan } from './lower.js';
import { children, type HotFunction, type Program } from './program.js';

/**
 * Functions that are called at several places are copied to each only up to this size (nodes of the syntax tree, what they
 * call included).
 */
const smallFunction = 130;

/** A call through a table of functions tests for this many functions before it becomes a call. */
const testedFunctions = 2;

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

/**
 * Chooses what is copied into `root`. A large function goes where it is called once: into the resident one always, since there
 * it counts most, into another only when nobody else needs a copy.
 */
export function planFor(root: HotFunction, program: Program, resident: boolean): Plan {
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
    const fn = program.functions.get(name) as HotFunction;
    const once = count === 1 && (resident || fn.callers === 1);
    const taken = name === root.name || (count > 0 && (once || fn.often || fullSize(name) <= smallFunction));
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

