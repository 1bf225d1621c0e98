// Bundles TypeScript for a coprocessor: rollup, @rollup/plugin-typescript and terser make one ES5 IIFE with a source map.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import json from '@rollup/plugin-json';
import typescript from '@rollup/plugin-typescript';
import { rollup, type Plugin, type RollupError } from 'rollup';
import { minify as terser } from 'terser';
import { wordsOfSomeEngine } from './check-bundle.js';
import type { FlattenEngine } from '../flatten/engines.js';
import { flatten, flattenedCompress } from '../flatten/flatten.js';
import ts from 'typescript';
import { checkTarget, packageRoot, shown } from '../targets.js';
import { UserError } from '../user-error.js';

/** What to bundle. */
export interface BundleOptions {
  /** A target's name, or fake for that of the host tests: the condition under which `#port`, `#registers` and `#driver-port` resolve. */
  readonly target: string;
  /** For a device the user's app, whose default export is handed to the firmware; for a driver the program itself. */
  readonly entry: string;
  readonly role: 'device' | 'driver';
  /** The bundle; its source map goes beside it with `.map` appended. */
  readonly outFile: string;
  /** Default true. A bundle that is not minified is for reading only. */
  readonly minify?: boolean;
  /** Whether hot calls are flattened into the functions that make them (../flatten/flatten.ts); default true for a minified device. */
  readonly flatten?: boolean;
  /** The engine that runs the bundle: flattening weighs by its costs; default duktape. 'none': it is not flattened. */
  readonly engine?: FlattenEngine | 'none';
  /** The module whose `run(app)` starts a device; default firmware/main.ts of this package. */
  readonly firmware?: string;
  readonly capacity?: Capacity;
  /** Wire profile that every bus of a device gets instead of the app's own. */
  readonly profile?: string;
  /** True: the bundle shows every message, on targets that can (package.json, imports, `#trace`). */
  readonly trace?: boolean;
  /** Changes the compiled code of a module without moving what it keeps; for measurements. */
  readonly change?: (code: string, file: string) => string;
}

/** For how many an image has tables; what is left out is as in firmware/capacity.ts, which holds the most there can be. */
export interface Capacity {
  readonly devices?: number;
  readonly queues?: number;
}

const capacityFile = path.join(packageRoot, 'firmware', 'capacity.ts');

/** What was written. */
export interface BundleResult {
  readonly file: string;
  readonly mapFile: string;
  readonly bytes: number;
  /** Source files that reached the bundle, absolute. */
  readonly sources: readonly string[];
}

/** The name under which users' apps import this package. */
const packageName = 'virtio-msg-device';

const entryId = 'vmsg-entry';

/** Engines without natives in C: condition `no-glue` of package.json. */
const withoutGlue: readonly string[] = ['espruino', 'node'];

const notWatched = { close: (): void => undefined };

/**
 * The compiler for one build. The plugin compiles through a watching program, which it forgets to close when the sources
 * have errors: then the watchers would keep this process alive for ever.
 */
function oneShotCompiler(capacity: Capacity): typeof ts {
  const readFile: typeof ts.sys.readFile = (file, encoding) => {
    const text = ts.sys.readFile(file, encoding);
    return text !== undefined && path.resolve(file) === capacityFile ? fitted(text, capacity) : text;
  };
  return { ...ts, sys: withoutTimers({ ...ts.sys, readFile, watchFile: () => notWatched, watchDirectory: () => notWatched }) };
}

/** firmware/capacity.ts with other numbers of devices and queues. */
function fitted(text: string, { devices, queues }: Capacity): string {
  return ([['Devices', devices], ['Queues', queues]] as const).reduce(
    (result, [name, count]) => (count === undefined ? result : result.replace(new RegExp(`^(  ${name} = )\\d+,$`, 'm'), `$1${count},`)),
    text,
  );
}

function withoutTimers(system: ts.System): ts.System {
  delete system.setTimeout;
  delete system.clearTimeout;
  return system;
}

/** A device's entry: joins the user's app and the firmware. It is JavaScript already, which lets it set what apps only read. */
function entryModule(app: string, firmware: string, profile: string | undefined): Plugin {
  const override = profile === undefined ? '' : `app.buses.forEach(function (bus) { bus.profile = ${JSON.stringify(profile)}; });\n`;
  const code = `import app from ${JSON.stringify(app)};\nimport { run } from ${JSON.stringify(firmware)};\n${override}run(app);\n`;
  return {
    name: 'vmsg-entry',
    resolveId: (id) => (id === entryId ? id : null),
    load: (id) => (id === entryId ? { code, map: { mappings: '' } } : null),
  };
}

/** Has `change` see every module after the compiler; places stay where they are, and with them the source map. */
function changing(change: (code: string, file: string) => string): Plugin {
  return { name: 'vmsg-change', transform: (code, id) => ({ code: change(code, id), map: null }) };
}

