// Events that wait for room in the outgoing message queue: one EVENT_USED per queue, one EVENT_CONFIG per device.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { Rule } from '../wire/profile.js';
import { Status } from '../wire/status.js';
import { MessageId } from '../wire/message.js';
import { queueDevice, queueIndex, queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { busRules, countShown, headerBytes, maximumSize } from '../bus/bus-table.hot.js';
import { copyConfig } from './config-space.hot.js';
import { configGeneration, configShown, deviceBus, deviceStatus } from './device.hot.js';

/** Each bus's list of entries that may have something to send, oldest first. */
const list = new Uint8Array(Capacity.Buses * Capacity.Events);
const listFirst = new Uint8Array(Capacity.Buses);
const listCount = new Uint8Array(Capacity.Buses);
/** Per entry: Listed = stands in the list, Due = there is something to send. A reset takes back Due and leaves the entry. */
const state = new Uint8Array(Capacity.Events);

/** Range of the configuration space that the EVENT_CONFIG which waits tells of. Length 0 = the status alone; Range.Unknown = anything. */
const changeOffset = new Uint16Array(Capacity.Devices);
const changeLength = new Uint16Array(Capacity.Devices);

const enum Range {
  Unknown = 65535,
}

/** Entries of the list: queues from 0 on, then devices, then buses. */
export const enum Entry {
  FirstDevice = Capacity.Queues,
  FirstBus = Capacity.Queues + Capacity.Devices,
}

const enum EventState {
  Listed = 1,
  Due = 2,
}

function append(bus: number, entry: number): void {
  let place = listFirst[bus] + listCount[bus];
  if (place >= Capacity.Events) {
    place -= Capacity.Events;
  }
  list[bus * Capacity.Events + place] = entry;
  listCount[bus] = listCount[bus] + 1;
}

function raise(bus: number, entry: number): void {
  if (state[entry] === 0) {
    append(bus, entry);
  }
  state[entry] = EventState.Listed | EventState.Due;
}

function cancel(entry: number): void {
  state[entry] = state[entry] & EventState.Listed;
}

/** The driver is to hear that `queue` has used buffers. */
export function raiseUsedEvent(queue: number): void {
  raise(deviceBus[queueDevice[queue]], queue);
}

/** Nothing is said about `queue` any more. */
export function cancelUsedEvent(queue: number): void {
  cancel(queue);
}

/** The driver is to hear of a new status. */
export function raiseConfigEvent(device: number): void {
  raise(deviceBus[device], Entry.FirstDevice + device);
}

/** The driver is to hear that `length` bytes of the configuration space from `offset` on have changed; 0 = unknown which. */
export function raiseChangeEvent(device: number, offset: number, length: number): void {
  const waiting = changeLength[device];
  if (length === 0 || waiting === Range.Unknown) {
    changeLength[device] = Range.Unknown;
  } else if (waiting === 0) {
    changeOffset[device] = offset;
    changeLength[device] = length;
  } else {
    const first = offset < changeOffset[device] ? offset : changeOffset[device];
    const end = changeOffset[device] + waiting;
    changeLength[device] = (offset + length > end ? offset + length : end) - first;
    changeOffset[device] = first;
  }
  // A suspended device tells of changes when it goes on.
  if ((deviceStatus[device] & Status.Suspend) === 0) {
    raiseConfigEvent(device);
  }
}

/** The device goes on after a suspension: changes made meanwhile are told now. */
export function raiseHeldChange(device: number): void {
  if (changeLength[device] !== 0) {
    raiseConfigEvent(device);
  }
}

export function cancelConfigEvent(device: number): void {
  changeLength[device] = 0;
  cancel(Entry.FirstDevice + device);
}

/** True when an EVENT_USED of `queue` waits for room. */
export function isUsedEventDue(queue: number): boolean {
  return (state[queue] & EventState.Due) !== 0;
}

/** A message of the bus itself is to be sent (bus/bus-events.hot.ts). */
export function raiseBusEvent(bus: number): void {
  raise(bus, Entry.FirstBus + bus);
}

export function cancelBusEvent(bus: number): void {
  cancel(Entry.FirstBus + bus);
}

/** Forgets all events: a new start. */
export function clearEvents(): void {
  for (let bus = 0; bus < Capacity.Buses; bus++) {
    listCount[bus] = 0;
  }
  for (let device = 0; device < Capacity.Devices; device++) {
    changeLength[device] = 0;
  }
  for (let entry = 0; entry < Capacity.Events; entry++) {
    state[entry] = 0;
  }
}

/** True when an event of `bus` may be waiting. */
export function anyEvent(bus: number): boolean {
  return listCount[bus] !== 0;
}

/** The next entry of `bus` that is due, or -1; it is due no longer. */
export function nextEvent(bus: number): number {
  while (listCount[bus] !== 0) {
    const entry = list[bus * Capacity.Events + listFirst[bus]];
    listFirst[bus] = listFirst[bus] + 1 === Capacity.Events ? 0 : listFirst[bus] + 1;
    listCount[bus] = listCount[bus] - 1;
    const due = state[entry] & EventState.Due;
    state[entry] = 0;
    if (due !== 0 && (entry >= Entry.FirstDevice || queueState[entry] !== QueueState.Disabled)) {
      return entry;
    }
  }
  return -1;
}

/** Takes the next due EVENT_USED of `bus` out of the list, whatever stands before it; returns its queue, or -1. Other entries stay. */
export function takeUsedEvent(bus: number): number {
  for (let left = listCount[bus]; left > 0; left--) {
    const entry = list[bus * Capacity.Events + listFirst[bus]];
    listFirst[bus] = listFirst[bus] + 1 === Capacity.Events ? 0 : listFirst[bus] + 1;
    listCount[bus] = listCount[bus] - 1;
    if (entry >= Entry.FirstDevice) {
      append(bus, entry);
    } else {
      const due = state[entry] & EventState.Due;
      state[entry] = 0;
      if (due !== 0 && queueState[entry] !== QueueState.Disabled) {
        return entry;
      }
    }
  }
  return -1;
}

/** The id of the event for `entry`. */
export function eventId(entry: number): number {
  return entry >= Entry.FirstDevice ? MessageId.EventConfig : MessageId.EventUsed;
}

/** The device whose event `entry` is. */
export function eventDevice(entry: number): number {
  return entry >= Entry.FirstDevice ? entry - Entry.FirstDevice : queueDevice[entry];
}

/** Writes the event's payload at word `at` of `window`, which holds zeros; returns its bytes. */
export function writeEventPayload(entry: number, window: number, at: number): number {
  const memory = windowWords[window];
  if (entry < Entry.FirstDevice) {
    memory[at] = queueIndex[entry];
    return 4;
  }
  const device = entry - Entry.FirstDevice;
  // A suspended device tells of its status alone; the change is told when it goes on.
  const held = (deviceStatus[device] & Status.Suspend) !== 0;
  const length = held ? 0 : changeLength[device];
  if (!held) {
    changeLength[device] = 0;
  }
  configShown[device] = 1;
  memory[at] = deviceStatus[device];
  const bus = deviceBus[device];
  if (countShown[bus] !== 0) {
    memory[at + 2] = configGeneration[device * 2];
    memory[at + 3] = configGeneration[device * 2 + 1];
  }
  if (length === 0 || length === Range.Unknown) {
    // The driver reads again what it wants to know.
    return 16;
  }
  const fits = length <= maximumSize[bus] - headerBytes[bus] - 16;
  if (fits || (busRules[bus] & Rule.EventOffset) !== 0) {
    memory[at + 4] = changeOffset[device];
  }
  if (fits || (busRules[bus] & Rule.EventLength) !== 0) {
    memory[at + 6] = length;
  }
  if (!fits) {
    // What of the range is told without the data depends on the profile.
    return 16;
  }
  copyConfig(device, changeOffset[device], length, window, at + 8);
  return 16 + length;
}
