// Lets variables that never hold a value at the same time share one: an engine has few fast ones (Duktape: 256).
//
// Relies on what the hot subset and the lowering give: a variable that only occurs inside a loop is set in each round before
// it is read.
import type { Local, Stmt } from './ir.js';
import { eachExpression, eachPart } from './ir.js';
import { settle } from './substitute.js';

/** Renames the variables of `list` with `newName`, which takes a number; `fixed` keep their names. */
export function shareVariables(list: readonly Stmt[], fixed: ReadonlySet<string>, newName: (index: number) => string): { body: Stmt[]; variables: number } {
  const spans = new Map<string, { from: number; to: number }>();
  const loops: { from: number; touched: Set<string> }[] = [];
  let clock = 0;
  const touch = (name: string): void => {
    if (!fixed.has(name)) {
      spans.set(name, { from: spans.get(name)?.from ?? clock, to: clock });
      loops.forEach(({ touched }) => touched.add(name));
    }
  };
  const walk = (statements: readonly Stmt[]): void => {
    for (const s of statements) {
      clock += 1;
      if (s.k === 'if') {
        eachPart(s.test, (part) => part.t === 'local' && touch(part.name));
        walk(s.a);
        walk(s.b);
      } else if (s.k === 'loop') {
        loops.push({ from: clock, touched: new Set() });
        if (s.test !== undefined) {
          eachPart(s.test, (part) => part.t === 'local' && touch(part.name));
        }
        walk(s.body);
        walk(s.update);
        clock += 1;
        const { from, touched } = loops.pop() as { from: number; touched: Set<string> };
        // What comes from before the loop is needed in every round.
        touched.forEach((name) => (spans.get(name) as { from: number }).from < from && touch(name));
      } else {
        eachExpression([s], (e) => eachPart(e, (part) => part.t === 'local' && touch(part.name)));
      }
    }
  };
  walk(list);
  const free: number[] = [];
  const busy: { index: number; to: number }[] = [];
  const names = new Map<string, string>();
  let variables = 0;
  for (const [name, { from, to }] of [...spans].sort(([, one], [, other]) => one.from - other.from)) {
    for (let at = busy.length - 1; at >= 0; at--) {
      const held = busy[at] as { index: number; to: number };
      if (held.to < from) {
        free.push(held.index);
        busy.splice(at, 1);
      }
    }
    const index = free.pop() ?? variables++;
    busy.push({ index, to });
    names.set(name, newName(index));
  }
  return { body: settle(list, (name): Local | undefined => (names.has(name) ? { t: 'local', name: names.get(name) as string } : undefined)), variables };
}