/** Turns what rollup or the compiler threw into one sentence with file and line. */
function toUserError(error: unknown): unknown {
  const { code, loc, message, id, plugin } = error as RollupError;
  if (code === undefined) {
    return error;
  }
  const helper = /"(\w+)" is not exported by ".*no-helpers\.js", imported by "(.*?)"/.exec(message);
  if (helper !== null) {
    return new UserError(`${shown(path.resolve(helper[2] ?? ''))}: needs the compiler's run-time helper ${helper[1]}, which a bundle must not contain: write it in ES5 terms.`);
  }
  if (loc?.file === entryId || id === entryId || message.includes(`imported by "${entryId}"`)) {
    const file = /exported by "(.*?)"/.exec(message)?.[1];
    return new UserError(`${file === undefined ? 'The app' : shown(path.resolve(file))} has no default export: an app exports by default what it hands to the firmware.`);
  }
  // The compiler's plugin counts columns from 1, rollup from 0.
  const first = plugin === 'typescript' ? 0 : 1;
  const where = loc?.file !== undefined ? `${shown(loc.file)}:${loc.line}:${loc.column + first}: ` : id !== undefined ? `${shown(id)}: ` : '';
  return new UserError(`${where}${message.replace(/^(\[plugin [\w-]+\] *)?([^\n]*?\(\d+:\d+\): *)?(@rollup\/plugin-typescript *)?/, '')}`);
}

/** Bundles and writes `outFile` and its map; throws UserError for mistakes in the sources. */
export async function bundle(options: BundleOptions): Promise<BundleResult> {
  if (options.target !== 'fake') {
    checkTarget(options.target);
  }
  const entry = path.resolve(options.entry);
  const outFile = path.resolve(options.outFile);
  const firmware = path.resolve(options.firmware ?? path.join(packageRoot, 'firmware', 'main.ts'));
  if (!existsSync(entry)) {
    throw new UserError(`${options.entry} does not exist.`);
  }
  const roots = options.role === 'device' ? [entry, firmware] : [entry];
  mkdirSync(path.dirname(outFile), { recursive: true });
  const work = mkdtempSync(path.join(path.dirname(outFile), '.bundle-'));
  try {
    // Any run-time helper of the compiler lands here and fails: helpers would be code that no check has seen.
    const noHelpers = path.join(work, 'no-helpers.js');
    writeFileSync(noHelpers, 'export {};\n');
    const tsconfig = path.join(work, 'tsconfig.json');
    writeFileSync(
      tsconfig,
      JSON.stringify({
        extends: path.join(packageRoot, 'tsconfig.json'),
        compilerOptions: {
          customConditions: [options.target, ...(options.trace === true ? ['trace'] : []), ...(withoutGlue.includes(options.engine ?? 'duktape') ? ['no-glue'] : [])],
          noEmit: false,
          sourceMap: true,
          importHelpers: true,
          ...(options.target === 'fake' ? { lib: ['es2022'], types: ['node'], typeRoots: [path.join(packageRoot, 'node_modules', '@types')] } : {}),
          paths: {
            [packageName]: [path.join(packageRoot, 'firmware', 'main.ts')],
            [`${packageName}/device`]: [path.join(packageRoot, 'firmware', 'device.hot.ts')],
            tslib: [noHelpersTypes()],
          },
        },
        files: roots,
        include: [],
      }),
    );
    const built = await rollup({
      input: options.role === 'device' ? entryId : entry,
      onLog: (_level, log) => {
        throw log;
      },
      // Otherwise every native that nobody uses stays behind as a property read.
      treeshake: { propertyReadSideEffects: false, unknownGlobalSideEffects: false },
      plugins: [
        ...(options.role === 'device' ? [entryModule(entry, firmware, options.profile)] : []),
        json({ namedExports: true, preferConst: false, compact: true }),
        typescript({ typescript: oneShotCompiler(options.capacity ?? {}), tsconfig, tslib: noHelpers, filterRoot: false, outputToFilesystem: false, include: ['**/*.ts'], cacheDir: path.join(work, 'cache') }),
        ...(options.change === undefined ? [] : [changing(options.change)]),
      ],
    });
    const generated = await built.generate({ format: 'iife', generatedCode: 'es5', sourcemap: true, file: outFile });
    await built.close();
    const chunk = generated.output[0];
    let code = chunk.code;
    let map = JSON.stringify(chunk.map);
    const { engine = 'duktape' } = options;
    const flat = engine !== 'none' && (options.flatten ?? (options.role === 'device' && options.minify !== false));
    if (flat) {
      ({ code, map } = flatten({ code, map, engine, shown: (source) => shown(path.resolve(path.dirname(outFile), source)) }));
    }
    if (options.minify !== false) {
      const small = await terser(code, {
        ecma: 5,
        toplevel: true,
        mangle: { reserved: [...wordsOfSomeEngine] },
        compress: flat ? flattenedCompress : { passes: 2, reduce_funcs: false },
        sourceMap: { content: map, filename: path.basename(outFile), asObject: false },
      });
      code = small.code ?? '';
      map = small.map as string;
    }
    writeFileSync(outFile, code);
    writeFileSync(`${outFile}.map`, map);
    const sources = chunk.moduleIds.filter((id) => path.isAbsolute(id) && id !== noHelpers);
    return { file: outFile, mapFile: `${outFile}.map`, bytes: Buffer.byteLength(code), sources };
  } catch (error) {
    throw toUserError(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The real helper types, so that the compiler emits an import that the empty module then cannot satisfy. */
function noHelpersTypes(): string {
  return path.join(path.dirname(createRequire(import.meta.url).resolve('tslib/package.json')), 'tslib.d.ts');
}
