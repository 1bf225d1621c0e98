// `vmsg typecheck`: compiles the device's code once for each target, the tools and tests once, and proves that each port is a Port.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { hasDriverSide, isDeviceOnly, readBoard } from '../image/board.js';
import { knownTargets, packageRoot, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg typecheck
  Type checks firmware, hal and platforms for each target, of targets without a driver side just the port, then tools and
  tests; a port module that does not fulfil hal/port.ts is an error.`;

function parseConfig(name: string, options: ts.CompilerOptions): ts.ParsedCommandLine {
  const file = path.join(packageRoot, name);
  const parsed = ts.getParsedCommandLineOfConfigFile(file, options, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new UserError(formatted(diagnostic));
    },
  });
  if (parsed === undefined) {
    throw new UserError(`${shown(file)} cannot be read.`);
  }
  return parsed;
}

function formatted(diagnostic: ts.Diagnostic): string {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ');
  if (diagnostic.file === undefined || diagnostic.start === undefined) {
    return text;
  }
  const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
  return `${shown(diagnostic.file.fileName)}:${line + 1}:${character + 1}: TS${diagnostic.code}: ${text}`;
}

/** Files parsed once for all programs that use the same language version. */
const parsedFiles = new Map<string, ts.SourceFile | undefined>();

/** Compiles without output; `extra` are files that exist only here. Returns one line per error. */
function compile({ fileNames, options, errors }: ts.ParsedCommandLine, extra: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => extra.has(file) || fileExists(file);
  host.readFile = (file) => extra.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = extra.get(file);
    if (text !== undefined) {
      return ts.createSourceFile(file, text, version);
    }
    const key = `${JSON.stringify(version)} ${file}`;
    if (!parsedFiles.has(key)) {
      parsedFiles.set(key, getSourceFile(file, version, ...rest));
    }
    return parsedFiles.get(key);
  };
  const program = ts.createProgram({ rootNames: [...fileNames, ...extra.keys()], options, host });
  return [...errors, ...ts.getPreEmitDiagnostics(program)].map(formatted);
}

/** The statement that fails to compile when a module lacks an export of the interface, or has it with another type. */
function fulfils(module: string, interfaceModule: string, name: string): string {
  return `import * as module from '${module}';\nimport type { ${name} } from '${interfaceModule}';\nexport const fulfilled: ${name} = module;\n`;
}

/** Type checks the device's code under a target's condition. `portFile` is what must fulfil Port: by default the target's own. */
export function checkDevice(target: string, portFile = path.join(packageRoot, 'platforms', target, 'port.ts')): string[] {
  const proof = path.join(packageRoot, 'platforms', target, 'port-fulfils-port.ts');
  const specifier = path.relative(path.dirname(proof), portFile).split(path.sep).join('/').replace(/^(?!\.)/, './').replace(/\.ts$/, '.js');
  const config = parseConfig('tsconfig.json', { customConditions: [target] });
  const board = readBoard(target);
  // All that such a target has of its own is its port, which the rest sees as a Port: other targets have checked the rest.
  const own = isDeviceOnly(board) && !hasDriverSide(board) ? [] : config.fileNames;
  // Programs of the application core have no port where the driver side is not ours.
  const fileNames = !hasDriverSide(board) ? own.filter((file) => !/\/test\//.test(file)) : own;
  return compile({ ...config, fileNames }, new Map([[proof, fulfils(specifier, '../../hal/port.js', 'Port')]]));
}

/** Type checks tools, tests, and the host's fakes. */
export function checkHost(): string[] {
  const proofs = new Map([
    [path.join(packageRoot, 'hal', 'fake', 'port-fulfils-port.ts'), fulfils('./port.js', '../port.js', 'Port')],
    [path.join(packageRoot, 'hal', 'fake', 'registers-fulfil-registers.ts'), fulfils('./registers.js', '../registers.js', 'Registers')],
  ]);
  return compile(parseConfig('tsconfig.host.json', {}), proofs);
}

/** Targets with a port module of their own. */
export function targetsWithPort(): string[] {
  return knownTargets().filter((target) => existsSync(path.join(packageRoot, 'platforms', target, 'port.ts')));
}

/** Runs the command; returns the exit status. */
export async function typecheck(args: readonly string[]): Promise<number> {
  parseArgs({ args: [...args], options: {} });
  const found = new Set<string>();
  const checks = [...targetsWithPort().map((target) => ({ name: target, run: () => checkDevice(target) })), { name: 'tools and tests', run: checkHost }];
  for (const { name, run } of checks) {
    const lines = run();
    process.stdout.write(`${name}: ${lines.length === 0 ? 'nothing found' : `${lines.length} errors`}\n`);
    lines.forEach((line) => found.add(line));
  }
  if (found.size > 0) {
    process.stderr.write([...found].map((line) => `${line}\n`).join(''));
    throw new UserError(`${found.size} type ${found.size === 1 ? 'error' : 'errors'}.`);
  }
  return 0;
}
