// JerryScript as the images hold it: a library that its user built, checked before it is linked, and snapshots of bundles.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, type AnyNode, type Literal } from 'acorn';
import { hashOf, writeWhole } from '../image/build-files.js';
import { type Board, readBoard } from '../image/board.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';
import { children } from '../flatten/program.js';
import { asItIs, type EngineRequest, type LinkedBundle, type PreparedEngine, type Source } from './engine.js';

/** Functions of the library that the glue stands before, to count allocations and collector runs. */
const counted = [
  'jmem_heap_alloc_block', 'jmem_heap_alloc_block_null_on_error', 'jmem_heap_realloc_block', 'jmem_heap_free_block', 'jmem_pools_alloc', 'jmem_pools_free',
  'ecma_free_unused_memory',
];

const howToBuild = 'docs/engines.md says how to build it';
const snapshotTool = 'jerry-snapshot';

/** The machine numbers of ELF files that targets have, and their names. */
const machines: Readonly<Record<number, string>> = { 3: 'x86', 40: 'Arm', 62: 'x86-64', 183: 'AArch64' };

/** The installed JerryScript for a target: the folder of the target's name in `JERRYSCRIPT_PREFIX`, or that folder itself. */
function prefixFor(target: string): string | undefined {
  const prefix = process.env['JERRYSCRIPT_PREFIX'];
  const own = prefix === undefined || prefix === '' ? undefined : path.join(prefix, target);
  return own !== undefined && existsSync(own) ? own : prefix;
}

/** ELF's number for the machine that a board's cores are. */
function elfMachine(board: Board): number {
  return board.compiler.command.startsWith('arm-none-eabi-') ? 40 : process.arch === 'arm64' ? 183 : 62;
}

/** Why no image with JerryScript can be built for a target here; undefined when one can. */
export function reasonWithout(target: string): string | undefined {
  try {
    checkPrefix(prefixFor(target), target, elfMachine(readBoard(target)));
    findSnapshotTool();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) {
      return error.message;
    }
    throw error;
  }
}

/** The first object file in a library; its header says which machine the library is for. */
function firstObject(library: Buffer): Buffer | undefined {
  if (library.toString('latin1', 0, 8) !== '!<arch>\n') {
    return undefined;
  }
  for (let at = 8; at + 60 <= library.length; ) {
    const bytes = Number(library.toString('latin1', at + 48, at + 58));
    const member = library.subarray(at + 60, at + 60 + bytes);
    if (member.length >= 20 && member.readUInt32BE(0) === 0x7f454c46) {
      return member;
    }
    at += 60 + bytes + (bytes % 2);
  }
  return undefined;
}

/** Refuses a folder that holds no JerryScript which can be linked into this kind of image, with a sentence that says what to do. */
export function checkPrefix(prefix: string | undefined, target: string, machine: number): string {
  if (prefix === undefined || prefix === '') {
    throw new UserError(`The engine jerryscript is linked as a library of yours: set JERRYSCRIPT_PREFIX to the folder it was installed to (with include/jerryscript.h and lib/libjerry-core.a); ${howToBuild}.`);
  }
  const header = path.join(prefix, 'include', 'jerryscript.h');
  const core = path.join(prefix, 'lib', 'libjerry-core.a');
  for (const file of [header, core]) {
    if (!existsSync(file)) {
      throw new UserError(`JERRYSCRIPT_PREFIX is ${prefix}, but ${file} is missing: set it to the folder JerryScript was installed to; ${howToBuild}.`);
    }
  }
  const headers = ['jerryscript.h', 'jerryscript-types.h', 'jerryscript-core.h'].map((name) => path.join(prefix, 'include', name)).filter(existsSync);
  const version = /JERRY_API_MAJOR_VERSION\s+(\d+)/.exec(headers.map((file) => readFileSync(file, 'utf8')).join('\n'))?.[1];
  if (version !== '3') {
    throw new UserError(`${header} is of JerryScript ${version ?? 'of an unknown version'}; the glue is written for version 3.`);
  }
  const library = readFileSync(core);
  const found = firstObject(library)?.readUInt16LE(18);
  if (found === undefined) {
    throw new UserError(`${core} holds no object files: build JerryScript with --lto=OFF and --strip=OFF; ${howToBuild}.`);
  }
  if (found !== machine) {
    const name = (number: number): string => machines[number] ?? `machine ${number}`;
    throw new UserError(`${core} is built for ${name(found)}, and ${target} wants ${name(machine)}: set JERRYSCRIPT_PREFIX to a build for this target; ${howToBuild}.`);
  }
  if (!library.includes('jerry_port_context_get')) {
    throw new UserError(`${core} keeps its context in the library: build JerryScript with --external-context=ON, so that the board's heap is used; ${howToBuild}.`);
  }
  return path.resolve(prefix);
}

