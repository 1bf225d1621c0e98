// GET_DEVICE_STATUS, SET_DEVICE_STATUS and reset.
import { log, windowWords } from '#port';
import { Discard } from '../wire/discard.js';
import { Log } from '../wire/log.js';
import { Status } from '../wire/status.js';
import { answerAt, discard, frameWindow, requestAt, requestBytes } from '../bus/frame.hot.js';
import { queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { disableQueue } from '../virtqueue/queue.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import {
  deviceBus,
  deviceCount,
  deviceNumber,
  deviceStatus,
  deviceType,
  driverFeatures,
  featureAt,
  featureBlocks,
  featuresBeyond,
  firstQueue,
  queueCount,
} from './device.hot.js';
import { cancelConfigEvent } from './events.hot.js';
import { featuresAcceptable } from './features.hot.js';
import { resetHandlers, startHandlers } from './handlers.hot.js';

/** GET_DEVICE_STATUS: 4 bytes. */
export function getDeviceStatus(device: number): number {
  windowWords[frameWindow][answerAt] = deviceStatus[device];
  return 4;
}

/** SET_DEVICE_STATUS: the answer says what became of the write. */
export function setDeviceStatus(device: number): number {
  if (requestBytes < 4) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const low = memory[requestAt];
  const high = memory[requestAt + 1];
  if ((low | high) === 0) {
    resetDevice(device);
  } else {
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
  if ((value & Status.DriverOk) !== 0 && (status & Status.FeaturesOk) !== 0 && (status & Status.DriverOk) === 0) {
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
    const first = firstQueue[device];
    for (let index = 0; index < queueCount[device]; index++) {
      if (queueState[first + index] === QueueState.Enabled) {
        kick(first + index);
      }
    }
  }
}

/** Back to the state after creation; identity, offered features and generation count stay. */
export function resetDevice(device: number): void {
  const wasUsed = deviceStatus[device] !== 0;
  deviceStatus[device] = 0;
  featuresBeyond[device] = 0;
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
  if (wasUsed) {
    log(Log.Reset, deviceNumber[device]);
  }
}

/** The driver side of `bus` is gone: every device starts afresh without a message. */
export function resetBusDevices(bus: number): void {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === bus) {
      resetDevice(device);
    }
  }
}
