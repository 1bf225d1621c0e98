// GET_DEVICE_INFO: what never changes in the life of a device.
import { windowWords } from '#port';
import { effectSeen } from '../bus/bus-events.hot.js';
import { busRules } from '../bus/bus-table.hot.js';
import { answerAt, frameWindow } from '../bus/frame.hot.js';
import { Rule } from '../wire/profile.js';
import { configSize, deviceBus, deviceId, deviceNumber, deviceUuid, featureBlocks, queueCount, vendorId } from './device.hot.js';

/** GET_DEVICE_INFO: 24 bytes, or 44. The words left out are zero, admin queues included. @rare */
export function getDeviceInfo(device: number): number {
  effectSeen(deviceBus[device], deviceNumber[device]);
  const memory = windowWords[frameWindow];
  memory[answerAt] = deviceId[device];
  memory[answerAt + 2] = vendorId[device * 2];
  memory[answerAt + 3] = vendorId[device * 2 + 1];
  if ((busRules[deviceBus[device]] & Rule.LongInfo) !== 0) {
    for (let word = 0; word < 8; word++) {
      memory[answerAt + 4 + word] = deviceUuid[device * 8 + word];
    }
    memory[answerAt + 12] = featureBlocks[device];
    memory[answerAt + 14] = configSize[device];
    memory[answerAt + 16] = queueCount[device];
    return 44;
  }
  memory[answerAt + 4] = featureBlocks[device] * 32;
  memory[answerAt + 6] = configSize[device];
  memory[answerAt + 8] = queueCount[device];
  return 24;
}