/** The snapshot tool: that of `JERRY_SNAPSHOT`, of the prefix, or of the PATH. */
export function findSnapshotTool(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['JERRY_SNAPSHOT'];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) {
      throw new UserError(`JERRY_SNAPSHOT is ${named}, which does not exist; ${howToBuild}.`);
    }
    return named;
  }
  const prefix = environment['JERRYSCRIPT_PREFIX'];
  const folders = [...(prefix === undefined || prefix === '' ? [] : [path.join(prefix, 'bin')]), ...(environment['PATH'] ?? '').split(path.delimiter)];
  const found = folders.map((folder) => path.join(folder, snapshotTool)).find(existsSync);
  if (found === undefined) {
    throw new UserError(`${snapshotTool} is neither in JERRYSCRIPT_PREFIX/bin nor on the PATH: set JERRY_SNAPSHOT to it, or link the text with vmsg build --source; ${howToBuild}.`);
  }
  return found;
}

/** A bundle as the engine runs it from flash. */
export interface Snapshot {
  /** A static snapshot of a script whose value is an array: the strings of the probe, then the bundle as a function. */
  readonly code: Buffer;
  /** C lines OWN(bytes, text) for the strings that the engine must be given, in their order, and PROBE(text) for those to compare. */
  readonly strings: string;
}

/** How many strings jerry-snapshot takes; it does not look itself. */
const mostStrings = 4096;
/** A string that no engine has built in: its number follows from how many are. */
const ownString = 'vmsg snapshot';

/** True for a number that no static snapshot holds, nor a string that reads like it: only whole numbers of 28 bits lie in byte code. */
const isOdd = (value: number): boolean => !(Number.isInteger(value) && value >= 0 && value < 2 ** 27);

/** An odd number as a call. Its text is none that the engine makes of a number: such a string it would not find among its own. */
const oddNumber = (value: number): string => `Number("${value.toExponential().replace('e', 'E')}")`;

/** A call for a literal that a static snapshot does not hold; undefined for others. */
function replacement({ value, regex }: Literal): string | undefined {
  if (regex !== undefined && regex !== null) {
    return `RegExp(${JSON.stringify(regex.pattern)},${JSON.stringify(regex.flags)})`;
  }
  if (typeof value === 'number') {
    return isOdd(value) ? oddNumber(value) : undefined;
  }
  const number = Number(value);
  return typeof value === 'string' && String(number) === value && Number.isFinite(number) && isOdd(number) ? `String(${oddNumber(number)})` : undefined;
}

/** What the calls of a replacement are of: a bundle must not mean something else by these names. */
const called = ['Number', 'RegExp', 'String'];

/** What a node declares: names as nodes. */
function declared(node: AnyNode): readonly (AnyNode | null | undefined)[] {
  switch (node.type) {
    case 'VariableDeclarator':
      return [node.id];
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return [node.id, ...node.params];
    case 'CatchClause':
      return [node.param];
    default:
      return [];
  }
}

/** A bundle's text with calls in place of the literals that a static snapshot cannot hold, and the names in it. */
function prepareText(text: string, name: string): { text: string; names: string[] } {
  const names = new Set(['length', ...called]);
  let prepared = '';
  let at = 0;
  const look = (node: AnyNode): void => {
    for (const own of declared(node)) {
      if (own?.type === 'Identifier' && called.includes(own.name)) {
        throw new UserError(`A static snapshot of ${name} cannot have a name ${own.name} of its own: give it another one.`);
      }
    }
    if (node.type === 'Identifier') {
      names.add(node.name);
    } else if (node.type === 'Literal') {
      const instead = replacement(node);
      if (instead !== undefined) {
        // The blank parts it from a word in front, as in return/a/.
        prepared += `${text.slice(at, node.start)} ${instead}`;
        at = node.end;
      } else if (typeof node.value === 'string') {
        names.add(node.value);
      }
    } else if (node.type === 'Property' && node.key.type === 'Literal' && replacement(node.key) !== undefined) {
      throw new UserError(`A static snapshot of ${name} cannot have the property ${node.key.raw ?? ''} in an object literal: set it by an assignment.`);
    }
    children(node).forEach(look);
  };
  try {
    look(parse(text, { ecmaVersion: 5 }));
  } catch (error) {
    throw error instanceof SyntaxError ? new UserError(`${name} is no ES5 script: ${error.message}.`) : error;
  }
  // The engine has only ASCII built in.
  return { text: prepared + text.slice(at), names: [...names].filter((each) => /^[ -~]*$/.test(each)) };
}

