// SPI controller device (id 45): one transfer a request, checked against what the controller can do, carried out by a backend.
import { windowWords } from '#port';
import { privateWindow } from '../memory/private.hot.js';
import { finishKept } from '../serving/keep.hot.js';
import { headerAt, putStatusLast, readHeader } from '../serving/request.hot.js';
import { abandonTransfer, dataFit, endTransfer, isUnderWay, Transfer, transferAt, waitForEnd, waitOn } from '../serving/transfer.hot.js';
import { configByte } from '../transport/config-space.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, SPI Controller Device. */
const enum Spi {
  HeadBytes = 32,
  ResultOk = 0,
  ResultParameter = 1,
  ResultTransfer = 2,
  /** Answer of `start` for parameters the controller does not have. */
  BadParameter = -1,
  /** Bits of the request's mode. */
  Cpha = 1,
  Cpol = 2,
  CsHigh = 4,
  LsbFirst = 8,
  Loop = 16,
  ModeBits = 31,
}

/** Byte offsets in the configuration space. */
const enum Config {
  ChipSelects = 0,
  CsChange = 1,
  TxBits = 2,
  RxBits = 3,
  BitsPerWord = 4,
  Mode = 8,
  MaxFrequency = 12,
  MaxWordDelay = 16,
}

/** Word offsets in the request's head, from `headerAt` on: for backends too, until `start` returns. */
export const enum SpiHead {
  /** Chip select in the lower byte, bits per word in the upper one (0 = 8). */
  ChipSelect = 0,
  /** Lower byte 1: chip select changes after the transfer; upper byte: lines used to transmit. */
  CsChange = 1,
  /** Lower byte: lines used to receive. */
  RxBits = 2,
  Mode = 4,
  /** Hertz, and the four delays in nanoseconds, two words each. */
  Frequency = 6,
  WordDelay = 8,
}

/* eslint-disable no-restricted-syntax -- tables of functions, filled at start-up; index = device row */
export const startSpi: ((device: number, txBytes: number, rxBytes: number) => number)[] = [];
export const endSpi: ((device: number) => number)[] = [];
/* eslint-enable no-restricted-syntax */

/** Serves the request queue until it is empty or a transfer takes its time. */
export function serveSpi(queue: number): void {
  const device = queueDevice[queue];
  let handle = 0;
  while (handle >= 0 && !isUnderWay(device)) {
    handle = take(queue);
    if (handle >= 0) {
      const result = start(device);
      if (result === Transfer.Later) {
        waitForEnd(device, queue, handle);
      } else {
        finish(queue, handle, complete(device, result));
      }
    }
  }
}

/** Byte `at` of the request's head. */
function headByte(at: number): number {
  const word = windowWords[privateWindow][headerAt + (at >> 1)];
  return (at & 1) === 0 ? word & 255 : word >> 8;
}

/** True when `lines` (0, 1, 2, 4, 8) data lines are in `supported`: bit 0 two, bit 1 four, bit 2 eight; one always is. */
function linesFit(lines: number, supported: number): boolean {
  return lines <= 1 || (lines === 2 && (supported & 1) !== 0) || (lines === 4 && (supported & 2) !== 0) || (lines === 8 && (supported & 4) !== 0);
}

/** True when the 32-bit number at word `at` of the head is at most the one at byte `limit` of the configuration space. */
function withinLimit(at: number, limit: number, device: number): boolean {
  const memory = windowWords[privateWindow];
  const high = configByte(device, limit + 2) + configByte(device, limit + 3) * 256;
  const low = configByte(device, limit) + configByte(device, limit + 1) * 256;
  return memory[at + 1] < high || (memory[at + 1] === high && memory[at] <= low);
}

/** True when the configuration's mask of word sizes (bit n = n + 1 bits, 0 = any) has `bits` (0 = 8, else 1..32). */
function wordFits(device: number, bits: number): boolean {
  const at = Config.BitsPerWord;
  if ((configByte(device, at) | configByte(device, at + 1) | configByte(device, at + 2) | configByte(device, at + 3)) === 0) {
    return bits <= 32;
  }
  const bit = bits === 0 ? 7 : bits - 1;
  return bit < 32 && ((configByte(device, at + (bit >> 3)) >> (bit & 7)) & 1) === 1;
}

