// The device-side half of a bus: header checks and routing, to devices or to the bus itself.
import { fill, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { BusMessageId, IdClass, MessageType } from '../wire/message.js';
import { Discard } from '../wire/discard.js';
import { deviceBus, deviceCount, deviceNumber, devicePresence, Presence } from '../transport/device.hot.js';
import { heldToken } from '../transport/status.hot.js';
import { transportMessage } from '../transport/transport.hot.js';
import { pingAnswered } from './bus-events.hot.js';
import { busMessage } from './bus-messages.hot.js';
import { directDevice, maximumSize, ownSize, slotBytes } from './bus-table.hot.js';
import { header, longNumber, numberField, openHeader, sizeField, tokenField } from './header.hot.js';
import { Answer, discard, setFrame } from './frame.hot.js';
import { strayMessage } from './stray.hot.js';

/** The device with number `number` (0..65535) on `bus`, or -1. */
export function findDevice(bus: number, number: number): number {
  if (number < Capacity.DirectNumbers) {
    return directDevice[bus * Capacity.DirectNumbers + number] - 1;
  }
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus && deviceNumber[device] === number && devicePresence[device] === Presence.Present) {
      return device;
    }
  }
  return -1;
}

/** The largest message while nothing is agreed: bus messages are taken, since an agreement may travel in them. */
function sizeBeforeAgreement(bus: number, type: number): number {
  return (type & MessageType.Bus) !== 0 ? ownSize[bus] : 0;
}

/**
 * Handles one received frame: `bytes` bytes from word `at` of `window`. The answer, if any, is written from word
 * `answer` of the same window on, in a slot of `slotBytes[bus]` bytes. Returns the bytes of the answer, 0 = none, or -1 when
 * the frame cannot be taken now and has to come again.
 */
export function receive(bus: number, window: number, at: number, bytes: number, answer: number): number {
  const memory = windowWords[window];
  openHeader(bus);
  if (bytes < header) {
    discard(Discard.Short);
    return 0;
  }
  const typeAndId = memory[at];
  const size = memory[at + sizeField];
  const token = memory[at + tokenField];
  const numberAt = at + numberField;
  let number = memory[numberAt];
  // A number of 64 bits beyond those of devices. Its words are named one by one: a loop costs half as much again.
  if (longNumber && (memory[numberAt + 1] | memory[numberAt + 2] | memory[numberAt + 3]) !== 0) {
    number = 65536;
  }
  if (size < header) {
    discard(Discard.Short);
    return 0;
  }
  const type = typeAndId & MessageType.Defined;
  let limit = maximumSize[bus];
  if (limit === 0) {
    limit = sizeBeforeAgreement(bus, type);
  }
  if (size > bytes || size > limit) {
    discard(limit === 0 ? Discard.NotAgreed : Discard.Long);
    return 0;
  }
  const id = typeAndId >> 8;
  if ((type & MessageType.Response) === 0 && (id & IdClass.Event) === 0) {
    fill(window, answer * 2, slotBytes[bus], 0);
  }
  const headerWords = header >> 1;
  setFrame(window, at + headerWords, size - header, answer + headerWords, limit - header);
  let payload: number = Answer.None;
  if (type === 0) {
    const device = number < 65536 ? findDevice(bus, number) : -1;
    payload = device >= 0 ? transportMessage(device, id) : strayMessage(bus, number, id);
    if (payload === Answer.Later) {
      heldToken[device] = token;
    }
  } else if (type === MessageType.Bus) {
    payload = number === 0 ? busMessage(bus, id) : discard(Discard.BusNumber);
  } else {
    // A response: the device side has no transport request outstanding, and asks the driver side for its life only.
    payload = type !== MessageType.Response && id === BusMessageId.Ping && number === 0 ? pingAnswered(bus) : discard(Discard.Response);
  }
  if (payload < 0) {
    return payload === Answer.NotTaken ? -1 : 0;
  }
  memory[answer] = type | MessageType.Response | (id << 8);
  memory[answer + tokenField] = token;
  memory[answer + sizeField] = header + payload;
  memory[answer + numberField] = number;
  return header + payload;
}
