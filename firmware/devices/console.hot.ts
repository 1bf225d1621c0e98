// Console device (id 3): ports with an input FIFO and an output backend each; control messages with MULTIPORT.
import { copy, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { headerAt, putResponse, readHeader, responseAt } from '../serving/request.hot.js';
import { configChanged } from '../transport/config-change.hot.js';
import { setConfigByte, setConfigWord } from '../transport/config-space.hot.js';
import { configWrite } from '../transport/config.hot.js';
import { firstQueue, hasFeature } from '../transport/device.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { writeChain } from '../virtqueue/cursor.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, take, untake } from '../virtqueue/queue.hot.js';
import { queueDevice, queueEpoch, queueIndex } from '../virtqueue/queue-table.hot.js';

const enum FeatureBit {
  Size = 0,
  Multiport = 1,
}

const enum Config {
  Cols = 0,
  Rows = 2,
  EmergencyWrite = 8,
}

/** Control events. */
const enum Event {
  DeviceReady = 0,
  DeviceAdd = 1,
  DeviceRemove = 2,
  PortReady = 3,
  ConsolePort = 4,
  Resize = 5,
  PortOpen = 6,
  PortName = 7,
}

const enum Control {
  Bytes = 8,
  ReceiveIndex = 2,
  TransmitIndex = 3,
}

/** Bits of `portState`. */
export const enum PortState {
  /** The device has the port. */
  Exists = 1,
  /** DEVICE_ADD was sent. */
  Announced = 2,
  /** The driver said PORT_READY 1. */
  Ready = 4,
  /** The driver said PORT_OPEN 1. */
  Open = 8,
}

/** Bits of `portDue`: control messages to be sent as soon as there is a buffer, in this order. */
const enum Due {
  Remove = 1,
  Add = 2,
  Console = 4,
  Name = 8,
  Open = 16,
  Resize = 32,
}

/** Per device: its ports are rows firstPort ... in the port tables. */
export const firstPort = new Uint8Array(Capacity.Devices);
export const portCount = new Uint8Array(Capacity.Devices);
/** 1 = the driver said DEVICE_READY (CON-3). */
const ready = new Uint8Array(Capacity.Devices);

/** Per port: device row, index, bits, backend row, 1 = a console, byte offset and length of its name in the private window. */
export const portDevice = new Uint8Array(Capacity.ConsolePorts);
export const portIndex = new Uint8Array(Capacity.ConsolePorts);
export const portState = new Uint8Array(Capacity.ConsolePorts);
export const portBackend = new Uint8Array(Capacity.ConsolePorts);
export const portIsConsole = new Uint8Array(Capacity.ConsolePorts);
export const portNameAt = new Int32Array(Capacity.ConsolePorts);
export const portNameBytes = new Uint8Array(Capacity.ConsolePorts);
export const portCols = new Uint16Array(Capacity.ConsolePorts);
export const portRows = new Uint16Array(Capacity.ConsolePorts);
const portDue = new Uint8Array(Capacity.ConsolePorts);
/** Input FIFO: byte offset in the private window, size (a power of two), oldest byte, bytes waiting. */
export const inputAt = new Int32Array(Capacity.ConsolePorts);
export const inputSize = new Uint16Array(Capacity.ConsolePorts);
export const inputFirst = new Uint16Array(Capacity.ConsolePorts);
export const inputWaiting = new Uint16Array(Capacity.ConsolePorts);
/** Output: bytes of the next transmit buffer that the backend has taken already, in the queue's life `outputEpoch`. */
const outputDone = new Int32Array(Capacity.ConsolePorts);
const outputEpoch = new Uint16Array(Capacity.ConsolePorts);

/**
 * Takes up to `bytes` bytes from `position` of the current chain's readable part on. Returns how many: fewer than `bytes`
 * when it is busy; it is asked again within a millisecond. One call does bounded work.
 */
