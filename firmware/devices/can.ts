// Describes a CAN controller to the stack, with a backend for its bus.
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { keepRoom, outboxRoom } from '../serving/set-up.js';
import { clearTransfer, transferAt, transferRoom } from '../serving/transfer.hot.js';
import { endLoopFrame, sendToLoop, startLoopBus, stopLoopBus } from './can-loop.hot.js';
import { CanFrame, checkCan, endFrame, resetCan, sendFrame, serveCan, startCan, stopCan, wakeCan } from './can.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';

/** What drives the bus. Functions of the hot subset, shared by all devices with this backend; they report frames with `receiveInto` and `received`, and bus-off with `busOff` (can.hot.ts). */
export interface CanBackend {
  /** Called once per device at start-up. */
  readonly attach?: (device: number) => void;
  /** Joins the bus, leaves it; false = it did not work. */
  readonly start: (device: number) => boolean;
  readonly stop: (device: number) => boolean;
  /** Sends the frame at word `at` of the private window (`CanFrame`). Returns Transfer.Done, Failed, or Later until the bus has acknowledged it. */
  readonly send: (device: number, at: number) => number;
  /** After Later: what became of the frame, Later again if it waits still. Must end by itself. */
  readonly end: (device: number) => number;
}

export interface CanOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** False leaves out CAN_FD, or CAN_CLASSIC with RTR_FRAMES; one of them must be there. */
  readonly fd?: boolean;
  readonly classic?: boolean;
  /** Received frames that wait for buffers: a power of two up to 128; 16 by default. */
  readonly receiveFrames?: number;
  /** `loopBus` by default. */
  readonly backend?: CanBackend;
}

/** Every frame sent comes back: for trying out drivers. */
export const loopBus: CanBackend = { start: startLoopBus, stop: stopLoopBus, send: sendToLoop, end: endLoopFrame };

/** Features. */
const canClassic = 0;
const canFd = 1;
const rtrFrames = 2;
const lateTxAck = 3;

const canType: DeviceType = {
  name: 'can',
  deviceId: 36,
  serve: serveCan,
  reset: resetCan,
  wake: wakeCan,
  checkFeatures: checkCan,
  requires: [[rtrFrames, canClassic]],
};

/**
 * A CAN controller (virtio device id 36). Offered: all features of the type, CAN_CLASSIC with RTR_FRAMES, CAN_FD and LATE_TX_ACK, less
 * those that `classic` or `fd` leave out. Throws an Error with one sentence for options it cannot have.
 */
export function can(options: CanOptions): DeviceModel {
  const backend = options.backend === undefined ? loopBus : options.backend;
  const frames = options.receiveFrames === undefined ? 16 : options.receiveFrames;
  const classic = options.classic === false ? [] : [canClassic, rtrFrames];
  const fd = options.fd === false ? [] : [canFd];
  if (classic.length + fd.length === 0) {
    throw new Error('can device ' + options.number + ': it has classic frames or FD frames');
  }
  return {
    type: canType,
    number: options.number,
    queueSizes: [64, 64, 16],
    features: classic.concat(fd, [lateTxAck]),
    config: [0, 0],
    attach: (device) => {
      transferAt[device] = allocate(CanFrame.Words * 2);
      transferRoom[device] = CanFrame.Words * 2;
      clearTransfer(device);
      keepRoom(device, 1, Capacity.ChainElements);
      outboxRoom(device, frames, CanFrame.Words);
      startCan[device] = backend.start;
      stopCan[device] = backend.stop;
      sendFrame[device] = backend.send;
      endFrame[device] = backend.end;
      if (backend.attach !== undefined) {
        backend.attach(device);
      }
    },
  };
}
