// The registers of the host tests: blocks of 32-bit words with a hook for a model's behaviour, every access recorded.

/** What a register model does on access; without a model a block is plain memory. */
export interface RegisterModel {
  read(offset: number): number;
  write(offset: number, value: number): void;
}

export const fakeRegisters = {
  models: [] as (RegisterModel | undefined)[],
  /** Accesses in order: block, offset and the value read or written. */
  accesses: [] as { kind: 'read' | 'write'; block: number; offset: number; value: number }[],

  clear(): void {
    fakeRegisters.models = [];
    fakeRegisters.accesses = [];
    plain.clear();
  },
};

const plain = new Map<string, number>();
let high = 0;

export function registerRead(block: number, offset: number): number {
  const model = fakeRegisters.models[block];
  const value = model === undefined ? (plain.get(block + ':' + offset) ?? 0) : model.read(offset);
  fakeRegisters.accesses.push({ kind: 'read', block, offset, value });
  high = value >>> 16;
  return value & 65535;
}

export function registerHigh(): number {
  return high;
}

export function registerWrite(block: number, offset: number, low: number, high16: number): void {
  if ((low | high16) >>> 16 !== 0) {
    throw new Error('a half of a register has 16 bits: ' + low + ' and ' + high16);
  }
  const value = high16 * 65536 + low;
  fakeRegisters.accesses.push({ kind: 'write', block, offset, value });
  const model = fakeRegisters.models[block];
  if (model === undefined) {
    plain.set(block + ':' + offset, value);
  } else {
    model.write(offset, value);
  }
}
