// Takes the validation out of the rings, to measure what it costs: a build that believes the driver. What C checks while it reads a
// descriptor (platforms/engine/descriptors.c) stays: it is no instruction of the engine's.
import { parse, type AnyNode } from 'acorn';
import { children } from '../flatten/program.js';
import { UserError } from '../user-error.js';

/**
 * What a function returns when it refuses something, by file. Everything else that an `if` returns is an answer: an empty ring,
 * an element without bytes.
 */
const refusals: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  'virtqueue/chain.hot': [false, 65536],
  'virtqueue/split.hot': [false, -2],
  'virtqueue/packed.hot': [false, -2],
};

/** The one value that the statement returns, or undefined when it does anything else. */
function returned(statement: AnyNode): unknown {
  const [only, another] = statement.type === 'BlockStatement' ? statement.body : [statement];
  const argument = only?.type === 'ReturnStatement' && another === undefined ? only.argument : undefined;
  if (argument === undefined || argument === null) {
    return undefined;
  }
  if (argument.type === 'UnaryExpression' && argument.operator === '-' && argument.argument.type === 'Literal') {
    return -Number(argument.argument.value);
  }
  return argument.type === 'Literal' ? argument.value : undefined;
}

function callsSomething(node: AnyNode): boolean {
  return node.type === 'CallExpression' || children(node).some(callsSomething);
}

function each(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  children(node).forEach((child) => each(child, visit));
}

/** Spaces in place of all but line ends, so that the source map stays right. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/**
 * The code of a compiled hot file without its refusals, at the same places; files that refuse nothing come back as they are. What
 * a test calls is still called. `file` is the source's path.
 */
export function unchecked(code: string, file: string): string {
  const name = file.replace(/\.(ts|js)$/, '').split(/[\\/]/).slice(-2).join('/');
  let result = code;
  const put = (from: number, to: number, text: string): void => {
    result = result.slice(0, from) + text + result.slice(to);
  };
  const known = refusals[name];
  if (known === undefined) {
    return code;
  }
  let removed = 0;
  each(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    if (node.type === 'IfStatement' && (node.alternate ?? undefined) === undefined && known.includes(returned(node.consequent) as number)) {
      const { test } = node;
      const kept = callsSomething(test) ? `${code.slice(test.start, test.end)};` : '';
      put(node.start, node.end, blank(code.slice(node.start, node.end)));
      put(test.start, test.start + kept.length, kept);
      removed += 1;
    }
  });
  if (removed === 0 || result.length !== code.length) {
    throw new UserError(`tools/bench/unchecked.ts does not know ${name} any more: it found nothing to take out.`);
  }
  return result;
}
