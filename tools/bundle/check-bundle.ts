// Reads a bundle with a parser and lists what would allocate while hot code runs, and what is not the language of all engines.
//
// Hot is decided by the source map. Terser moves code between functions, so both ends of a finding count: a construct is
// hot when the function that encloses it in the bundle came from a hot file, and also when the construct itself did.
// Module-level code of hot files runs once, as the bundle starts, and may allocate its tables.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { parse, type AnyNode, type Function as FunctionNode } from 'acorn';
import { shown } from '../targets.js';
import { UserError } from '../user-error.js';

/** One thing that is wrong; line and column count from 1. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  /** Where it was written, 'file:line', when the map knows. */
  readonly source?: string;
}

export interface CheckOptions {
  /** Source map as JSON text. Without it everything below the wrapper counts as hot. */
  readonly map?: string;
  /** False for bundles that may allocate and use any number (the driver's): only the language is checked. Default true. */
  readonly hot?: boolean;
}

/** What one check saw: a bundle in which nothing is hot would pass every rule, so callers can ask. */
export interface CheckResult {
  readonly findings: readonly Finding[];
  readonly functions: number;
  readonly hotFunctions: number;
}

const largest = 2 ** 27 - 1;

/** Methods of arrays, strings, functions and typed arrays that make an object or a string. */
const allocatingMethods = new Set([
  'apply', 'bind', 'call', 'charAt', 'concat', 'entries', 'every', 'exec', 'filter', 'forEach', 'from', 'indexOf', 'join', 'keys', 'lastIndexOf',
  'map', 'match', 'of', 'pop', 'push', 'reduce', 'reduceRight', 'replace', 'reverse', 'set', 'shift', 'slice', 'some', 'sort', 'splice', 'split',
  'subarray', 'substr', 'substring', 'toExponential', 'toFixed', 'toLocaleString', 'toLowerCase', 'toString', 'toUpperCase', 'trim', 'unshift', 'valueOf', 'values',
]);

/** Not ES5, or missing in one of the engines: methods called on anything, and global objects. */
const missingMethods = new Set([
  'assign', 'at', 'codePointAt', 'copyWithin', 'endsWith', 'fill', 'find', 'findIndex', 'flat', 'flatMap', 'freeze', 'imul', 'includes', 'padEnd', 'padStart', 'repeat',
  'startsWith',
]);
const missingGlobals = new Set([
  'BigInt', 'Buffer', 'CBOR', 'DataView', 'Date', 'Map', 'Promise', 'Proxy', 'Reflect', 'Set', 'Symbol', 'TextDecoder', 'TextEncoder', 'WeakMap', 'WeakSet',
  'console', 'globalThis', 'performance', 'setTimeout',
]);

/** Names that ES5 allows and Espruino does not: its lexer takes them for words of the language everywhere. */
export const wordsOfSomeEngine: ReadonlySet<string> = new Set(['let', 'of', 'static']);

/** The object of the engine's glue; its methods are natives, whatever their names. */
const nativeObject = 'native';

/** Source files whose functions run in the hot path: hot files, and the port, which they call. */
export function isHotSource(file: string): boolean {
  return /\.hot\.ts$/.test(file) || /(^|\/)platforms\/[^/]+\/port\.ts$/.test(file);
}

interface Frame {
  /** Nesting of functions: 0 outside, 1 in the wrapper, more below it. */
  readonly depth: number;
  readonly hot: boolean;
  /** Inside what a function of set-up code is given. */
  readonly given: boolean;
  /** Names declared in this function, and whether each is a function of set-up code. */
  readonly names: ReadonlyMap<string, boolean>;
  readonly outer?: Frame;
}

