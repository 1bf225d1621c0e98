// Changes of the configuration space that the device makes by itself: the generation count and the event.
import { configGeneration, configShown, deviceStatus } from './device.hot.js';
import { raiseChangeEvent } from './events.hot.js';
import { deviceWait, Wait } from './wait.hot.js';

/**
 * The device has changed `length` bytes from `offset` on by itself: the generation count steps, and the driver gets
 * an EVENT_CONFIG unless it has not begun yet (status 0). Changes that nobody has seen the count of share one step,
 * and changes whose event still waits share that event: its range then covers them all. `length` 0 says that the
 * range is not known: the driver reads the whole space again.
 */
export function configChanged(device: number, offset: number, length: number): void {
  if (configShown[device] === 1) {
    configShown[device] = 0;
    const low = (configGeneration[device * 2] + 1) & 65535;
    configGeneration[device * 2] = low;
    if (low === 0) {
      configGeneration[device * 2 + 1] = (configGeneration[device * 2 + 1] + 1) & 65535;
    }
  }
  // Status 0 and a reset that takes time have nobody to tell.
  if (deviceStatus[device] !== 0 && deviceWait[device] !== Wait.Reset) {
    raiseChangeEvent(device, offset, length);
  }
}
