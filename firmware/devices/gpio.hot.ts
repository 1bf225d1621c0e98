// GPIO device (id 41): directions, values and interrupts of lines that a backend owns.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { dropKept, finishKept, isKept, keep, notesAt, recall } from '../serving/keep.hot.js';
import { headerAt, putResponse, readHeader, responseAt } from '../serving/request.hot.js';
import { cancelWake, wakeAfter } from '../serving/wake.hot.js';
import { hasFeature } from '../transport/device.hot.js';
import { writableBytes } from '../virtqueue/chain.hot.js';
import { writeChain } from '../virtqueue/cursor.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, GPIO Device. */
const enum Gpio {
  FeatureIrq = 0,
  EventQueue = 1,
  RequestBytes = 8,
  EventBytes = 2,
  GetLineNames = 1,
  GetDirection = 2,
  SetDirection = 3,
  GetValue = 4,
  SetValue = 5,
  SetIrqType = 6,
  StatusOk = 0,
  StatusError = 1,
  EventInvalid = 0,
  EventValid = 1,
  /** Answer of `answerRequest`: the names follow the status. */
  Names = -2,
  Failed = -1,
}

export const enum LineTable {
  /** Lines of all GPIO devices together. */
  Lines = 256,
}

export const enum Direction {
  None = 0,
  Out = 1,
  In = 2,
}

/** Interrupt types; the first two are also what `takeEdges` reports. */
export const enum Irq {
  None = 0,
  Rising = 1,
  Falling = 2,
  Both = 3,
  High = 4,
  Low = 8,
}

/** First line in the tables and number of lines, per device row. */
export const firstLine = new Uint16Array(Capacity.Devices);
export const lineCount = new Uint16Array(Capacity.Devices);
/** Where the names lie in the private window, and their bytes; 0 = no names. */
export const namesAt = new Int32Array(Capacity.Devices);
export const namesBytes = new Uint16Array(Capacity.Devices);
/** Microseconds between two looks at the lines while interrupts are enabled; 0 = the backend has an interrupt of its own. */
export const pollEvery = new Int32Array(Capacity.Devices);
/** Lines whose interrupt is enabled. */
const enabledLines = new Uint16Array(Capacity.Devices);

const direction = new Uint8Array(LineTable.Lines);
/** The value to drive, also while the line is no output (GPIO-4). */
const outputValue = new Uint8Array(LineTable.Lines);
const irqType = new Uint8Array(LineTable.Lines);
/** 1 = an edge came while the line was masked (GPIO-8). */
const latched = new Uint8Array(LineTable.Lines);
/** Kept row + 1 of the buffer that unmasks the line; the row's first note is the line, so that a stale row can be told. */
const unmaskRow = new Uint8Array(LineTable.Lines);

/** The line whose interrupt the request being served has disabled; -1 = none. */
let revoked = -1;

/* eslint-disable no-restricted-syntax -- tables of functions, filled at start-up; index = device row */
export const setLineDirection: ((device: number, line: number, direction: number, value: number) => boolean)[] = [];
export const readLine: ((device: number, line: number) => number)[] = [];
export const writeLine: ((device: number, line: number, value: number) => void)[] = [];
export const takeEdges: ((device: number, line: number) => number)[] = [];
/* eslint-enable no-restricted-syntax */

/** Serves the request queue, or the event queue, where buffers wait that unmask an interrupt. */
export function serveGpio(queue: number): void {
  const device = queueDevice[queue];
  const events = queueIndex[queue] === Gpio.EventQueue;
  let handle = take(queue);
  while (handle >= 0) {
    if (events) {
      unmask(device, queue, handle);
    } else {
      revoked = -1;
      finish(queue, handle, serveRequest(device));
      if (revoked >= 0) {
        giveBack(device, revoked, Gpio.EventInvalid);
      }
    }
    handle = take(queue);
  }
  deliver(device);
}

/** Carries out the request of the chain taken last; returns the used length. */
function serveRequest(device: number): number {
  const memory = windowWords[privateWindow];
  const at = headerAt;
  const whole = readHeader(Gpio.RequestBytes) === Gpio.RequestBytes;
  const value = memory[at + 3] === 0 ? memory[at + 2] : 65536;
  const answer = whole ? answerRequest(device, memory[at], memory[at + 1], value) : Gpio.Failed;
  if (answer === Gpio.Names) {
    memory[responseAt] = Gpio.StatusOk;
    putResponse(1);
    return 1 + writeChain(1, privateWindow, namesAt[device], namesBytes[device]);
  }
  memory[responseAt] = answer < 0 ? Gpio.StatusError : Gpio.StatusOk | (answer << 8);
  return putResponse(2);
}

/** The value of the response (0..255), Gpio.Names, or Gpio.Failed for what the device cannot do (GPIO-5). */
function answerRequest(device: number, type: number, line: number, value: number): number {
  if (type === Gpio.GetLineNames) {
    return namesBytes[device] !== 0 && writableBytes > namesBytes[device] ? Gpio.Names : Gpio.Failed;
  }
  if (line >= lineCount[device]) {
    return Gpio.Failed;
  }
  const row = firstLine[device] + line;
  switch (type) {
    case Gpio.GetDirection:
      return direction[row];
    case Gpio.SetDirection:
      return setDirection(device, line, value);
    case Gpio.GetValue:
      return readLine[device](device, line) & 1;
    case Gpio.SetValue:
      if (value > 1) {
        return Gpio.Failed;
      }
      outputValue[row] = value;
      if (direction[row] === Direction.Out) {
        writeLine[device](device, line, value);
      }
      return 0;
    case Gpio.SetIrqType:
      return hasFeature(device, Gpio.FeatureIrq) ? setIrqType(device, line, value) : Gpio.Failed;
    default:
      return Gpio.Failed;
  }
}

