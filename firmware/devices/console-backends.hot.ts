// What stands behind console ports: the core's own serial line, a buffer in memory, the port itself (loop-back).
import { copy, fill, read, write } from '#port';
import { Capacity } from '../capacity.js';
import { Read } from '../../hal/port.js';
import { privateWindow } from '../memory/private.hot.js';
import { readChain } from '../virtqueue/cursor.hot.js';
import { inputArrived, inputAt, inputEnd, inputFirst, inputRoom, inputSize, inputWaiting } from './console.hot.js';

const enum Serial {
  /** Bytes written to the line in one call: a pass must not wait longer for a slow line. */
  Chunk = 64,
}

/** Per port: bytes in the private window for what goes to the line, or for the log. */
export const outputAt = new Int32Array(Capacity.ConsolePorts);
/** Log buffers: size (a power of two) and bytes logged so far, modulo 2^16. */
export const logSize = new Uint16Array(Capacity.ConsolePorts);
export const logEnd = new Uint16Array(Capacity.ConsolePorts);

/** Per port: how often its serial line said that bytes were lost (0..65535, then it stays), since start. */
export const serialLost = new Uint16Array(Capacity.ConsolePorts);

export function outputSerial(port: number, position: number, bytes: number): number {
  const taken = readChain(position, privateWindow, outputAt[port], bytes < Serial.Chunk ? bytes : Serial.Chunk);
  write(privateWindow, outputAt[port], taken);
  return taken;
}

export function emergencySerial(port: number, byte: number): void {
  fill(privateWindow, outputAt[port], 1, byte);
  write(privateWindow, outputAt[port], 1);
}

/** Takes what came over the serial line, as much as the FIFO has room for; the line keeps the rest as long as it can. */
export function inputSerial(port: number): number {
  let taken = 0;
  // The free part of the FIFO may go round its end.
  for (let part = 0; part < 2; part++) {
    const end = (inputFirst[port] + inputWaiting[port] + taken) & (inputSize[port] - 1);
    const toEnd = inputSize[port] - end;
    const room = inputRoom(port) - taken;
    const wanted = room < toEnd ? room : toEnd;
    if (wanted !== 0) {
      const got = read(privateWindow, inputAt[port] + end, wanted);
      if ((got & Read.Lost) !== 0 && serialLost[port] !== 65535) {
        serialLost[port] = serialLost[port] + 1;
      }
      const bytes = got & Read.Bytes;
      taken += bytes;
      if (bytes !== wanted) {
        return taken;
      }
    }
  }
  return taken;
}

/** Keeps the last `logSize` bytes. */
export function outputLog(port: number, position: number, bytes: number): number {
  const place = logEnd[port] & (logSize[port] - 1);
  const room = logSize[port] - place;
  const taken = readChain(position, privateWindow, outputAt[port] + place, bytes < room ? bytes : room);
  logEnd[port] = (logEnd[port] + taken) & 65535;
  if (taken === bytes) {
    return taken;
  }
  // The buffer's end was reached: once more from its start. A longer text goes on in the next call.
  const rest = bytes - taken < place ? bytes - taken : place;
  const more = rest === 0 ? 0 : readChain(position + taken, privateWindow, outputAt[port], rest);
  logEnd[port] = (logEnd[port] + more) & 65535;
  return taken + more;
}

export function emergencyLog(port: number, byte: number): void {
  fill(privateWindow, outputAt[port] + (logEnd[port] & (logSize[port] - 1)), 1, byte);
  logEnd[port] = (logEnd[port] + 1) & 65535;
}

/** Copies the last `bytes` (at most the log's size) bytes of the log to `offset` of `window`, the oldest first. */
export function readLog(port: number, window: number, offset: number, bytes: number): void {
  const from = (logEnd[port] - bytes) & (logSize[port] - 1);
  const first = bytes < logSize[port] - from ? bytes : logSize[port] - from;
  copy(window, offset, privateWindow, outputAt[port] + from, first);
  copy(window, offset + first, privateWindow, outputAt[port], bytes - first);
}

/** What the driver sends comes back: into the FIFO, as much as it has room for. */
export function outputLoopBack(port: number, position: number, bytes: number): number {
  let taken = 0;
  // The free part of the FIFO may go round its end.
  for (let part = 0; part < 2; part++) {
    const end = inputEnd(port);
    const toEnd = inputSize[port] - end;
    const room = inputRoom(port) < toEnd ? inputRoom(port) : toEnd;
    const wanted = bytes - taken < room ? bytes - taken : room;
    if (wanted !== 0) {
      const moved = readChain(position + taken, privateWindow, inputAt[port] + end, wanted);
      inputArrived(port, moved);
      taken += moved;
    }
  }
  return taken;
}

export function emergencyLoopBack(port: number, byte: number): void {
  if (inputRoom(port) !== 0) {
    fill(privateWindow, inputAt[port] + inputEnd(port), 1, byte);
    inputArrived(port, 1);
  }
}
