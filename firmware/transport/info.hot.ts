// GET_DEVICE_INFO: what never changes in the life of a device.
import { windowWords } from '#port';
import { answerAt, frameWindow } from '../bus/frame.hot.js';
import { configSize, deviceId, featureBlocks, queueCount, vendorId } from './device.hot.js';

/** GET_DEVICE_INFO, payload set V1: 24 bytes. The words left out are zero, admin queues included. */
export function getDeviceInfo(device: number): number {
  const memory = windowWords[frameWindow];
  memory[answerAt] = deviceId[device];
  memory[answerAt + 2] = vendorId[device * 2];
  memory[answerAt + 3] = vendorId[device * 2 + 1];
  memory[answerAt + 4] = featureBlocks[device] * 32;
  memory[answerAt + 6] = configSize[device];
  memory[answerAt + 8] = queueCount[device];
  return 24;
}
