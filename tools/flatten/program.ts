// What the flattener knows of a bundle: the wrapper's variables, the hot functions, and what each of them uses.
import { parse, type AnyNode, type Function as FunctionNode, type FunctionDeclaration, type Statement } from 'acorn';
import type { Effects } from './ir.js';
import type { Range } from './reuse.js';

/** A function of the wrapper. */
export interface HotFunction {
  readonly name: string;
  readonly node: FunctionDeclaration;
  readonly params: readonly string[];
  /** Its parameters and variables. */
  readonly locals: ReadonlySet<string>;
  /** Locals that are written after their first value: parameters ever, variables anywhere but in their declaration. */
  readonly assigned: ReadonlySet<string>;
  /** Variables that get their value in one declaration and nowhere else. */
  readonly once: ReadonlySet<string>;
  /** Variables declared without a value. */
  readonly unset: ReadonlySet<string>;
  /** From a hot file or a port, so it may be inlined. */
  readonly hot: boolean;
  /** Its comment says @rare: it stays a call. */
  readonly rare: boolean;
  /** Its comment says @often: it is copied to each of its callers, whatever its size. */
  readonly often: boolean;
  /** Functions of the wrapper it calls, once per call. */
  readonly calls: readonly string[];
  /** Tables of functions it calls through. */
  readonly tables: readonly string[];
  /** Calls of it by name in the whole bundle. */
  readonly callers: number;
  /** Nodes of its syntax tree. */
  readonly size: number;
  readonly effects: Effects;
}

/** A variable of the wrapper. */
export interface Variable {
  readonly name: string;
  readonly init: AnyNode | undefined;
  /** Written somewhere besides its declaration. */
  readonly assigned: boolean;
}

export interface Program {
  readonly code: string;
  /** Statements of the wrapper. */
  readonly body: readonly Statement[];
  readonly functions: ReadonlyMap<string, HotFunction>;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Hot functions that module-level code or functions that are not hot call. */
  readonly calledFromCold: ReadonlySet<string>;
  /** Functions used as values. */
  readonly escaping: ReadonlySet<string>;
  /** Per table of functions, what it can hold, when that is certain. */
  readonly tableFunctions: ReadonlyMap<string, readonly string[]>;
  /** Functions whose value goes nowhere but into tables of which all contents are known. */
  readonly onlyInTables: ReadonlySet<string>;
  /** What each of the wrapper's functions, or module-level code (''), mentions of the wrapper's functions. */
  readonly mentioned: ReadonlyMap<string, ReadonlySet<string>>;
  /** Constants that hold something from outside the bundle: natives. */
  readonly natives: ReadonlySet<string>;
  /** Constant tables whose elements are never replaced, with their number. */
  readonly fixed: ReadonlyMap<string, number>;
  /** Typed arrays that nothing but the bundle's own element assignments writes, with what they can hold. */
  readonly ownTables: ReadonlyMap<string, Range>;
  /** All identifiers of the bundle. */
  readonly identifiers: ReadonlySet<string>;
}

/** Children of a node, in order. */
export function children(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item === 'object' && item !== null && typeof (item as { type?: unknown }).type === 'string') {
        found.push(item as AnyNode);
      }
    }
  }
  return found;
}

function isFunction(node: AnyNode): node is FunctionNode & AnyNode {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression';
}

/** Names a function declares: parameters, variables, inner functions. */
function declaredIn(node: FunctionNode): Set<string> {
  const names = new Set<string>();
  node.params.forEach((param) => param.type === 'Identifier' && names.add(param.name));
  if (node.type === 'FunctionExpression' && node.id) {
    names.add(node.id.name);
  }
  const look = (inner: AnyNode): void => {
    if (inner.type === 'VariableDeclarator' && inner.id.type === 'Identifier') {
      names.add(inner.id.name);
    }
    if (isFunction(inner)) {
      if (inner.type === 'FunctionDeclaration') {
        names.add((inner as FunctionDeclaration).id.name);
      }
      return;
    }
    children(inner).forEach(look);
  };
  children(node.body).forEach(look);
  return names;
}