/** Checks a bundle's text. */
export function checkCode(code: string, options: CheckOptions = {}): CheckResult {
  const findings: Finding[] = [];
  let functions = 0;
  let hotFunctions = 0;
  const map = options.map === undefined ? undefined : new SourceMap(JSON.parse(options.map));
  const hotRules = options.hot !== false;

  const lineStarts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) {
    lineStarts.push(at + 1);
  }
  const place = (offset: number): { line: number; column: number } => {
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((lineStarts[middle] ?? 0) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
  };
  /** The source position of an offset: that of the last mapping at or before it, as source maps are defined. */
  const origin = (offset: number): { file: string; line: number } | undefined => {
    const { line, column } = place(offset);
    const entry = map?.findEntry(line - 1, column - 1);
    return entry !== undefined && 'originalSource' in entry && entry.originalSource ? { file: entry.originalSource, line: entry.originalLine + 1 } : undefined;
  };
  const cameFromHot = (offset: number): boolean => {
    const from = origin(offset);
    return map === undefined || (from !== undefined && isHotSource(from.file));
  };
  /**
   * Whether a function came from a hot file: decided by its first position that the map knows, since maps lose the word
   * `function` behind a removed `export`. A function that the map does not know at all is taken for hot.
   */
  const isHotFunction = (node: AnyNode): boolean => {
    for (let offset = node.start; map !== undefined && offset < node.end; offset++) {
      const { line, column } = place(offset);
      const entry = map.findEntry(line - 1, column - 1);
      if ('originalSource' in entry && entry.originalSource && entry.generatedLine === line - 1 && entry.generatedColumn === column - 1) {
        return isHotSource(entry.originalSource);
      }
    }
    return true;
  };
  const report = (node: AnyNode, reason: string): void => {
    const from = origin(node.start);
    findings.push({ ...place(node.start), reason, ...(from === undefined ? {} : { source: `${from.file}:${from.line}` }) });
  };

  let program: AnyNode;
  try {
    program = parse(code, { ecmaVersion: 5, sourceType: 'script' });
  } catch (error) {
    const { pos, message } = error as { pos?: number; message: string };
    return { findings: [{ ...place(pos ?? 0), reason: `not ES5: ${message.replace(/ \(\d+:\d+\)$/, '')}` }], functions, hotFunctions };
  }

  const allocation = (node: AnyNode): string | undefined => {
    switch (node.type) {
      case 'FunctionExpression':
      case 'FunctionDeclaration':
        return 'a function inside a hot function is a closure, made anew at every call';
      case 'NewExpression':
        return 'new allocates';
      case 'ObjectExpression':
        return 'an object literal allocates';
      case 'ArrayExpression':
        return 'an array literal allocates';
      case 'TryStatement':
      case 'ThrowStatement':
        return 'exceptions are not for hot code';
      case 'ForInStatement':
        return 'for-in allocates';
      case 'Identifier':
        return node.name === 'arguments' ? '"arguments" allocates' : undefined;
      case 'Literal':
        return 'regex' in node && node.regex ? 'a regular expression allocates' : typeof node.value === 'string' ? 'hot code has no strings' : undefined;
      case 'CallExpression':
        return node.callee.type === 'MemberExpression' &&
          !node.callee.computed &&
          node.callee.property.type === 'Identifier' &&
          allocatingMethods.has(node.callee.property.name) &&
          !(node.callee.object.type === 'Identifier' && node.callee.object.name === nativeObject)
          ? `.${node.callee.property.name}() allocates`
          : undefined;
      default:
        return undefined;
    }
  };

  const number = (node: AnyNode, parent: AnyNode | undefined): string | undefined => {
    if (node.type === 'Literal' && typeof node.value === 'number') {
      const negative = parent?.type === 'UnaryExpression' && parent.operator === '-';
      if (!Number.isInteger(node.value)) {
        return `the number ${node.value} is not an integer`;
      }
      if (node.value > largest + (negative ? 1 : 0)) {
        return `the number ${negative ? '-' : ''}${node.value} needs more than 28 bits`;
      }
      if (negative && node.value === 0) {
        return 'the number -0 is not a small integer';
      }
    }
    return undefined;
  };

  const language = (node: AnyNode): string | undefined => {
    switch (node.type) {
      case 'LabeledStatement':
        return 'labels do not work in every engine';
      case 'ThisExpression':
        // A driver's program has classes; the device's code is free of them.
        return hotRules ? '"this" differs between engines' : undefined;
      case 'Literal':
        return 'regex' in node && node.regex && /\{\d/.test(node.regex.pattern) ? 'a {count} in a regular expression is not in every engine' : undefined;
      case 'WithStatement':
        return '"with" differs between engines';
      case 'AssignmentExpression':
        return node.left.type === 'MemberExpression' && !node.left.computed && node.left.property.type === 'Identifier' && node.left.property.name === 'length'
          ? 'an assigned .length is not in every engine: use splice(0, length)'
          : undefined;
      case 'SwitchStatement':
        return node.cases.some((entry, index) => entry.test === null && index !== node.cases.length - 1) ? 'default is not the last entry of its switch' : undefined;
      case 'MemberExpression':
        return !node.computed && node.property.type === 'Identifier' && missingMethods.has(node.property.name) && !(node.object.type === 'Identifier' && node.object.name === nativeObject)
          ? `.${node.property.name} is not in every engine`
          : undefined;
      default:
        return undefined;
    }
  };

  /** Names that a function declares; true for those that hold a function of set-up code. */
  const declaredIn = (node: FunctionNode & AnyNode): ReadonlyMap<string, boolean> =>
    new Map(declarations(node).map(([name, value]) => [name, value !== null && value !== undefined && isFunction(value) && !isHotFunction(value)]));
  /** Whether a name, where it is used, means a function of set-up code. */
  const meansCold = (name: string, frame: Frame | undefined): boolean => {
    const cold = frame?.names.get(name);
    return cold ?? (frame?.outer === undefined ? false : meansCold(name, frame.outer));
  };

  const visit = (node: AnyNode, parent: AnyNode | undefined, frame: Frame): void => {
    const add = (reason: string | undefined): void => {
      if (reason !== undefined) {
        report(node, reason);
      }
    };
    const isName = parent !== undefined && ((parent.type === 'MemberExpression' && parent.property === node && !parent.computed) || (parent.type === 'Property' && parent.key === node));
    add(language(node));
    if (node.type === 'Identifier' && !isName && wordsOfSomeEngine.has(node.name)) {
      report(node, `the name ${node.name} is a word of the language in some engine`);
    }
    if (node.type === 'Identifier' && !isName && missingGlobals.has(node.name)) {
      report(node, `${node.name} is not in every engine`);
    }
    if (hotRules) {
      // Set-up functions may compute with wide numbers, and be given some; others of module level end up in variables that hot code reads.
      if ((frame.depth === 1 && !frame.given) || frame.hot || cameFromHot(node.start)) {
        add(number(node, parent));
      }
      if (frame.depth > 1 && !isName && (frame.hot || cameFromHot(node.start))) {
        add(allocation(node));
        if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && meansCold(node.callee.name, frame)) {
          report(node, 'hot code calls a function of set-up code, which may allocate');
        }
        if (node.type === 'BinaryExpression' && node.operator === '>>>') {
          report(node, '>>> makes numbers of 32 bits');
        }
        if (node.type === 'BinaryExpression' && node.operator === '/' && !(parent?.type === 'BinaryExpression' && parent.operator === '|')) {
          report(node, 'a division that is not cut by | 0 makes fractions');
        }
      }
    }
    let inner = frame;
    if (isFunction(node)) {
      const depth = frame.depth + 1;
      const hot = depth > 1 && (frame.hot || isHotFunction(node));
      inner = { depth, hot, given: false, names: declaredIn(node), outer: frame };
      if (depth > 1) {
        functions++;
        hotFunctions += hot ? 1 : 0;
      }
    }
    const given: readonly AnyNode[] = node.type === 'CallExpression' && node.callee.type === 'Identifier' && meansCold(node.callee.name, inner) ? node.arguments : [];
    for (const child of children(node)) {
      visit(child, node, given.includes(child) ? { ...inner, given: true } : inner);
    }
  };
  visit(program, undefined, { depth: 0, hot: false, given: false, names: new Map() });
  findings.push(...callsBeforeDefinition(program, place));
  findings.sort((a, b) => a.line - b.line || a.column - b.column);
  return { findings, functions, hotFunctions };
}

