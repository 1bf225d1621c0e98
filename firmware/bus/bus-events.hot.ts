// What the device side tells or asks its driver side: EVENT_DEVICE and PING, one at a time.
//
// The known driver keeps room for one bus event: a second one overwrites the first. So the next is sent when the effect
// of the last was seen, or after a pause.
import { log, windowWords } from '#port';
import { Budget, Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { Log } from '../wire/log.js';
import { BusMessageId, MessageType } from '../wire/message.js';
import { cancelBusEvent, raiseBusEvent } from '../transport/events.hot.js';
import { deviceBus, deviceCount, deviceNumber } from '../transport/device.hot.js';
import { countBusWait } from '../transport/wait.hot.js';
import { busNumberWords, revision, tokenWord } from './bus-table.hot.js';
import { Answer, discard, frameWindow, requestAt, requestBytes } from './frame.hot.js';

/** `device_bus_state` of EVENT_DEVICE; 0x8000 .. 0xFFFF are for the two ends to agree on. */
export const enum BusState {
  None = 0,
  Added = 1,
  Removed = 2,
}

/** State to be told of each device, BusState.None = nothing. */
const dueState = new Uint16Array(Capacity.Devices);

const enum Awaited {
  Nothing = 0,
  /** GET_DEVICE_INFO or a reset of the device that the last EVENT_DEVICE was about. */
  Device = 1,
  Ping = 2,
}

/** What each bus waits for before it sends the next message, for which device number, and the microseconds left. */
const awaited = new Uint8Array(Capacity.Buses);
const awaitedNumber = new Uint16Array(Capacity.Buses);
const awaitedLeft = new Int32Array(Capacity.Buses);

export const enum Ping {
  None = 0,
  /** To be sent, or sent and not answered. */
  Waiting = 1,
  Answered = 2,
  /** Not answered within Budget.BusEventPause. */
  Lost = 3,
}

/** How the last PING of each bus went, and its data: a count, the bus in the upper half. */
export const pingState = new Uint8Array(Capacity.Buses);
const pingDue = new Uint8Array(Capacity.Buses);
const pingCount = new Uint16Array(Capacity.Buses);

/** Microseconds between two PINGs of each bus (0 = none), and those left until the next. */
const pingInterval = new Int32Array(Capacity.Buses);
const pingLeft = new Int32Array(Capacity.Buses);

/** The first device of `bus` that something is to be told of, or -1. */
function dueDevice(bus: number): number {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus && dueState[device] !== BusState.None) {
      return device;
    }
  }
  return -1;
}

/** Has the next message sent when there is one and nothing is awaited. */
function schedule(bus: number): void {
  if (awaited[bus] === Awaited.Nothing && (pingDue[bus] === 1 || dueDevice(bus) >= 0)) {
    raiseBusEvent(bus);
  } else {
    cancelBusEvent(bus);
  }
}

function stopAwaiting(bus: number): void {
  if (awaited[bus] !== Awaited.Nothing) {
    awaited[bus] = Awaited.Nothing;
    countBusWait(-1);
  }
}

/** The driver side is to hear that `device` has entered `state`; what it had not heard of it before is forgotten. */
export function tellState(device: number, state: number): void {
  dueState[device] = state;
  schedule(deviceBus[device]);
}

/** True while something about `device` is still to be told. */
export function isStateDue(device: number): boolean {
  return dueState[device] !== BusState.None;
}

/** GET_DEVICES has shown the device: ADDED would tell nothing new. */
export function showDevice(device: number): void {
  if (dueState[device] === BusState.Added) {
    tellState(device, BusState.None);
  }
}

/** Asks whether the driver side lives; `pingState` tells the result. Nothing happens while a PING waits for its answer. */
export function ping(bus: number): void {
  if (pingState[bus] !== Ping.Waiting) {
    pingState[bus] = Ping.Waiting;
    pingDue[bus] = 1;
    pingCount[bus] = (pingCount[bus] + 1) & 65535;
    schedule(bus);
  }
}

