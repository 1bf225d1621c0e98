// Makes one function out of a root and the functions it calls: bodies in place of calls, in evaluation order.
import type { AnyNode, CallExpression, Expression, Statement } from 'acorn';
import { UserError } from '../user-error.js';
import type { Effects, Expr, Local, Stmt } from './ir.js';
import type { HotFunction, Program } from './program.js';
import { children } from './program.js';

/** Which calls become bodies. */
export interface Plan {
  readonly inlined: ReadonlySet<string>;
  /** Per table of functions: those tested for and inlined, and whether there can be no other. */
  readonly tables: ReadonlyMap<string, { readonly functions: readonly string[]; readonly closed: boolean }>;
}

/** What `return` means in a body. */
type Returns =
  | { readonly kind: 'root' }
  | { readonly kind: 'value'; readonly region: number; readonly target: Local | undefined }
  /** A condition: true and false go to the ends of regions. */
  | { readonly kind: 'branch'; readonly whenTrue: number; readonly whenFalse: number };

interface Env {
  readonly fn: HotFunction;
  readonly map: Map<string, Expr>;
  readonly returns: Returns;
  /** Regions that `break` and `continue` leave where they are not those of a loop. */
  readonly breakTo: number | undefined;
  readonly continueTo: number | undefined;
}

/** Variables with names of their own; registers.ts lets them share. */
export class Variables {
  private made = 0;

  take(): Local {
    this.made += 1;
    return { t: 'local', name: `@${this.made}` };
  }
}

/** `break` and `continue` inside `node` that belong to it, its own loop or switch included. */
function has(node: AnyNode, type: 'ContinueStatement'): boolean {
  if (node.type === type) {
    return true;
  }
  return children(node).some((child) => child.type !== 'WhileStatement' && child.type !== 'ForStatement' && child.type !== 'DoWhileStatement' && has(child, type));
}

/** The statements of a block or of a statement standing for one. */
function blockOf(node: Statement): readonly Statement[] {
  return node.type === 'BlockStatement' ? node.body : [node];
}

