// DEVICE_NEEDS_RESET: how a device says that it cannot go on.
import { queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { Status } from '../wire/status.js';
import { deviceStatus, firstQueue, queueCount } from './device.hot.js';
import { raiseConfigEvent } from './events.hot.js';

/** Sets the status bit and tells the driver by EVENT_CONFIG; a device in its reset state has nobody to tell. */
export function askForReset(device: number): void {
  if (deviceStatus[device] !== 0 && (deviceStatus[device] & Status.NeedsReset) === 0) {
    deviceStatus[device] = deviceStatus[device] | Status.NeedsReset;
    raiseConfigEvent(device);
  }
}

/** For device types: an error only a reset can mend. All queues of the device stop. */
export function needsReset(device: number): void {
  const first = firstQueue[device];
  for (let index = 0; index < queueCount[device]; index++) {
    if (queueState[first + index] !== QueueState.Disabled) {
      queueState[first + index] = QueueState.Broken;
    }
  }
  askForReset(device);
}