function isFunction(node: AnyNode): node is FunctionNode & AnyNode {
  return node.type === 'FunctionExpression' || node.type === 'FunctionDeclaration';
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function children(node: AnyNode): AnyNode[] {
  return Object.values(node).flatMap((value: unknown) => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []));
}

/**
 * Calls that run as the wrapper's statements run, of functions that the wrapper declares only further down, or that call such
 * functions: Espruino does not hoist.
 */
function callsBeforeDefinition(program: AnyNode, place: (offset: number) => { line: number; column: number }): Finding[] {
  const wrapper = wrapperBody(program);
  const declared = new Map<string, AnyNode>();
  for (const statement of wrapper) {
    if (statement.type === 'FunctionDeclaration' && statement.id) {
      declared.set(statement.id.name, statement);
    }
  }
  /** Functions of the wrapper that `node` calls, itself and, when it is one, in its body; names that it declares mean others. */
  const called = (node: AnyNode, hidden: ReadonlySet<string>, found: Set<string>): Set<string> => {
    const names = isFunction(node) ? new Set([...hidden, ...declarations(node).map(([name]) => name)]) : hidden;
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && declared.has(node.callee.name) && !hidden.has(node.callee.name)) {
      found.add(node.callee.name);
    }
    children(node).forEach((child) => called(child, names, found));
    return found;
  };
  const reached = new Map<string, ReadonlySet<string>>();
  const reach = (name: string): ReadonlySet<string> => {
    let found = reached.get(name);
    if (found === undefined) {
      const all = new Set([name]);
      for (const other of all) {
        called(declared.get(other) as AnyNode, new Set(), all);
      }
      found = all;
      reached.set(name, found);
    }
    return found;
  };
  const findings: Finding[] = [];
  const look = (node: AnyNode): void => {
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && declared.has(node.callee.name)) {
      const { name } = node.callee;
      const late = [...reach(name)].find((other) => (declared.get(other) as AnyNode).start > node.start);
      if (late !== undefined) {
        const through = late === name ? '' : ` through ${name}()`;
        findings.push({ ...place(node.start), reason: `${late}() is called${through} before the statement that defines it, and Espruino does not hoist` });
      }
    }
    if (!isFunction(node)) {
      children(node).forEach(look);
    }
  };
  wrapper.forEach(look);
  return findings;
}