/** True for an identifier that names something rather than standing for its value. */
function isLabelOrKey(node: AnyNode, parent: AnyNode | undefined): boolean {
  return (
    (parent?.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
    (parent?.type === 'Property' && parent.key === node && parent.value !== node) ||
    (parent !== undefined && isFunction(parent)) ||
    (parent?.type === 'VariableDeclarator' && parent.id === node) ||
    parent?.type === 'LabeledStatement' || parent?.type === 'BreakStatement' || parent?.type === 'ContinueStatement' || parent?.type === 'CatchClause'
  );
}

/** The wrapper: one immediately called function, or else the whole script. */
function wrapperBody(code: string): readonly Statement[] {
  const root = parse(code, { ecmaVersion: 5, sourceType: 'script' });
  const [only] = root.body;
  if (root.body.length === 1 && only?.type === 'ExpressionStatement' && only.expression.type === 'CallExpression' && only.expression.callee.type === 'FunctionExpression') {
    return only.expression.callee.body.body;
  }
  return root.body as Statement[];
}

/** A use of one of the wrapper's names. */
interface Use {
  readonly node: AnyNode;
  readonly parents: readonly AnyNode[];
  readonly name: string;
  /** The wrapper's function it stands in. */
  readonly inside: string | undefined;
}

export function readProgram(code: string, isHot: (offset: number) => boolean): Program {
  const body = wrapperBody(code);
  const declarations = new Map<string, FunctionDeclaration>();
  const inits = new Map<string, AnyNode | undefined>();
  const variableNodes = new Set<AnyNode>();
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration') {
      declarations.set(statement.id.name, statement);
    } else if (statement.type === 'VariableDeclaration') {
      for (const declarator of statement.declarations) {
        if (declarator.id.type === 'Identifier') {
          inits.set(declarator.id.name, declarator.init ?? undefined);
          variableNodes.add(declarator);
        }
      }
    }
  }
  const known = (name: string): boolean => declarations.has(name) || inits.has(name);

  const uses: Use[] = [];
  const identifiers = new Set<string>();
  const properties: { name: string; node: AnyNode; parents: readonly AnyNode[] }[] = [];
  const walk = (node: AnyNode, parents: readonly AnyNode[], hidden: readonly ReadonlySet<string>[], inside: string | undefined): void => {
    if (node.type === 'Identifier') {
      identifiers.add(node.name);
      if (known(node.name) && !hidden.some((names) => names.has(node.name)) && !isLabelOrKey(node, parents[0])) {
        uses.push({ node, parents, name: node.name, inside });
      }
    }
    if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
      properties.push({ name: node.property.name, node, parents });
    } else if (node.type === 'MemberExpression' && node.property.type === 'Literal' && typeof node.property.value === 'string') {
      properties.push({ name: node.property.value, node, parents });
    } else if (node.type === 'Property') {
      properties.push({ name: node.key.type === 'Identifier' ? node.key.name : String((node.key as { value?: unknown }).value), node, parents });
    }
    const below = isFunction(node) ? [...hidden, declaredIn(node)] : node.type === 'CatchClause' && node.param?.type === 'Identifier' ? [...hidden, new Set([node.param.name])] : hidden;
    const owner = node.type === 'FunctionDeclaration' && parents.length === 0 ? (node as FunctionDeclaration).id.name : inside;
    children(node).forEach((child) => walk(child, [node, ...parents], below, owner));
  };
  body.forEach((statement) => walk(statement, [], [], undefined));

  const written = new Set<string>();
  const writesOf = new Map<string, Set<string>>();
  const readsOf = new Map<string, Set<string>>();
  const callsOf = new Map<string, string[]>();
  const callersOf = new Map<string, number>();
  const tablesOf = new Map<string, string[]>();
  const calledFromCold = new Set<string>();
  const escaping = new Set<string>();
  const hot = (name: string): boolean => {
    const node = declarations.get(name);
    return node !== undefined && isHot(node.start);
  };
  const add = <T>(map: Map<string, Set<T>>, key: string, value: T): void => {
    map.set(key, (map.get(key) ?? new Set()).add(value));
  };
  const isWrite = ({ node, parents: [parent] }: Use): boolean =>
    (parent?.type === 'AssignmentExpression' && parent.left === node) || parent?.type === 'UpdateExpression' || (parent?.type === 'ForInStatement' && parent.left === node);
  for (const use of uses) {
    const [parent, outer] = use.parents;
    if (isWrite(use)) {
      written.add(use.name);
      if (use.inside !== undefined) {
        add(writesOf, use.inside, use.name);
      }
    }
    if (declarations.has(use.name)) {
      if (parent?.type === 'CallExpression' && parent.callee === use.node) {
        callersOf.set(use.name, (callersOf.get(use.name) ?? 0) + 1);
        if (use.inside !== undefined) {
          callsOf.set(use.inside, [...(callsOf.get(use.inside) ?? []), use.name]);
        }
        if (hot(use.name) && (use.inside === undefined || !hot(use.inside))) {
          calledFromCold.add(use.name);
        }
      } else {
        escaping.add(use.name);
      }
    } else if (use.inside !== undefined) {
      add(readsOf, use.inside, use.name);
      if (parent?.type === 'MemberExpression' && parent.object === use.node && parent.computed && outer?.type === 'CallExpression' && outer.callee === parent) {
        tablesOf.set(use.inside, [...(tablesOf.get(use.inside) ?? []), use.name]);
      }
    }
  }

  const variables = new Map([...inits].map(([name, init]) => [name, { name, init, assigned: written.has(name) }]));
  const { tableFunctions, onlyInTables } = closedTables(uses, properties, variables, declarations);
  const mentioned = new Map<string, Set<string>>();
  for (const use of uses) {
    if (declarations.has(use.name)) {
      add(mentioned, use.inside ?? '', use.name);
    }
  }
  const natives = new Set<string>();
  for (const { name, init, assigned } of variables.values()) {
    if (!assigned && init?.type === 'MemberExpression' && !init.computed && init.object.type === 'Identifier' && !known(init.object.name)) {
      natives.add(name);
    }
  }
  const isLet = (name: string): boolean => variables.get(name)?.assigned === true;

  /** What `name` and all it may call read and write; a function that is not known may do anything that an escaping one may. */
  const effects = new Map<string, Effects>();
  for (const name of declarations.keys()) {
    const reads = new Set<string>();
    const writes = new Set<string>();
    const seen = new Set<string>();
    const look = (other: string): void => {
      if (seen.has(other)) {
        return;
      }
      seen.add(other);
      readsOf.get(other)?.forEach((variable) => isLet(variable) && reads.add(variable));
      writesOf.get(other)?.forEach((variable) => isLet(variable) && writes.add(variable));
      callsOf.get(other)?.forEach(look);
      tablesOf.get(other)?.forEach((table) => (tableFunctions.get(table) ?? [...escaping]).forEach(look));
      if (!hot(other)) {
        // Code that is not hot may call whatever has been handed to it.
        escaping.forEach(look);
      }
    };
    look(name);
    effects.set(name, { reads, writes });
  }

  let previousEnd = 0;
  const functions = new Map<string, HotFunction>();
  for (const statement of body) {
    if (statement.type === 'FunctionDeclaration') {
      const before = code.slice(previousEnd, statement.start);
      functions.set(statement.id.name, {
        ...describe(statement),
        hot: isHot(statement.start),
        rare: hasTag(before, 'rare'),
        often: hasTag(before, 'often'),
        calls: callsOf.get(statement.id.name) ?? [],
        callers: callersOf.get(statement.id.name) ?? 0,
        tables: tablesOf.get(statement.id.name) ?? [],
        effects: effects.get(statement.id.name) as Effects,
      });
    }
    previousEnd = statement.end;
  }
  return { code, body, functions, variables, calledFromCold, escaping, tableFunctions, onlyInTables, mentioned, natives, fixed: fixedTables(uses, variables), ownTables: ownTables(uses, variables), identifiers };
}

