// Turns regions and exits into plain ifs and loops: no labels, which not every engine has and which cost Duktape a catcher.
//
// What follows an exit that not every path takes moves into the paths that do not take it. Only where that would double
// code, or where an exit leaves a loop that can also end by itself, a flag says which way was taken.
import type { Expr, Local, Stmt } from './ir.js';
import { eachExpression, eachPart, not, sizeOf } from './ir.js';

/** Code up to this size is repeated rather than guarded by a flag. */
const repeatable = 24;

interface Context {
  /** Regions that end where the list ends. */
  readonly tail: ReadonlySet<number>;
  /** Regions whose end a `break` or `continue` of the loop around reaches. */
  readonly byBreak: ReadonlySet<number>;
  readonly byContinue: ReadonlySet<number>;
  /** True when the list ends where the body of the loop around ends. */
  readonly endsRound: boolean;
}

const none: ReadonlySet<number> = new Set();

function plus(set: ReadonlySet<number>, id: number): ReadonlySet<number> {
  return new Set([...set, id]);
}

/** How often each region is left from inside `list`. */
function exitCounts(list: readonly Stmt[], counts = new Map<number, number>()): Map<number, number> {
  for (const s of list) {
    if (s.k === 'exit') {
      counts.set(s.id, (counts.get(s.id) ?? 0) + 1);
    } else if (s.k === 'if') {
      exitCounts(s.a, counts);
      exitCounts(s.b, counts);
    } else if (s.k === 'loop' || s.k === 'region') {
      exitCounts(s.body, counts);
    }
  }
  return counts;
}

/** True when a `break` in `list` would leave the loop around it. */
function breaks(list: readonly Stmt[]): boolean {
  return list.some((s) => s.k === 'break' || (s.k === 'if' && (breaks(s.a) || breaks(s.b))) || (s.k === 'region' && breaks(s.body)));
}

/** True when control can arrive at the end of the statement. */
function completes(s: Stmt): boolean {
  switch (s.k) {
    case 'exit':
    case 'break':
    case 'continue':
    case 'return':
      return false;
    case 'if':
      return allComplete(s.a) || allComplete(s.b);
    case 'region':
      return allComplete(s.body) || exitCounts(s.body).has(s.id);
    case 'loop':
      return s.test !== undefined || breaks(s.body);
    default:
      return true;
  }
}

function allComplete(list: readonly Stmt[]): boolean {
  return list.every(completes);
}

/** `list` without what nothing reaches. */
function reachable(list: readonly Stmt[]): readonly Stmt[] {
  const last = list.findIndex((s) => !completes(s));
  return last < 0 ? list : list.slice(0, last + 1);
}

/** `list` with each exit of `id` that is not inside a loop (or, with `loops`, wherever it is) replaced. */
function replaceExits(list: readonly Stmt[], id: number, replacement: (at: number) => readonly Stmt[], loops: boolean): Stmt[] {
  return list.flatMap((s): readonly Stmt[] => {
    switch (s.k) {
      case 'exit':
        return s.id === id ? replacement(s.at) : [s];
      case 'if':
        return [{ ...s, a: replaceExits(s.a, id, replacement, loops), b: replaceExits(s.b, id, replacement, loops) }];
      case 'region':
        return [{ ...s, body: replaceExits(s.body, id, replacement, loops) }];
      case 'loop':
        return loops ? [{ ...s, body: replaceExits(s.body, id, replacement, loops) }] : [s];
      default:
        return [s];
    }
  });
}

/** Exits of `id` that are inside loops of `list`. */
function exitsInLoops(list: readonly Stmt[], id: number): boolean {
  return list.some((s) =>
    s.k === 'loop' ? exitCounts(s.body).has(id) : s.k === 'if' ? exitsInLoops(s.a, id) || exitsInLoops(s.b, id) : s.k === 'region' && exitsInLoops(s.body, id),
  );
}

function isConstant(e: Expr): boolean {
  return e.t === 'number' || e.t === 'boolean' || (e.t === 'unary' && e.a.t === 'number');
}

/** True when `name` occurs in `list` only as the target of a `set` right before an exit of `id`. */
function setOnlyBefore(list: readonly Stmt[], name: string, id: number): boolean {
  let uses = 0;
  let good = 0;
  eachExpression(list, (e) => eachPart(e, (part) => (uses += part.t === 'local' && part.name === name ? 1 : 0)));
  const look = (part: readonly Stmt[]): void => {
    part.forEach((s, index) => {
      const next = part[index + 1];
      if (s.k === 'set' && s.target.t === 'local' && s.target.name === name && s.op === '=' && next?.k === 'exit' && next.id === id) {
        good += 1;
      } else if (s.k === 'if') {
        look(s.a);
        look(s.b);
      } else if (s.k === 'loop' || s.k === 'region') {
        look(s.body);
      }
    });
  };
  look(list);
  return uses === good && good === (exitCounts(list).get(id) ?? 0);
}