export type ConsoleOutput = (port: number, position: number, bytes: number) => number;
/** Outputs one byte at once, whatever the state of the device (CON-1). */
export type ConsoleEmergency = (port: number, byte: number) => void;

/**
 * Puts bytes that have come into the port's FIFO, from `inputEnd` on and as many as `inputRoom` at most, and returns how many. Asked
 * when the driver has a buffer and the FIFO is empty, and when an interrupt fired and it has room.
 */
export type ConsoleInput = (port: number) => number;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const consoleOutputs: ConsoleOutput[] = [];
export const consoleInputs: ConsoleInput[] = [];
export const consoleEmergencies: ConsoleEmergency[] = [];
/* eslint-enable no-restricted-syntax */

/** Queue index of the port's receive queue; its transmit queue follows. */
function receiveIndex(index: number): number {
  return index === 0 ? 0 : index * 2 + 2;
}

function kickReceive(port: number): void {
  kick(firstQueue[portDevice[port]] + receiveIndex(portIndex[port]));
}

/** Bytes the input FIFO of `port` has room for. */
export function inputRoom(port: number): number {
  return inputSize[port] - inputWaiting[port];
}

/** Where the next input byte goes: offset inside the FIFO. */
export function inputEnd(port: number): number {
  return (inputFirst[port] + inputWaiting[port]) & (inputSize[port] - 1);
}

/** `bytes` more bytes stand in the FIFO: the driver gets them. */
export function inputArrived(port: number, bytes: number): void {
  inputWaiting[port] = inputWaiting[port] + bytes;
  kickReceive(port);
}

/**
 * For backends: `length` bytes from `offset` of `window` on are input of `port`. Returns how many there was room for; what
 * the driver has no buffer for waits in the FIFO, the rest is the caller's to keep or drop (CON-7).
 */
export function consoleInput(port: number, window: number, offset: number, length: number): number {
  const room = inputRoom(port);
  const bytes = length < room ? length : room;
  const end = inputEnd(port);
  const first = bytes < inputSize[port] - end ? bytes : inputSize[port] - end;
  copy(privateWindow, inputAt[port] + end, window, offset, first);
  if (bytes > first) {
    copy(privateWindow, inputAt[port], window, offset + first, bytes - first);
  }
  inputArrived(port, bytes);
  return bytes;
}

/** For backends without input of their own; what comes by `consoleInput` needs none. */
export function noInput(_port: number): number {
  return 0;
}

/** Asks the backend for input when none waits; returns true when some does. */
function hasInput(port: number): boolean {
  if (inputWaiting[port] === 0) {
    inputWaiting[port] = consoleInputs[portBackend[port]](port);
  }
  return inputWaiting[port] !== 0;
}

/** A peripheral's interrupt fired: perhaps a backend has input. */
export function wakeConsole(device: number): void {
  for (let port = firstPort[device]; port < firstPort[device] + portCount[device]; port++) {
    if (inputRoom(port) !== 0) {
      const bytes = consoleInputs[portBackend[port]](port);
      if (bytes !== 0) {
        inputArrived(port, bytes);
      }
    }
  }
}

/** Gives waiting input to the driver, as many bytes per buffer as fit (CON-6). */
function serveReceive(queue: number, port: number): void {
  if (hasFeature(portDevice[port], FeatureBit.Multiport) && (portState[port] & PortState.Open) === 0) {
    return;
  }
  while (hasInput(port)) {
    const handle = take(queue);
    if (handle < 0) {
      return;
    }
    const from = inputFirst[port];
    const toEnd = inputSize[port] - from;
    const waiting = inputWaiting[port];
    let moved = writeChain(0, privateWindow, inputAt[port] + from, waiting < toEnd ? waiting : toEnd);
    if (moved === toEnd && waiting > toEnd) {
      moved += writeChain(moved, privateWindow, inputAt[port], waiting - toEnd);
    }
    inputFirst[port] = (from + moved) & (inputSize[port] - 1);
    inputWaiting[port] = waiting - moved;
    finish(queue, handle, moved);
  }
}