/** The driver has turned to the device `number`: the effect of an EVENT_DEVICE about it. */
export function effectSeen(bus: number, number: number): void {
  if (awaited[bus] === Awaited.Device && awaitedNumber[bus] === number) {
    stopAwaiting(bus);
    schedule(bus);
  }
}

/** The answer to a PING; one that nobody waits for is discarded. Returns Answer.None. */
export function pingAnswered(bus: number): number {
  const memory = windowWords[frameWindow];
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  if (awaited[bus] !== Awaited.Ping || low !== pingCount[bus] || high !== bus) {
    return discard(Discard.Response);
  }
  pingState[bus] = Ping.Answered;
  stopAwaiting(bus);
  schedule(bus);
  return Answer.None;
}

/**
 * Writes the message that is due, whose slot at word `at` of `window` holds zeros and whose payload begins at word `payload`;
 * returns the bytes of the payload. A PING goes first. @rare
 */
export function writeBusMessage(bus: number, window: number, at: number, payload: number): number {
  const memory = windowWords[window];
  awaitedLeft[bus] = Budget.BusEventPause;
  countBusWait(1);
  if (pingDue[bus] === 1) {
    pingDue[bus] = 0;
    awaited[bus] = Awaited.Ping;
    memory[at] = MessageType.Bus | (BusMessageId.Ping << 8);
    // Any token but 0 marks a request; one PING is outstanding at a time.
    memory[at + tokenWord[bus]] = 1;
    memory[payload] = pingCount[bus];
    memory[payload + 1] = bus;
    return 4;
  }
  const device = dueDevice(bus);
  awaited[bus] = Awaited.Device;
  awaitedNumber[bus] = deviceNumber[device];
  memory[at] = MessageType.Bus | (BusMessageId.EventDevice << 8);
  memory[payload] = deviceNumber[device];
  memory[payload + busNumberWords[bus]] = dueState[device];
  dueState[device] = BusState.None;
  return busNumberWords[bus] * 2 + 2;
}

/** `elapsed` microseconds have gone by: pauses end, PINGs are lost or due. */
export function ageBus(bus: number, elapsed: number): void {
  if (awaited[bus] !== Awaited.Nothing) {
    awaitedLeft[bus] = awaitedLeft[bus] - elapsed;
    if (awaitedLeft[bus] <= 0) {
      if (awaited[bus] === Awaited.Ping) {
        pingState[bus] = Ping.Lost;
        log(Log.PingLost, bus);
      }
      stopAwaiting(bus);
      schedule(bus);
    }
  }
  // Before an agreement there is nobody to ask.
  if (pingInterval[bus] !== 0 && revision[bus] !== 0) {
    pingLeft[bus] = pingLeft[bus] - elapsed;
    if (pingLeft[bus] <= 0) {
      pingLeft[bus] = pingInterval[bus];
      ping(bus);
    }
  }
}

/** Has a PING sent every `interval` microseconds, 0 = never. Called once, before the bus runs. */
export function setPingInterval(bus: number, interval: number): void {
  pingInterval[bus] = interval;
  pingLeft[bus] = interval;
  if (interval !== 0) {
    countBusWait(1);
  }
}

/** Forgets everything: a new start. */
export function clearBusEvents(): void {
  for (let bus = 0; bus < Capacity.Buses; bus++) {
    awaited[bus] = Awaited.Nothing;
    pingDue[bus] = 0;
    pingState[bus] = Ping.None;
    pingInterval[bus] = 0;
  }
  for (let device = 0; device < Capacity.Devices; device++) {
    dueState[device] = BusState.None;
  }
}

/** The driver side begins anew: it asks for the devices itself, and what was said before concerns nobody. */
export function forgetBusEvents(bus: number): void {
  stopAwaiting(bus);
  pingDue[bus] = 0;
  pingState[bus] = Ping.None;
  pingLeft[bus] = pingInterval[bus];
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus) {
      dueState[device] = BusState.None;
    }
  }
  cancelBusEvent(bus);
}
