// I2C adapter device (id 34): one segment a request, in order, carried out by a backend.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { finishKept, keptQueue } from '../serving/keep.hot.js';
import { headerAt, putStatusLast, readHeader } from '../serving/request.hot.js';
import { abandonTransfer, dataFit, endTransfer, isUnderWay, Transfer, transferAt, waitForEnd, waitOn } from '../serving/transfer.hot.js';
import { hasFeature } from '../transport/device.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { finish, take } from '../virtqueue/queue.hot.js';
import { queueDevice, queueEpoch } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, I2C Adapter Device. */
const enum I2c {
  FeatureZeroLength = 0,
  HeadBytes = 8,
  FailNext = 1,
  Read = 2,
  StatusOk = 0,
  StatusError = 1,
  /** Bits 7..3 of a 10-bit address. */
  TenBitMask = 0xf8,
  TenBitMark = 0xf0,
}

export const enum I2cAddress {
  /** Added to an address of 10 bits, so that backends can tell it from one of 7 bits. */
  TenBit = 1024,
  None = -1,
}

/** 1 = the group of requests being served has failed: the next one is not executed (I2C-3). */
const groupFailed = new Uint8Array(Capacity.Devices);
/** Epoch of the queue when it failed: a reset ends a group. */
const groupEpoch = new Uint16Array(Capacity.Devices);
/** Flags of the request under way. */
const flagsUnderWay = new Uint8Array(Capacity.Devices);

/* eslint-disable no-restricted-syntax -- tables of functions, filled at start-up; index = device row */
export const startI2c: ((device: number, address: number, read: number, bytes: number) => number)[] = [];
export const endI2c: ((device: number) => number)[] = [];
/* eslint-enable no-restricted-syntax */

/** A driver without zero-length requests cannot be served (I2C-7). */
export function checkI2c(device: number): boolean {
  return hasFeature(device, I2c.FeatureZeroLength);
}

/** Serves the request queue until it is empty or a transfer takes its time. */
export function serveI2c(queue: number): void {
  const device = queueDevice[queue];
  let handle = 0;
  while (handle >= 0 && !isUnderWay(device)) {
    handle = take(queue);
    if (handle >= 0) {
      const result = start(device, queue);
      if (result === Transfer.Later) {
        waitForEnd(device, queue, handle);
      } else {
        finish(queue, handle, complete(device, queue, result));
      }
    }
  }
}

/** 7-bit address, or I2cAddress.TenBit + 10-bit address, or I2cAddress.None for what is neither. */
function addressOf(field: number): number {
  if ((field & I2c.TenBitMask) === I2c.TenBitMark && (field & 1) === 0) {
    return I2cAddress.TenBit + ((field & 6) << 7) + (field >> 8);
  }
  return field > 0xff || (field & 1) === 1 ? I2cAddress.None : field >> 1;
}

/** Starts the request of the chain taken last; returns what became of it. */
function start(device: number, queue: number): number {
  const memory = windowWords[privateWindow];
  flagsUnderWay[device] = 0;
  if (readHeader(I2c.HeadBytes) < I2c.HeadBytes) {
    return Transfer.Failed;
  }
  const address = addressOf(memory[headerAt]);
  const flags = memory[headerAt + 2];
  flagsUnderWay[device] = flags & (I2c.FailNext | I2c.Read);
  if (groupFailed[device] === 1 && groupEpoch[device] === queueEpoch[queue]) {
    return Transfer.Failed;
  }
  const read = flags & I2c.Read;
  // Data in the direction the flag does not name, unknown flags (I2C-6).
  const consistent = read !== 0 ? readableBytes === I2c.HeadBytes : writableBytes === 1;
  if (!consistent || (flags & ~(I2c.FailNext | I2c.Read)) !== 0 || memory[headerAt + 3] !== 0 || address < 0 || !dataFit(device, I2c.HeadBytes)) {
    return Transfer.Failed;
  }
  const bytes = read !== 0 ? writableBytes - 1 : readChain(I2c.HeadBytes, privateWindow, transferAt[device], readableBytes - I2c.HeadBytes);
  return startI2c[device](device, address, read >> 1, bytes);
}

/** Writes what was read, and the status, into the current chain; returns the used length. */
function complete(device: number, queue: number, result: number): number {
  const flags = flagsUnderWay[device];
  const failed = result !== Transfer.Done;
  groupFailed[device] = failed ? flags & I2c.FailNext : 0;
  groupEpoch[device] = queueEpoch[queue];
  let data = 0;
  if (!failed && (flags & I2c.Read) !== 0) {
    data = writeChain(0, privateWindow, transferAt[device], writableBytes - 1);
  }
  return putStatusLast(data, failed ? I2c.StatusError : I2c.StatusOk);
}

/** The backend's interrupt fired, or it is time to ask whether the transfer is over. */
export function wakeI2c(device: number): void {
  if (isUnderWay(device)) {
    const result = endI2c[device](device);
    if (result === Transfer.Later) {
      waitOn(device);
    } else if (endTransfer(device)) {
      finishKept(device, 0, complete(device, keptQueue(device, 0), result));
    }
  }
}

export function resetI2c(device: number): void {
  groupFailed[device] = 0;
  abandonTransfer(device);
}
