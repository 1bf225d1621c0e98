// Duktape as the images hold it: its sources with our settings and changes, and the compiler of bundles built from them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { parse, type AnyNode, type Program } from 'acorn';
import { hashOf, run, temporaryName, writeWhole } from '../image/build-files.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';
import { children } from '../flatten/program.js';
import { asItIs, type EngineRequest, type LinkedBundle, type PreparedEngine } from './engine.js';
import { dumpForImage, type LanguageUse } from './duktape-bytecode.js';

/** Prepared sources. */
export interface DuktapeSources {
  readonly folder: string;
  /** Sixteen hexadecimal digits that change with the sources and the settings: bytecode fits only its own stamp. */
  readonly stamp: string;
}

const own = path.join(packageRoot, 'platforms/engine/duktape');

const bothWhole = '#if defined(DUK_USE_FASTINT)\n\tif (DUK_TVAL_IS_FASTINT(tv_x) && DUK_TVAL_IS_FASTINT(tv_y)) {\n';

/** What is changed in duktape.c, each at a place that must occur exactly once. */
const changes: readonly (readonly [anchor: string, replacement: string])[] = [
  // Counts collector runs.
  ['\theap->ms_running = 1;\n', '\theap->ms_running = 1;\n\tglue_collection(heap->heap_udata);\n'],
  // Strings and built-in objects of an image are constants that freeze.c has written, not those of Duktape's configure.py.
  [
    '#if defined(DUK_USE_ROM_STRINGS)\n#error ROM support not enabled, rerun configure.py with --rom-support\n#else  /* DUK_USE_ROM_STRINGS */\n#define',
    '#if defined(DUK_USE_ROM_STRINGS)\nextern const duk_hstring *const duk_rom_strings_lookup[];\nextern const duk_hstring *const duk_rom_strings_stridx[];\n#endif\n#if 1\n#define',
  ],
  [
    '#if defined(DUK_USE_ROM_OBJECTS)\n#error RAM support not enabled, rerun configure.py with --ram-support\n#else  /* DUK_USE_ROM_OBJECTS */\n',
    '#if defined(DUK_USE_ROM_OBJECTS)\nextern const duk_hobject *const duk_rom_builtins_bidx[];\n#endif\n#if 1\n',
  ],
  [
    '#if defined(DUK_USE_ROM_STRINGS)\n#error ROM support not enabled, rerun configure.py with --rom-support\n#else  /* DUK_USE_ROM_STRINGS */\nDUK_INTERNAL',
    '#if !defined(DUK_USE_ROM_STRINGS)\nDUK_INTERNAL',
  ],
  [
    '#if defined(DUK_USE_ROM_OBJECTS)\n#error ROM support not enabled, rerun configure.py with --rom-support\n#else  /* DUK_USE_ROM_OBJECTS */\n/*',
    '#if !defined(DUK_USE_ROM_OBJECTS)\n/*',
  ],
  // The instructions of such a function lie elsewhere than its constants and the functions inside.
  [
    '#define DUK_HCOMPFUNC_GET_FUNCS_END(heap, h) ((duk_hobject **) (void *) DUK_HCOMPFUNC_GET_BYTECODE((heap), (h)))\n',
    `#if defined(GLUE_ROM)
#define DUK_HCOMPFUNC_GET_FUNCS_END(heap, h) ((duk_hobject **) (void *) DUK_HCOMPFUNC_GET_CODE_END((heap), (h)))
#else
#define DUK_HCOMPFUNC_GET_FUNCS_END(heap, h) ((duk_hobject **) (void *) DUK_HCOMPFUNC_GET_BYTECODE((heap), (h)))
#endif
`,
  ],
  // One that knows nothing of those around it (duktape-variables.ts) is its own closure, however often it is evaluated.
  [
    '\tDUK_STATS_INC(thr->heap, stats_envrec_pushclosure);\n',
    `	if (!DUK_HOBJECT_HAS_EXTENSIBLE(&fun_temp->obj)) {
		duk_push_hobject(thr, &fun_temp->obj);
		return;
	}
	DUK_STATS_INC(thr->heap, stats_envrec_pushclosure);
`,
  ],
  // A copy of a constant is none.
  [
    'DUK_HEAPHDR_SET_FLAGS((duk_heaphdr *) fun_clos, DUK_HEAPHDR_GET_FLAGS_RAW((duk_heaphdr *) fun_temp));\n',
    'DUK_HEAPHDR_SET_FLAGS((duk_heaphdr *) fun_clos, DUK_HEAPHDR_GET_FLAGS_RAW((duk_heaphdr *) fun_temp) & ~(DUK_HEAPHDR_FLAG_READONLY | DUK_HEAPHDR_FLAG_REACHABLE));\n',
  ],
  // Others take the names of their variables along; what else belongs to a function only constructors have.
  [
    '\tformals = duk_hobject_get_formals(thr, (duk_hobject *) fun_temp);\n\tif (formals) {\n',
    `#if defined(GLUE_ROM)
	if (!DUK_HOBJECT_HAS_CONSTRUCTABLE(&fun_clos->obj)) {
		duk_pop_unsafe(thr);
		duk_compact_m1(thr);
		return;
	}
#endif
	formals = duk_hobject_get_formals(thr, (duk_hobject *) fun_temp);
	if (formals) {
`,
  ],
  // Variables of the bundle by register (duktape-variables.ts): where its activation begins on the value stack, in bytes, and
  // the instructions that need it.
  ['\tduk_tval *valstack_bottom; /* bottom of current frame */\n', '\tduk_tval *valstack_bottom; /* bottom of current frame */\n\tduk_size_t glue_bundle;\n'],
  [Array.from({ length: 8 }, (_, at) => `\t\tcase DUK_OP_UNUSED${212 + at}:\n`).join(''), ''],
  [
    '\t\tcase DUK_OP_NOP: {\n',
    `#define GLUE_VARIABLE(ins) ((duk_tval *) (void *) ((duk_uint8_t *) thr->valstack + thr->glue_bundle) + DUK_DEC_BC((ins)))
		case DUK_OP_UNUSED212:
		case DUK_OP_UNUSED213:
		case DUK_OP_UNUSED214:
		case DUK_OP_UNUSED215: {
			if (!DUK_TVAL_IS_NUMBER(GLUE_VARIABLE(ins))) {
				duk_push_tval(thr, GLUE_VARIABLE(ins));
				(void) duk_to_number_m1(thr);
				DUK_TVAL_SET_TVAL_UPDREF(thr, GLUE_VARIABLE(ins), DUK_GET_TVAL_NEGIDX(thr, -1));
				duk_pop_unsafe(thr);
			}
			duk__prepost_incdec_reg_helper(thr, DUK__REGP_A(ins), GLUE_VARIABLE(ins), DUK_DEC_OP(ins));
			break;
		}
		case DUK_OP_UNUSED216:
			DUK_TVAL_SET_TVAL_UPDREF_FAST(thr, DUK__REGP_A(ins), GLUE_VARIABLE(ins));
			break;
		case DUK_OP_UNUSED217:
			DUK_TVAL_SET_TVAL_UPDREF_FAST(thr, GLUE_VARIABLE(ins), DUK__REGP_A(ins));
			break;
		case DUK_OP_UNUSED218:
			DUK_TVAL_SET_TVAL_UPDREF_FAST(thr, DUK__REGP_A(ins), GLUE_VARIABLE(ins));
			DUK_TVAL_SET_UNDEFINED_UPDREF(thr, DUK__REGP_A(ins) + 1);
			break;
		case DUK_OP_UNUSED219:
			thr->glue_bundle = (duk_size_t) ((duk_uint8_t *) thr->valstack_bottom - (duk_uint8_t *) thr->valstack);
			break;
		case DUK_OP_NOP: {
`,
  ],
  // What executor.h does at once: whole numbers, conditions, elements of typed arrays.
  [
    'DUK_LOCAL DUK_EXEC_ALWAYS_INLINE_PERF void duk__vm_arith_add(duk_hthread *thr,\n',
    '#include "executor.h"\nDUK_LOCAL DUK_EXEC_ALWAYS_INLINE_PERF void duk__vm_arith_add(duk_hthread *thr,\n',
  ],
  [
    `${bothWhole}\t\tduk_int64_t v1, v2, v3;\n\t\tduk_int32_t v3_hi;\n\t\tduk_tval *tv_z;\n`,
    `	if (glue_arithmetic(thr->valstack_bottom + idx_z, tv_x, tv_y, DUK_OP_ADD >> 2)) {
		return;
	}
${bothWhole}		duk_int64_t v1, v2, v3;
		duk_int32_t v3_hi;
		duk_tval *tv_z;
`,
  ],
  [
    `${bothWhole}\t\tduk_int64_t v1, v2, v3;\n\t\tduk_int32_t v3_hi;\n\n`,
    `	if (glue_arithmetic(thr->valstack_bottom + idx_z, tv_x, tv_y, opcode_shifted)) {
		return;
	}
${bothWhole}		duk_int64_t v1, v2, v3;
		duk_int32_t v3_hi;

`,
  ],
  ['\t\ttmp = duk_js_compare_helper(thr, (arg1), (arg2), (flags)); \\\n', '\t\ttmp = GLUE_COMPARE(thr, (arg1), (arg2), (flags)); \\\n'],
  ...['SEQ', 'SNEQ'].map((name): readonly [string, string] => {
    const body = (equals: string): string => `#define DUK__${name}_BODY(barg, carg) \\\n\t{ \\\n\t\tduk_bool_t tmp; \\\n\t\ttmp = ${equals}((barg), (carg)); \\\n`;
    return [body('duk_js_strict_equals'), body('GLUE_STRICT_EQUALS')];
  }),
  ['if (duk_js_toboolean(DUK__REGP_BC(ins)) != 0) {\n', 'if (GLUE_IS_TRUE(DUK__REGP_BC(ins))) {\n'],
  ['if (duk_js_toboolean(DUK__REGP_BC(ins)) == 0) {\n', 'if (!GLUE_IS_TRUE(DUK__REGP_BC(ins))) {\n'],
  [
    '\t\t(void) duk_hobject_getprop(thr, (barg), (carg)); \\\n\t\tDUK__REPLACE_TOP_A_BREAK(); \\\n',
    `		if (glue_read_element(thr, DUK__REGP_A(ins), (barg), (carg))) { \\
			break; \\
		} \\
		(void) duk_hobject_getprop(thr, (barg), (carg)); \\
		DUK__REPLACE_TOP_A_BREAK(); \\
`,
  ],
  [
    '\t\t(void) duk_hobject_putprop(thr, (aarg), (barg), (carg), DUK__STRICT()); \\\n',
    `		if (glue_write_element(thr, (aarg), (barg), (carg))) { \\
			break; \\
		} \\
		(void) duk_hobject_putprop(thr, (aarg), (barg), (carg), DUK__STRICT()); \\
`,
  ],
  [
    '\t\t\tnargs = (duk_idx_t) DUK_DEC_A(ins);\n\t\t\tcall_flags = (ins & 0x07U) | DUK_CALL_FLAG_ALLOW_ECMATOECMA;\n\t\t\tidx = (duk_idx_t) DUK_DEC_BC(ins);\n',
    `			nargs = (duk_idx_t) DUK_DEC_A(ins);
			call_flags = (ins & 0x07U) | DUK_CALL_FLAG_ALLOW_ECMATOECMA;
			idx = (duk_idx_t) DUK_DEC_BC(ins);
			if (glue_call(DUK__REGP(idx), nargs)) {
				break;
			}
`,
  ],
  // An image of compiled bundles has no compiler: everything below this line is then dead.
  [
    '\tduk__compiler_stkstate comp_stk;\n\tduk_compiler_ctx *prev_ctx;\n\tduk_ret_t safe_rc;\n',
    '#if defined(GLUE_ROM)\n\tDUK_ERROR_UNSUPPORTED(thr);\n#endif\n\tduk__compiler_stkstate comp_stk;\n\tduk_compiler_ctx *prev_ctx;\n\tduk_ret_t safe_rc;\n',
  ],
];

