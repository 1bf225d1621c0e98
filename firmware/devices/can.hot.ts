// CAN controller device (id 36): frames to and from a bus that a backend drives.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { copyPrivate, privateWindow } from '../memory/private.hot.js';
import { finishKept, isKept, keptElements, recall } from '../serving/keep.hot.js';
import { clearOutbox, emptySlot, fillSlot, freeSlot, oldestSlot, outboxDropped } from '../serving/outbox.hot.js';
import { headerAt, putResponse, readHeader, responseAt } from '../serving/request.hot.js';
import { abandonTransfer, endTransfer, isUnderWay, occupy, Transfer, transferAt, waitForEnd, waitOn } from '../serving/transfer.hot.js';
import { configChanged } from '../transport/config-change.hot.js';
import { configByte, setConfigWord } from '../transport/config-space.hot.js';
import { firstQueue, hasFeature } from '../transport/device.hot.js';
import { elements, readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, take, untake } from '../virtqueue/queue.hot.js';
import { queueDevice, queueIndex } from '../virtqueue/queue-table.hot.js';

/** virtio 1.4, CAN Device. */
const enum Can {
  FeatureClassic = 0,
  FeatureFd = 1,
  FeatureRtr = 2,
  FeatureLateTxAck = 3,
  RxQueue = 1,
  ControlQueue = 2,
  HeadBytes = 16,
  Transmit = 0x0001,
  Receive = 0x0101,
  Start = 0x0201,
  Stop = 0x0202,
  ResultOk = 0,
  ResultNotOk = 1,
  BusOff = 1,
  ClassicBytes = 8,
  FdBytes = 64,
}

/** Words of a frame's head, from its start on; the data follow at byte 16. */
export const enum CanFrame {
  Type = 0,
  Length = 1,
  Flags = 4,
  FlagsHigh = 5,
  Id = 6,
  IdHigh = 7,
  Data = 8,
  /** Words of the largest frame. */
  Words = 40,
}

export const enum CanFlag {
  Rtr = 0x2000,
  Fd = 0x4000,
  Extended = 0x8000,
  All = 0xe000,
}

/** 1 = the controller is started (CAN-3). */
const started = new Uint8Array(Capacity.Devices);

/* eslint-disable no-restricted-syntax -- tables of functions, filled at start-up; index = device row */
export const startCan: ((device: number) => boolean)[] = [];
export const stopCan: ((device: number) => boolean)[] = [];
export const sendFrame: ((device: number, at: number) => number)[] = [];
export const endFrame: ((device: number) => number)[] = [];
/* eslint-enable no-restricted-syntax */

/** At least one frame format must be accepted (CAN-1); RTR_FRAMES needs CAN_CLASSIC by the type's `requires`. */
export function checkCan(device: number): boolean {
  return hasFeature(device, Can.FeatureClassic) || hasFeature(device, Can.FeatureFd);
}

export function serveCan(queue: number): void {
  const device = queueDevice[queue];
  switch (queueIndex[queue]) {
    case Can.RxQueue:
      serveReceive(device, queue);
      break;
    case Can.ControlQueue:
      serveControl(device, queue);
      break;
    default:
      serveTransmit(device, queue);
      break;
  }
}

function serveTransmit(device: number, queue: number): void {
  let handle = 0;
  while (handle >= 0 && (!isUnderWay(device) || started[device] === 0)) {
    handle = take(queue);
    if (handle >= 0) {
      const result = transmit(device);
      if (result !== Transfer.Later) {
        finish(queue, handle, putResult(result));
      } else if (hasFeature(device, Can.FeatureLateTxAck)) {
        waitForEnd(device, queue, handle);
      } else {
        // Queued is good enough (CAN-6), but the next frame waits until the controller is free.
        occupy(device);
        finish(queue, handle, putResult(Transfer.Done));
      }
    }
  }
}

/** Writes the result of a frame or control message; returns the used length. */
function putResult(result: number): number {
  windowWords[privateWindow][responseAt] = result === Transfer.Done ? Can.ResultOk : Can.ResultNotOk;
  return putResponse(1);
}

/** Hands the frame of the chain taken last to the backend; returns what became of it. */
function transmit(device: number): number {
  if (started[device] === 0 || writableBytes === 0 || elements > keptElements[device] || readHeader(Can.HeadBytes) < Can.HeadBytes || !isFrame(device)) {
    return Transfer.Failed;
  }
  const at = transferAt[device];
  copyPrivate(at, headerAt * 2, Can.HeadBytes);
  const memory = windowWords[privateWindow];
  if ((memory[headerAt + CanFrame.Flags] & CanFlag.Rtr) === 0) {
    readChain(Can.HeadBytes, privateWindow, at + Can.HeadBytes, memory[headerAt + CanFrame.Length]);
  }
  return sendFrame[device](device, at >> 1);
}

