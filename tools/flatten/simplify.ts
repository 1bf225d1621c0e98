// Removes what inlining leaves behind: copies of variables, values set aside right before their only use, loops' updates.
import type { Expr, Stmt } from './ir.js';
import { eachExpression, eachPart, eachStatement, not } from './ir.js';
import { settle, substitute } from './substitute.js';

/** How many statements a value may be set aside for before its only use. */
const reach = 12;

interface Counts {
  readonly writes: Map<string, number>;
  readonly reads: Map<string, number>;
}

function count(list: readonly Stmt[]): Counts {
  const writes = new Map<string, number>();
  const reads = new Map<string, number>();
  const add = (map: Map<string, number>, name: string): void => {
    map.set(name, (map.get(name) ?? 0) + 1);
  };
  eachExpression(list, (e, _weight, written) => {
    if (written && e.t === 'local') {
      add(writes, e.name);
    } else {
      eachPart(e, (part) => part.t === 'local' && add(reads, part.name));
    }
  });
  // An operator reads its target too.
  const operators = (statements: readonly Stmt[]): void => {
    for (const s of statements) {
      if (s.k === 'set' && s.op !== '=' && s.target.t === 'local') {
        add(reads, s.target.name);
      } else if (s.k === 'if') {
        operators(s.a);
        operators(s.b);
      } else if (s.k === 'loop') {
        operators(s.body);
        operators(s.update);
      }
    }
  };
  operators(list);
  return { writes, reads };
}

/** Statements of `list`, and of the lists inside, changed by `change`; inner lists first. */
function eachList(list: readonly Stmt[], change: (list: Stmt[]) => Stmt[]): Stmt[] {
  return change(
    list.map((s): Stmt => {
      switch (s.k) {
        case 'if':
          return { ...s, a: eachList(s.a, change), b: eachList(s.b, change) };
        case 'loop':
          return { ...s, body: eachList(s.body, change), update: eachList(s.update, change) };
        default:
          return s;
      }
    }),
  );
}

/** True when a `continue` in `list` would go on with the loop around it. */
function continues(list: readonly Stmt[]): boolean {
  return list.some((s) => s.k === 'continue' || (s.k === 'if' && (continues(s.a) || continues(s.b))));
}

/**
 * Simplifies a function's body. `fixed` are its parameters; `isOwn` says of a table that only the bundle writes it, `isConstant`
 * of a name of the wrapper that it never changes.
 */
export function simplify(list: readonly Stmt[], fixed: ReadonlySet<string>, isOwn: (table: string) => boolean, isConstant: (name: string) => boolean): Stmt[] {
  // A while costs a jump less in each round than a for.
  let body = eachList(list, (statements) =>
    statements.map((s): Stmt => (s.k === 'loop' && s.update.length > 0 && !continues(s.body) ? { ...s, body: [...s.body, ...s.update], update: [] } : s)),
  );

  // x = y, both set once or y a constant: x is y.
  const copies = new Map<string, Expr>();
  const counted = count(body);
  const once = (name: string): boolean => counted.writes.get(name) === 1 && !fixed.has(name);
  const look = (statements: readonly Stmt[]): void => {
    for (const s of statements) {
      if (s.k === 'set' && s.op === '=' && s.target.t === 'local' && once(s.target.name)) {
        const { value } = s;
        const lasts =
          value.t === 'local'
            ? once(value.name) || (fixed.has(value.name) && !counted.writes.has(value.name))
            : value.t === 'number' || value.t === 'boolean' || (value.t === 'module' && isConstant(value.name));
        if (lasts) {
          copies.set(s.target.name, value);
        }
      } else if (s.k === 'if') {
        look(s.a);
        look(s.b);
      } else if (s.k === 'loop') {
        look(s.body);
      }
    }
  };
  look(body);
  body = settle(
    eachList(body, (statements) => statements.filter((s) => !(s.k === 'set' && s.target.t === 'local' && copies.has(s.target.name)))),
    (name) => copies.get(name),
  );

  const { writes, reads } = count(body);
  /** What an expression needs unchanged to be evaluated later: names and tables; undefined when it must stay where it is. */
  const needs = (e: Expr): Set<string> | undefined => {
    const found = new Set<string>();
    let movable = true;
    eachPart(e, (part) => {
      if (part.t === 'call') {
        movable = false;
      } else if (part.t === 'element') {
        if (part.table.t === 'module' && isOwn(part.table.name)) {
          found.add(`${part.table.name}[]`);
        } else {
          movable = false;
        }
      } else if (part.t === 'local' || (part.t === 'module' && !isConstant(part.name) && !isOwn(part.name))) {
        found.add(part.name);
      }
    });
    return movable ? found : undefined;
  };
  /** True when the statement, which is not a branch or loop, leaves all of `names` as they are. */
  const leaves = (s: Stmt, names: ReadonlySet<string>): boolean =>
    s.k === 'do' || (s.k === 'set' && !names.has(s.target.t === 'element' ? (s.target.table.t === 'module' ? `${s.target.table.name}[]` : '') : s.target.name));
  const usesIn = (s: Stmt, name: string): number => {
    let uses = 0;
    const see = (e: Expr): void => eachPart(e, (part) => (uses += part.t === 'local' && part.name === name ? 1 : 0));
    if (s.k === 'if') {
      see(s.test);
    } else if (s.k === 'set') {
      see(s.value);
      if (s.target.t === 'element') {
        see(s.target);
      }
    } else if (s.k === 'do') {
      see(s.value);
    } else if (s.k === 'call') {
      s.args.forEach(see);
    } else if (s.k === 'return' && s.value !== undefined) {
      see(s.value);
    }
    return uses;
  };

  // A value set once and used once goes to its use, if nothing between changes it.
  const moved = eachList(body, (statements) => {
    const out = [...statements];
    for (let index = out.length - 2; index >= 0; index--) {
      const s = out[index] as Stmt;
      if (s.k !== 'set' || s.op !== '=' || s.target.t !== 'local' || fixed.has(s.target.name) || writes.get(s.target.name) !== 1 || reads.get(s.target.name) !== 1) {
        continue;
      }
      const { name } = s.target;
      const needed = needs(s.value);
      for (let next = index + 1; next < out.length && next <= index + reach; next++) {
        const user = out[next] as Stmt;
        if (usesIn(user, name) === 1) {
          const put = (e: Expr): Expr => substitute(e, (other) => (other === name ? s.value : undefined));
          const changed: Stmt | undefined =
            needed === undefined ? (next === index + 1 ? atOnce(user, name, put) : undefined) :
            user.k === 'if' ? { ...user, test: put(user.test) } :
            user.k === 'set' ? { ...user, target: user.target.t === 'element' ? { ...user.target, table: put(user.target.table), index: put(user.target.index) } : user.target, value: put(user.value) } :
            user.k === 'do' ? { ...user, value: put(user.value) } :
            user.k === 'call' ? { ...user, args: user.args.map(put) } :
            user.k === 'return' && user.value !== undefined ? { ...user, value: put(user.value) } : undefined;
          if (changed !== undefined) {
            out[next] = changed;
            out.splice(index, 1);
          }
          break;
        }
        if (needed === undefined || !leaves(user, needed)) {
          break;
        }
      }
    }
    return out;
  });
  const onlyTested = testedLocals(moved, fixed);
  return eachList(moved, (statements) =>
    statements.map((s) => (s.k === 'set' && s.op === '=' && s.target.t === 'local' && onlyTested.has(s.target.name) ? { ...s, value: asTest(s.value) } : s)),
  );
}