/** Replaces `anchor`, which must occur exactly once. */
function replaceOnce(text: string, anchor: string, replacement: string, file: string): string {
  if (text.split(anchor).length !== 2) {
    throw new UserError(`${file} is not the Duktape 2.7 that the build knows: "${anchor.trim()}" does not occur exactly once.`);
  }
  return text.replace(anchor, () => replacement);
}

/** Where the declarations that all of Duktape's parts share end. */
const endOfInternals = '#endif /* DUK_INTERNAL_H_INCLUDED */\n';

/** Duktape's built-in functions under the numbers that freeze.c gives them. */
function nativesOf(source: string): string {
  const names = /duk_bi_native_functions\[\d+\] = \{\s*NULL,([^}]*)\}/.exec(source)?.[1]?.match(/\w+/g) ?? [];
  const lines = [...new Set(names)].map((name) => `extern duk_ret_t ${name}(duk_context *);\n`).concat(names.map((name, index) => `#define ROM_NATIVE_${index + 1} ${name}\n`));
  return `// Made by the build from duktape.c.\n${lines.join('')}`;
}

/** Copies Duktape's sources with our settings and changes into the cache. `DUKTAPE_DIR` names another place than the Debian package's. */
export function prepareDuktape(cache: string): DuktapeSources {
  const from = process.env['DUKTAPE_DIR'] ?? '/usr/share/duktape';
  const read = (name: string): string => {
    const file = path.join(from, name);
    if (!existsSync(file)) {
      throw new UserError(`${file} is missing: install the package duktape-dev, or set DUKTAPE_DIR to a folder with Duktape 2.7's sources.`);
    }
    return readFileSync(file, 'utf8');
  };
  const changed = changes.reduce((text, [anchor, replacement]) => replaceOnce(text, anchor, replacement, path.join(from, 'duktape.c')), read('duktape.c'));
  // The constants name built-in functions, so those are no longer the source's own.
  const source = changed.replace(/^DUK_INTERNAL duk_ret_t (?=duk_bi_)/gm, 'duk_ret_t ').replace(/^DUK_INTERNAL_DECL duk_ret_t (?=duk_bi_)/gm, 'extern duk_ret_t ');
  const files: readonly (readonly [string, string])[] = [
    ['duktape.c', `${source}\n#include "internals.c"\n`],
    ['internal.h', replaceOnce(source, endOfInternals, `${endOfInternals}\f`, path.join(from, 'duktape.c')).split('\f')[0] ?? ''],
    ['natives-of-duktape.h', nativesOf(source)],
    ['duk_config.h', replaceOnce(read('duk_config.h'), '/* __OVERRIDE_DEFINES__ */', '#include "overrides.h"', path.join(from, 'duk_config.h'))],
    ['duktape.h', read('duktape.h')],
    ...['overrides.h', 'executor.h', 'internals.c', 'rom.h', 'freeze.c', 'developer.h', 'compile.c'].map((name) => [name, readFileSync(path.join(own, name), 'utf8')] as const),
  ];
  const stamp = hashOf(files.map(([, content]) => content));
  const folder = path.join(cache, `duktape-${stamp}`);
  mkdirSync(folder, { recursive: true });
  files.forEach(([name, content]) => {
    if (!existsSync(path.join(folder, name))) {
      writeWhole(path.join(folder, name), content);
    }
  });
  return { folder, stamp };
}

