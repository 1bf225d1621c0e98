// Transport messages whose number leads to no device that can take them now: parked, answered by a stub, or discarded.
//
// A device whose reset takes time answers in order, so its later requests are parked: copied into slots of the carrier's
// memory, where they are frames like any other when their turn comes. Other devices go on meanwhile.
import { copy } from '#port';
import { Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { IdClass } from '../wire/message.js';
import { Rule } from '../wire/profile.js';
import { deviceBus, deviceCount, deviceNumber, devicePresence, Presence } from '../transport/device.hot.js';
import { stubMessage } from '../transport/stub.hot.js';
import { busRules, headerBytes, slotBytes } from './bus-table.hot.js';
import { Answer, discard, frameWindow, requestAt, requestBytes } from './frame.hot.js';

/** Word index of the first slot of each bus in the carrier's window; slots of `slotBytes`. */
export const parkAt = new Int32Array(Capacity.Buses);
/** Frames parked on each bus, oldest first in the slots, and the device each is for. */
export const parkedCount = new Uint8Array(Capacity.Buses);
const parkedDevice = new Uint8Array(Capacity.Buses * Capacity.Parked);

/** Word index of slot `slot`. */
function slotAt(bus: number, slot: number): number {
  return parkAt[bus] + slot * (slotBytes[bus] >> 1);
}

/** Handles message `id` to `number`, which the table of devices does not lead to; returns like `transportMessage`, or Answer.NotTaken. */
export function strayMessage(bus: number, number: number, id: number): number {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus && deviceNumber[device] === number) {
      if (devicePresence[device] === Presence.Busy) {
        return (id & IdClass.Event) === 0 ? park(bus, device) : discard(Discard.NoQueue);
      }
      if (devicePresence[device] === Presence.Gone && (busRules[bus] & Rule.AnswersRemoved) !== 0) {
        return stubMessage(bus, number, id);
      }
    }
  }
  return discard(Discard.NoDevice);
}

/** Keeps the frame being handled until `device` can take it; Answer.NotTaken when there is no room: the carrier waits then. */
function park(bus: number, device: number): number {
  const count = parkedCount[bus];
  if (count === Capacity.Parked) {
    return Answer.NotTaken;
  }
  const header = headerBytes[bus];
  copy(frameWindow, slotAt(bus, count) * 2, frameWindow, requestAt * 2 - header, requestBytes + header);
  parkedDevice[bus * Capacity.Parked + count] = device;
  parkedCount[bus] = count + 1;
  return Answer.None;
}

/** The oldest parked frame whose device can take it: its slot, or -1. */
export function nextParked(bus: number): number {
  for (let slot = 0; slot < parkedCount[bus]; slot++) {
    if (devicePresence[parkedDevice[bus * Capacity.Parked + slot]] !== Presence.Busy) {
      return slot;
    }
  }
  return -1;
}

/** Word index of the frame in `slot`. */
export function parkedAt(bus: number, slot: number): number {
  return slotAt(bus, slot);
}

/** The frame in `slot` of `window` has been handled: the younger ones move up. */
export function unpark(bus: number, window: number, slot: number): void {
  const row = bus * Capacity.Parked;
  const count = parkedCount[bus] - 1;
  for (let at = slot; at < count; at++) {
    copy(window, slotAt(bus, at) * 2, window, slotAt(bus, at + 1) * 2, slotBytes[bus]);
    parkedDevice[row + at] = parkedDevice[row + at + 1];
  }
  parkedCount[bus] = count;
}