/** True when the text before a function ends with a doc comment that has `@tag`. */
function hasTag(before: string, tag: string): boolean {
  return new RegExp(`/\\*\\*(?:(?!\\*/)[^])*@${tag}\\b(?:(?!\\*/)[^])*\\*/\\s*$`).test(before);
}

function describe(node: FunctionDeclaration): Pick<HotFunction, 'name' | 'node' | 'params' | 'locals' | 'assigned' | 'once' | 'unset' | 'size'> {
  const locals = declaredIn(node);
  const assigned = new Set<string>();
  const declared = new Map<string, number>();
  const unset = new Set<string>();
  const params = node.params.map((param) => (param.type === 'Identifier' ? param.name : ''));
  let size = 0;
  const look = (inner: AnyNode): void => {
    size += 1;
    if (inner.type === 'AssignmentExpression' && inner.left.type === 'Identifier') {
      assigned.add(inner.left.name);
    } else if (inner.type === 'UpdateExpression' && inner.argument.type === 'Identifier') {
      assigned.add(inner.argument.name);
    } else if (inner.type === 'VariableDeclarator' && inner.id.type === 'Identifier') {
      declared.set(inner.id.name, (declared.get(inner.id.name) ?? 0) + 1);
      if (!inner.init) {
        unset.add(inner.id.name);
      }
      if (params.includes(inner.id.name)) {
        assigned.add(inner.id.name);
      }
    }
    children(inner).forEach(look);
  };
  children(node.body).forEach(look);
  const once = new Set([...declared].filter(([name, times]) => times === 1 && !assigned.has(name) && !unset.has(name) && !params.includes(name)).map(([name]) => name));
  return { name: node.id.name, node, params, locals, assigned, once, unset, size };
}