/** CPHA and CPOL each have a pair of bits in `functions`: bit 0 of the pair = 0 is possible, bit 1 = 1 is. */
function modeFits(mode: number, functions: number): boolean {
  const phase = (mode & Spi.Cpha) !== 0 ? 2 : 1;
  const polarity = (mode & Spi.Cpol) !== 0 ? 8 : 4;
  return (
    (functions & phase) !== 0 &&
    (functions & polarity) !== 0 &&
    ((mode & Spi.CsHigh) === 0 || (functions & 16) !== 0) &&
    ((mode & Spi.LsbFirst) === 0 || (functions & 32) !== 0) &&
    ((mode & Spi.Loop) === 0 || (functions & 64) !== 0)
  );
}

/** Checks every parameter of the head against the configuration (SPI-3, SPI-6). */
function parametersFit(device: number): boolean {
  const memory = windowWords[privateWindow];
  const mode = memory[headerAt + SpiHead.Mode];
  if (headByte(0) >= configByte(device, Config.ChipSelects) || !wordFits(device, headByte(1))) {
    return false;
  }
  if (headByte(2) > configByte(device, Config.CsChange) || !linesFit(headByte(3), configByte(device, Config.TxBits)) || !linesFit(headByte(4), configByte(device, Config.RxBits))) {
    return false;
  }
  if (mode > Spi.ModeBits || memory[headerAt + SpiHead.Mode + 1] !== 0 || !modeFits(mode, configByte(device, Config.Mode))) {
    return false;
  }
  const unlimited =
    (configByte(device, Config.MaxFrequency) | configByte(device, Config.MaxFrequency + 1) | configByte(device, Config.MaxFrequency + 2) | configByte(device, Config.MaxFrequency + 3)) === 0;
  if (!unlimited && !withinLimit(headerAt + SpiHead.Frequency, Config.MaxFrequency, device)) {
    return false;
  }
  // The four delays stand in the same order in the head and in the configuration; a limit of 0 is a delay that is not supported.
  for (let delay = 0; delay < 4; delay++) {
    if (!withinLimit(headerAt + SpiHead.WordDelay + delay * 2, Config.MaxWordDelay + delay * 4, device)) {
      return false;
    }
  }
  return true;
}

/** Starts the request of the chain taken last; returns what became of it. */
function start(device: number): number {
  if (readHeader(Spi.HeadBytes) < Spi.HeadBytes) {
    return Spi.BadParameter;
  }
  const tx = readableBytes - Spi.HeadBytes;
  const rx = writableBytes - 1;
  // In full duplex both parts are as long (SPI-2); a request without data has nothing to transfer.
  if (!dataFit(device, Spi.HeadBytes) || (tx !== rx && tx !== 0 && rx !== 0) || tx + rx === 0 || !parametersFit(device)) {
    return Spi.BadParameter;
  }
  readChain(Spi.HeadBytes, privateWindow, transferAt[device], tx);
  return startSpi[device](device, tx, rx);
}

/** Writes what was received, and the result, into the current chain; returns the used length. */
function complete(device: number, result: number): number {
  if (result === Transfer.Done) {
    return putStatusLast(writeChain(0, privateWindow, transferAt[device], writableBytes - 1), Spi.ResultOk);
  }
  return putStatusLast(0, result === Spi.BadParameter ? Spi.ResultParameter : Spi.ResultTransfer);
}

/** The backend's interrupt fired, or it is time to ask whether the transfer is over. */
export function wakeSpi(device: number): void {
  if (isUnderWay(device)) {
    const result = endSpi[device](device);
    if (result === Transfer.Later) {
      waitOn(device);
    } else if (endTransfer(device)) {
      finishKept(device, 0, complete(device, result));
    }
  }
}

export function resetSpi(device: number): void {
  abandonTransfer(device);
}
