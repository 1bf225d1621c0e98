// Kept chains: requests a device has taken and finishes in a later pass, when its backend is done.
//
// Each device that needs it has rows of its own in the private window (serving/set-up.ts). A row holds what `finishLater`
// needs (queue, handle, epoch), the elements of the chain, and six words for the device's own notes.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import {
  elementBytes,
  elementOffset,
  elements,
  elementWindow,
  readableBytes,
  readableElements,
  setChain,
  writableBytes,
} from '../virtqueue/chain.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finishLater, givesBack } from '../virtqueue/queue.hot.js';
import { queueEpoch } from '../virtqueue/queue-table.hot.js';

/** Words of a row. */
export const enum Kept {
  /** 0 = the row is free, else the queue's row + 1. */
  Queue = 0,
  Epoch = 1,
  Handle = 2,
  Elements = 4,
  ReadableElements = 5,
  ReadableBytes = 6,
  WritableBytes = 8,
  Notes = 10,
  FirstElement = 16,
  /** Per element: window, offset, length. */
  ElementWords = 5,
}

export const enum Keep {
  /** All rows are taken. */
  Full = -1,
  /** The chain has more elements than a row holds. */
  TooLong = -2,
}

/** First word of the device's rows in the private window, number of rows, words of a row, elements a row holds. */
export const keptAt = new Int32Array(Capacity.Devices);
export const keptRows = new Uint8Array(Capacity.Devices);
export const keptWords = new Uint16Array(Capacity.Devices);
export const keptElements = new Uint8Array(Capacity.Devices);

function rowAt(device: number, row: number): number {
  return keptAt[device] + row * keptWords[device];
}

/** A free row of `device`, or Keep.Full. */
export function freeRow(device: number): number {
  const memory = windowWords[privateWindow];
  for (let row = 0; row < keptRows[device]; row++) {
    if (!isKept(device, row)) {
      memory[rowAt(device, row)] = 0;
      return row;
    }
  }
  return Keep.Full;
}

/** Keeps the chain taken last from `queue`. Returns the row, or Keep.Full or Keep.TooLong: then nothing has happened. */
export function keep(device: number, queue: number, handle: number): number {
  if (elements > keptElements[device]) {
    return Keep.TooLong;
  }
  const row = freeRow(device);
  if (row < 0) {
    return Keep.Full;
  }
  const memory = windowWords[privateWindow];
  const at = rowAt(device, row);
  memory[at] = queue + 1;
  memory[at + Kept.Epoch] = queueEpoch[queue];
  memory[at + Kept.Handle] = handle & 65535;
  memory[at + Kept.Handle + 1] = handle >> 16;
  memory[at + Kept.Elements] = elements;
  memory[at + Kept.ReadableElements] = readableElements;
  memory[at + Kept.ReadableBytes] = readableBytes & 65535;
  memory[at + Kept.ReadableBytes + 1] = readableBytes >> 16;
  memory[at + Kept.WritableBytes] = writableBytes & 65535;
  memory[at + Kept.WritableBytes + 1] = writableBytes >> 16;
  let to = at + Kept.FirstElement;
  for (let element = 0; element < elements; element++) {
    memory[to] = elementWindow[element];
    memory[to + 1] = elementOffset[element] & 65535;
    memory[to + 2] = elementOffset[element] >> 16;
    memory[to + 3] = elementBytes[element] & 65535;
    memory[to + 4] = elementBytes[element] >> 16;
    to += Kept.ElementWords;
  }
  return row;
}

/** True while `row` (0 .. rows - 1) holds a chain whose queue has not been reset since. */
export function isKept(device: number, row: number): boolean {
  const memory = windowWords[privateWindow];
  const at = rowAt(device, row);
  const queue = memory[at] - 1;
  return queue >= 0 && givesBack(queue) && queueEpoch[queue] === memory[at + Kept.Epoch];
}

/** True while any chain of `device` is kept. */
export function anyKept(device: number): boolean {
  for (let row = 0; row < keptRows[device]; row++) {
    if (isKept(device, row)) {
      return true;
    }
  }
  return false;
}

/** First of the six words of the private window that belong to the device while `row` is kept. */
export function notesAt(device: number, row: number): number {
  return rowAt(device, row) + Kept.Notes;
}

/** Queue (row in the queue tables) the chain in `row` was taken from. */
export function keptQueue(device: number, row: number): number {
  return windowWords[privateWindow][rowAt(device, row)] - 1;
}

/** Makes a kept chain the one that readChain, writeChain, fillChain and `putStatusLast` work on. Returns false, and changes nothing, when it is kept no longer. */
export function recall(device: number, row: number): boolean {
  if (!isKept(device, row)) {
    return false;
  }
  const memory = windowWords[privateWindow];
  const at = rowAt(device, row);
  const count = memory[at + Kept.Elements];
  let from = at + Kept.FirstElement;
  for (let element = 0; element < count; element++) {
    elementWindow[element] = memory[from];
    elementOffset[element] = memory[from + 2] * 65536 + memory[from + 1];
    elementBytes[element] = memory[from + 4] * 65536 + memory[from + 3];
    from += Kept.ElementWords;
  }
  setChain(
    count,
    memory[at + Kept.ReadableElements],
    memory[at + Kept.ReadableBytes + 1] * 65536 + memory[at + Kept.ReadableBytes],
    memory[at + Kept.WritableBytes + 1] * 65536 + memory[at + Kept.WritableBytes],
  );
  return true;
}

/** Gives a kept chain back with `written` bytes and frees its row; the queue is served once more, which shows the driver. A chain of an earlier life only frees its row. */
export function finishKept(device: number, row: number, written: number): void {
  const memory = windowWords[privateWindow];
  const at = rowAt(device, row);
  if (isKept(device, row)) {
    const queue = memory[at] - 1;
    finishLater(queue, memory[at + Kept.Handle + 1] * 65536 + memory[at + Kept.Handle], written, memory[at + Kept.Epoch]);
    kick(queue);
  }
  memory[at] = 0;
}

/** Forgets all kept chains of `device`: for its reset handler. */
export function dropKept(device: number): void {
  const memory = windowWords[privateWindow];
  for (let row = 0; row < keptRows[device]; row++) {
    memory[rowAt(device, row)] = 0;
  }
}