/**
 * Tables of functions of which all contents are known: filled only by `push` of a function or of a property that is nowhere
 * set to anything but a function, emptied by `splice`, used otherwise only for calls, and those properties read for nothing else.
 */
function closedTables(
  uses: readonly Use[],
  properties: readonly { name: string; node: AnyNode; parents: readonly AnyNode[] }[],
  variables: ReadonlyMap<string, Variable>,
  declarations: ReadonlyMap<string, FunctionDeclaration>,
): { tableFunctions: Map<string, readonly string[]>; onlyInTables: Set<string> } {
  const closed = new Map<string, readonly string[]>();
  /** Nodes that put a function into a table, directly or through a property. */
  const ways = new Set<AnyNode>();
  const called = new Set(uses.filter(({ node, parents: [parent, outer] }) => parent?.type === 'MemberExpression' && parent.object === node && parent.computed && outer?.type === 'CallExpression' && outer.callee === parent).map((use) => use.name));
  for (const table of called) {
    const { init, assigned } = variables.get(table) as Variable;
    const pushed: AnyNode[] = [];
    const good =
      !assigned && init?.type === 'ArrayExpression' && init.elements.length === 0 &&
      uses.filter((use) => use.name === table).every(({ node, parents: [parent, outer, outmost] }) => {
        if (parent?.type !== 'MemberExpression' || parent.object !== node) {
          return false;
        }
        if (parent.computed) {
          return outer?.type === 'CallExpression' && outer.callee === parent;
        }
        const member = parent.property.type === 'Identifier' ? parent.property.name : '';
        if (member === 'push' && outer?.type === 'CallExpression' && outer.callee === parent && outmost?.type === 'ExpressionStatement') {
          pushed.push(...outer.arguments);
          return true;
        }
        // Without elements to put in, it only takes out.
        const removes = member === 'splice' && outer?.type === 'CallExpression' && outer.callee === parent && outer.arguments.length <= 2 && outmost?.type === 'ExpressionStatement';
        return member === 'length' || removes;
      });
    const functions = new Set<string>();
    const found = new Set<AnyNode>();
    const source = (node: AnyNode): boolean => {
      if (node.type === 'ConditionalExpression') {
        return source(node.consequent) && source(node.alternate);
      }
      if (node.type === 'Identifier' && declarations.has(node.name) && uses.some((use) => use.node === node)) {
        functions.add(node.name);
        found.add(node);
        return true;
      }
      if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') {
        return false;
      }
      const { name } = node.property;
      return properties.filter((property) => property.name === name).every((property) => {
        if (property.node.type === 'Property') {
          return property.node.value.type === 'Identifier' && source(property.node.value);
        }
        const [parent] = property.parents;
        const intoTable = parent?.type === 'CallExpression' && pushed.includes(property.node);
        const inChoice = parent?.type === 'ConditionalExpression' && pushed.includes(parent) && parent.test !== property.node;
        const comparison = parent?.type === 'BinaryExpression' && (parent.operator === '===' || parent.operator === '!==');
        return intoTable || inChoice || comparison;
      });
    };
    if (good && pushed.every(source)) {
      closed.set(table, [...functions]);
      found.forEach((node) => ways.add(node));
    }
  }
  const onlyInTables = new Set([...closed.values()].flat());
  for (const { name, node, parents: [parent] } of uses) {
    if (!ways.has(node) && !(parent?.type === 'CallExpression' && parent.callee === node)) {
      onlyInTables.delete(name);
    }
  }
  return { tableFunctions: closed, onlyInTables };
}

