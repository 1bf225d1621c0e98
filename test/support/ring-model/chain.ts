// A chain of descriptors as the specification reads it: every rule of sections 11 and 12 of the requirements, one after the other.
import type { ModelMemory, Stretch } from './memory.js';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

/** Limits this device sets itself, as the specification lets it. */
export const LIMITS = {
  /** Elements with bytes. */
  elements: 64,
  /** Descriptors in a chain, and in a table. */
  descriptors: 256,
  /** Bytes of all elements of one direction; the specification's own limit is 2^32. */
  bytes: 2 ** 27 - 1,
  /** Chains taken in one pass. */
  chainsPerPass: 64,
};

/** What the driver set up. */
export interface ModelQueue {
  readonly packed: boolean;
  readonly size: number;
  readonly indirect: boolean;
  readonly eventIdx: boolean;
  readonly inOrder: boolean;
  /** Descriptor, driver and device area. */
  readonly descriptors: Stretch;
  readonly driver: Stretch;
  readonly device: Stretch;
}

export interface ModelElement extends Stretch {
  readonly writable: boolean;
}

export interface ModelChain {
  /** Head index (split) or buffer id (packed). */
  readonly id: number;
  /** Ring slots: always 1 in the available ring. */
  readonly slots: number;
  readonly elements: readonly ModelElement[];
}

/** The requirement the driver broke. */
export type BrokenRule = `R-${number}`;

interface Descriptor {
  readonly address: bigint;
  readonly bytes: number;
  readonly flags: number;
  /** Split: next; packed: buffer id. */
  readonly other: number;
}

function readDescriptor(memory: ModelMemory, queue: ModelQueue, table: Stretch, entry: number): Descriptor {
  const at = entry * 16;
  const [flagsAt, otherAt] = queue.packed ? [14, 12] : [12, 14];
  return {
    address: memory.read64(table, at),
    bytes: memory.read32(table, at + 8),
    flags: memory.read16(table, at + flagsAt),
    other: memory.read16(table, at + otherAt),
  };
}

export function bytesOf(elements: readonly ModelElement[], writable: boolean): number {
  return elements.filter((element) => element.writable === writable).reduce((sum, element) => sum + element.bytes, 0);
}

/** Adds what `descriptor` describes to `elements`; returns the rule it breaks, if any. */
function addElement(memory: ModelMemory, elements: ModelElement[], descriptor: Descriptor): BrokenRule | undefined {
  if (descriptor.bytes === 0) {
    // Skipped, its address not looked at.
    return undefined;
  }
  const writable = (descriptor.flags & WRITE) !== 0;
  if (bytesOf(elements, writable) + descriptor.bytes > LIMITS.bytes) {
    return 'R-336';
  }
  if (elements.length === LIMITS.elements) {
    return 'R-341';
  }
  const place = memory.find(descriptor.address, descriptor.bytes);
  if (place === undefined) {
    return 'R-337';
  }
  if (!writable && elements.some((element) => element.writable)) {
    return 'R-339';
  }
  elements.push({ ...place, writable });
  return undefined;
}

/** The table an INDIRECT descriptor refers to. */
function findTable(memory: ModelMemory, queue: ModelQueue, descriptor: Descriptor): Stretch | BrokenRule {
  if (!queue.indirect) {
    return 'R-346';
  }
  if ((descriptor.flags & NEXT) !== 0) {
    return queue.packed ? 'R-395' : 'R-347';
  }
  if (descriptor.bytes === 0 || descriptor.bytes % 16 !== 0) {
    return 'R-349';
  }
  if (descriptor.bytes / 16 > LIMITS.descriptors) {
    return 'R-341';
  }
  const place = memory.find(descriptor.address, descriptor.bytes);
  if (place === undefined) {
    return 'R-337';
  }
  // This device reads tables as 16-bit words; the driver's allocators align them by far more.
  return place.offset % 2 === 0 ? place : 'R-349';
}

/** The chain whose first descriptor is `head` of a split ring's table. */
export function splitChain(memory: ModelMemory, queue: ModelQueue, head: number): ModelChain | BrokenRule {
  const elements: ModelElement[] = [];
  let table = queue.descriptors;
  let inTable = false;
  let descriptors = 0;
  for (let entry = head; ; ) {
    if (entry >= table.bytes / 16) {
      return entry === head ? 'R-333' : 'R-334';
    }
    const descriptor = readDescriptor(memory, queue, table, entry);
    if ((descriptor.flags & INDIRECT) !== 0) {
      if (inTable) {
        return 'R-348';
      }
      const found = findTable(memory, queue, descriptor);
      if (typeof found === 'string') {
        return found;
      }
      inTable = true;
      table = found;
      entry = 0;
    } else {
      descriptors += 1;
      if (descriptors > queue.size || descriptors > LIMITS.descriptors) {
        return 'R-335';
      }
      const broken = addElement(memory, elements, descriptor);
      if (broken !== undefined) {
        return broken;
      }
      if ((descriptor.flags & NEXT) === 0) {
        return { id: head, slots: 1, elements };
      }
      entry = descriptor.other;
    }
  }
}

/** The list whose first descriptor is `first` of a packed ring. */
export function packedList(memory: ModelMemory, queue: ModelQueue, first: number): ModelChain | BrokenRule {
  const elements: ModelElement[] = [];
  for (let slots = 1; slots <= queue.size && slots <= LIMITS.descriptors; slots++) {
    const descriptor = readDescriptor(memory, queue, queue.descriptors, (first + slots - 1) % queue.size);
    if ((descriptor.flags & INDIRECT) !== 0) {
      // Never in a list linked by NEXT.
      const table = slots > 1 ? 'R-395' : findTable(memory, queue, descriptor);
      if (typeof table === 'string') {
        return table;
      }
      const entries = table.bytes / 16;
      if (slots + entries > LIMITS.descriptors) {
        return 'R-341';
      }
      for (let entry = 0; entry < entries; entry++) {
        const broken = addElement(memory, elements, readDescriptor(memory, queue, table, entry));
        if (broken !== undefined) {
          return broken;
        }
      }
      return { id: descriptor.other, slots, elements };
    }
    const broken = addElement(memory, elements, descriptor);
    if (broken !== undefined) {
      return broken;
    }
    if ((descriptor.flags & NEXT) === 0) {
      return { id: descriptor.other, slots, elements };
    }
  }
  return 'R-386';
}
