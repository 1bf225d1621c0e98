// GET_DEVICE_STATUS, SET_DEVICE_STATUS and reset.
import { log, windowWords } from '#port';
import { Budget, Capacity } from '../capacity.js';
import { Discard } from '../wire/discard.js';
import { Log } from '../wire/log.js';
import { Status } from '../wire/status.js';
import { Answer, answerAt, discard, frameWindow, requestAt, requestBytes } from '../bus/frame.hot.js';
import { Feature } from '../wire/features.js';
import { Rule } from '../wire/profile.js';
import { effectSeen } from '../bus/bus-events.hot.js';
import { busRules } from '../bus/bus-table.hot.js';
import { disableQueue } from '../virtqueue/queue.hot.js';
import { announceAll } from './available.hot.js';
import {
  deviceBus,
  deviceCount,
  deviceLeaves,
  deviceNumber,
  devicePresence,
  deviceStatus,
  deviceType,
  driverFeatures,
  featureAt,
  featureBlocks,
  firstQueue,
  hasFeature,
  Presence,
  queueCount,
} from './device.hot.js';
import { holdQueues, isDrained, releaseQueues } from './drain.hot.js';
import { cancelConfigEvent, raiseConfigEvent, raiseHeldChange } from './events.hot.js';
import { featuresAcceptable } from './features.hot.js';
import { busyHandlers, resetHandlers, startHandlers } from './handlers.hot.js';
import { needsReset } from './needs-reset.hot.js';
import { listDevice, unlistDevice } from './presence.hot.js';
import { forgetUnknownBlocks } from './unknown-blocks.hot.js';
import { deviceWait, endWait, startWait, Wait } from './wait.hot.js';

/** GET_DEVICE_STATUS: 4 bytes. */
export function getDeviceStatus(device: number): number {
  windowWords[frameWindow][answerAt] = deviceStatus[device];
  return 4;
}

/** SET_DEVICE_STATUS: the answer says what became of the write. It comes later when a reset has to be waited for. @rare */
export function setDeviceStatus(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  if ((low | high) === 0) {
    effectSeen(deviceBus[device], deviceNumber[device]);
    resetDevice(device);
    if (devicePresence[device] === Presence.Busy) {
      return Answer.Later;
    }
  } else if (deviceWait[device] !== Wait.Reset) {
    writeStatus(device, low);
  }
  memory[answerAt] = deviceStatus[device];
  return 4;
}

/** Adds the bits a driver may set; none is ever cleared by it, device-owned and unknown ones are ignored. */
function writeStatus(device: number, value: number): void {
  let status = deviceStatus[device] | (value & (Status.Acknowledge | Status.Driver | Status.Failed));
  if ((value & Status.FeaturesOk) !== 0 && (status & Status.FeaturesOk) === 0 && featuresAcceptable(device)) {
    status |= Status.FeaturesOk;
  }
  deviceStatus[device] = status;
  if ((status & Status.Suspend) !== 0) {
    if ((value & Status.DriverOk) !== 0) {
      resumeDevice(device);
    }
  } else if ((status & Status.DriverOk) !== 0) {
    if ((value & Status.Suspend) !== 0 && hasFeature(device, Feature.Suspend)) {
      suspendDevice(device);
    }
  } else if ((value & Status.DriverOk) !== 0 && (status & Status.FeaturesOk) !== 0) {
    startDevice(device);
  }
}

/** DRIVER_OK: the device starts and looks at its queues, or says that only a reset can help. */
function startDevice(device: number): void {
  if (!startHandlers[deviceType[device]](device)) {
    deviceStatus[device] = deviceStatus[device] | Status.NeedsReset;
  } else {
    deviceStatus[device] = deviceStatus[device] | Status.DriverOk;
    log(Log.DriverOk, deviceNumber[device]);
    // Buffers may have been made available before DRIVER_OK, when no notification is allowed.
    announceAll(device);
  }
}

