// What answers for a number whose device was removed: the transport of a device in reset, with nothing behind it.
//
// Drivers of the first payload set reset a device after REMOVED and wait for the answers, so this speaks that set only.
import { windowWords } from '#port';
import { Discard } from '../wire/discard.js';
import { MessageId } from '../wire/message.js';
import { effectSeen } from '../bus/bus-events.hot.js';
import { answerAt, answerRoom, discard, frameWindow, requestAt, requestBytes } from '../bus/frame.hot.js';

/** Copies the request's 32-bit field number `from` to field `to` of the answer. */
function echo(from: number, to: number): void {
  const memory = windowWords[frameWindow];
  memory[answerAt + to * 2] = memory[requestAt + from * 2];
  memory[answerAt + to * 2 + 1] = memory[requestAt + from * 2 + 1];
}

/** Answers message `id` to the removed `number` of `bus`; returns the bytes of the answer's payload, the rest of which is zero, or Answer.None. */
export function stubMessage(bus: number, number: number, id: number): number {
  switch (id) {
    case MessageId.GetDeviceInfo:
      return 24;
    case MessageId.GetDeviceStatus:
      return 4;
    case MessageId.SetDeviceStatus:
      if (requestBytes < 4) {
        return discard(Discard.Payload);
      }
      effectSeen(bus, number);
      return 4;
    case MessageId.GetDeviceFeatures:
      return zeroFeatures();
    case MessageId.SetDriverFeatures:
      return requestBytes < 8 ? discard(Discard.Payload) : 0;
    case MessageId.GetConfig:
      if (requestBytes < 8) {
        return discard(Discard.Payload);
      }
      echo(0, 1);
      return 12;
    case MessageId.SetConfig:
      if (requestBytes < 12) {
        return discard(Discard.Payload);
      }
      echo(1, 1);
      return 12;
    case MessageId.GetVqueue:
      return echoIndex(4, 40);
    case MessageId.SetVqueue:
      return requestBytes < 40 ? discard(Discard.Payload) : 0;
    case MessageId.ResetVqueue:
      return requestBytes < 4 ? discard(Discard.Payload) : 0;
    case MessageId.GetShm:
      return echoIndex(4, 12);
    default:
      return discard(Discard.UnknownId);
  }
}

/** The answer of `bytes` bytes to a request of at least `least` bytes: its index and zeros. */
function echoIndex(least: number, bytes: number): number {
  if (requestBytes < least) {
    return discard(Discard.Payload);
  }
  echo(0, 0);
  return bytes;
}

/** As many blocks without features as are asked for and fit. */
function zeroFeatures(): number {
  if (requestBytes < 8) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt + 2];
  const room = (answerRoom - 8) >> 2;
  const count = memory[requestAt + 3] !== 0 || low > room ? room : low;
  echo(0, 0);
  memory[answerAt + 2] = count;
  return 8 + count * 4;
}
