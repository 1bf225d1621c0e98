// Duktape as the images hold it: its sources with our settings and changes, and the compiler of bundles built from them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { parse, type AnyNode, type Program } from 'acorn';
import { hashOf, run, temporaryName, writeWhole } from '../image/build-files.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';
import { children } from '../flatten/program.js';
import type { EngineRequest, PreparedEngine } from './engine.js';
import { imageOfDump, type LanguageUse } from './duktape-bytecode.js';

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
  // The functions inside end where the instructions begin, or, when those stay in flash, where the data ends.
  [
    '#define DUK_HCOMPFUNC_GET_FUNCS_END(heap, h) ((duk_hobject **) (void *) DUK_HCOMPFUNC_GET_BYTECODE((heap), (h)))\n',
    `#define GLUE_IN_FLASH(heap, h) \\
	((duk_size_t) ((duk_uint8_t *) DUK_HCOMPFUNC_GET_BYTECODE((heap), (h)) - (duk_uint8_t *) DUK_HCOMPFUNC_GET_BUFFER_BASE((heap), (h))) > \\
	 DUK_HBUFFER_GET_SIZE((duk_hbuffer *) DUK_HCOMPFUNC_GET_DATA((heap), (h))))
#define DUK_HCOMPFUNC_GET_FUNCS_END(heap, h) \\
	((duk_hobject **) (void *) (GLUE_IN_FLASH((heap), (h)) ? DUK_HCOMPFUNC_GET_CODE_END((heap), (h)) : \\
	                                                         DUK_HCOMPFUNC_GET_BYTECODE((heap), (h))))
`,
  ],
  // A function of the image is its own template: the first closure takes it as it is, later ones copy it.
  [
    '\tDUK_STATS_INC(thr->heap, stats_envrec_pushclosure);\n',
    `	if (DUK_HCOMPFUNC_GET_LEXENV(thr->heap, fun_temp) == NULL && GLUE_IN_FLASH(thr->heap, fun_temp) &&
	    DUK_HOBJECT_HAS_NEWENV(&fun_temp->obj) && !DUK_HOBJECT_HAS_NAMEBINDING(&fun_temp->obj) &&
	    !DUK_HOBJECT_HAS_CONSTRUCTABLE(&fun_temp->obj)) {
		DUK_HCOMPFUNC_SET_LEXENV(thr->heap, fun_temp, outer_lex_env);
		DUK_HCOMPFUNC_SET_VARENV(thr->heap, fun_temp, outer_lex_env);
		DUK_HOBJECT_INCREF(thr, outer_lex_env);
		DUK_HOBJECT_INCREF(thr, outer_lex_env);
		duk_push_hobject(thr, &fun_temp->obj);
		return;
	}
	DUK_STATS_INC(thr->heap, stats_envrec_pushclosure);
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
  // A product, quotient or remainder of whole numbers stays one when an operand is 0: only with a negative one would it be -0.
  // As a double it made all that was computed from it double, and compared, and used as an index, by software.
  ['v1 <= DUK_I64_CONSTANT(0x7fffffff) && v1 != 0 &&\n', 'v1 <= DUK_I64_CONSTANT(0x7fffffff) &&\n'],
  ['v2 <= DUK_I64_CONSTANT(0x7fffffff) && v2 != 0) {\n', 'v2 <= DUK_I64_CONSTANT(0x7fffffff) && ((v1 | v2) >= 0 || (v1 != 0 && v2 != 0))) {\n'],
  ['\t\t\tif (v1 == 0 || v2 == 0) {\n', '\t\t\tif (v2 == 0 || (v1 == 0 && v2 < 0)) {\n'],
  ['\t\t\tif (v1 < 1 || v2 < 1) {\n', '\t\t\tif (v1 < 0 || v2 < 1) {\n'],
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
  // An image of bytecode has no compiler: everything below this line is then dead.
  [
    '\tduk__compiler_stkstate comp_stk;\n\tduk_compiler_ctx *prev_ctx;\n\tduk_ret_t safe_rc;\n',
    '#if defined(GLUE_BYTECODE_ONLY)\n\tDUK_ERROR_UNSUPPORTED(thr);\n#endif\n\tduk__compiler_stkstate comp_stk;\n\tduk_compiler_ctx *prev_ctx;\n\tduk_ret_t safe_rc;\n',
  ],
];

/** Replaces `anchor`, which must occur exactly once. */
function replaceOnce(text: string, anchor: string, replacement: string, file: string): string {
  if (text.split(anchor).length !== 2) {
    throw new UserError(`${file} is not the Duktape 2.7 that the build knows: "${anchor.trim()}" does not occur exactly once.`);
  }
  return text.replace(anchor, () => replacement);
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
  const source = changes.reduce((text, [anchor, replacement]) => replaceOnce(text, anchor, replacement, path.join(from, 'duktape.c')), read('duktape.c'));
  const files: readonly (readonly [string, string])[] = [
    ['duktape.c', `${source}\n#include "load.c"\n`],
    ['duk_config.h', replaceOnce(read('duk_config.h'), '/* __OVERRIDE_DEFINES__ */', '#include "overrides.h"', path.join(from, 'duk_config.h'))],
    ['duktape.h', read('duktape.h')],
    ['overrides.h', readFileSync(path.join(own, 'overrides.h'), 'utf8')],
    ['load.c', readFileSync(path.join(own, 'load.c'), 'utf8')],
    ['executor.h', readFileSync(path.join(own, 'executor.h'), 'utf8')],
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
  const program = path.join(sources.folder, `vmsg-duktape-compile-${hashOf([readFileSync(path.join(own, 'compile.c'), 'utf8')])}`);
  if (!existsSync(program)) {
    log('compile Duktape for this machine');
    const temporary = temporaryName(program);
    const args = ['-O1', '-w', `-I${sources.folder}`, path.join(own, 'compile.c'), path.join(sources.folder, 'duktape.c'), '-lm', '-o', temporary];
    const { status, output } = await run('cc', args).catch(() => {
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
  const look = (node: AnyNode): void => {
    // Without `this` and `prototype` nothing is made with `new` but the engine's own objects.
    constructors ||= node.type === 'ThisExpression' || (node.type === 'MemberExpression' && isNamed(node.property, 'prototype'));
    namesByText ||= node.type === 'WithStatement' || (node.type === 'Identifier' && node.name === 'eval');
    callee ||= isNamed(node, 'callee');
    children(node).forEach(look);
  };
  const program = parse(text, { ecmaVersion: 2020, allowReserved: true });
  look(program);
  return { constructors, namesByText, oneFunction: !callee && isOneCall(program) };
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

/** Compiles a bundle's text to what the image holds; `name` stands in the messages of its errors. */
export async function compileForDuktape(sources: DuktapeSources, text: string, name: string, log: (line: string) => void): Promise<Buffer> {
  const program = await bundleCompiler(sources, log);
  const { status, stdout, stderr } = spawnSync(program, [name], { input: text, maxBuffer: 2 ** 26 });
  if (status !== 0) {
    throw new UserError(`${name} does not compile: ${stderr.toString().trim()}.`);
  }
  return imageOfDump(stdout, sources.stamp, useOf(text));
}

/** Duktape for one image. */
export function duktapeFor({ cache, asText, log }: EngineRequest): PreparedEngine {
  const sources = prepareDuktape(cache);
  return {
    source: {
      file: path.join(sources.folder, 'duktape.c'),
      flags: ['-std=gnu99', '-w', '-ffunction-sections', '-fdata-sections', '-fstrict-aliasing', '-fno-math-errno', `-I${sources.folder}`, ...(asText ? [] : ['-DGLUE_BYTECODE_ONLY'])],
    },
    glue: 'engine/duktape/glue.c',
    includes: [sources.folder],
    flags: [`-DDUKTAPE_STAMP=0x${sources.stamp}ull`],
    link: [],
    compile: (text, name) => (asText ? Promise.resolve(Buffer.from(text)) : compileForDuktape(sources, text, name, log)),
  };
}