/** Builds the compiler of bundles from the same sources for this machine. */
async function bundleCompiler(sources: DuktapeSources, log: (line: string) => void): Promise<string> {
  const program = path.join(sources.folder, 'vmsg-duktape');
  if (!existsSync(program)) {
    log('compile Duktape for this machine');
    const temporary = temporaryName(program);
    const { status, output } = await run('cc', ['-O1', '-w', `-I${sources.folder}`, path.join(sources.folder, 'compile.c'), '-lm', '-o', temporary]).catch(() => {
      throw new UserError('The compiler cc, which builds the compiler of bundles for this machine, is missing: install the packages gcc and libc6-dev.');
    });
    if (status !== 0) {
      throw new Error(`The compiler of bundles cannot be built:\n${output}`);
    }
    renameSync(temporary, program);
  }
  return program;
}

/** What a bundle's text uses of the language. The words may stand in its messages, so it takes a parser to know. */
export function useOf(text: string): LanguageUse {
  let constructors = false;
  let namesByText = false;
  let callee = false;
  // `scopes`: what each name around the node stands for, true where that is a function.
  const look = (node: AnyNode, scopes: readonly ReadonlyMap<string, boolean>[]): void => {
    // Without `this` and `prototype` nothing is made with `new` but the engine's own objects.
    constructors ||= node.type === 'ThisExpression' || (node.type === 'MemberExpression' && isNamed(node.property, 'prototype'));
    namesByText ||= node.type === 'WithStatement' || (node.type === 'Identifier' && node.name === 'eval');
    callee ||= isNamed(node, 'callee');
    if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression' && node.left.object.type === 'Identifier') {
      const { name } = node.left.object;
      constructors ||= scopes.find((scope) => scope.has(name))?.get(name) === true;
    }
    const inner = node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' ? [namesIn(node), ...scopes] : scopes;
    children(node).forEach((child) => look(child, inner));
  };
  const program = parse(text, { ecmaVersion: 2020, allowReserved: true });
  look(program, [namesIn(program)]);
  return { constructors, namesByText, oneFunction: !callee && isOneCall(program) };
}

