// What the driver's halves of both ring formats share: places in shared memory, elements of chains, descriptors.
import type { DriverMachine } from './machine.js';

/** A place in memory that both sides share. */
export interface Place {
  /** The memory as 16-bit words, and the 64-bit address of its first byte as the device is told it. */
  readonly words: Uint16Array;
  readonly low: number;
  readonly high: number;
  /** Byte offset of the place inside `words`. */
  readonly offset: number;
}

/** One element of a chain: byte offset in the shared memory, length, and who writes it. */
export interface Element {
  offset: number;
  bytes: number;
  writable: boolean;
  /** Where `offset` counts from; the queue's machine by default. */
  place?: Place;
}

export interface QueueOptions {
  /** Descriptor, driver and device area; one behind the other from the queue's offset on by default. */
  places?: readonly Place[];
  /** The driver accepted VIRTIO_F_EVENT_IDX. */
  eventIdx?: boolean;
  /** The driver accepted VIRTIO_F_IN_ORDER. */
  inOrder?: boolean;
}

/** A used chain: its head (split) or buffer id (packed), and the bytes the device says it has written. */
export interface Used {
  head: number;
  written: number;
}

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;
/** Bytes of a descriptor. */
export const DESCRIPTOR = 16;

/** The place `offset` bytes into the memory of `machine`. */
export function placeOf(machine: DriverMachine, offset: number): Place {
  return { words: machine.words, low: machine.addressLow, high: machine.addressHigh, offset };
}

/** The 64-bit address of `place`: lower and upper 32 bits. */
export function addressOf(place: Place): number[] {
  return [place.low + place.offset, place.high];
}

export function readWord(place: Place, byte: number): number {
  return place.words[(place.offset + byte) / 2];
}

export function writeWord(place: Place, byte: number, value: number): void {
  place.words[(place.offset + byte) / 2] = value;
}

export function write32(place: Place, byte: number, value: number): void {
  writeWord(place, byte, value % 65536);
  writeWord(place, byte + 2, Math.floor(value / 65536));
}

/** Clears `bytes` bytes, an even number. */
export function clearPlace(place: Place, bytes: number): void {
  for (let at = 0; at < bytes; at += 2) {
    writeWord(place, at, 0);
  }
}

/** Writes address and length of the descriptor `entry` of the table at `table`. */
export function writeElement(table: Place, entry: number, address: readonly number[], bytes: number): void {
  const at = entry * DESCRIPTOR;
  write32(table, at, address[0]);
  write32(table, at + 4, address[1]);
  write32(table, at + 8, bytes);
}

/** The bytes a device may write into `elements`. */
export function writableBytes(elements: readonly Element[]): number {
  let bytes = 0;
  elements.forEach((element) => {
    bytes += element.writable ? element.bytes : 0;
  });
  return bytes;
}
