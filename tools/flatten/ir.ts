// The flattener's own form of a function: expressions without side effects, and statements with forward exits.

/** What an expression may be in the hot subset. */
export type Expr =
  | { readonly t: 'number'; readonly value: number }
  | { readonly t: 'boolean'; readonly value: boolean }
  | { readonly t: 'undefined' }
  /** A variable of the function being made. */
  | { readonly t: 'local'; readonly name: string }
  /** A variable or function of the wrapper. */
  | { readonly t: 'module'; readonly name: string }
  | { readonly t: 'unary'; readonly op: string; readonly a: Expr }
  | { readonly t: 'binary'; readonly op: string; readonly a: Expr; readonly b: Expr }
  | { readonly t: 'logical'; readonly op: '&&' | '||'; readonly a: Expr; readonly b: Expr }
  | { readonly t: 'choice'; readonly test: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly t: 'element'; readonly table: Expr; readonly index: Expr }
  | { readonly t: 'call'; readonly callee: Expr; readonly args: readonly Expr[] };

export type Target = Extract<Expr, { t: 'local' | 'module' | 'element' }>;
export type Local = Extract<Expr, { t: 'local' }>;

/**
 * Statements. A region is a block that an exit with its number leaves, forwards only; exits.ts turns both into ifs, loops
 * and breaks. `at` is an offset in the input, for the source map.
 */
export type Stmt = { readonly at: number } & (
  | { readonly k: 'set'; readonly target: Target; readonly op: string; readonly value: Expr }
  /** A native call, or anything else evaluated for its effect. */
  | { readonly k: 'do'; readonly value: Expr }
  /**
   * A call of a function that stays a function and may use the wrapper's variables. `rarity` is a guess how often it is made when
   * the branch it stands in could be taken, 0 to 1.
   */
  | { readonly k: 'call'; readonly target: Local | undefined; readonly callee: Expr; readonly args: readonly Expr[]; readonly effects: Effects; readonly rarity: number }
  | { readonly k: 'if'; readonly test: Expr; readonly a: readonly Stmt[]; readonly b: readonly Stmt[] }
  | { readonly k: 'loop'; readonly test: Expr | undefined; readonly update: readonly Stmt[]; readonly body: readonly Stmt[] }
  | { readonly k: 'break' }
  | { readonly k: 'continue' }
  | { readonly k: 'return'; readonly value: Expr | undefined }
  | { readonly k: 'region'; readonly id: number; readonly body: readonly Stmt[] }
  | { readonly k: 'exit'; readonly id: number }
);

/** The wrapper's variables that a function and what it calls read and write. */
export interface Effects {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** Calls `see` for `e` and every part of it. */
export function eachPart(e: Expr, see: (part: Expr) => void): void {
  see(e);
  switch (e.t) {
    case 'unary':
      return eachPart(e.a, see);
    case 'binary':
    case 'logical':
      eachPart(e.a, see);
      return eachPart(e.b, see);
    case 'choice':
      eachPart(e.test, see);
      eachPart(e.a, see);
      return eachPart(e.b, see);
    case 'element':
      eachPart(e.table, see);
      return eachPart(e.index, see);
    case 'call':
      eachPart(e.callee, see);
      e.args.forEach((arg) => eachPart(arg, see));
      return;
    default:
      return;
  }
}

/** How often a branch is taken, as a guess: half the times, or as often as a call in it is thought to be made. */
function branchShare(list: readonly Stmt[]): number {
  return list.reduce((share, s) => (s.k === 'call' ? Math.min(share, s.rarity) : share), 1 / 2);
}

/** Calls `see` for every statement of `list` and below; `weight` counts loops as ten rounds and branches by `branchShare`. */
export function eachStatement(list: readonly Stmt[], see: (s: Stmt, weight: number) => void, weight = 1): void {
  for (const s of list) {
    see(s, weight);
    if (s.k === 'if') {
      eachStatement(s.a, see, weight * branchShare(s.a));
      eachStatement(s.b, see, weight * branchShare(s.b));
    } else if (s.k === 'loop') {
      eachStatement(s.body, see, weight * 10);
      eachStatement(s.update, see, weight * 10);
    } else if (s.k === 'region') {
      eachStatement(s.body, see, weight);
    }
  }
}

/** Calls `see` for every expression that stands in a statement of `list` or below; `weight` is that of `eachStatement`, in a loop's test that of its rounds. */
export function eachExpression(list: readonly Stmt[], see: (e: Expr, weight: number, written: boolean) => void): void {
  eachStatement(list, (s, weight) => {
    switch (s.k) {
      case 'set':
        see(s.target, weight, s.target.t !== 'element');
        see(s.value, weight, false);
        break;
      case 'do':
        see(s.value, weight, false);
        break;
      case 'call':
        see(s.callee, weight, false);
        s.args.forEach((arg) => see(arg, weight, false));
        if (s.target !== undefined) {
          see(s.target, weight, true);
        }
        break;
      case 'if':
        see(s.test, weight, false);
        break;
      case 'loop':
        if (s.test !== undefined) {
          see(s.test, weight * 10, false);
        }
        break;
      case 'return':
        if (s.value !== undefined) {
          see(s.value, weight, false);
        }
        break;
      default:
        break;
    }
  });
}

/** Size of code in expressions and statements. */
export function sizeOf(list: readonly Stmt[]): number {
  let size = 0;
  eachStatement(list, () => size++);
  eachExpression(list, (e) => eachPart(e, () => size++));
  return size;
}

const opposites: Record<string, string> = { '===': '!==', '!==': '===', '<': '>=', '>=': '<', '>': '<=', '<=': '>' };

/** The opposite of a condition. Comparisons turn round, which is right because every number of the subset is an integer. */
export function not(e: Expr): Expr {
  switch (e.t) {
    case 'boolean':
      return { t: 'boolean', value: !e.value };
    case 'unary':
      return e.op === '!' ? e.a : { t: 'unary', op: '!', a: e };
    case 'binary':
      return opposites[e.op] === undefined ? { t: 'unary', op: '!', a: e } : { ...e, op: opposites[e.op] as string };
    case 'logical':
      return { t: 'logical', op: e.op === '&&' ? '||' : '&&', a: not(e.a), b: not(e.b) };
    default:
      return { t: 'unary', op: '!', a: e };
  }
}