/** The names that a function, or the whole text, declares: true where one stands for a function. */
function namesIn(scope: AnyNode): ReadonlyMap<string, boolean> {
  const names = new Map<string, boolean>();
  const note = (node: AnyNode | null | undefined, isFunction: boolean): void => {
    if (node?.type === 'Identifier') {
      names.set(node.name, isFunction || names.get(node.name) === true);
    }
  };
  const look = (node: AnyNode): void => {
    if (node.type === 'FunctionDeclaration') {
      note(node.id, true);
    } else if (node.type === 'VariableDeclarator') {
      note(node.id, node.init?.type === 'FunctionExpression');
    }
    if (node.type !== 'FunctionDeclaration' && node.type !== 'FunctionExpression') {
      children(node).forEach(look);
    }
  };
  if (scope.type === 'FunctionDeclaration' || scope.type === 'FunctionExpression') {
    scope.params.forEach((parameter) => note(parameter, false));
    // A function expression knows itself by its name.
    note(scope.type === 'FunctionExpression' ? scope.id : undefined, true);
  }
  children(scope).forEach(look);
  return names;
}

/** True for `(function () { ... })();` and `!function () { ... }();`. */
function isOneCall(program: Program): boolean {
  const [statement] = program.body;
  if (program.body.length !== 1 || statement?.type !== 'ExpressionStatement') {
    return false;
  }
  const call = statement.expression.type === 'UnaryExpression' ? statement.expression.argument : statement.expression;
  return call.type === 'CallExpression' && call.callee.type === 'FunctionExpression' && (call.callee.id ?? null) === null;
}