/** Constant arrays with one element, of which only elements are read. */
function fixedTables(uses: readonly Use[], variables: ReadonlyMap<string, Variable>): Map<string, number> {
  const fixed = new Map<string, number>();
  for (const { name, init, assigned } of variables.values()) {
    if (
      !assigned && init?.type === 'ArrayExpression' &&
      uses.filter((use) => use.name === name).every(({ node, parents: [parent, outer] }) =>
        parent?.type === 'MemberExpression' && parent.object === node && parent.computed &&
        !(outer?.type === 'AssignmentExpression' && outer.left === parent) && outer?.type !== 'UpdateExpression' &&
        !(outer?.type === 'CallExpression' && outer.callee === parent) && !(outer?.type === 'UnaryExpression' && outer.operator === 'delete'))
    ) {
      fixed.set(name, init.elements.length);
    }
  }
  return fixed;
}

const ranges: Record<string, Range> = {
  Int8Array: { least: -128, most: 127 },
  Uint8Array: { least: 0, most: 255 },
  Int16Array: { least: -32768, most: 32767 },
  Uint16Array: { least: 0, most: 65535 },
  Int32Array: { least: -2147483648, most: 2147483647 },
};

/** Typed arrays made here and used for their elements only, so that no other name leads to their memory. */
function ownTables(uses: readonly Use[], variables: ReadonlyMap<string, Variable>): Map<string, Range> {
  const own = new Map<string, Range>();
  for (const { name, init, assigned } of variables.values()) {
    const range = init?.type === 'NewExpression' && init.callee.type === 'Identifier' && !variables.has(init.callee.name) ? ranges[init.callee.name] : undefined;
    const size = init?.type === 'NewExpression' ? init.arguments[0] : undefined;
    const counted = size?.type === 'Literal' || (size?.type === 'BinaryExpression' && size.left.type === 'Literal' && size.right.type === 'Literal');
    if (
      range !== undefined && !assigned && counted &&
      uses.filter((use) => use.name === name).every(({ node, parents: [parent] }) => parent?.type === 'MemberExpression' && parent.object === node && (parent.computed || (parent.property.type === 'Identifier' && parent.property.name === 'length')))
    ) {
      own.set(name, range);
    }
  }
  return own;
}
