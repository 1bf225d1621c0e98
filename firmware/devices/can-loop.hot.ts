// A CAN backend without hardware: a bus on which every frame sent is received by the sender itself.
import { copyPrivate } from '../memory/private.hot.js';
import { Transfer } from '../serving/transfer.hot.js';
import { CanFrame, received, receiveInto } from './can.hot.js';

export function startLoopBus(_device: number): boolean {
  return true;
}

export function stopLoopBus(_device: number): boolean {
  return true;
}

/** As `CanBackend.send`. */
export function sendToLoop(device: number, at: number): number {
  const to = receiveInto(device);
  if (to >= 0) {
    copyPrivate(to * 2, at * 2, CanFrame.Words * 2);
    received(device);
  }
  return Transfer.Done;
}

/** No frame ever takes its time. */
export function endLoopFrame(_device: number): number {
  return Transfer.Done;
}
