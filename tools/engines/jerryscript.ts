// JerryScript as the images hold it: a library that its user built, checked before it is linked, and snapshots of bundles.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hashOf, temporaryName } from '../image/build-files.js';
import { type Board, readBoard } from '../image/board.js';
import { UserError } from '../user-error.js';
import { asItIs, type EngineRequest, type LinkedBundle, type PreparedEngine } from './engine.js';

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

/** A snapshot of a bundle's text. `work` is a folder for the files in between. */
export function makeSnapshot(text: string, name: string, work: string): Buffer {
  const tool = findSnapshotTool();
  mkdirSync(work, { recursive: true });
  const input = temporaryName(path.join(work, `snapshot-${hashOf([text])}`));
  const output = `${input}.snapshot`;
  try {
    writeFileSync(input, text);
    const { status, stdout, stderr, error } = spawnSync(tool, ['generate', '-o', output, input], { encoding: 'utf8' });
    if (error !== undefined) {
      throw new UserError(`${tool} cannot be run: ${error.message}.`);
    }
    if (status !== 0 || !existsSync(output)) {
      const said = `${stdout}\n${stderr}`.split('\n').find((line) => /error/i.test(line))?.trim() ?? `it ended with status ${status}`;
      throw new UserError(`${tool} makes no snapshot of ${name}: ${said.replaceAll(input, name).replace(/\.$/, '')}.`);
    }
    return readFileSync(output);
  } finally {
    rmSync(input, { force: true });
    rmSync(output, { force: true });
  }
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
    bundles: (bundles) => {
      const content = ({ text, name }: LinkedBundle): Buffer | string => {
        if (asText) {
          return text;
        }
        log(`snapshot of ${name}`);
        return makeSnapshot(text, name, cache);
      };
      return Promise.resolve(bundles.map((bundle) => asItIs(bundle, content(bundle), cache)));
    },
  };
}