/** Locals of which nothing is asked but whether they are true: what they hold need not be true or false itself. */
function testedLocals(list: readonly Stmt[], fixed: ReadonlySet<string>): Set<string> {
  const tests = new Map<string, number>();
  const test = (e: Expr): void => {
    if (e.t === 'local') {
      tests.set(e.name, (tests.get(e.name) ?? 0) + 1);
    } else if (e.t === 'unary' && e.op === '!') {
      test(e.a);
    } else if (e.t === 'logical') {
      test(e.a);
      test(e.b);
    }
  };
  eachStatement(list, (s) => (s.k === 'if' || s.k === 'loop') && s.test !== undefined && test(s.test));
  const { reads } = count(list);
  return new Set([...tests].filter(([name, times]) => !fixed.has(name) && reads.get(name) === times).map(([name]) => name));
}

/**
 * A condition without comparisons with 0, which cost more than the test they stand in: `x !== 0` is `x`, since what a hot
 * function compares with a number is an integer.
 */
export function asTest(e: Expr): Expr {
  switch (e.t) {
    case 'unary':
      return e.op === '!' ? not(asTest(e.a)) : e;
    case 'binary':
      if ((e.op === '!==' || e.op === '===') && e.b.t === 'number' && e.b.value === 0) {
        return e.op === '!==' ? e.a : { t: 'unary', op: '!', a: e.a };
      }
      return e;
    case 'logical':
      return { ...e, a: asTest(e.a), b: asTest(e.b) };
    default:
      return e;
  }
}

/** `user` with the variable replaced, when that variable is the first thing it evaluates. */
function atOnce(user: Stmt, name: string, put: (e: Expr) => Expr): Stmt | undefined {
  const first = (e: Expr): boolean => {
    switch (e.t) {
      case 'local':
        return e.name === name;
      case 'unary':
        return first(e.a);
      case 'binary':
      case 'logical':
        return first(e.a) || (e.a.t === 'number' && first(e.b) && e.t === 'binary');
      case 'choice':
        return first(e.test);
      default:
        return false;
    }
  };
  if (user.k === 'if' && first(user.test)) {
    return { ...user, test: put(user.test) };
  }
  if (user.k === 'set' && user.op === '=' && user.target.t !== 'element' && first(user.value)) {
    return { ...user, value: put(user.value) };
  }
  return user.k === 'return' && user.value !== undefined && first(user.value) ? { ...user, value: put(user.value) } : undefined;
}