/** Checks format, flags, id and length of the frame in the header area (CAN-2, CAN-5). */
function isFrame(device: number): boolean {
  const memory = windowWords[privateWindow];
  const flags = memory[headerAt + CanFrame.Flags];
  const length = memory[headerAt + CanFrame.Length];
  const idHigh = memory[headerAt + CanFrame.IdHigh];
  if (memory[headerAt + CanFrame.Type] !== Can.Transmit || (flags & ~CanFlag.All) !== 0 || memory[headerAt + CanFrame.FlagsHigh] !== 0) {
    return false;
  }
  const fd = (flags & CanFlag.Fd) !== 0;
  const rtr = (flags & CanFlag.Rtr) !== 0;
  if (!hasFeature(device, fd ? Can.FeatureFd : Can.FeatureClassic) || length > (fd ? Can.FdBytes : Can.ClassicBytes)) {
    return false;
  }
  if (rtr && (fd || !hasFeature(device, Can.FeatureRtr))) {
    return false;
  }
  if (!rtr && readableBytes - Can.HeadBytes < length) {
    return false;
  }
  // 29 bits, or 11 bits.
  return (flags & CanFlag.Extended) !== 0 ? idHigh < 0x2000 : idHigh === 0 && memory[headerAt + CanFrame.Id] < 0x800;
}

/** A frame under way at a stop or at bus-off is NOT_OK (CAN-4, CAN-7); frames in the ring follow, since nothing is started. */
function failPending(device: number): void {
  if (isUnderWay(device) && isKept(device, 0)) {
    recall(device, 0);
    finishKept(device, 0, putResult(Transfer.Failed));
  }
  kick(firstQueue[device]);
}

function serveControl(device: number, queue: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    const bytes = readHeader(2);
    const type = bytes === 2 ? windowWords[privateWindow][headerAt] : 0;
    const done = writableBytes !== 0 && control(device, type);
    finish(queue, handle, putResult(done ? Transfer.Done : Transfer.Failed));
    if (done && type === Can.Stop) {
      failPending(device);
    }
    handle = take(queue);
  }
}

/** START and STOP, answered when the transition is finished (CAN-3); both may be repeated. */
function control(device: number, type: number): boolean {
  if (type === Can.Start) {
    if (started[device] === 0 && !startCan[device](device)) {
      return false;
    }
    started[device] = 1;
    if (configByte(device, 0) !== 0) {
      setConfigWord(device, 0, 0);
      configChanged(device, 0, 2);
    }
    return true;
  }
  if (type !== Can.Stop || (started[device] === 1 && !stopCan[device](device))) {
    return false;
  }
  started[device] = 0;
  return true;
}

/** For backends: the controller went bus-off: it is stopped, and the driver is told (CAN-7). Call it from `wake` or `send`. */
export function busOff(device: number): void {
  started[device] = 0;
  setConfigWord(device, 0, Can.BusOff);
  configChanged(device, 0, 2);
  failPending(device);
}

/** For backends: word of the private window for the frame received next (`CanFrame`), or -1 when the driver has no time: it is lost and counted (CAN-8). */
export function receiveInto(device: number): number {
  return started[device] === 1 ? freeSlot(device) : -1;
}

/** For backends: the frame at `receiveInto` is complete. */
export function received(device: number): void {
  const at = oldestSlot(device);
  fillSlot(device);
  if (at < 0) {
    kick(firstQueue[device] + Can.RxQueue);
  }
}

function serveReceive(device: number, queue: number): void {
  const memory = windowWords[privateWindow];
  let at = oldestSlot(device);
  while (at >= 0) {
    const handle = take(queue);
    if (handle < 0) {
      return;
    }
    memory[at] = Can.Receive;
    const data = (memory[at + CanFrame.Flags] & CanFlag.Rtr) !== 0 ? 0 : memory[at + CanFrame.Length];
    if (writableBytes < Can.HeadBytes + data) {
      // Never split: the frame is lost, the buffer waits for the next one (CAN-9).
      outboxDropped[device] = (outboxDropped[device] + 1) & 65535;
      untake(queue);
    } else {
      finish(queue, handle, writeChain(0, privateWindow, at * 2, Can.HeadBytes + data));
    }
    emptySlot(device);
    at = oldestSlot(device);
  }
}

/** The backend's interrupt fired, or it is time to ask whether a frame is out. */
export function wakeCan(device: number): void {
  if (isUnderWay(device)) {
    const result = endFrame[device](device);
    if (result === Transfer.Later) {
      waitOn(device);
    } else if (endTransfer(device)) {
      finishKept(device, 0, putResult(result));
    }
  }
}

/** Stopped, no frame waits, not bus-off. */
export function resetCan(device: number): void {
  if (started[device] === 1) {
    stopCan[device](device);
  }
  started[device] = 0;
  setConfigWord(device, 0, 0);
  clearOutbox(device);
  abandonTransfer(device);
}