/** What a function declares, its parameters last: names, and the values that they get there. */
function declarations(node: FunctionNode & AnyNode): (readonly [name: string, value: AnyNode | null | undefined])[] {
  const found: (readonly [string, AnyNode | null | undefined])[] = [];
  const look = (inner: AnyNode): void => {
    if (inner.type === 'VariableDeclarator' && inner.id.type === 'Identifier') {
      found.push([inner.id.name, inner.init]);
    }
    if (inner.type === 'FunctionDeclaration' && inner.id !== null) {
      found.push([inner.id.name, inner]);
    }
    if (!isFunction(inner)) {
      children(inner).forEach(look);
    }
  };
  children(node.body).forEach(look);
  node.params.forEach((parameter) => parameter.type === 'Identifier' && found.push([parameter.name, undefined]));
  return found;
}

/** The statements of the one function around everything. */
function wrapperBody(program: AnyNode): AnyNode[] {
  let found: FunctionNode | undefined;
  const look = (node: AnyNode): void => {
    if (found === undefined && isFunction(node)) {
      found = node;
    } else if (found === undefined) {
      children(node).forEach(look);
    }
  };
  look(program);
  return found === undefined ? [] : (found as FunctionNode).body.type === 'BlockStatement' ? (found.body as unknown as { body: AnyNode[] }).body : [];
}

/** Checks a file, with the map beside it when there is one. */
export function checkFile(file: string, options: Omit<CheckOptions, 'map'> = {}): CheckResult {
  if (!existsSync(file)) {
    throw new UserError(`${file} does not exist.`);
  }
  const mapFile = `${file}.map`;
  return checkCode(readFileSync(file, 'utf8'), { ...options, ...(existsSync(mapFile) ? { map: readFileSync(mapFile, 'utf8') } : {}) });
}

/** One line per finding, as compilers write them. */
export function describe(file: string, result: CheckResult): string[] {
  const from = (source: string | undefined): string => (source === undefined ? '' : ` (from ${shown(path.resolve(path.dirname(file), source))})`);
  return result.findings.map((finding) => `${shown(path.resolve(file))}:${finding.line}:${finding.column}: ${finding.reason}${from(finding.source)}`);
}
