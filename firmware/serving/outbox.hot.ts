// Messages a device has for its driver that wait for buffers: slots of one size in the private window, oldest first.
import { Capacity } from '../capacity.js';

export const enum Outbox {
  Full = -1,
  Empty = -1,
}

/** First word of the device's slots, words of a slot, number of slots (a power of two); filled in by serving/set-up.ts. */
export const outboxAt = new Int32Array(Capacity.Devices);
export const outboxWords = new Uint16Array(Capacity.Devices);
export const outboxSlots = new Uint8Array(Capacity.Devices);
/** Free-running positions. */
const filled = new Uint16Array(Capacity.Devices);
const emptied = new Uint16Array(Capacity.Devices);
/** Messages that found no slot since start, modulo 65536. */
export const outboxDropped = new Uint16Array(Capacity.Devices);

function slotAt(device: number, position: number): number {
  return outboxAt[device] + (position & (outboxSlots[device] - 1)) * outboxWords[device];
}

/** Word of the private window where the next message can be written, or Outbox.Full: then the message is counted as dropped. */
export function freeSlot(device: number): number {
  if (((filled[device] - emptied[device]) & 65535) === outboxSlots[device]) {
    outboxDropped[device] = (outboxDropped[device] + 1) & 65535;
    return Outbox.Full;
  }
  return slotAt(device, filled[device]);
}

/** The message in the free slot is complete. */
export function fillSlot(device: number): void {
  filled[device] = (filled[device] + 1) & 65535;
}

/** Word of the oldest message, or Outbox.Empty. */
export function oldestSlot(device: number): number {
  return filled[device] === emptied[device] ? Outbox.Empty : slotAt(device, emptied[device]);
}

/** The oldest message has been given to the driver, or is given up. */
export function emptySlot(device: number): void {
  emptied[device] = (emptied[device] + 1) & 65535;
}

/** Forgets all messages. */
export function clearOutbox(device: number): void {
  emptied[device] = filled[device];
}
