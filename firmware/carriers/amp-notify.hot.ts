// Out-of-band notification of the AMP carrier: doorbells that stand for queues, and notification words (wire/notification.ts).
//
// A notification word pair is a toggle: the sender flips a bit of its tx word, the receiver compares it with its own rx word
// and flips that to acknowledge. A bit that is not acknowledged yet must not be flipped again; it is pending anyway.
import { barrier, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { Notification, WordLayout } from '../wire/notification.js';
import { findDevice } from '../bus/bus.hot.js';
import { announceAll, announceQueue } from '../transport/available.hot.js';
import { deviceBus, deviceCount, deviceNumber, firstQueue, queueCount } from '../transport/device.hot.js';
import { takeUsedEvent } from '../transport/events.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';

const enum Table {
  /** Chunks of one bus in the tables of own words. */
  Chunks = 256,
}

/** How each bus announces buffers (`Notification`). */
export const notification = new Uint8Array(Capacity.Buses);
/** Notification words: how many, the bits of a device as a power of two, and whether mask words follow. */
export const wordCount = new Uint8Array(Capacity.Buses);
export const deviceBitsShift = new Uint8Array(Capacity.Buses);
export const wordsMasked = new Uint8Array(Capacity.Buses);
/** Window, and first chunk of the device's and the driver's words: tx, then rx, then mask. */
export const wordWindow = new Uint8Array(Capacity.Buses);
export const deviceWordsAt = new Int32Array(Capacity.Buses);
export const driverWordsAt = new Int32Array(Capacity.Buses);

/** Own tx and rx words; what stands in shared memory is only a copy for the driver. */
const sent = new Uint16Array(Capacity.Buses * Table.Chunks);
const taken = new Uint16Array(Capacity.Buses * Table.Chunks);

/** Both sides begin with words of 0. */
export function restartWords(bus: number): void {
  const memory = windowWords[wordWindow[bus]];
  for (let chunk = 0; chunk < wordCount[bus] * WordLayout.ChunksPerWord; chunk++) {
    sent[bus * Table.Chunks + chunk] = 0;
    taken[bus * Table.Chunks + chunk] = 0;
    memory[deviceWordsAt[bus] + chunk] = 0;
    memory[deviceWordsAt[bus] + wordCount[bus] * WordLayout.ChunksPerWord + chunk] = 0;
  }
}

/** Flips `bit` of the tx words unless it is pending; returns true when the driver wants a doorbell for it. */
function flip(bus: number, bit: number): boolean {
  const memory = windowWords[wordWindow[bus]];
  const chunk = bit >> 4;
  const mask = 1 << (bit & 15);
  const words = wordCount[bus] * WordLayout.ChunksPerWord;
  const row = bus * Table.Chunks + chunk;
  if (((sent[row] ^ memory[driverWordsAt[bus] + words + chunk]) & mask) !== 0) {
    return false;
  }
  sent[row] = sent[row] ^ mask;
  memory[deviceWordsAt[bus] + chunk] = sent[row];
  return wordsMasked[bus] === 0 || (memory[driverWordsAt[bus] + words * 2 + chunk] & mask) === 0;
}

/** Announces bit `bit` of the space of device bits; returns true when a doorbell is due. */
function signal(bus: number, bit: number): boolean {
  if (wordCount[bus] === 1) {
    return flip(bus, bit);
  }
  const word = 1 + (bit >> WordLayout.WordShift);
  const wanted = flip(bus, bit + WordLayout.BitsPerWord);
  // The word before the bit that points to it.
  barrier();
  return flip(bus, word) && wanted;
}

/** The messages just made visible are announced; returns true when a doorbell is due. */
export function announceMessages(bus: number): boolean {
  if (notification[bus] !== Notification.Words) {
    return true;
  }
  barrier();
  return flip(bus, WordLayout.MessageQueueBit);
}

/** Announces every queue whose used buffers the driver is to hear of; returns true when a doorbell is due. */
export function announceUsed(bus: number): boolean {
  let due = false;
  let queue = takeUsedEvent(bus);
  if (queue >= 0) {
    // Used entries, and the answers before them, are visible before the bits.
    barrier();
  }
  while (queue >= 0) {
    if (notification[bus] === Notification.Doorbell) {
      due = true;
    } else {
      const shift = deviceBitsShift[bus];
      const last = (1 << shift) - 1;
      const slot = queueIndex[queue] < last ? queueIndex[queue] : last;
      if (signal(bus, (deviceNumber[queueDevice[queue]] << shift) + slot)) {
        due = true;
      }
    }
    queue = takeUsedEvent(bus);
  }
  return due;
}

/** What came since the last look reaches the queues, as EVENT_AVAIL would have. @rare */
export function takeNotifications(bus: number): void {
  if (notification[bus] === Notification.Doorbell) {
    // The doorbell does not say for which queue it was, so every one of the bus is looked at.
    for (let device = 0; device < deviceCount; device++) {
      if (deviceBus[device] === bus) {
        announceAll(device);
      }
    }
  } else {
    takeWord(bus, 0);
  }
}

/** Takes the pending bits of chunk `chunk` and acknowledges them before anything is looked at. */
function takeChunk(bus: number, chunk: number): number {
  const memory = windowWords[wordWindow[bus]];
  const row = bus * Table.Chunks + chunk;
  const pending = taken[row] ^ memory[driverWordsAt[bus] + chunk];
  if (pending !== 0) {
    taken[row] = taken[row] ^ pending;
    memory[deviceWordsAt[bus] + wordCount[bus] * WordLayout.ChunksPerWord + chunk] = taken[row];
    barrier();
  }
  return pending;
}

/** Takes word 0: device bits when it is the only one, else the bits that point to other words. */
function takeWord(bus: number, word: number): void {
  for (let part = 0; part < WordLayout.ChunksPerWord; part++) {
    const pending = takeChunk(bus, word * WordLayout.ChunksPerWord + part);
    for (let bit = 0; bit < 16 && pending >> bit !== 0; bit++) {
      if (((pending >> bit) & 1) !== 0) {
        const found = part * 16 + bit;
        if (wordCount[bus] === 1) {
          takeBit(bus, found);
        } else if (found !== WordLayout.MessageQueueBit && found < wordCount[bus]) {
          takeDeviceWord(bus, found);
        }
      }
    }
  }
}

/** Takes word `word` (1 or more): bits of devices. */
function takeDeviceWord(bus: number, word: number): void {
  for (let part = 0; part < WordLayout.ChunksPerWord; part++) {
    const pending = takeChunk(bus, word * WordLayout.ChunksPerWord + part);
    for (let bit = 0; bit < 16 && pending >> bit !== 0; bit++) {
      if (((pending >> bit) & 1) !== 0) {
        takeBit(bus, (word - 1) * WordLayout.BitsPerWord + part * 16 + bit);
      }
    }
  }
}

/** Bit `bit` of the space of device bits: its queue, or the queues from it on, have available buffers. */
function takeBit(bus: number, bit: number): void {
  const shift = deviceBitsShift[bus];
  const number = bit >> shift;
  // With one word the first bits are no device's.
  const device = number === 0 && wordCount[bus] === 1 ? -1 : findDevice(bus, number);
  if (device < 0) {
    return;
  }
  const last = (1 << shift) - 1;
  const slot = bit & last;
  const end = slot === last ? queueCount[device] : slot + 1;
  for (let index = slot; index < end && index < queueCount[device]; index++) {
    announceQueue(device, firstQueue[device] + index);
  }
}