/** The strings of a list that jerry-snapshot wrote: lines of a string's bytes, a blank and the string, whose bytes are the characters here. */
function readList(list: string): string[] {
  const strings: string[] = [];
  for (let at = 0; at < list.length; ) {
    const begin = list.indexOf(' ', at) + 1;
    const end = begin + Number(list.slice(at, begin));
    strings.push(list.slice(begin, end));
    at = end + 1;
  }
  return strings;
}

/** A string of bytes as C writes it. */
const quoted = (text: string): string => `"${text.replace(/[^ !#->@-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`;

/** A snapshot of a bundle's text. `work` is a folder for the files in between. */
export function makeSnapshot(text: string, name: string, work: string): Snapshot {
  const tool = findSnapshotTool();
  const prepared = prepareText(text, name);
  mkdirSync(work, { recursive: true });
  const folder = mkdtempSync(path.join(work, 'snapshot-'));
  const [input, output, list] = ['bundle.js', 'bundle.snapshot', 'bundle.list'].map((file) => path.join(folder, file)) as [string, string, string];
  const command = (args: readonly string[], result: string): void => {
    rmSync(result, { force: true });
    const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
    if (error !== undefined) {
      throw new UserError(`${tool} cannot be run: ${error.message}.`);
    }
    if (status !== 0 || !existsSync(result)) {
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /error/i.test(line));
      const said = lines.at(-1)?.trim() ?? `it ended with status ${status}`;
      throw new UserError(`${tool} makes no snapshot of ${name}: ${said.replaceAll(input, name).replace(/\.$/, '')}.`);
    }
  };
  /** The strings of a script that are not built into the engine; leaves the script as `input` and their list as `list`. */
  const ownStrings = (script: string): string[] => {
    writeFileSync(input, script);
    command(['generate', '-o', output, input], output);
    command(['litdump', '-o', list, output], list);
    return readList(readFileSync(list, 'latin1'));
  };
  try {
    const notBuiltIn = new Set(ownStrings(JSON.stringify([ownString, ...prepared.names])));
    const probe = [ownString, ...prepared.names.filter((text) => !notBuiltIn.has(text))];
    const own = ownStrings(`[${probe.map((text) => JSON.stringify(text)).join()},function(){${prepared.text}\n}]`);
    if (own.length > mostStrings) {
      throw new UserError(`${tool} makes no snapshot of ${name}: it has ${own.length} different strings and names, and the tool takes ${mostStrings}.`);
    }
    command(['generate', '--static', '--load-literals-list-format', list, '-o', output, input], output);
    const code = readFileSync(output);
    if (code.toString('latin1', 0, 4) !== 'JRRY') {
      throw new UserError(`${tool} makes no snapshot of ${name}: what it wrote is none.`);
    }
    const lines = [...own.map((text) => `OWN(${text.length}, ${quoted(text)})\n`), ...probe.map((text) => `PROBE(${quoted(text)})\n`)];
    return { code, strings: lines.join('') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is compiled so that an image holds a bundle's snapshot and its strings. */
function snapshotSources(bundle: LinkedBundle, prefix: string, cache: string): Source[] {
  const { code, strings } = makeSnapshot(bundle.text, bundle.name, cache);
  const file = path.join(cache, `strings-${hashOf([strings])}`);
  writeWhole(file, strings);
  const own = path.join(packageRoot, 'platforms/engine/jerryscript/snapshot-strings.c');
  const flags = [`-I${path.join(prefix, 'include')}`, `-DBUNDLE_SYMBOL=${bundle.symbol}`, `-DSNAPSHOT_STRINGS="${file}"`];
  return [asItIs(bundle, code, cache), { file: own, flags }];
}

/** Checks the library and says how it is compiled against and linked. */
export function jerryscriptFor({ cache, board, asText, log }: EngineRequest): PreparedEngine {
  const prefix = checkPrefix(prefixFor(board.name), board.name, elfMachine(board));
  const libraries = ['libjerry-core.a', 'libjerry-math.a'].map((name) => path.join(prefix, 'lib', name)).filter(existsSync);
  if (!asText) {
    findSnapshotTool();
  }
  return {
    glue: 'engine/jerryscript/glue.c',
    includes: [path.join(prefix, 'include')],
    flags: [],
    link: [...counted.map((name) => `-Wl,--wrap=${name}`), ...libraries],
    bundles: (bundles) => Promise.resolve(bundles.flatMap((bundle) => {
      if (asText) {
        return [asItIs(bundle, bundle.text, cache)];
      }
      log(`snapshot of ${bundle.name}`);
      return snapshotSources(bundle, prefix, cache);
    })),
  };
}
