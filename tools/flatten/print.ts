// Prints a made function as ES5, one statement a line.
import type { Expr, Stmt } from './ir.js';
import { not } from './ir.js';
import { asTest } from './simplify.js';

/** One line of output and the input offset it came from. */
export interface Line {
  readonly text: string;
  readonly at: number;
}

const binaryLevels: Record<string, number> = {
  '||': 1, '&&': 2, '|': 3, '^': 4, '&': 5, '===': 6, '!==': 6, '<': 7, '>': 7, '<=': 7, '>=': 7,
  '<<': 8, '>>': 8, '>>>': 8, '+': 9, '-': 9, '*': 10, '/': 10, '%': 10,
};

/** How the wrapper's variables are called inside the function. */
export type Names = (module: string) => string;

export function printExpr(e: Expr, names: Names, level = 0): string {
  const wrap = (own: number, text: string): string => (own < level ? `(${text})` : text);
  switch (e.t) {
    case 'number':
      return e.value < 0 ? wrap(11, String(e.value)) : String(e.value);
    case 'boolean':
      return String(e.value);
    case 'undefined':
      return wrap(11, 'void 0');
    case 'local':
      return e.name;
    case 'module':
      return names(e.name);
    case 'unary': {
      const operand = printExpr(e.a, names, 11);
      // Two signs in a row would read as one operator.
      return wrap(11, e.op + (/^[+-]/.test(operand) ? ` ${operand}` : operand));
    }
    case 'binary':
    case 'logical': {
      const own = binaryLevels[e.op] as number;
      return wrap(own, `${printExpr(e.a, names, own)} ${e.op} ${printExpr(e.b, names, own + 1)}`);
    }
    case 'choice':
      return wrap(0.5, `${printExpr(asTest(e.test), names, 1)} ? ${printExpr(e.a, names, 0.5)} : ${printExpr(e.b, names, 0.5)}`);
    case 'element':
      return `${printExpr(e.table, names, 12)}[${printExpr(e.index, names)}]`;
    case 'call':
      return `${printExpr(e.callee, names, 12)}(${e.args.map((arg) => printExpr(arg, names)).join(', ')})`;
  }
}

/** The statement as it stands in a line or in the head of a for; undefined when it needs more than that. */
function simple(s: Stmt, names: Names): string | undefined {
  switch (s.k) {
    case 'set':
      return `${printExpr(s.target, names)} ${s.op} ${printExpr(s.value, names)}`;
    case 'do':
      return printExpr(s.value, names);
    case 'call':
      return (s.target === undefined ? '' : `${s.target.name} = `) + printExpr({ t: 'call', callee: s.callee, args: s.args }, names);
    default:
      return undefined;
  }
}

/** What a statement needs around itself: more lines before and after it. */
export type Around = (s: Stmt) => { readonly before: readonly string[]; readonly after: readonly string[] };

export function printBlock(list: readonly Stmt[], names: Names, around: Around, indent: string): Line[] {
  const lines: Line[] = [];
  for (const s of list) {
    const put = (text: string): void => {
      lines.push({ text: indent + text, at: s.at });
    };
    const text = simple(s, names);
    const extra = around(s);
    extra.before.forEach(put);
    if (text !== undefined) {
      put(`${text};`);
    } else {
      switch (s.k) {
        case 'if': {
          // An empty branch is cheaper than a `!`.
          const plain = asTest(s.a.length === 0 ? not(s.test) : s.test);
          const turned = plain.t === 'unary' && plain.op === '!';
          const [one, other] = s.a.length === 0 ? [s.b, s.a] : [s.a, s.b];
          const [test, a, b] = turned ? [plain.a, other, one] : [plain, one, other];
          put(`if (${printExpr(test, names)}) {`);
          lines.push(...printBlock(a, names, around, `${indent}  `));
          if (b.length !== 0) {
            put('} else {');
            lines.push(...printBlock(b, names, around, `${indent}  `));
          }
          put('}');
          break;
        }
        case 'loop': {
          const test = s.test === undefined ? '' : printExpr(asTest(s.test), names);
          const update = s.update.map((part) => simple(part, names)).join(', ');
          put(s.test !== undefined && update === '' ? `while (${test}) {` : `for (;${test === '' ? '' : ` ${test}`};${update === '' ? '' : ` ${update}`}) {`);
          lines.push(...printBlock(s.body, names, around, `${indent}  `));
          put('}');
          break;
        }
        case 'return':
          put(s.value === undefined ? 'return;' : `return ${printExpr(s.value, names)};`);
          break;
        case 'break':
          put('break;');
          break;
        case 'continue':
          put('continue;');
          break;
        default:
          throw new Error(`a statement "${s.k}" has survived`);
      }
    }
    extra.after.forEach(put);
  }
  return lines;
}
