// Replaces variables of a made function by what stands for them.
import type { Expr, Local, Stmt } from './ir.js';

/** `e` with locals replaced by what `instead` has for them. */
export function substitute(e: Expr, instead: (name: string) => Expr | undefined): Expr {
  switch (e.t) {
    case 'local': {
      const other = instead(e.name);
      return other === undefined ? e : substitute(other, instead);
    }
    case 'unary':
      return { ...e, a: substitute(e.a, instead) };
    case 'binary':
      return { ...e, a: substitute(e.a, instead), b: substitute(e.b, instead) };
    case 'logical':
      return { ...e, a: substitute(e.a, instead), b: substitute(e.b, instead) };
    case 'choice':
      return { ...e, test: substitute(e.test, instead), a: substitute(e.a, instead), b: substitute(e.b, instead) };
    case 'element':
      return { ...e, table: substitute(e.table, instead), index: substitute(e.index, instead) };
    case 'call':
      return { ...e, callee: substitute(e.callee, instead), args: e.args.map((arg) => substitute(arg, instead)) };
    default:
      return e;
  }
}

/** `e` with every part of it, innermost first, changed by `change`. */
export function mapParts(e: Expr, change: (part: Expr) => Expr): Expr {
  const go = (part: Expr): Expr => mapParts(part, change);
  switch (e.t) {
    case 'unary':
      return change({ ...e, a: go(e.a) });
    case 'binary':
    case 'logical':
      return change({ ...e, a: go(e.a), b: go(e.b) });
    case 'choice':
      return change({ ...e, test: go(e.test), a: go(e.a), b: go(e.b) });
    case 'element':
      return change({ ...e, table: go(e.table), index: go(e.index) });
    case 'call':
      return change({ ...e, callee: go(e.callee), args: e.args.map(go) });
    default:
      return change(e);
  }
}

/** `list` with every expression changed by `change`, but for what is assigned to as a whole. */
export function mapExpressions(list: readonly Stmt[], change: (e: Expr) => Expr): Stmt[] {
  return list.map((s): Stmt => {
    switch (s.k) {
      case 'set':
        return { ...s, target: s.target.t === 'element' ? { ...s.target, table: change(s.target.table), index: change(s.target.index) } : s.target, value: change(s.value) };
      case 'do':
        return { ...s, value: change(s.value) };
      case 'call':
        return { ...s, callee: change(s.callee), args: s.args.map(change) };
      case 'if':
        return { ...s, test: change(s.test), a: mapExpressions(s.a, change), b: mapExpressions(s.b, change) };
      case 'loop':
        return { ...s, test: s.test === undefined ? undefined : change(s.test), body: mapExpressions(s.body, change), update: mapExpressions(s.update, change) };
      case 'return':
        return s.value === undefined ? s : { ...s, value: change(s.value) };
      default:
        return s;
    }
  });
}

/** Replaces locals; a `set` of a local that has a replacement other than a local goes. */
export function settle(list: readonly Stmt[], instead: (name: string) => Expr | undefined): Stmt[] {
  return list.flatMap((s): Stmt[] => {
    const put = (e: Expr): Expr => substitute(e, instead);
    switch (s.k) {
      case 'set': {
        if (s.target.t === 'local') {
          const other = instead(s.target.name);
          if (other !== undefined && other.t !== 'local') {
            return [];
          }
          return [{ ...s, target: other ?? s.target, value: put(s.value) }];
        }
        return [{ ...s, target: s.target.t === 'element' ? { ...s.target, table: put(s.target.table), index: put(s.target.index) } : s.target, value: put(s.value) }];
      }
      case 'do':
        return [{ ...s, value: put(s.value) }];
      case 'call':
        return [{ ...s, target: s.target === undefined ? undefined : (put(s.target) as Local), callee: put(s.callee), args: s.args.map(put) }];
      case 'if':
        return [{ ...s, test: put(s.test), a: settle(s.a, instead), b: settle(s.b, instead) }];
      case 'loop':
        return [{ ...s, test: s.test === undefined ? undefined : put(s.test), body: settle(s.body, instead), update: settle(s.update, instead) }];
      case 'return':
        return [s.value === undefined ? s : { ...s, value: put(s.value) }];
      default:
        return [s];
    }
  });
}
