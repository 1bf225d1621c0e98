// GET_DEVICE_FEATURES, SET_DRIVER_FEATURES and the verdict at FEATURES_OK.
import { windowWords } from '#port';
import { Discard } from '../wire/discard.js';
import { Feature } from '../wire/features.js';
import { Status } from '../wire/status.js';
import { answerAt, answerRoom, discard, frameWindow, requestAt, requestBytes, wide } from '../bus/frame.hot.js';
import {
  dependencyAt,
  dependencyBit,
  dependencyCount,
  dependencyNeeds,
  deviceStatus,
  deviceType,
  driverFeatures,
  featureAt,
  featureBlocks,
  hasFeature,
  offeredFeatures,
} from './device.hot.js';
import { featuresHandlers } from './handlers.hot.js';
import { anyUnknownBlock, noteUnknownBlock } from './unknown-blocks.hot.js';
import { deviceWait, Wait } from './wait.hot.js';

/** GET_DEVICE_FEATURES: always the offered set, zero beyond it, as many blocks as fit. @rare */
export function getDeviceFeatures(device: number): number {
  if (requestBytes < 8) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const firstLow = memory[requestAt];
  const firstHigh = memory[requestAt + 1];
  const countLow = memory[requestAt + 2];
  const countHigh = memory[requestAt + 3];
  const room = (answerRoom - 8) >> 2;
  const count = countHigh !== 0 || countLow > room ? room : countLow;
  // A first block of 65536 or more lies beyond every device's blocks.
  const first = firstHigh === 0 ? firstLow : 65536;
  memory[answerAt] = firstLow;
  memory[answerAt + 1] = firstHigh;
  memory[answerAt + 2] = count;
  const blocks = featureBlocks[device];
  for (let block = 0; block < count && first + block < blocks; block++) {
    const from = featureAt[device] + (first + block) * 2;
    const to = answerAt + 4 + block * 2;
    memory[to] = offeredFeatures[from];
    memory[to + 1] = offeredFeatures[from + 1];
  }
  return 8 + count * 4;
}

/** SET_DRIVER_FEATURES: replaces exactly the named blocks; without effect once FEATURES_OK was accepted and while a reset is under way. @rare */
export function setDriverFeatures(device: number): number {
  if (requestBytes < 8) {
    return discard(Discard.Payload);
  }
  const memory = windowWords[frameWindow];
  const firstLow = memory[requestAt];
  const firstHigh = memory[requestAt + 1];
  const count = wide(memory[requestAt + 2], memory[requestAt + 3]);
  if (count < 0 || count > (requestBytes - 8) >> 2) {
    return discard(Discard.Payload);
  }
  if ((deviceStatus[device] & Status.FeaturesOk) !== 0 || deviceWait[device] === Wait.Reset) {
    return 0;
  }
  const first = firstHigh === 0 ? firstLow : 65536;
  const blocks = featureBlocks[device];
  for (let block = 0; block < count; block++) {
    const from = requestAt + 4 + block * 2;
    const low = memory[from];
    const high = memory[from + 1];
    if (first + block < blocks) {
      const to = featureAt[device] + (first + block) * 2;
      driverFeatures[to] = low;
      driverFeatures[to + 1] = high;
    } else {
      noteUnknownBlock(device, firstLow + block, firstHigh, (low | high) !== 0);
    }
  }
  return 0;
}

/** True when the driver's set is a legal subset of the offered one and the device type agrees. */
export function featuresAcceptable(device: number): boolean {
  if (anyUnknownBlock(device) || !hasFeature(device, Feature.Version1)) {
    return false;
  }
  const from = featureAt[device];
  const words = featureBlocks[device] * 2;
  for (let word = 0; word < words; word++) {
    if ((driverFeatures[from + word] & ~offeredFeatures[from + word]) !== 0) {
      return false;
    }
  }
  const dependencies = dependencyAt[device] + dependencyCount[device];
  for (let at = dependencyAt[device]; at < dependencies; at++) {
    if (hasFeature(device, dependencyBit[at]) && !hasFeature(device, dependencyNeeds[at])) {
      return false;
    }
  }
  return featuresHandlers[deviceType[device]](device);
}
