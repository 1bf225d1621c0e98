// Input device (id 18): events go to the driver in whole groups; what the device is stands in its configuration space.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateByte, privateWindow } from '../memory/private.hot.js';
import { cancelWake, wakeAfter } from '../serving/wake.hot.js';
import { firstQueue, isRunning } from '../transport/device.hot.js';
import { configByte, setConfigByte } from '../transport/config-space.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, Input Device. */
const enum Input {
  StatusQueue = 1,
  EventBytes = 8,
  EventWords = 4,
  /** Type of the event that ends a group. */
  Syn = 0,
  /** Byte offsets in the configuration space. */
  Select = 0,
  Subsel = 1,
  Size = 2,
  Data = 8,
  DataBytes = 128,
}

export const enum InputTable {
  /** Events that wait for buffers, per device: a power of two. */
  Events = 64,
  /** Answers to select and subsel of all input devices together. */
  Answers = 64,
}

/** First word of the ring of waiting events in the private window, per device row. */
export const eventsAt = new Int32Array(Capacity.Devices);
/** Free-running positions in the ring: next event to give away, end of the last whole group, end of the group being built. */
const given = new Uint16Array(Capacity.Devices);
const whole = new Uint16Array(Capacity.Devices);
const built = new Uint16Array(Capacity.Devices);
/** 1 = an event of the group being built found no room: all of the group is dropped (INP-3). */
const spoiled = new Uint8Array(Capacity.Devices);
/** Events dropped since start, modulo 65536. */
export const droppedEvents = new Uint16Array(Capacity.Devices);

/** First answer and number of answers, per device row. */
export const firstAnswer = new Uint8Array(Capacity.Devices);
export const answerCount = new Uint8Array(Capacity.Devices);
/** Answers of the configuration space: select, subsel, where the bytes lie in the private window, how many. */
export const answerSelect = new Uint8Array(InputTable.Answers);
export const answerSubsel = new Uint8Array(InputTable.Answers);
export const answerFrom = new Int32Array(InputTable.Answers);
export const answerBytes = new Uint8Array(InputTable.Answers);

/* eslint-disable no-restricted-syntax -- tables of functions, filled at start-up; index = device row */
/** The driver's status event (an LED, say) for the backend: type, code, lower and upper half of the value are in the words from `at` of the private window on. */
export const takeStatus: ((device: number, at: number) => void)[] = [];
/** Time to look for events; for backends without an interrupt. */
export const lookForEvents: ((device: number) => void)[] = [];
/* eslint-enable no-restricted-syntax */

/** For backends that have nothing to show. */
export function ignoreStatus(_device: number, _at: number): void {
  return;
}

/** Word of the private window where status events are put. */
export const statusAt = new Int32Array(Capacity.Devices);

/**
 * For backends: an event of `type`, `code` (0..65535) and `value` (-2^27..2^27-1). A group ends with type 0 (EV_SYN), code 0,
 * and is given to the driver whole or not at all (INP-3).
 */
export function report(device: number, type: number, code: number, value: number): void {
  if (((built[device] - given[device]) & 65535) >= InputTable.Events) {
    spoiled[device] = 1;
  }
  if (spoiled[device] === 0) {
    const memory = windowWords[privateWindow];
    const at = eventsAt[device] + (built[device] & (InputTable.Events - 1)) * Input.EventWords;
    memory[at] = type;
    memory[at + 1] = code;
    memory[at + 2] = value & 65535;
    memory[at + 3] = (value >> 16) & 65535;
    built[device] = (built[device] + 1) & 65535;
  } else {
    droppedEvents[device] = (droppedEvents[device] + 1) & 65535;
  }
  if (type === Input.Syn && code === 0) {
    endGroup(device);
  }
}

function endGroup(device: number): void {
  if (spoiled[device] === 1 || !isRunning(device)) {
    // Events before the driver runs, and groups that do not fit, are nobody's.
    droppedEvents[device] = (droppedEvents[device] + ((built[device] - whole[device]) & 65535)) & 65535;
    built[device] = whole[device];
    spoiled[device] = 0;
    return;
  }
  whole[device] = built[device];
  kick(firstQueue[device]);
}

/** Serves the event queue while events wait, and the status queue. */
export function serveInput(queue: number): void {
  const device = queueDevice[queue];
  if (queueIndex[queue] === Input.StatusQueue) {
    serveStatus(device, queue);
    return;
  }
  while (given[device] !== whole[device]) {
    const handle = take(queue);
    if (handle < 0) {
      return;
    }
    if (writableBytes < Input.EventBytes) {
      finish(queue, handle, 0);
    } else {
      const at = eventsAt[device] + (given[device] & (InputTable.Events - 1)) * Input.EventWords;
      finish(queue, handle, writeChain(0, privateWindow, at * 2, Input.EventBytes));
      given[device] = (given[device] + 1) & 65535;
    }
  }
}

function serveStatus(device: number, queue: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    if (readableBytes >= Input.EventBytes) {
      readChain(0, privateWindow, statusAt[device] * 2, Input.EventBytes);
      takeStatus[device](device, statusAt[device]);
    }
    finish(queue, handle, 0);
    handle = take(queue);
  }
}

/** Only select and subsel can be written, in one write or in two (INP-2). */
export function writeInputConfig(_device: number, offset: number, length: number): boolean {
  return offset + length <= Input.Size;
}

/** Shows the answer to select and subsel, size 0 when there is none (INP-1, INP-6). */
export function showInputConfig(device: number, _offset: number, _length: number): void {
  const select = configByte(device, Input.Select);
  const subsel = configByte(device, Input.Subsel);
  let bytes = 0;
  let from = 0;
  const end = firstAnswer[device] + answerCount[device];
  for (let answer = firstAnswer[device]; answer < end; answer++) {
    if (answerSelect[answer] === select && answerSubsel[answer] === subsel) {
      bytes = answerBytes[answer];
      from = answerFrom[answer];
    }
  }
  setConfigByte(device, Input.Size, bytes);
  for (let at = 0; at < Input.DataBytes; at++) {
    setConfigByte(device, Input.Data + at, at < bytes ? privateByte(from + at) : 0);
  }
}

/** The driver runs: the backend is asked for events soon. */
export function startInput(device: number): boolean {
  wakeAfter(device, 0);
  return true;
}

export function wakeInput(device: number): void {
  if (isRunning(device)) {
    lookForEvents[device](device);
  }
}

/** Events that wait are forgotten; select and subsel are 0. */
export function resetInput(device: number): void {
  given[device] = 0;
  whole[device] = 0;
  built[device] = 0;
  spoiled[device] = 0;
  cancelWake(device);
  setConfigByte(device, Input.Select, 0);
  setConfigByte(device, Input.Subsel, 0);
  showInputConfig(device, 0, 0);
}
