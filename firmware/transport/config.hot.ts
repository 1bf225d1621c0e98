// GET_CONFIG and SET_CONFIG, with the generation count as the bus's profile and transport features have it.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { Status } from '../wire/status.js';
import { countShown, strictConfig } from '../bus/bus-table.hot.js';
import { answerAt, answerRoom, discard, frameWindow, requestAt, requestBytes, wide } from '../bus/frame.hot.js';
import { copyConfig } from './config-space.hot.js';
import { configAt, configGeneration, configShown, configSize, configSpace, deviceBus, deviceStatus, deviceType } from './device.hot.js';
import { configHandlers, configWrittenHandlers } from './handlers.hot.js';
import { deviceWait, Wait } from './wait.hot.js';

/** The bytes of the SET_CONFIG being judged, for config handlers. */
export const configWrite = new Uint8Array(Capacity.ConfigWriteBytes);

/** GET_CONFIG: one snapshot with its generation; length 0 when out of range or too long. @rare */
export function getConfig(device: number): number {
  if (requestBytes < 8) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const offsetLow = memory[requestAt];
  const offsetHigh = memory[requestAt + 1];
  let offset = wide(offsetLow, offsetHigh);
  let length = wide(memory[requestAt + 2], memory[requestAt + 3]);
  const size = configSize[device];
  if (offset < 0 || offset > size || length < 0 || length > size - offset || length > answerRoom - 12) {
    offset = 0;
    length = 0;
  }
  answerConfig(device, offsetLow, offsetHigh, length);
  copyConfig(device, offset, length, frameWindow, answerAt + 6);
  return 12 + length;
}

/** SET_CONFIG: all or nothing; the answer's length says which. An accepted write does not advance the generation. @rare */
export function setConfig(device: number): number {
  if (requestBytes < 12) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const generationLow = memory[requestAt];
  const generationHigh = memory[requestAt + 1];
  const offsetLow = memory[requestAt + 2];
  const offsetHigh = memory[requestAt + 3];
  const offset = wide(offsetLow, offsetHigh);
  const length = wide(memory[requestAt + 4], memory[requestAt + 5]);
  if (length < 0 || length > requestBytes - 12) {
    return discard(Discard.Payload);
  }
  const size = configSize[device];
  let applied = 0;
  if (
    // Not while suspended, nor while a reset is under way.
    (deviceStatus[device] & Status.Suspend) === 0 &&
    deviceWait[device] !== Wait.Reset &&
    (strictConfig[deviceBus[device]] === 0 ||
      (generationLow === configGeneration[device * 2] && generationHigh === configGeneration[device * 2 + 1])) &&
    offset >= 0 &&
    offset <= size &&
    length <= size - offset &&
    length <= Capacity.ConfigWriteBytes &&
    length > 0
  ) {
    for (let at = 0; at < length; at += 2) {
      const word = memory[requestAt + 6 + (at >> 1)];
      configWrite[at] = word & 255;
      if (at + 1 < length) {
        configWrite[at + 1] = word >> 8;
      }
    }
    if (configHandlers[deviceType[device]](device, offset, length)) {
      const to = configAt[device] + offset;
      for (let at = 0; at < length; at++) {
        configSpace[to + at] = configWrite[at];
      }
      applied = length;
      configWrittenHandlers[deviceType[device]](device, offset, length);
    }
  }
  answerConfig(device, offsetLow, offsetHigh, applied);
  return 12;
}

/** The fixed part of both answers: the count, the offset as it came, and how many bytes were read or applied. */
function answerConfig(device: number, offsetLow: number, offsetHigh: number, length: number): void {
  const memory = windowWords[frameWindow];
  configShown[device] = 1;
  if (countShown[deviceBus[device]] !== 0) {
    memory[answerAt] = configGeneration[device * 2];
    memory[answerAt + 1] = configGeneration[device * 2 + 1];
  }
  memory[answerAt + 2] = offsetLow;
  memory[answerAt + 3] = offsetHigh;
  memory[answerAt + 4] = length;
}