/** SUSPEND: nothing new is taken; when all in flight is back and told, the status says so. */
function suspendDevice(device: number): void {
  if (deviceWait[device] === Wait.None) {
    holdQueues(device);
    if (isDrained(device)) {
      finishSuspend(device);
    } else {
      startWait(device, Wait.Suspend, Budget.DrainLimit);
    }
  }
}

/** All in flight is back: SUSPEND instead of DRIVER_OK, so that no queue is served and no write of the configuration taken. */
export function finishSuspend(device: number): void {
  endWait(device);
  deviceStatus[device] = (deviceStatus[device] | Status.Suspend) & ~Status.DriverOk;
}

/** What is in flight does not come back: the device cannot suspend. */
export function giveUpSuspend(device: number): void {
  endWait(device);
  needsReset(device);
}

/** DRIVER_OK of a suspended device: it goes on where it was, with the queues set up meanwhile, unless it is on its way out. */
function resumeDevice(device: number): void {
  deviceStatus[device] = (deviceStatus[device] | Status.DriverOk) & ~Status.Suspend;
  raiseHeldChange(device);
  if (deviceWait[device] !== Wait.Drain) {
    releaseQueues(device);
    announceAll(device);
  }
}

/** Token of the SET_DEVICE_STATUS 0 whose answer is due later. */
export const heldToken = new Uint16Array(Capacity.Devices);

/**
 * The driver's reset. Rings and status are those of a new device at once; while something behind the device still
 * works the reset is not complete, which the status shows or the late answer says, as the profile has it.
 */
function resetDevice(device: number): void {
  if (deviceWait[device] === Wait.Reset) {
    // The same reset.
    return;
  }
  const leaves = deviceWait[device] === Wait.Drain || deviceWait[device] === Wait.Leave || deviceWait[device] === Wait.Ask;
  clearStatus(device);
  if (busyHandlers[deviceType[device]](device)) {
    deviceLeaves[device] = leaves ? 1 : 0;
    startWait(device, Wait.Reset, Budget.ResetLimit);
    if ((busRules[deviceBus[device]] & Rule.LateReset) !== 0) {
      deviceStatus[device] = Status.NeedsReset;
    } else {
      unlistDevice(device, Presence.Busy);
    }
  }
}

/** Nothing behind the device works any more, or the time is up: the reset is complete. */
export function finishReset(device: number): void {
  endReset(device);
  if (deviceLeaves[device] === 1) {
    deviceLeaves[device] = 0;
    startWait(device, Wait.Drain, Budget.DrainLimit);
  }
}

/** Shows the reset as complete: status 0, or the answer that was held back. */
export function endReset(device: number): void {
  endWait(device);
  deviceStatus[device] = 0;
  if (devicePresence[device] === Presence.Busy) {
    raiseConfigEvent(device);
  }
}

/** Back to the state after creation; identity, offered features and generation count stay. */
export function clearStatus(device: number): void {
  const wasUsed = deviceStatus[device] !== 0;
  deviceStatus[device] = 0;
  forgetUnknownBlocks(device);
  const from = featureAt[device];
  const words = featureBlocks[device] * 2;
  for (let word = 0; word < words; word++) {
    driverFeatures[from + word] = 0;
  }
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    disableQueue(first + index);
  }
  cancelConfigEvent(device);
  resetHandlers[deviceType[device]](device);
  if (deviceWait[device] === Wait.Suspend) {
    endWait(device);
  }
  if (wasUsed) {
    log(Log.Reset, deviceNumber[device]);
  }
}

/** The driver side of `bus` is gone: every device starts afresh without a message. */
export function resetBusDevices(bus: number): void {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus) {
      clearStatus(device);
      if (deviceWait[device] === Wait.Reset) {
        // Nobody waits for the answer any more.
        endWait(device);
      }
      if (devicePresence[device] === Presence.Busy) {
        listDevice(device);
      }
    }
  }
}
