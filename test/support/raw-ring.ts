// The split ring as bytes in shared memory, for drivers that break the rules and tests that look at every byte.
import assert from 'node:assert/strict';
import { fake } from '../../hal/fake/port.js';
import type { SplitQueue } from './driver/split-queue.js';

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

function memory(): Uint8Array {
  const bytes = fake.bytes[0];
  assert.ok(bytes !== undefined);
  return bytes;
}

/** One descriptor with a 64-bit address. */
export interface RawDescriptor {
  low: number;
  high?: number;
  bytes: number;
  flags: number;
  next?: number;
}

export function writeDescriptor(queue: SplitQueue, entry: number, descriptor: RawDescriptor): void {
  queue.writeDescriptor(entry, descriptor.low, descriptor.bytes, descriptor.flags, descriptor.next ?? 0);
  const view = new DataView(memory().buffer, memory().byteOffset);
  view.setUint32(queue.descriptors + entry * 16 + 4, descriptor.high ?? 0, true);
}

/** Bytes `from` .. `to` of window 0. */
export function bytesOf(from: number, to: number): number[] {
  return Array.from(memory().subarray(from, to));
}

export function setBytes(at: number, bytes: ArrayLike<number>): void {
  memory().set(bytes, at);
}

export function word(at: number): number {
  return (memory()[at] ?? 0) + (memory()[at + 1] ?? 0) * 256;
}

/** Index of the used ring as the driver sees it. */
export function usedIdx(queue: SplitQueue): number {
  return word(queue.used + 2);
}

/** Entry `slot` of the used ring: id and length. */
export function usedEntry(queue: SplitQueue, slot: number): number[] {
  const at = queue.used + 4 + slot * 8;
  return [word(at) + word(at + 2) * 65536, word(at + 4) + word(at + 6) * 65536];
}

/** The bytes from `from` on are still those of `before`. */
export function expectSame(from: number, before: readonly number[]): void {
  const now = bytesOf(from, from + before.length);
  assert.equal(now.findIndex((byte, at) => byte !== before[at]), -1, 'first byte that changed, from ' + from + ' on');
}