function setDirection(device: number, line: number, value: number): number {
  const row = firstLine[device] + line;
  if (value > Direction.In || !setLineDirection[device](device, line, value, outputValue[row])) {
    return Gpio.Failed;
  }
  direction[row] = value;
  if (value === Direction.None) {
    // All state of the line goes (GPIO-3).
    outputValue[row] = 0;
    disableIrq(device, line);
  }
  return 0;
}

/** Enables or disables a line's interrupt; from one type to another only by way of NONE (GPIO-12). */
function setIrqType(device: number, line: number, type: number): number {
  const row = firstLine[device] + line;
  if (type === Irq.None) {
    disableIrq(device, line);
    return 0;
  }
  if (type > Irq.High && type !== Irq.Low) {
    return Gpio.Failed;
  }
  if (irqType[row] !== Irq.None) {
    return irqType[row] === type ? 0 : Gpio.Failed;
  }
  // Edges of the time before do not count.
  takeEdges[device](device, line);
  latched[row] = 0;
  irqType[row] = type;
  enabledLines[device] = enabledLines[device] + 1;
  if (enabledLines[device] === 1 && pollEvery[device] !== 0) {
    wakeAfter(device, pollEvery[device]);
  }
  return 0;
}

/** A latched edge is forgotten and a waiting buffer comes back as INVALID, once the request is answered (GPIO-9). */
function disableIrq(device: number, line: number): void {
  const row = firstLine[device] + line;
  if (irqType[row] !== Irq.None) {
    irqType[row] = Irq.None;
    latched[row] = 0;
    enabledLines[device] = enabledLines[device] - 1;
    if (enabledLines[device] === 0) {
      cancelWake(device);
    }
    revoked = line;
  }
}

/** True while a buffer of the driver waits for the line's interrupt: the line is unmasked. */
function isUnmasked(device: number, line: number): boolean {
  const kept = unmaskRow[firstLine[device] + line] - 1;
  return kept >= 0 && isKept(device, kept) && windowWords[privateWindow][notesAt(device, kept)] === line;
}

/** Takes a buffer that unmasks a line's interrupt; one that cannot comes back as INVALID (GPIO-10, GPIO-11). */
function unmask(device: number, queue: number, handle: number): void {
  const memory = windowWords[privateWindow];
  const whole = readHeader(Gpio.EventBytes) === Gpio.EventBytes && writableBytes > 0;
  const line = memory[headerAt];
  let kept = -1;
  if (whole && line < lineCount[device] && irqType[firstLine[device] + line] !== Irq.None && !isUnmasked(device, line)) {
    kept = keep(device, queue, handle);
  }
  if (kept < 0) {
    memory[responseAt] = Gpio.EventInvalid;
    finish(queue, handle, putResponse(1));
    return;
  }
  memory[notesAt(device, kept)] = line;
  unmaskRow[firstLine[device] + line] = kept + 1;
}

/** Gives the line's waiting buffer back, if there is one; the line is masked then (GPIO-7). */
function giveBack(device: number, line: number, status: number): void {
  if (isUnmasked(device, line)) {
    const row = firstLine[device] + line;
    const kept = unmaskRow[row] - 1;
    unmaskRow[row] = 0;
    recall(device, kept);
    windowWords[privateWindow][responseAt] = status;
    finishKept(device, kept, putResponse(1));
  }
}

/** Notes edges and delivers the interrupts of lines that are enabled and unmasked (GPIO-6 to GPIO-8). */
function deliver(device: number): void {
  if (enabledLines[device] === 0) {
    return;
  }
  const first = firstLine[device];
  for (let line = 0; line < lineCount[device]; line++) {
    const type = irqType[first + line];
    if (type !== Irq.None) {
      if ((takeEdges[device](device, line) & type) !== 0) {
        latched[first + line] = 1;
      }
      if (isUnmasked(device, line) && isActive(device, line, type)) {
        latched[first + line] = 0;
        giveBack(device, line, Gpio.EventValid);
      }
    }
  }
}

/** A level is looked at anew, never remembered; an edge is remembered until it is delivered (GPIO-8). */
function isActive(device: number, line: number, type: number): boolean {
  if (type >= Irq.High) {
    return (readLine[device](device, line) & 1) === (type === Irq.High ? 1 : 0);
  }
  return latched[firstLine[device] + line] === 1;
}

/** The backend's interrupt fired, or it is time to look at the lines. */
export function wakeGpio(device: number): void {
  deliver(device);
  if (enabledLines[device] !== 0 && pollEvery[device] !== 0) {
    wakeAfter(device, pollEvery[device]);
  }
}

/** Back to lines without direction, value and interrupt. */
export function resetGpio(device: number): void {
  const first = firstLine[device];
  for (let line = 0; line < lineCount[device]; line++) {
    if (direction[first + line] !== Direction.None) {
      setLineDirection[device](device, line, Direction.None, 0);
    }
    direction[first + line] = Direction.None;
    outputValue[first + line] = 0;
    irqType[first + line] = Irq.None;
    latched[first + line] = 0;
    unmaskRow[first + line] = 0;
  }
  enabledLines[device] = 0;
  dropKept(device);
  cancelWake(device);
}
