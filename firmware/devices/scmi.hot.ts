// SCMI device (id 32): carries commands to a handler and its notifications to the driver; it knows no protocol itself.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { clearOutbox, emptySlot, fillSlot, freeSlot, oldestSlot } from '../serving/outbox.hot.js';
import { firstQueue, hasFeature } from '../transport/device.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, SCMI Device. */
const enum Scmi {
  FeatureP2aChannels = 0,
  EventQueue = 1,
  HeadBytes = 4,
  /** Header and status. */
  StatusBytes = 8,
}

export const enum ScmiTable {
  /** Bytes of the largest command and of the largest message to the driver, header included. */
  MessageBytes = 128,
}

/** Status codes of the SCMI specification, as 16-bit lower halves; the upper half of all but SUCCESS is 0xffff. */
export const enum ScmiStatus {
  Success = 0,
  NotSupported = 0xffff,
  InvalidParameters = 0xfffe,
  NotFound = 0xfffc,
  OutOfRange = 0xfffb,
  ProtocolError = 0xfff6,
}

/** First words of a command's header and of its answer's header in the private window; parameters and return values follow. */
export const commandAt = new Int32Array(Capacity.Devices);
export const answerMessageAt = new Int32Array(Capacity.Devices);

/* eslint-disable no-restricted-syntax -- a table of functions, filled at start-up; index = device row */
export const handleCommand: ((device: number, parameterBytes: number) => number)[] = [];
/* eslint-enable no-restricted-syntax */

export function serveScmi(queue: number): void {
  const device = queueDevice[queue];
  if (queueIndex[queue] === Scmi.EventQueue) {
    serveEvents(device, queue);
    return;
  }
  let handle = take(queue);
  while (handle >= 0) {
    finish(queue, handle, serveCommand(device));
    handle = take(queue);
  }
}

/** For handlers: sets the status that begins the return values. */
export function setScmiStatus(device: number, status: number): void {
  const memory = windowWords[privateWindow];
  memory[answerMessageAt[device] + 2] = status;
  memory[answerMessageAt[device] + 3] = status === ScmiStatus.Success ? 0 : 0xffff;
}

/** Hands the command of the chain taken last to the handler; returns the used length. */
function serveCommand(device: number): number {
  if (readableBytes < Scmi.HeadBytes || writableBytes < Scmi.StatusBytes) {
    return 0;
  }
  const memory = windowWords[privateWindow];
  const command = commandAt[device];
  const answer = answerMessageAt[device];
  const bytes = readChain(0, privateWindow, command * 2, ScmiTable.MessageBytes);
  // The answer repeats the command's header (SCMI-8).
  memory[answer] = memory[command];
  memory[answer + 1] = memory[command + 1];
  let length: number = Scmi.StatusBytes - Scmi.HeadBytes;
  if (bytes < readableBytes) {
    setScmiStatus(device, ScmiStatus.ProtocolError);
  } else {
    setScmiStatus(device, ScmiStatus.Success);
    length = handleCommand[device](device, bytes - Scmi.HeadBytes);
  }
  if (length > writableBytes - Scmi.HeadBytes) {
    setScmiStatus(device, ScmiStatus.ProtocolError);
  }
  // A command that failed returns its status alone (SCMI-3).
  const failed = (memory[answer + 2] | memory[answer + 3]) !== 0;
  return writeChain(0, privateWindow, answer * 2, failed ? Scmi.StatusBytes : Scmi.HeadBytes + length);
}

/** True when the driver takes notifications and delayed responses (SCMI-4). */
export function takesNotifications(device: number): boolean {
  return hasFeature(device, Scmi.FeatureP2aChannels);
}

/**
 * For handlers: word of the private window for the next notification or delayed response, its header first, the number of its
 * bytes in the word before; -1 when there is no room: a notification is then dropped and counted (SCMI-6).
 */
export function notificationAt(device: number): number {
  const at = takesNotifications(device) ? freeSlot(device) : -1;
  return at < 0 ? -1 : at + 1;
}

/** For handlers: the message at `notificationAt` is complete and has `bytes` (4 .. ScmiTable.MessageBytes) bytes. */
export function notify(device: number, bytes: number): void {
  const first = oldestSlot(device) < 0;
  const at = freeSlot(device);
  windowWords[privateWindow][at] = bytes;
  fillSlot(device);
  if (first) {
    kick(firstQueue[device] + Scmi.EventQueue);
  }
}

function serveEvents(device: number, queue: number): void {
  let at = oldestSlot(device);
  while (at >= 0) {
    const handle = take(queue);
    if (handle < 0) {
      return;
    }
    const bytes = windowWords[privateWindow][at];
    // A buffer too small comes back empty and the message waits for the next one.
    if (writableBytes < bytes) {
      finish(queue, handle, 0);
    } else {
      finish(queue, handle, writeChain(0, privateWindow, (at + 1) * 2, bytes));
      emptySlot(device);
    }
    at = oldestSlot(device);
  }
}

/** No notification waits. */
export function resetScmi(device: number): void {
  clearOutbox(device);
}