/** Removes all regions and exits. `newFlag` names a variable that nothing else uses, `newId` a region. */
export function removeExits(list: readonly Stmt[], newFlag: () => string, newId: () => number): Stmt[] {
  const flag = (): Local => ({ t: 'local', name: newFlag() });
  const set = (at: number, target: Local, value: boolean): Stmt => ({ at, k: 'set', target, op: '=', value: { t: 'boolean', value } });

  /** Exits of `body` to each of `ids` become a flag and an exit of `to`; the tests of the flags follow. */
  const flagged = (body: readonly Stmt[], ids: readonly number[], to: number, at: number): { before: Stmt[]; body: readonly Stmt[]; after: Stmt[] } => {
    const before: Stmt[] = [];
    const after: Stmt[] = [];
    let changed = body;
    for (const id of ids) {
      const taken = flag();
      before.push(set(at, taken, false));
      changed = replaceExits(changed, id, (where) => [set(where, taken, true), { at: where, k: 'exit', id: to }], true);
      after.push({ at, k: 'if', test: taken, a: [{ at, k: 'exit', id }], b: [] });
    }
    return { before, body: changed, after };
  };

  // Copies of copies would grow without end.
  let left = sizeOf(list) / 4;
  const affordable = (part: readonly Stmt[], times: number): boolean => {
    const size = sizeOf(part);
    if (times === 1) {
      return true;
    }
    if (size > repeatable || times > 4 || size * (times - 1) > left) {
      return false;
    }
    left -= size * (times - 1);
    return true;
  };

  /** A copy with regions of its own, so that no number stands for two regions. */
  const copy = (part: readonly Stmt[], numbers = new Map<number, number>()): Stmt[] =>
    part.map((s): Stmt => {
      switch (s.k) {
        case 'region': {
          const id = newId();
          numbers.set(s.id, id);
          return { ...s, id, body: copy(s.body, numbers) };
        }
        case 'exit':
          return { ...s, id: numbers.get(s.id) ?? s.id };
        case 'if':
          return { ...s, a: copy(s.a, numbers), b: copy(s.b, numbers) };
        case 'loop':
          return { ...s, body: copy(s.body, numbers) };
        default:
          return s;
      }
    });

  const remove = (all: readonly Stmt[], context: Context): Stmt[] => {
    const statements = reachable(all);
    const out: Stmt[] = [];
    const middle: Context = { ...context, tail: none, endsRound: false };
    const jumps = (id: number): boolean => context.byBreak.has(id) || context.byContinue.has(id);
    for (let index = 0; index < statements.length; index++) {
      const s = statements[index] as Stmt;
      const rest = statements.slice(index + 1);
      switch (s.k) {
        case 'exit':
          if (!context.tail.has(s.id)) {
            if (!jumps(s.id)) {
              throw new Error(`an exit of region ${s.id} has no way out`);
            }
            out.push({ at: s.at, k: context.byBreak.has(s.id) ? 'break' : 'continue' });
          }
          return out;
        case 'return':
        case 'break':
        case 'continue':
          out.push(s);
          return out;
        case 'region': {
          const counts = exitCounts(s.body);
          const exits = counts.get(s.id) ?? 0;
          if (exits === 0) {
            return [...out, ...remove([...s.body, ...rest], context)];
          }
          if (rest.length === 0) {
            return [
              ...out,
              ...remove(s.body, {
                ...context,
                tail: plus(context.tail, s.id),
                byContinue: context.endsRound ? plus(context.byContinue, s.id) : context.byContinue,
              }),
            ];
          }
          const arrivals = exits + (allComplete(s.body) ? 1 : 0);
          if (!exitsInLoops(s.body, s.id) && affordable(rest, arrivals)) {
            const end = newId();
            const moved = (at: number): readonly Stmt[] => [...copy(rest), { at, k: 'exit', id: end }];
            const behind = allComplete(s.body) ? rest : [];
            return [...out, ...remove([{ at: s.at, k: 'region', id: end, body: [...replaceExits(s.body, s.id, moved, false), ...behind] }], context)];
          }
          const others = [...counts.keys()].filter((id) => id !== s.id && !jumps(id) && !bound(s.body, id));
          if (others.length === 0) {
            out.push(...remove(s.body, { ...middle, tail: new Set([s.id]) }));
            break;
          }
          const { before, body, after } = flagged(s.body, others, s.id, s.at);
          return [...out, ...before, ...remove([{ ...s, body }, ...after, ...rest], context)];
        }
        case 'if': {
          if (s.test.t === 'boolean') {
            return [...out, ...remove([...(s.test.value ? s.a : s.b), ...rest], context)];
          }
          const stays = rest.length === 0 || (!allComplete(s.a) && !allComplete(s.b));
          if (stays) {
            out.push(...tidyIf({ ...s, a: remove(s.a, context), b: remove(s.b, context) }));
            return out;
          }
          const counts = exitCounts([s]);
          const needed = [...counts.keys()].filter((id) => !jumps(id) && !bound([s], id));
          if (needed.length === 0) {
            out.push(...tidyIf({ ...s, a: remove(s.a, middle), b: remove(s.b, middle) }));
            break;
          }
          if (!allComplete(s.a)) {
            out.push(...tidyIf({ ...s, a: remove(s.a, context), b: remove([...s.b, ...rest], context) }));
            return out;
          }
          if (!allComplete(s.b)) {
            out.push(...tidyIf({ ...s, a: remove([...s.a, ...rest], context), b: remove(s.b, context) }));
            return out;
          }
          if (affordable(rest, 2)) {
            out.push(...tidyIf({ ...s, a: remove([...s.a, ...rest], context), b: remove([...s.b, ...copy(rest)], context) }));
            return out;
          }
          const id = newId();
          const { before, body, after } = flagged([s], needed, id, s.at);
          return [...out, ...before, ...remove([{ at: s.at, k: 'region', id, body }, ...after, ...rest], context)];
        }
        case 'loop': {
          const needed = [...exitCounts(s.body).keys()].filter((id) => !bound(s.body, id));
          const next = rest[0];
          /** Exits that lead to where the loop's own end leads. */
          const same = (id: number): boolean => (rest.length === 0 ? context.tail.has(id) : next?.k === 'exit' && next.id === id);
          const inside = (body: readonly Stmt[], byBreak: ReadonlySet<number>): Stmt =>
            ({ ...s, body: remove(body, { tail: none, byBreak, byContinue: none, endsRound: true }) });
          if (!completes(s) && needed.length === 1) {
            const id = needed[0] as number;
            out.push(inside(s.body, new Set([id])));
            return [...out, ...remove([{ at: s.at, k: 'exit', id }], context)];
          }
          const preset = rest[0];
          const behind = rest[1];
          const only = needed.filter((id) => !same(id));
          if (
            preset?.k === 'set' && preset.target.t === 'local' && preset.op === '=' && isConstant(preset.value) && only.length === 1 &&
            (behind === undefined ? context.tail.has(only[0] as number) : behind.k === 'exit' && behind.id === only[0]) &&
            (s.test === undefined || !mentions(s.test, preset.target.name)) &&
            setOnlyBefore([...s.body, ...s.update], preset.target.name, only[0] as number)
          ) {
            return [...out, preset, ...remove([s, ...rest.slice(1)], context)];
          }
          if (only.length === 0) {
            out.push(inside(s.body, new Set(needed)));
            break;
          }
          const end = newId();
          const { before, body, after } = flagged(s.body, only, end, s.at);
          const byBreak = new Set([...needed.filter(same), end]);
          out.push(...before, inside(body, byBreak));
          return [...out, ...remove([...after, ...rest], context)];
        }
        default:
          out.push(s);
          break;
      }
    }
    return out;
  };
  return remove(list, { tail: none, byBreak: none, byContinue: none, endsRound: false });
}

function mentions(e: Expr, name: string): boolean {
  let found = false;
  eachPart(e, (part) => (found ||= part.t === 'local' && part.name === name));
  return found;
}

/** True when the region `id` lies inside `list`. */
function bound(list: readonly Stmt[], id: number): boolean {
  return list.some((s) => (s.k === 'region' && (s.id === id || bound(s.body, id))) || (s.k === 'loop' && bound(s.body, id)) || (s.k === 'if' && (bound(s.a, id) || bound(s.b, id))));
}

/** An if without empty branches, or what is left of it. */
function tidyIf(s: Extract<Stmt, { k: 'if' }>): Stmt[] {
  if (s.a.length === 0 && s.b.length === 0) {
    return calls(s.test) ? [{ at: s.at, k: 'do', value: s.test }] : [];
  }
  return [s.a.length === 0 ? { ...s, test: not(s.test), a: s.b, b: s.a } : s];
}

function calls(e: Expr): boolean {
  let found = false;
  eachPart(e, (part) => (found ||= part.t === 'call'));
  return found;
}