function isNamed(node: AnyNode, name: string): boolean {
  return (node.type === 'Identifier' && node.name === name) || (node.type === 'Literal' && node.value === name);
}

/** Bundles and the engine's built-in objects as constants in C: a file in the cache. */
async function frozen(sources: DuktapeSources, bundles: readonly LinkedBundle[], { cache, log }: EngineRequest): Promise<string> {
  const program = await bundleCompiler(sources, log);
  const vmsgDuktape = (args: readonly string[], input: string, what: string): Buffer => {
    const { status, stdout, stderr } = spawnSync(program, args, { input, maxBuffer: 2 ** 26 });
    if (status !== 0) {
      throw new UserError(`${what} does not compile: ${stderr.toString().trim()}.`);
    }
    return stdout;
  };
  const dumps = bundles.map(({ symbol, text, name }) => {
    const dump = dumpForImage(vmsgDuktape(['compile', name], text, name), useOf(text));
    const file = path.join(cache, `bundle-${hashOf([dump.toString('latin1')])}.dump`);
    writeWhole(file, dump);
    return `${symbol}=${file}`;
  });
  const rom = vmsgDuktape(['freeze', ...dumps], '', bundles.map(({ name }) => name).join(' and ')).toString('latin1');
  const file = path.join(cache, `rom-${hashOf([rom])}.c`);
  writeWhole(file, rom);
  return file;
}

/** Duktape for one image. */
export function duktapeFor(request: EngineRequest): PreparedEngine {
  const { cache, asText } = request;
  const sources = prepareDuktape(cache);
  const rom = asText ? [] : ['-DGLUE_ROM'];
  const flags = ['-std=gnu99', '-w', '-ffunction-sections', '-fdata-sections', '-fstrict-aliasing', '-fno-math-errno', `-I${sources.folder}`, ...rom];
  return {
    source: { file: path.join(sources.folder, 'duktape.c'), flags },
    glue: 'engine/duktape/glue.c',
    includes: [sources.folder],
    flags: rom,
    link: [],
    bundles: async (bundles) => (asText ? bundles.map((bundle) => asItIs(bundle, bundle.text, cache)) : [{ file: await frozen(sources, bundles, request), flags }]),
  };
}
