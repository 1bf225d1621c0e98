// Asks the device core: the carrier's half of a virtio-msg conversation (profile A), one request at a time.
//
// So bus and transport run as they do behind any carrier, with all their checks; vhost-user only words the requests.
import { windowWords } from '#port';
import { messageWindow } from '#vhost-user';
import { MessageWindow } from '../../../hal/vhost-user.js';
import { receive } from '../../bus/bus.hot.js';
import { MessageId } from '../../wire/message.js';

export const enum Ask {
  HeaderBytes = 8,
  HeaderWords = 4,
  /** Words of the payloads. */
  PayloadAt = (MessageWindow.Request >> 1) + HeaderWords,
  AnswerAt = (MessageWindow.Answer >> 1) + HeaderWords,
}

/** Number of the device this process serves. */
let served = 0;

export function setServed(number: number): void {
  served = number;
}

/** Sets a word of the request's payload. */
export function setWord(word: number, value: number): void {
  windowWords[messageWindow][Ask.PayloadAt + word] = value;
}

/** A word of the answer's payload. */
export function answerWord(word: number): number {
  return windowWords[messageWindow][Ask.AnswerAt + word];
}

/** Sends message `id` with `bytes` bytes of payload, of which the first words have been set; returns the bytes of the answer, 0 = none. @rare */
export function ask(id: number, bytes: number): number {
  const memory = windowWords[messageWindow];
  const at = Ask.PayloadAt - Ask.HeaderWords;
  memory[at] = id << 8;
  memory[at + 1] = served;
  memory[at + 2] = 0;
  memory[at + 3] = Ask.HeaderBytes + bytes;
  return receive(0, messageWindow, at, Ask.HeaderBytes + bytes, Ask.AnswerAt - Ask.HeaderWords);
}

/** Writes the status; returns what became of it. */
export function askStatus(status: number): number {
  setWord(0, status);
  setWord(1, 0);
  ask(MessageId.SetDeviceStatus, 4);
  return answerWord(0);
}

/** Tells the device that `ring` has available buffers. */
export function askKick(ring: number): void {
  setWord(0, ring);
  setWord(1, 0);
  setWord(2, 0);
  setWord(3, 0);
  ask(MessageId.EventAvail, 8);
}
