// Rewrites Duktape's function dump: what a bundle does not use of the language costs its functions nothing.
import { flag, reachByRegister, shareFunctions } from './duktape-variables.js';

const dumpMarker = 0xbf;
const none = 0xffffffff;

/** What the reader of a dump keeps of one function. */
export interface DumpedFunction {
  readonly instructions: readonly number[];
  readonly constants: readonly (string | number)[];
  readonly functions: readonly DumpedFunction[];
  readonly registers: number;
  readonly parameters: number;
  readonly flags: number;
  readonly name: string;
  readonly variables: readonly (readonly [string, number])[];
  readonly formals: readonly string[] | undefined;
}

/** Reads Duktape 2.7's dump of a build without file names and line numbers; strings are kept as bytes, in latin1. */
class DumpReader {
  private at = 0;

  constructor(private readonly dump: Buffer) {}

  private u16(): number {
    this.at += 2;
    return this.dump.readUInt16BE(this.at - 2);
  }

  private u32(): number {
    this.at += 4;
    return this.dump.readUInt32BE(this.at - 4);
  }

  private string(): string {
    const bytes = this.u32();
    this.at += bytes;
    return this.dump.toString('latin1', this.at - bytes, this.at);
  }

  private constant(): string | number {
    const kind = this.dump.readUInt8(this.at++);
    if (kind === 0) {
      return this.string();
    }
    if (kind !== 1) {
      throw new Error(`Duktape's dump has a constant of the unknown kind ${kind}.`);
    }
    this.at += 8;
    return this.dump.readDoubleBE(this.at - 8);
  }

  private variables(): [string, number][] {
    const found: [string, number][] = [];
    for (let name = this.string(); name !== ''; name = this.string()) {
      found.push([name, this.u32()]);
    }
    return found;
  }

  private body(): DumpedFunction {
    const times = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);
    const [instructionCount, constantCount, functionCount] = [this.u32(), this.u32(), this.u32()];
    const [registers, parameters] = [this.u16(), this.u16()];
    this.at += 8;
    const flags = this.u32();
    const instructions = times(instructionCount, () => this.u32());
    const constants = times(constantCount, () => this.constant());
    const functions = times(functionCount, () => this.body());
    this.at += 4;
    const name = this.string();
    const variables = this.variables();
    const formalCount = this.u32();
    const formals = formalCount === none ? undefined : times(formalCount, () => this.string());
    return { instructions, constants, functions, registers, parameters, flags, name, variables, formals };
  }

  outermost(): DumpedFunction {
    if (this.dump.readUInt8(this.at++) !== dumpMarker) {
      throw new Error('Duktape wrote no function dump.');
    }
    const found = this.body();
    if (this.at !== this.dump.length) {
      throw new Error(`Duktape's dump has ${this.dump.length} bytes, but its functions end at ${this.at}.`);
    }
    return found;
  }
}

/** Writes what DumpReader reads; Duktape loads it again. */
class DumpWriter {
  private readonly parts: Buffer[] = [];

  private number(value: number, bytes: 1 | 2 | 4): void {
    const part = Buffer.alloc(bytes);
    part.writeUIntBE(value, 0, bytes);
    this.parts.push(part);
  }

  private string(text: string): void {
    this.number(text.length, 4);
    this.parts.push(Buffer.from(text, 'latin1'));
  }

  private constant(value: string | number): void {
    this.number(typeof value === 'string' ? 0 : 1, 1);
    if (typeof value === 'string') {
      this.string(value);
    } else {
      const double = Buffer.alloc(8);
      double.writeDoubleBE(value);
      this.parts.push(double);
    }
  }

  private body(from: DumpedFunction): void {
    [from.instructions.length, from.constants.length, from.functions.length].forEach((count) => this.number(count, 4));
    [from.registers, from.parameters].forEach((count) => this.number(count, 2));
    // First and last line, then the flags.
    [0, 0, from.flags, ...from.instructions].forEach((word) => this.number(word, 4));
    from.constants.forEach((constant) => this.constant(constant));
    from.functions.forEach((inner) => this.body(inner));
    this.number(from.parameters, 4);
    this.string(from.name);
    from.variables.forEach(([name, register]) => {
      this.string(name);
      this.number(register, 4);
    });
    this.string('');
    this.number(from.formals?.length ?? none, 4);
    from.formals?.forEach((name) => this.string(name));
  }

  outermost(from: DumpedFunction): Buffer {
    this.number(dumpMarker, 1);
    this.body(from);
    return Buffer.concat(this.parts);
  }
}

/** What a bundle uses of the language that costs every function memory. */
export interface LanguageUse {
  /** Functions are used with `new`, or have members of their own: each is an object apart, with a prototype and its name. */
  readonly constructors: boolean;
  /** `with` or `eval`: a function's own variables may be looked up by name. */
  readonly namesByText: boolean;
  /** The text is one function without a name, called once: what a bundler makes. */
  readonly oneFunction: boolean;
}

/** `from` without what nobody asks for: names of variables that only registers reach, and, without `new`, what makes a constructor. */
function lean(from: DumpedFunction, constructors: boolean): DumpedFunction {
  return {
    ...from,
    flags: constructors ? from.flags : (from.flags & ~flag.constructable) >>> 0,
    // A function without inner ones reaches its own variables by register.
    variables: from.functions.length === 0 ? [] : from.variables,
    functions: from.functions.map((inner) => lean(inner, constructors)),
  };
}

/** The dump of a bundle as the image is to hold it. */
export function dumpForImage(dump: Buffer, { constructors, namesByText, oneFunction }: LanguageUse): Buffer {
  if (namesByText) {
    return dump;
  }
  const program = new DumpReader(dump).outermost();
  const made = lean(oneFunction ? reachByRegister(program) : program, constructors);
  return new DumpWriter().outermost(constructors ? made : shareFunctions(made));
}
