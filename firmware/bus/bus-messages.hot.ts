// Messages between the two halves of a bus: GET_DEVICES and PING.
import { windowWords } from '#port';
import { BusMessageId, IdClass } from '../wire/message.js';
import { Discard } from '../wire/discard.js';
import { Rule } from '../wire/profile.js';
import { deviceBus, deviceCount, deviceNumber, devicePresence, Presence } from '../transport/device.hot.js';
import { showDevice } from './bus-events.hot.js';
import { askedCountWord, bitmapWord, busNumberWords, busRules, countWord, nextWord } from './bus-table.hot.js';
import { Answer, answerAt, answerRoom, discard, frameWindow, requestAt, requestBytes } from './frame.hot.js';
import { specificHandlers } from './handlers.hot.js';

/** Handles a bus message whose header is in order; returns the bytes of the answer's payload or Answer.None. @rare */
export function busMessage(bus: number, id: number): number {
  switch (id) {
    case BusMessageId.GetDevices:
      return getDevices(bus);
    case BusMessageId.Ping:
      return ping();
    default:
      return (id & IdClass.Implementation) !== 0 ? specificMessage(bus, id) : discard(Discard.UnknownId);
  }
}

/** An id of the carrier's own goes to the carrier's handler; an event of it is never answered. */
function specificMessage(bus: number, id: number): number {
  const payload = specificHandlers[bus](bus, id);
  return (id & IdClass.Event) !== 0 ? Answer.None : payload;
}

/** GET_DEVICES: which numbers of a window have a device. */
function getDevices(bus: number): number {
  const countAt = askedCountWord[bus];
  if (requestBytes < countAt * 2 + 2) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const offset = memory[requestAt];
  let count = memory[requestAt + countAt];
  const wholeBytes = (busRules[bus] & Rule.WholeBytes) !== 0;
  if (wholeBytes && ((offset | count) & 7) !== 0) {
    return discard(Discard.Misaligned);
  }
  memory[answerAt] = offset;
  // Of a longer number, whether it lies beyond all devices, and whether it ends where numbers end.
  let beyond = 0;
  let last = 65535;
  for (let word = 1; word < busNumberWords[bus]; word++) {
    const half = memory[requestAt + word];
    memory[answerAt + word] = half;
    beyond |= half;
    last &= half;
  }
  if (last === 65535 && count > 65536 - offset) {
    count = 65536 - offset;
  }
  const bitmapAt = bitmapWord[bus];
  const room = (answerRoom - bitmapAt * 2) * 8;
  if (count > room) {
    count = room;
  }
  let next = 0;
  for (let device = 0; device < deviceCount; device++) {
    const present = devicePresence[device] === Presence.Present || devicePresence[device] === Presence.Busy;
    if (deviceBus[device] === bus && present && beyond === 0) {
      const bit = deviceNumber[device] - offset;
      if (bit >= count) {
        // 0 would say "no more", so a request for no slots at offset 0 is pointed behind the first ones.
        next = offset + count !== 0 ? offset + count : wholeBytes ? 8 : 1;
      } else if (bit >= 0) {
        const word = answerAt + bitmapAt + (bit >> 4);
        memory[word] |= 1 << (bit & 15);
        showDevice(device);
      }
    }
  }
  memory[answerAt + countWord[bus]] = count;
  memory[answerAt + nextWord[bus]] = next;
  return bitmapAt * 2 + ((count + 7) >> 3);
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