/** Gives the driver's output to the backend; a buffer that it takes in parts stays the next one. */
function serveTransmit(queue: number, port: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    let done = outputEpoch[port] === queueEpoch[queue] ? outputDone[port] : 0;
    if (done < readableBytes) {
      done += consoleOutputs[portBackend[port]](port, done, readableBytes - done);
    }
    if (done < readableBytes) {
      outputDone[port] = done;
      outputEpoch[port] = queueEpoch[queue];
      untake(queue);
      return;
    }
    outputDone[port] = 0;
    finish(queue, handle, 0);
    handle = take(queue);
  }
}

/** Has the control receive queue served when there is something to say. */
function say(port: number, due: number): void {
  portDue[port] = portDue[port] | due;
  kick(firstQueue[portDevice[port]] + Control.ReceiveIndex);
}

/** What the driver says about ports; unknown events and ports are ignored. */
function serveControlTransmit(queue: number, device: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    if (readHeader(Control.Bytes) === Control.Bytes) {
      const words = windowWords[privateWindow];
      const index = words[headerAt + 1] === 0 ? words[headerAt] : 65535;
      control(device, index, words[headerAt + 2], words[headerAt + 3]);
    }
    finish(queue, handle, 0);
    handle = take(queue);
  }
}

function control(device: number, index: number, event: number, value: number): void {
  if (event === Event.DeviceReady) {
    if (value === 1) {
      ready[device] = 1;
      for (let port = firstPort[device]; port < firstPort[device] + portCount[device]; port++) {
        // Never for a port the driver knows (CON-4).
        if ((portState[port] & (PortState.Exists | PortState.Announced)) === PortState.Exists) {
          say(port, Due.Add);
        }
      }
    }
    return;
  }
  if (index >= portCount[device]) {
    return;
  }
  const port = firstPort[device] + index;
  if ((portState[port] & PortState.Announced) === 0) {
    return;
  }
  if (event === Event.PortReady && value === 1) {
    portState[port] = portState[port] | PortState.Ready;
    let due: number = Due.Open;
    if (portIsConsole[port] === 1) {
      due |= Due.Console;
      if (hasFeature(device, FeatureBit.Size)) {
        due |= Due.Resize;
      }
    }
    if (portNameBytes[port] !== 0) {
      due |= Due.Name;
    }
    say(port, due);
  }
  if (event === Event.PortOpen) {
    portState[port] = value === 1 ? portState[port] | PortState.Open : portState[port] & ~PortState.Open;
    kickReceive(port);
  }
}

/** Sends the control messages that are due. */
function serveControlReceive(queue: number, device: number): void {
  if (ready[device] === 0) {
    return;
  }
  for (let port = firstPort[device]; port < firstPort[device] + portCount[device]; port++) {
    while (portDue[port] !== 0) {
      const handle = take(queue);
      if (handle < 0) {
        return;
      }
      finish(queue, handle, writableBytes < Control.Bytes ? 0 : sendControl(port));
    }
  }
}

/** The lowest of the bits in `due`. */
function lowest(due: number): number {
  return due & (~due + 1);
}

