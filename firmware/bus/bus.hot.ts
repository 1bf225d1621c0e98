// The device-side half of a bus: header checks, routing to devices, GET_DEVICES and PING.
import { fill, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { BusMessageId, IdClass, MessageType } from '../wire/message.js';
import { Discard } from '../wire/discard.js';
import { deviceBus, deviceCount, deviceNumber } from '../transport/device.hot.js';
import { transportMessage } from '../transport/transport.hot.js';
import { directDevice, headerBytes, maximumSize, numberWord, numberWords, sizeWord, slotBytes, tokenWord } from './bus-table.hot.js';
import { Answer, answerAt, answerRoom, discard, frameWindow, requestAt, requestBytes, setFrame } from './frame.hot.js';

/** The device with number `number` (0..65535) on `bus`, or -1. */
function findDevice(bus: number, number: number): number {
  if (number < Capacity.DirectNumbers) {
    return directDevice[bus * Capacity.DirectNumbers + number] - 1;
  }
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus && deviceNumber[device] === number) {
      return device;
    }
  }
  return -1;
}

/**
 * Handles one received frame: `bytes` bytes from word `at` of `window`. The answer, if any, is written from word
 * `answer` of the same window on, in a slot of `slotBytes[bus]` bytes. Returns the bytes of the answer, 0 = none.
 */
export function receive(bus: number, window: number, at: number, bytes: number, answer: number): number {
  const memory = windowWords[window];
  const header = headerBytes[bus];
  if (bytes < header) {
    discard(Discard.Short);
    return 0;
  }
  const typeAndId = memory[at];
  const size = memory[at + sizeWord[bus]];
  const token = memory[at + tokenWord[bus]];
  const numberAt = at + numberWord[bus];
  let number = memory[numberAt];
  for (let word = 1; word < numberWords[bus]; word++) {
    if (memory[numberAt + word] !== 0) {
      number = 65536;
    }
  }
  if (size < header) {
    discard(Discard.Short);
    return 0;
  }
  if (size > bytes || size > maximumSize[bus]) {
    discard(Discard.Long);
    return 0;
  }
  const type = typeAndId & MessageType.Defined;
  const id = typeAndId >> 8;
  // A response: the device side has no request outstanding.
  if ((type & MessageType.Response) !== 0) {
    discard(Discard.Response);
    return 0;
  }
  if ((id & IdClass.Event) === 0) {
    fill(window, answer * 2, slotBytes[bus], 0);
  }
  const headerWords = header >> 1;
  setFrame(window, at + headerWords, size - header, answer + headerWords, maximumSize[bus] - header);
  let payload: number = Answer.None;
  if ((type & MessageType.Bus) !== 0) {
    payload = number === 0 ? busMessage(bus, id) : discard(Discard.BusNumber);
  } else {
    const device = number < 65536 ? findDevice(bus, number) : -1;
    payload = device >= 0 ? transportMessage(device, id) : discard(Discard.NoDevice);
  }
  if (payload < 0) {
    return 0;
  }
  memory[answer] = type | MessageType.Response | (id << 8);
  memory[answer + tokenWord[bus]] = token;
  memory[answer + sizeWord[bus]] = header + payload;
  memory[answer + numberWord[bus]] = number;
  return header + payload;
}

/** Writes the header of an event: no response, token 0. The slot has been filled with zeros. */
export function writeEventHeader(bus: number, window: number, at: number, typeAndId: number, size: number): void {
  const memory = windowWords[window];
  memory[at] = typeAndId;
  memory[at + sizeWord[bus]] = size;
}

/** Handles a bus message whose header is in order; returns the bytes of the answer's payload or Answer.None. */
function busMessage(bus: number, id: number): number {
  switch (id) {
    case BusMessageId.GetDevices:
      return getDevices(bus);
    case BusMessageId.Ping:
      return ping();
    default:
      return discard(Discard.UnknownId);
  }
}

/** GET_DEVICES: which numbers of a window have a device. */
function getDevices(bus: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const offset = memory[requestAt];
  let count = memory[requestAt + 1];
  if (((offset | count) & 7) !== 0) {
    return discard(Discard.Misaligned);
  }
  if (count > 65536 - offset) {
    count = 65536 - offset;
  }
  const room = (answerRoom - 6) * 8;
  if (count > room) {
    count = room;
  }
  let next = 0;
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus) {
      const bit = deviceNumber[device] - offset;
      if (bit >= count) {
        // 0 would say "no more", so a request for no slots at offset 0 is pointed behind the first byte of the bitmap.
        next = offset + count === 0 ? 8 : offset + count;
      } else if (bit >= 0) {
        const word = answerAt + 3 + (bit >> 4);
        memory[word] |= 1 << (bit & 15);
      }
    }
  }
  memory[answerAt] = offset;
  memory[answerAt + 1] = count;
  memory[answerAt + 2] = next;
  return 6 + (count >> 3);
}

/** PING: the same four bytes come back. */
function ping(): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  memory[answerAt] = memory[requestAt];
  memory[answerAt + 1] = memory[requestAt + 1];
  return 4;
}
