// Rewrites Duktape's function dump into the form the image holds: instructions aligned and in the CPU's order, so that
// they run from flash, and every string once.
//
// All numbers are little-endian words of 32 bits; offsets count bytes from the first word.
//
//   0  0x62766dbf: a first byte that no source text has
//   4  stamp of the engine's sources and settings, two words: an image refuses a bundle of another stamp
//   12 offset of the outermost function
//   16 1 = functions can be constructors, 0 = no function is used with `new`
//   20 strings: length, bytes, zeros to the next word
//
// A function: instructions, constants, functions inside, registers | arguments << 16, flags, name (a string's offset),
// variables, formals (2^32-1 = none); then the instructions; the constants (bit 31: a string's offset; bit 30: a double in
// the next two words; else the number itself); the functions inside; name and register of each variable that inner
// functions reach; the names of the formals.
import { reachByRegister } from './duktape-variables.js';

const magic = 0x62766dbf;
const stringBit = 0x80000000;
const doubleBit = 0x40000000;
const dumpMarker = 0xbf;
const headerBytes = 20;

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
    const formals = formalCount === 0xffffffff ? undefined : times(formalCount, () => this.string());
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

/** What a bundle uses of the language that costs every function heap. */
export interface LanguageUse {
  /** Functions are used with `new`: each gets a prototype object and its name. */
  readonly constructors: boolean;
  /** `with` or `eval`: a function's own variables may be looked up by name. */
  readonly namesByText: boolean;
  /** The text is one function without a name, called once: what a bundler makes. */
  readonly oneFunction: boolean;
}

/** The image's form of a dump. `stamp` has 16 hexadecimal digits. */
export function imageOfDump(dump: Buffer, stamp: string, { constructors, namesByText, oneFunction }: LanguageUse): Buffer {
  const places = new Map<string, number>();
  const strings: Buffer[] = [];
  let stringsEnd = headerBytes;
  const place = (text: string): number => {
    let found = places.get(text);
    if (found === undefined) {
      found = stringsEnd;
      const bytes = Buffer.from(text, 'latin1');
      const stored = Buffer.alloc(4 + ((bytes.length + 3) & ~3));
      stored.writeUInt32LE(bytes.length, 0);
      bytes.copy(stored, 4);
      strings.push(stored);
      stringsEnd += stored.length;
      places.set(text, found);
    }
    return found;
  };
  const words: number[] = [];
  const constant = (value: string | number): void => {
    if (typeof value === 'string') {
      words.push(place(value) + stringBit);
    } else if (Number.isInteger(value) && value >= 0 && value < doubleBit && !Object.is(value, -0)) {
      words.push(value);
    } else {
      const double = Buffer.alloc(8);
      double.writeDoubleLE(value);
      words.push(doubleBit, double.readUInt32LE(0), double.readUInt32LE(4));
    }
  };
  const body = (from: DumpedFunction): void => {
    words.push(from.instructions.length, from.constants.length, from.functions.length, from.parameters * 65536 + from.registers);
    // A function without inner ones reaches its own variables by register: nobody asks for their names.
    const variables = from.functions.length === 0 && !namesByText ? [] : from.variables;
    words.push(from.flags, place(from.name), variables.length, from.formals?.length ?? 0xffffffff);
    words.push(...from.instructions);
    from.constants.forEach(constant);
    from.functions.forEach(body);
    variables.forEach(([name, register]) => words.push(place(name), register));
    from.formals?.forEach((name) => words.push(place(name)));
  };
  const program = new DumpReader(dump).outermost();
  body(oneFunction && !namesByText ? reachByRegister(program) : program);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(magic, 0);
  Buffer.from(stamp, 'hex').copy(header, 4);
  header.writeUInt32LE(stringsEnd, 12);
  header.writeUInt32LE(constructors ? 1 : 0, 16);
  const code = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => code.writeUInt32LE(word >>> 0, 4 * index));
  return Buffer.concat([header, ...strings, code]);
}
