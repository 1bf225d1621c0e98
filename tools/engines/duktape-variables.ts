// Lets the functions of a bundle reach the bundle's own variables by register instead of by name.
//
// A bundle is one function that is called once and never again: its variables stay in the registers of one activation.
// Duktape looks them up by name, through a table of all names. The instructions below, which the build adds to Duktape, hold
// the register's number. The names, their table and the constants that held them are then no longer needed.
import type { DumpedFunction } from './duktape-bytecode.js';

/** Instructions of Duktape 2.7: DUK_OP_... of duktape.c. */
const op = { getVar: 11, preIncVar: 124, postDecVar: 127, putVar: 155, tryCatch: 165, callVarFirst: 172, callVarLast: 175 };

/** Those that the build adds; the lowest two bits of the four that count say which way, as in Duktape's own. */
const added = { preInc: 212, get: 216, put: 217, callSetUp: 218, begin: 219 };

/** Flags of a function: DUK_HOBJECT_FLAG_... of duktape.c. */
export const flag = { extensible: 1 << 7, constructable: 1 << 8, newEnvironment: 1 << 18, nameBinding: 1 << 19 };

/** Instructions with the index of a constant in bits 31..16. */
const wideConstant = new Set([3, 11, 49, 51, 124, 125, 126, 127, 154, 155, 156, 159, 160]);
/** Ranges of instructions that come in four variants: bit 0 of the number says that B is a constant, bit 1 that C is one. */
const variants: readonly (readonly [number, number])[] = [[16, 47], [52, 119], [128, 151], [172, 175], [208, 211]];

const opOf = (instruction: number): number => instruction & 255;
const withWide = (instruction: number, operation: number, value: number): number => ((instruction & 0xff00) | operation | (value << 16)) >>> 0;

/** The instruction with `use` of each constant's index that it names. */
function mapConstants(instruction: number, use: (index: number) => number): number {
  const operation = opOf(instruction);
  if (wideConstant.has(operation)) {
    return withWide(instruction, operation, use(instruction >>> 16));
  }
  let mapped = instruction;
  if (variants.some(([first, last]) => operation >= first && operation <= last)) {
    if ((operation & 1) !== 0) {
      mapped = (mapped & ~0xff0000) | (use((instruction >>> 16) & 255) << 16);
    }
    if ((operation & 2) !== 0) {
      mapped = (mapped & ~0xff000000) | (use(instruction >>> 24) << 24);
    }
  }
  return mapped >>> 0;
}

/** The function without constants that none of its instructions names. Those left keep their order, so that no index grows. */
function withoutUnused(from: DumpedFunction): DumpedFunction {
  const used = new Set<number>();
  const note = (index: number): number => {
    used.add(index);
    return index;
  };
  from.instructions.forEach((instruction) => mapConstants(instruction, note));
  const order = [...used].sort((one, other) => one - other);
  const places = new Map(order.map((index, place) => [index, place]));
  const constants = order.map((index) => {
    const constant = from.constants[index];
    if (constant === undefined) {
      throw new Error(`An instruction names constant ${index} of ${from.constants.length}: not the instructions of Duktape 2.7.`);
    }
    return constant;
  });
  return { ...from, instructions: from.instructions.map((instruction) => mapConstants(instruction, (index) => places.get(index) ?? 0)), constants };
}

const hasTry = (from: DumpedFunction): boolean => from.instructions.some((instruction) => opOf(instruction) === op.tryCatch);

/** The constant that holds the name of the variable which the instruction reads, writes or calls; undefined for others. */
function nameIndex(instruction: number): number | undefined {
  const operation = opOf(instruction);
  if (operation === op.getVar || operation === op.putVar || (operation >= op.preIncVar && operation <= op.postDecVar)) {
    return instruction >>> 16;
  }
  // The name of a call may stand in a register: then it is looked up.
  return operation >= op.callVarFirst && operation <= op.callVarLast && (operation & 1) !== 0 ? (instruction >>> 16) & 255 : undefined;
}

function byRegister(instruction: number, register: number): number {
  switch (opOf(instruction)) {
    case op.getVar:
      return withWide(instruction, added.get, register);
    case op.putVar:
      return withWide(instruction, added.put, register);
    case op.callVarFirst + 1:
    case op.callVarLast:
      return withWide(instruction, added.callSetUp, register);
    default:
      return withWide(instruction, added.preInc + (opOf(instruction) & 3), register);
  }
}

/**
 * `from` and the functions inside it; `registers` are those of the bundle's variables by name, less the names that a function
 * between has for itself.
 */
function rewrite(from: DumpedFunction, registers: ReadonlyMap<string, number>): DumpedFunction {
  // Behind a catch a name may be that of what was caught, which only the engine knows.
  const seen = new Map(hasTry(from) ? [] : registers);
  [from.name, ...from.variables.map(([name]) => name)].forEach((name) => seen.delete(name));
  const instructions = from.instructions.map((instruction) => {
    const index = nameIndex(instruction);
    const name = index === undefined ? undefined : from.constants[index];
    const register = typeof name === 'string' ? seen.get(name) : undefined;
    return register === undefined ? instruction : byRegister(instruction, register);
  });
  return withoutUnused({ ...from, instructions, functions: from.functions.map((inner) => rewrite(inner, seen)) });
}

function stringsIn(from: DumpedFunction, found: Set<string>): Set<string> {
  from.constants.forEach((constant) => typeof constant === 'string' && found.add(constant));
  from.functions.forEach((inner) => stringsIn(inner, found));
  return found;
}

/** `program` is the text of a bundle; it does nothing but call the one function inside it, once. */
export function reachByRegister(program: DumpedFunction): DumpedFunction {
  const [bundle] = program.functions;
  if (bundle === undefined || program.functions.length !== 1 || hasTry(program) || hasTry(bundle)) {
    return program;
  }
  const registers = new Map(bundle.variables);
  const functions = bundle.functions.map((inner) => rewrite(inner, registers));
  // What is still looked up by name stays in the table of names.
  const asked = functions.reduce((found, inner) => stringsIn(inner, found), new Set<string>());
  const variables = bundle.variables.filter(([name]) => asked.has(name));
  return { ...program, functions: [{ ...bundle, instructions: [added.begin, ...bundle.instructions], variables, functions }] };
}

/**
 * `from` with a mark on each function inside that knows nothing of those around it: it may exist once, in flash, however often
 * it is evaluated. The mark is the flag that such an object lacks anyway: nothing can be added to it. `around` are the
 * variables of the functions around it.
 */
export function shareFunctions(from: DumpedFunction, around: ReadonlySet<string> = new Set()): DumpedFunction {
  const seen = new Set([...around, from.name, ...from.variables.map(([name]) => name)]);
  return {
    ...from,
    functions: from.functions.map((inner) => {
      const alone = (inner.flags & flag.newEnvironment) !== 0 && (inner.flags & flag.nameBinding) === 0 && ![...stringsIn(inner, new Set())].some((text) => seen.has(text));
      return shareFunctions(alone ? { ...inner, flags: (inner.flags & ~flag.extensible) >>> 0 } : inner, seen);
    }),
  };
}