/** `x = value` that a declaration or an assignment is, as text to compare. */
function assignmentText(node: Statement | undefined, code: string): string | undefined {
  const plain = (text: string): string => text.replace(/\/\*.*?\*\//g, '').replace(/\s+/g, ' ');
  if (node?.type === 'VariableDeclaration' && node.declarations.length === 1) {
    const [declarator] = node.declarations;
    return declarator?.init ? plain(`${code.slice(declarator.id.start, declarator.id.end)} = ${code.slice(declarator.init.start, declarator.init.end)}`) : undefined;
  }
  if (node?.type === 'ExpressionStatement' && node.expression.type === 'AssignmentExpression' && node.expression.operator === '=') {
    return plain(code.slice(node.expression.start, node.expression.end));
  }
  return undefined;
}

/** True for `S; while (c) { B; S }`, which is the same as `for (;;) { S; if (!c) break; B }` with S once. */
export function turnsRound(first: Statement, second: Statement | undefined, code: string): boolean {
  if (second?.type !== 'WhileStatement' || second.body.type !== 'BlockStatement') {
    return false;
  }
  const text = assignmentText(first, code);
  const last = second.body.body[second.body.body.length - 1];
  return text !== undefined && text.includes('(') && last?.type !== 'VariableDeclaration' && text === assignmentText(last, code) && !children(second.body).some((child) => has(child, 'ContinueStatement'));
}

const binaryOperators = new Set(['+', '-', '*', '/', '%', '|', '&', '^', '<<', '>>', '>>>', '===', '!==', '<', '>', '<=', '>=']);

function fold(op: string, a: number, b: number): Expr | undefined {
  switch (op) {
    case '+':
    case '-':
    case '*': {
      const value = op === '+' ? a + b : op === '-' ? a - b : a * b;
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? { t: 'number', value } : undefined;
    }
    case '|':
      return { t: 'number', value: a | b };
    case '&':
      return { t: 'number', value: a & b };
    case '<<':
      return { t: 'number', value: a << b };
    case '>>':
      return { t: 'number', value: a >> b };
    case '===':
      return { t: 'boolean', value: a === b };
    case '!==':
      return { t: 'boolean', value: a !== b };
    case '<':
      return { t: 'boolean', value: a < b };
    case '>':
      return { t: 'boolean', value: a > b };
    case '<=':
      return { t: 'boolean', value: a <= b };
    case '>=':
      return { t: 'boolean', value: a >= b };
    default:
      return undefined;
  }
}

/** Guesses for calls that stay calls: of functions that say so, of those too large to be copied, and through tables (what a device does). */
const rarity = { rare: 1 / 4096, large: 1 / 16, table: 1 / 2 };

const nothing: Effects = { reads: new Set(), writes: new Set() };

export class Lowering {
  private regions = 0;
  private readonly stack: string[] = [];

  constructor(
    private readonly program: Program,
    private readonly plan: Plan,
    private readonly variables: Variables,
    private readonly where: (offset: number) => string,
  ) {}

  newRegion(): number {
    this.regions += 1;
    return this.regions;
  }

  /** The body of `fn` as a function of its own with `params` for parameters. */
  root(fn: HotFunction, params: readonly Local[]): Stmt[] {
    const map = new Map<string, Expr>();
    fn.params.forEach((name, index) => map.set(name, params[index] as Local));
    fn.locals.forEach((name) => map.has(name) || map.set(name, this.variables.take()));
    this.stack.push(fn.name);
    const out: Stmt[] = [];
    this.unsetAll(fn, map, out);
    this.block(fn.node.body.body, { fn, map, returns: { kind: 'root' }, breakTo: undefined, continueTo: undefined }, out);
    this.stack.pop();
    return out;
  }

  /** Variables declared without a value hold nothing, at each call anew. */
  private unsetAll(fn: HotFunction, map: ReadonlyMap<string, Expr>, out: Stmt[]): void {
    for (const name of fn.unset) {
      const target = map.get(name);
      if (target?.t === 'local' && !fn.params.includes(name)) {
        out.push({ at: fn.node.start, k: 'set', target, op: '=', value: { t: 'undefined' } });
      }
    }
  }

  private fail(node: AnyNode, reason: string): never {
    throw new UserError(`${this.where(node.start)}: ${reason}.`);
  }

  private block(list: readonly Statement[], env: Env, out: Stmt[]): void {
    for (let index = 0; index < list.length; index++) {
      const node = list[index] as Statement;
      const next = list[index + 1];
      if (next?.type === 'WhileStatement' && turnsRound(node, next, this.program.code)) {
        const body = blockOf(next.body);
        this.loop(next, [node], next.test, body.slice(0, -1), env, out);
        index += 1;
      } else {
        this.statement(node, env, out);
      }
    }
  }

  private nested(node: Statement | null | undefined, env: Env): Stmt[] {
    const out: Stmt[] = [];
    if (node) {
      this.block(blockOf(node), env, out);
    }
    return out;
  }

  private statement(node: Statement, env: Env, out: Stmt[]): void {
    const at = node.start;
    switch (node.type) {
      case 'EmptyStatement':
        return;
      case 'BlockStatement':
        return this.block(node.body, env, out);
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          if (id.type !== 'Identifier') {
            this.fail(id, 'A hot function declares plain variables');
          }
          if (init && !(env.fn.once.has(id.name) && this.constant(id.name, init, env, out))) {
            this.into(this.local(id.name, env), init, env, out);
          }
        }
        return;
      case 'ExpressionStatement':
        return this.effect(node.expression, env, out);
      case 'IfStatement': {
        if (!this.hasBody(node.test, env)) {
          const test = this.expr(node.test, env, out);
          out.push({ at, k: 'if', test, a: this.nested(node.consequent, env), b: this.nested(node.alternate, env) });
          return;
        }
        const whenFalse = this.newRegion();
        const first: Stmt[] = [];
        this.branch(node.test, env, first, undefined, whenFalse);
        first.push(...this.nested(node.consequent, env));
        if (!node.alternate) {
          out.push({ at, k: 'region', id: whenFalse, body: first });
          return;
        }
        const end = this.newRegion();
        first.push({ at, k: 'exit', id: end });
        out.push({ at, k: 'region', id: end, body: [{ at, k: 'region', id: whenFalse, body: first }, ...this.nested(node.alternate, env)] });
        return;
      }
      case 'WhileStatement':
        return this.loop(node, [], node.test, blockOf(node.body), env, out);
      case 'DoWhileStatement': {
        const end = this.newRegion();
        const round = this.newRegion();
        const body: Stmt[] = [{ at, k: 'region', id: round, body: this.nested(node.body, { ...env, breakTo: end, continueTo: round }) }];
        this.branch(node.test, env, body, undefined, end);
        out.push({ at, k: 'region', id: end, body: [{ at, k: 'loop', test: undefined, update: [], body }] });
        return;
      }
      case 'ForStatement': {
        if (node.init?.type === 'VariableDeclaration') {
          this.statement(node.init, env, out);
        } else if (node.init) {
          this.effect(node.init, env, out);
        }
        const update: Stmt[] = [];
        if (node.update) {
          this.effect(node.update, env, update);
        }
        if (update.some((s) => s.k !== 'set' && s.k !== 'do')) {
          const end = this.newRegion();
          const round = this.newRegion();
          const body: Stmt[] = [];
          if (node.test) {
            this.branch(node.test, env, body, undefined, end);
          }
          body.push({ at, k: 'region', id: round, body: this.nested(node.body, { ...env, breakTo: end, continueTo: round }) }, ...update);
          out.push({ at, k: 'region', id: end, body: [{ at, k: 'loop', test: undefined, update: [], body }] });
          return;
        }
        return this.loop(node, [], node.test ?? undefined, blockOf(node.body), env, out, update);
      }
      case 'BreakStatement':
        out.push(env.breakTo === undefined ? { at, k: 'break' } : { at, k: 'exit', id: env.breakTo });
        return;
      case 'ContinueStatement':
        out.push(env.continueTo === undefined ? { at, k: 'continue' } : { at, k: 'exit', id: env.continueTo });
        return;
      case 'ReturnStatement':
        return this.returned(node.argument ?? undefined, node, env, out);
      case 'SwitchStatement':
        return this.choice(node, env, out);
      default:
        return this.fail(node, `A hot function cannot have a ${node.type}`);
    }
  }

  /** A loop that runs `before` at the start of each round, then ends unless `test`. */
  private loop(node: Statement, before: readonly Statement[], test: Expression | undefined, body: readonly Statement[], env: Env, out: Stmt[], update: Stmt[] = []): void {
    const at = node.start;
    const inside: Env = { ...env, breakTo: undefined, continueTo: undefined };
    const round: Stmt[] = [];
    if (test === undefined || (before.length === 0 && !this.hasBody(test, env))) {
      const simple = test === undefined ? undefined : this.expr(test, env, out);
      this.block(body, inside, round);
      out.push({ at, k: 'loop', test: simple?.t === 'boolean' && simple.value ? undefined : simple, update, body: round });
      return;
    }
    const end = this.newRegion();
    this.block(before, env, round);
    this.branch(test, env, round, undefined, end);
    this.block(body, inside, round);
    out.push({ at, k: 'region', id: end, body: [{ at, k: 'loop', test: undefined, update, body: round }] });
  }

  private returned(value: Expression | undefined, node: AnyNode, env: Env, out: Stmt[]): void {
    const at = node.start;
    const { returns } = env;
    if (returns.kind === 'root') {
      out.push({ at, k: 'return', value: value === undefined ? undefined : this.expr(value, env, out) });
      return;
    }
    if (returns.kind === 'branch') {
      if (value !== undefined) {
        this.branch(value, env, out, returns.whenTrue, undefined);
      }
      out.push({ at, k: 'exit', id: returns.whenFalse });
      return;
    }
    if (returns.target !== undefined) {
      if (value === undefined) {
        out.push({ at, k: 'set', target: returns.target, op: '=', value: { t: 'undefined' } });
      } else {
        this.into(returns.target, value, env, out);
      }
    } else if (value !== undefined) {
      this.effect(value, env, out);
    }
    out.push({ at, k: 'exit', id: returns.region });
  }

  /** A switch becomes comparisons: from four constants on, halves first. */
  private choice(node: Extract<Statement, { type: 'SwitchStatement' }>, env: Env, out: Stmt[]): void {
    const at = node.start;
    const value = this.stable(this.expr(node.discriminant, env, out), out, at);
    const end = this.newRegion();
    const fallback = this.newRegion();
    const inside: Env = { ...env, breakTo: end };
    const entries: { key: number; body: readonly Statement[] }[] = [];
    let keys: number[] = [];
    let isDefault = false;
    let otherwise: readonly Statement[] = [];
    node.cases.forEach((entry, index) => {
      if (entry.test) {
        const key = this.expr(entry.test, env, out);
        if (key.t !== 'number') {
          this.fail(entry.test, 'A case of a hot switch is a constant number');
        }
        keys.push(key.value);
      } else {
        isDefault = true;
      }
      const last = index === node.cases.length - 1;
      if (entry.consequent.length === 0 && !last) {
        return;
      }
      const final = entry.consequent[entry.consequent.length - 1];
      const body = final?.type === 'BlockStatement' && entry.consequent.length === 1 ? final.body : entry.consequent;
      if (!last && !endsAlways(body[body.length - 1])) {
        this.fail(entry, 'A case of a hot switch ends with break, continue or return');
      }
      if (isDefault) {
        otherwise = body;
      } else {
        keys.forEach((key) => entries.push({ key, body }));
      }
      keys = [];
      isDefault = false;
    });
    entries.sort((one, other) => one.key - other.key);
    const tree = (from: number, to: number): Stmt[] => {
      if (to - from >= 4) {
        const half = (from + to) >> 1;
        const test: Expr = { t: 'binary', op: '<', a: value, b: { t: 'number', value: (entries[half] as { key: number }).key } };
        return [{ at, k: 'if', test, a: tree(from, half), b: tree(half, to) }];
      }
      let rest: Stmt[] = [{ at, k: 'exit', id: fallback }];
      for (let index = to - 1; index >= from; index--) {
        const entry = entries[index] as { key: number; body: readonly Statement[] };
        const body: Stmt[] = [];
        this.block(entry.body, inside, body);
        body.push({ at, k: 'exit', id: end });
        rest = [{ at, k: 'if', test: { t: 'binary', op: '===', a: value, b: { t: 'number', value: entry.key } }, a: body, b: rest }];
      }
      return rest;
    };
    const found = tree(0, entries.length);
    const last: Stmt[] = [];
    this.block(otherwise, inside, last);
    out.push({ at, k: 'region', id: end, body: [{ at, k: 'region', id: fallback, body: found }, ...last] });
  }

  /** An expression evaluated for its effect. */
  private effect(node: Expression, env: Env, out: Stmt[]): void {
    const at = node.start;
    switch (node.type) {
      case 'AssignmentExpression': {
        if (node.left.type === 'Identifier' && node.operator === '=' && this.hasBody(node.right, env)) {
          const target = this.name(node.left, env);
          if (target.t === 'local') {
            return this.into(target, node.right, env, out);
          }
        }
        if (node.left.type === 'Identifier') {
          const target = this.name(node.left, env);
          if (target.t !== 'local' && target.t !== 'module') {
            this.fail(node, 'A constant is not assigned to');
          }
          // What the target held before a body in the value is what the operator takes.
          const before = node.operator !== '=' && this.hasBody(node.right, env) ? this.stable(target, out, at, true) : undefined;
          const value = this.expr(node.right, env, out);
          out.push(
            before === undefined
              ? { at, k: 'set', target, op: node.operator, value }
              : { at, k: 'set', target, op: '=', value: { t: 'binary', op: node.operator.slice(0, -1), a: before, b: value } },
          );
          return;
        }
        if (node.left.type !== 'MemberExpression' || !node.left.computed) {
          this.fail(node.left, 'A hot function assigns to variables and table elements');
        }
        if (node.operator !== '=' && this.hasBody(node.right, env)) {
          this.fail(node, 'The value of an operator assignment to a table element is not a call of a hot function');
        }
        const [table, index, value] = this.inOrder([node.left.object as Expression, node.left.property as Expression, node.right], env, out) as [Expr, Expr, Expr];
        out.push({ at, k: 'set', target: { t: 'element', table, index }, op: node.operator, value });
        return;
      }
      case 'UpdateExpression': {
        const target = this.expr(node.argument, env, out);
        if (target.t !== 'local' && target.t !== 'module' && target.t !== 'element') {
          this.fail(node, 'A hot function changes variables and table elements');
        }
        out.push({ at, k: 'set', target, op: node.operator === '++' ? '+=' : '-=', value: { t: 'number', value: 1 } });
        return;
      }
      case 'SequenceExpression':
        node.expressions.forEach((part) => this.effect(part, env, out));
        return;
      case 'CallExpression':
        if (this.hasBody(node, env)) {
          return this.called(node, env, out, undefined);
        }
        break;
      case 'LogicalExpression':
      case 'ConditionalExpression':
        if (this.hasBody(node, env)) {
          return this.into(this.variables.take(), node, env, out);
        }
        break;
      default:
        break;
    }
    const value = this.expr(node, env, out);
    if (mayAct(value)) {
      out.push({ at, k: 'do', value });
    }
  }

  /** `target = node`. */
  private into(target: Local, node: Expression, env: Env, out: Stmt[]): void {
    const at = node.start;
    if (this.hasBody(node, env)) {
      if (node.type === 'CallExpression' && this.bodyOf(node, env)) {
        // A body may read what stood in the target, through an argument, after a first result has been placed.
        if (!this.mentions(node, target, env)) {
          return this.called(node, env, out, target);
        }
      } else if ((node.type === 'LogicalExpression' || node.type === 'ConditionalExpression') && !this.mentions(node, target, env)) {
        if (node.type === 'LogicalExpression') {
          this.into(target, node.left, env, out);
          const other: Stmt[] = [];
          this.into(target, node.right, env, other);
          out.push({ at, k: 'if', test: target, a: node.operator === '&&' ? other : [], b: node.operator === '&&' ? [] : other });
          return;
        }
        const whenFalse = this.newRegion();
        const end = this.newRegion();
        const first: Stmt[] = [];
        this.branch(node.test, env, first, undefined, whenFalse);
        this.into(target, node.consequent, env, first);
        first.push({ at, k: 'exit', id: end });
        const second: Stmt[] = [];
        this.into(target, node.alternate, env, second);
        out.push({ at, k: 'region', id: end, body: [{ at, k: 'region', id: whenFalse, body: first }, ...second] });
        return;
      }
    }
    const value = this.expr(node, env, out);
    if (value.t !== 'local' || value.name !== target.name) {
      out.push({ at, k: 'set', target, op: '=', value });
    }
  }

  /** Goes to the end of region `whenTrue` or `whenFalse`; where one is undefined, control goes on behind. */
  private branch(node: Expression, env: Env, out: Stmt[], whenTrue: number | undefined, whenFalse: number | undefined): void {
    const at = node.start;
    if (this.hasBody(node, env)) {
      if (node.type === 'UnaryExpression' && node.operator === '!') {
        return this.branch(node.argument, env, out, whenFalse, whenTrue);
      }
      if (node.type === 'LogicalExpression') {
        const and = node.operator === '&&';
        const decided = and ? whenFalse : whenTrue;
        if (decided !== undefined && (and ? whenTrue : whenFalse) === undefined) {
          this.branch(node.left, env, out, and ? undefined : decided, and ? decided : undefined);
          this.branch(node.right, env, out, whenTrue, whenFalse);
          return;
        }
        const skip = this.newRegion();
        const body: Stmt[] = [];
        this.branch(node.left, env, body, and ? undefined : skip, and ? skip : undefined);
        this.branch(node.right, env, body, whenTrue, whenFalse);
        out.push({ at, k: 'region', id: skip, body });
        return;
      }
      if (node.type === 'CallExpression') {
        const fn = this.inlinedFunction(node, env);
        if (fn !== undefined) {
          const end = this.newRegion();
          const body: Stmt[] = [];
          this.inline(fn, this.inOrder(node.arguments as Expression[], env, out), node, body, { kind: 'branch', whenTrue: whenTrue ?? end, whenFalse: whenFalse ?? end });
          out.push({ at, k: 'region', id: end, body });
          return;
        }
      }
    }
    const test = this.expr(node, env, out);
    const exit = (id: number | undefined): Stmt[] => (id === undefined ? [] : [{ at, k: 'exit', id }]);
    if (test.t === 'boolean' || test.t === 'number') {
      out.push(...exit(test.value ? whenTrue : whenFalse));
      return;
    }
    out.push({ at, k: 'if', test, a: exit(whenTrue), b: exit(whenFalse) });
  }

  /** A value that may be used right behind what has been put in `out`. */
  private expr(node: AnyNode, env: Env, out: Stmt[]): Expr {
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'number') {
          return { t: 'number', value: node.value };
        }
        if (typeof node.value === 'boolean') {
          return { t: 'boolean', value: node.value };
        }
        return this.fail(node, 'A hot function has numbers and booleans only');
      case 'Identifier':
        return this.name(node, env);
      case 'UnaryExpression': {
        if (node.operator === 'void' && node.argument.type === 'Literal') {
          return { t: 'undefined' };
        }
        if (!['-', '+', '~', '!'].includes(node.operator)) {
          return this.fail(node, `A hot function cannot have the operator ${node.operator}`);
        }
        const a = this.expr(node.argument, env, out);
        if (a.t === 'number' && node.operator === '-' && a.value !== 0) {
          return { t: 'number', value: -a.value };
        }
        return a.t === 'boolean' && node.operator === '!' ? { t: 'boolean', value: !a.value } : { t: 'unary', op: node.operator, a };
      }
      case 'BinaryExpression': {
        if (!binaryOperators.has(node.operator)) {
          return this.fail(node, `A hot function cannot have the operator ${node.operator}`);
        }
        const [a, b] = this.inOrder([node.left as Expression, node.right], env, out) as [Expr, Expr];
        return (a.t === 'number' && b.t === 'number' ? fold(node.operator, a.value, b.value) : undefined) ?? { t: 'binary', op: node.operator, a, b };
      }
      case 'LogicalExpression':
      case 'ConditionalExpression': {
        if (this.hasBody(node, env)) {
          const target = this.variables.take();
          this.into(target, node, env, out);
          return target;
        }
        if (node.type === 'LogicalExpression') {
          if (node.operator !== '&&' && node.operator !== '||') {
            return this.fail(node, `A hot function cannot have the operator ${node.operator}`);
          }
          const a = this.expr(node.left, env, out);
          if (a.t === 'boolean') {
            return a.value === (node.operator === '&&') ? this.expr(node.right, env, out) : a;
          }
          return { t: 'logical', op: node.operator, a, b: this.expr(node.right, env, out) };
        }
        const test = this.expr(node.test, env, out);
        if (test.t === 'boolean') {
          return this.expr(test.value ? node.consequent : node.alternate, env, out);
        }
        return { t: 'choice', test, a: this.expr(node.consequent, env, out), b: this.expr(node.alternate, env, out) };
      }
      case 'MemberExpression': {
        if (!node.computed) {
          return this.fail(node, 'A hot function does not use properties');
        }
        const [table, index] = this.inOrder([node.object as Expression, node.property as Expression], env, out) as [Expr, Expr];
        const single = this.singleOf(table);
        return single !== undefined && !mayAct(index) ? { t: 'module', name: `${single}[0]` } : { t: 'element', table, index };
      }
      case 'CallExpression': {
        if (this.bodyOf(node, env)) {
          const target = this.variables.take();
          this.called(node, env, out, target);
          return target;
        }
        const [callee, ...args] = this.inOrder([node.callee as Expression, ...(node.arguments as Expression[])], env, out) as [Expr, ...Expr[]];
        return { t: 'call', callee, args };
      }
      default:
        return this.fail(node, `A hot function cannot have a ${node.type}`);
    }
  }

  private singleOf(table: Expr): string | undefined {
    return table.t === 'module' && this.program.fixed.get(table.name) === 1 ? table.name : undefined;
  }

  /** Values of several expressions as they are when the last one has been evaluated. */
  private inOrder(nodes: readonly Expression[], env: Env, out: Stmt[]): Expr[] {
    const last = nodes.reduce((most, node, index) => (this.hasBody(node, env) ? index : most), -1);
    return nodes.map((node, index) => {
      const value = this.expr(node, env, out);
      return index < last ? this.stable(value, out, node.start) : value;
    });
  }

  /** `value`, in a variable of its own when later statements could change it. */
  private stable(value: Expr, out: Stmt[], at: number, always = false): Expr {
    const fixed =
      value.t === 'number' || value.t === 'boolean' || value.t === 'undefined' || (value.t === 'local' && !always) ||
      (value.t === 'module' && this.program.variables.get(value.name)?.assigned !== true);
    if (fixed) {
      return value;
    }
    const target = this.variables.take();
    out.push({ at, k: 'set', target, op: '=', value });
    return target;
  }

  /** Lets `name` stand for the constant or table that is all it ever holds; false when it holds something else. */
  private constant(name: string, init: Expression, env: Env, out: Stmt[]): boolean {
    if (this.hasBody(init, env) || (init.type !== 'Identifier' && init.type !== 'MemberExpression' && init.type !== 'Literal')) {
      return false;
    }
    const value = this.expr(init, env, out);
    const constant = value.t === 'number' || value.t === 'boolean' || (value.t === 'module' && this.program.variables.get(value.name)?.assigned !== true);
    if (constant) {
      env.map.set(name, value);
    }
    return constant;
  }

  private local(name: string, env: Env): Local {
    const found = env.map.get(name);
    if (found?.t !== 'local') {
      throw new Error(`${name} is not a variable of ${env.fn.name}`);
    }
    return found;
  }

  private name(node: { name: string; start: number; type: 'Identifier' } & AnyNode, env: Env): Expr {
    const own = env.map.get(node.name);
    if (own !== undefined) {
      return own;
    }
    if (node.name === 'undefined') {
      return { t: 'undefined' };
    }
    const variable = this.program.variables.get(node.name);
    if (variable !== undefined && !variable.assigned && variable.init !== undefined) {
      const { init } = variable;
      if (init.type === 'Literal' && (typeof init.value === 'number' || typeof init.value === 'boolean')) {
        return typeof init.value === 'number' ? { t: 'number', value: init.value } : { t: 'boolean', value: init.value };
      }
      if (init.type === 'UnaryExpression' && init.operator === '-' && init.argument.type === 'Literal' && typeof init.argument.value === 'number' && init.argument.value !== 0) {
        return { t: 'number', value: -init.argument.value };
      }
    }
    if (variable === undefined && !this.program.functions.has(node.name)) {
      return this.fail(node, `"${node.name}" is not a name a hot function may use`);
    }
    return { t: 'module', name: node.name };
  }

  /** The function of the wrapper that `node` calls. */
  private calledFunction(node: CallExpression, env: Env): HotFunction | undefined {
    return node.callee.type === 'Identifier' && !env.map.has(node.callee.name) ? functionNamed(node.callee.name, this.program) : undefined;
  }

  private inlinedFunction(node: CallExpression, env: Env): HotFunction | undefined {
    const fn = this.calledFunction(node, env);
    return fn !== undefined && this.plan.inlined.has(fn.name) ? fn : undefined;
  }

  /** True when the call becomes statements: a body, or a call that may change the wrapper's variables. */
  private bodyOf(node: CallExpression, env: Env): boolean {
    return !(node.callee.type === 'Identifier' && !env.map.has(node.callee.name) && this.program.natives.has(node.callee.name));
  }

  /** The table of functions that `node` calls through. */
  private tableOf(node: CallExpression, env: Env): string | undefined {
    const { callee } = node as { callee: AnyNode };
    return callee.type === 'MemberExpression' && callee.computed && callee.object.type === 'Identifier' && !env.map.has(callee.object.name) ? callee.object.name : undefined;
  }

  private hasBody(node: AnyNode, env: Env): boolean {
    return (node.type === 'CallExpression' && this.bodyOf(node, env)) || children(node).some((child) => this.hasBody(child, env));
  }

  private mentions(node: AnyNode, target: Local, env: Env): boolean {
    if (node.type === 'Identifier') {
      const own = env.map.get(node.name);
      return own?.t === 'local' && own.name === target.name;
    }
    return children(node).some((child) => this.mentions(child, target, env));
  }

  /** The statements of a call; its result goes to `target`. */
  private called(node: CallExpression, env: Env, out: Stmt[], target: Local | undefined): void {
    const at = node.start;
    const nodes = node.arguments as Expression[];
    const fn = this.calledFunction(node, env);
    const intoBody = (callee: HotFunction, args: readonly Expr[], list: Stmt[]): void => {
      const region = this.newRegion();
      const body: Stmt[] = [];
      this.inline(callee, args, node, body, { kind: 'value', region, target });
      list.push({ at, k: 'region', id: region, body });
    };
    if (fn !== undefined) {
      const args = this.inOrder(nodes, env, out);
      if (this.plan.inlined.has(fn.name)) {
        intoBody(fn, args, out);
      } else {
        out.push({ at, k: 'call', target, callee: { t: 'module', name: fn.name }, args, effects: fn.effects, rarity: fn.rare ? rarity.rare : rarity.large });
      }
      return;
    }
    const table = this.tableOf(node, env);
    if (table === undefined) {
      const [callee, ...args] = this.inOrder([node.callee as Expression, ...nodes], env, out) as [Expr, ...Expr[]];
      out.push({ at, k: 'call', target, callee, args, effects: this.effectsOf([...this.program.escaping]), rarity: rarity.table });
      return;
    }
    const index = (node.callee as Extract<Expression, { type: 'MemberExpression' }>).property as Expression;
    const planned = this.plan.tables.get(table) ?? { functions: [], closed: false };
    const names = [...planned.functions];
    const only = names[names.length - 1];
    const elementAt = (place: Expr): Expr => ({ t: 'element', table: { t: 'module', name: table }, index: place });
    let chosen: Expr;
    let args: Expr[];
    if (names.length === 0) {
      const [place, ...values] = this.inOrder([index, ...nodes], env, out) as [Expr, ...Expr[]];
      chosen = elementAt(place);
      args = values;
    } else {
      const place = this.expr(index, env, out);
      const certain = planned.closed && names.length === 1 && only !== undefined && !mayAct(place);
      // What is called is evaluated before the arguments.
      chosen = certain ? elementAt(place) : this.stable(elementAt(place), out, at);
      args = this.inOrder(nodes, env, out);
      if (certain) {
        return intoBody(this.program.functions.get(only) as HotFunction, args, out);
      }
      args = args.map((value) => this.stable(value, out, at));
    }
    const possible = this.program.tableFunctions.get(table) ?? [...this.program.escaping];
    let rest: Stmt[] = [];
    if (planned.closed && only !== undefined) {
      names.pop();
      intoBody(this.program.functions.get(only) as HotFunction, args, rest);
    } else {
      rest = [{ at, k: 'call', target, callee: chosen, args, effects: this.effectsOf(possible), rarity: rarity.table }];
    }
    for (const name of names.reverse()) {
      const body: Stmt[] = [];
      intoBody(this.program.functions.get(name) as HotFunction, args, body);
      rest = [{ at, k: 'if', test: { t: 'binary', op: '===', a: chosen, b: { t: 'module', name } }, a: body, b: rest }];
    }
    out.push(...rest);
  }

  private effectsOf(names: readonly string[]): Effects {
    const all = names.map((name) => this.program.functions.get(name)?.effects ?? nothing);
    return { reads: new Set(all.flatMap(({ reads }) => [...reads])), writes: new Set(all.flatMap(({ writes }) => [...writes])) };
  }

  /** The body of `fn` with `args` for its parameters. */
  private inline(fn: HotFunction, args: readonly Expr[], node: AnyNode, out: Stmt[], returns: Returns): void {
    if (this.stack.includes(fn.name)) {
      this.fail(node, `Recursion: ${[...this.stack.slice(this.stack.indexOf(fn.name)), fn.name].join(' calls ')}`);
    }
    this.stack.push(fn.name);
    const map = new Map<string, Expr>();
    const at = node.start;
    fn.params.forEach((name, index) => {
      const value = args[index] ?? { t: 'undefined' };
      const substitute =
        !fn.assigned.has(name) &&
        (value.t === 'number' || value.t === 'boolean' || value.t === 'undefined' || value.t === 'local' ||
          (value.t === 'module' && this.program.variables.get(value.name)?.assigned !== true));
      if (substitute) {
        map.set(name, value);
      } else {
        const slot = this.variables.take();
        map.set(name, slot);
        out.push({ at, k: 'set', target: slot, op: '=', value });
      }
    });
    args.slice(fn.params.length).filter(mayAct).forEach((value) => out.push({ at, k: 'do', value }));
    for (const name of fn.locals) {
      if (!map.has(name)) {
        const slot = this.variables.take();
        map.set(name, slot);
      }
    }
    this.unsetAll(fn, map, out);
    const env: Env = { fn, map, returns, breakTo: undefined, continueTo: undefined };
    this.block(fn.node.body.body, env, out);
    const last = fn.node.body.body[fn.node.body.body.length - 1];
    if (!endsAlways(last)) {
      this.returned(undefined, fn.node, env, out);
    }
    this.stack.pop();
  }
}

/** The function a name of the wrapper stands for, through constants that are names for functions. */
export function functionNamed(name: string, program: Program): HotFunction | undefined {
  const variable = program.variables.get(name);
  return variable?.assigned === false && variable.init?.type === 'Identifier' ? functionNamed(variable.init.name, program) : program.functions.get(name);
}

/** True for a statement behind which nothing is reached. */
function endsAlways(node: Statement | undefined): boolean {
  switch (node?.type) {
    case 'ReturnStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return true;
    case 'BlockStatement':
      return endsAlways(node.body[node.body.length - 1]);
    case 'IfStatement':
      return endsAlways(node.consequent) && endsAlways(node.alternate ?? undefined);
    default:
      return false;
  }
}

/** True when evaluating the expression can do something: it calls. */
function mayAct(e: Expr): boolean {
  switch (e.t) {
    case 'call':
      return true;
    case 'unary':
      return mayAct(e.a);
    case 'binary':
    case 'logical':
      return mayAct(e.a) || mayAct(e.b);
    case 'choice':
      return mayAct(e.test) || mayAct(e.a) || mayAct(e.b);
    case 'element':
      return mayAct(e.table) || mayAct(e.index);
    default:
      return false;
  }
}
