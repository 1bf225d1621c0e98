// What the model sees of memory: the windows under the addresses the driver knows, bytes in little-endian order.

export interface ModelWindow {
  /** Driver address of the first byte; undefined = the driver's addresses do not lead there. */
  readonly base: bigint | undefined;
  readonly bytes: Uint8Array;
}

/** A stretch of a window. */
export interface Stretch {
  readonly window: number;
  readonly offset: number;
  readonly bytes: number;
}

export function overlap(one: Stretch, other: Stretch): boolean {
  return one.window === other.window && one.offset < other.offset + other.bytes && other.offset < one.offset + one.bytes;
}

export class ModelMemory {
  /** Everything `find` has found. */
  found: Stretch[] = [];

  constructor(readonly windows: readonly ModelWindow[]) {}

  /** The stretch of `bytes` bytes (at least one) from `address` on, if one window holds all of it. */
  find(address: bigint, bytes: number): Stretch | undefined {
    const window = this.windows.findIndex(
      ({ base, bytes: held }) => base !== undefined && address >= base && address + BigInt(bytes) <= base + BigInt(held.length),
    );
    const base = this.windows[window]?.base;
    if (base === undefined) {
      return undefined;
    }
    const stretch = { window, offset: Number(address - base), bytes };
    this.found.push(stretch);
    return stretch;
  }

  /** The bytes of a stretch: a view, not a copy. */
  view({ window, offset, bytes }: Stretch): Uint8Array {
    const found = this.windows[window];
    if (found === undefined) {
      throw new Error('the model has no window ' + window);
    }
    return found.bytes.subarray(offset, offset + bytes);
  }

  read16(area: Stretch, at: number): number {
    const [low, high] = this.view({ window: area.window, offset: area.offset + at, bytes: 2 });
    return (low ?? NaN) + 256 * (high ?? NaN);
  }

  read32(area: Stretch, at: number): number {
    return this.read16(area, at) + 65536 * this.read16(area, at + 2);
  }

  read64(area: Stretch, at: number): bigint {
    return BigInt(this.read32(area, at)) + (BigInt(this.read32(area, at + 4)) << 32n);
  }

  write16(area: Stretch, at: number, value: number): void {
    this.view({ window: area.window, offset: area.offset + at, bytes: 2 }).set([value & 255, value >> 8]);
  }

  write32(area: Stretch, at: number, value: number): void {
    this.write16(area, at, value % 65536);
    this.write16(area, at + 2, Math.floor(value / 65536));
  }
}