/** Writes the first message that is due for `port` into the current chain, which has room for 8 bytes; returns the used length. */
function sendControl(port: number): number {
  const due = lowest(portDue[port]);
  portDue[port] = portDue[port] & ~due;
  let event: number = Event.DeviceAdd;
  let value = 0;
  let extra = 0;
  const words = windowWords[privateWindow];
  switch (due) {
    case Due.Remove:
      event = Event.DeviceRemove;
      break;
    case Due.Add:
      portState[port] = portState[port] | PortState.Announced;
      break;
    case Due.Console:
      event = Event.ConsolePort;
      value = 1;
      break;
    case Due.Name:
      event = Event.PortName;
      value = 1;
      extra = portNameBytes[port];
      break;
    case Due.Open:
      event = Event.PortOpen;
      value = 1;
      break;
    default:
      event = Event.Resize;
      words[responseAt + 4] = portCols[port];
      words[responseAt + 5] = portRows[port];
      extra = 4;
  }
  words[responseAt] = portIndex[port];
  words[responseAt + 1] = 0;
  words[responseAt + 2] = event;
  words[responseAt + 3] = value;
  // A name or a size that does not fit is left out: half of one would be wrong.
  if (Control.Bytes + extra > writableBytes) {
    return 0;
  }
  if (due === Due.Name) {
    return putResponse(Control.Bytes) + writeChain(Control.Bytes, privateWindow, portNameAt[port], extra);
  }
  return putResponse(Control.Bytes + extra);
}

/** Serves any queue of a console. */
export function serveConsole(queue: number): void {
  const device = queueDevice[queue];
  const index = queueIndex[queue];
  if (index === Control.ReceiveIndex) {
    serveControlReceive(queue, device);
  } else if (index === Control.TransmitIndex) {
    serveControlTransmit(queue, device);
  } else {
    const port = firstPort[device] + (index < 2 ? 0 : (index - 2) >> 1);
    if ((index & 1) === 0) {
      serveReceive(queue, port);
    } else {
      serveTransmit(queue, port);
    }
  }
}

export function resetConsole(device: number): void {
  ready[device] = 0;
  for (let port = firstPort[device]; port < firstPort[device] + portCount[device]; port++) {
    portState[port] = portState[port] & PortState.Exists;
    portDue[port] = 0;
    inputWaiting[port] = 0;
    outputDone[port] = 0;
  }
}

/** Only `emerg_wr` can be written, in any state of the device (CON-1). */
export function writeConsoleConfig(_device: number, offset: number, length: number): boolean {
  return offset === Config.EmergencyWrite && length <= 4;
}

/** Outputs the low byte; the field reads as 0. */
export function consoleConfigWritten(device: number, _offset: number, _length: number): void {
  const port = firstPort[device];
  for (let byte = 0; byte < 4; byte++) {
    setConfigByte(device, Config.EmergencyWrite + byte, 0);
  }
  consoleEmergencies[portBackend[port]](port, configWrite[0]);
}

/** The terminal behind port `index` has `cols` by `rows` characters now (CON-2); the driver hears of it if it takes sizes. */
export function consoleResize(device: number, index: number, cols: number, rows: number): void {
  const port = firstPort[device] + index;
  portCols[port] = cols;
  portRows[port] = rows;
  if (index === 0) {
    setConfigWord(device, Config.Cols, cols);
    setConfigWord(device, Config.Rows, rows);
    if (hasFeature(device, FeatureBit.Size)) {
      configChanged(device, Config.Cols, 4);
    }
  }
  if (hasFeature(device, FeatureBit.Size) && (portState[port] & PortState.Ready) !== 0) {
    say(port, Due.Resize);
  }
}

/** Port `index` is there now; a driver with MULTIPORT hears of it (CON-4). Nothing happens when it was there. */
export function consolePlug(device: number, index: number): void {
  const port = firstPort[device] + index;
  if ((portState[port] & PortState.Exists) === 0) {
    portState[port] = portState[port] | PortState.Exists;
    if (ready[device] === 1) {
      say(port, Due.Add);
    }
  }
}

/** Port `index`, not 0, is gone (CON-5): only a port that was announced is taken back. */
export function consoleUnplug(device: number, index: number): void {
  const port = firstPort[device] + index;
  // An earlier removal that waits is still to be said.
  const due = portDue[port] & Due.Remove;
  const announced = (portState[port] & PortState.Announced) !== 0;
  portState[port] = 0;
  portDue[port] = due;
  inputWaiting[port] = 0;
  if (announced) {
    say(port, Due.Remove);
  }
}
