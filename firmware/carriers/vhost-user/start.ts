// Opens the vhost-user carrier at start-up: which of the application's devices this process serves.
import { log } from '#port';
import { servedDevice } from '#vhost-user';
import { MachineLimit } from '../../../hal/vhost-user.js';
import { addBus } from '../../bus/add-bus.js';
import { busRules, slotBytes } from '../../bus/bus-table.hot.js';
import { proposeRevision, Revision } from '../../bus/revision.hot.js';
import { configSize, deviceBus, deviceCount, deviceId, deviceNumber, firstQueue, queueCount } from '../../transport/device.hot.js';
import { queueMaximum } from '../../virtqueue/queue-table.hot.js';
import { Log } from '../../wire/log.js';
import { Rule } from '../../wire/profile.js';
import type { LayoutOptions } from '../amp-shmem.js';
import { forgetConnection } from './carrier.hot.js';
import { setServed } from './ask.hot.js';
import { setDevice } from './rings.hot.js';

/** Largest message of the core in bytes. */
export const messageBytes = 264;

/** A whole configuration must go into one message, behind 20 bytes of headers. */
const mostConfigBytes = messageBytes - 20;

/** Bytes of the answer's place that the core may fill. */
const answerBytes = 1024;

/** No bus is open: a new start. */
export function closeCarrier(): void {
  return;
}

/** Tells which devices there are, for those who choose. */
function nameDevices(): void {
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === 0) {
      let smallest = 0;
      for (let queue = firstQueue[device]; queue < firstQueue[device] + queueCount[device]; queue++) {
        smallest = smallest === 0 ? queueMaximum[queue] : Math.min(smallest, queueMaximum[queue]);
      }
      log(Log.VhostDevice, deviceNumber[device] * 64 + Math.min(deviceId[device], 63));
      log(Log.VhostQueues, queueCount[device] * 65536 + smallest);
    }
  }
}

/**
 * Has the process serve the device that it was told to, which must be on bus 0; throws an Error with one sentence when that
 * cannot be. The core is asked in profile A, whatever the application says: nothing of it is seen outside.
 */
export function openCarrier(bus: number, _options: LayoutOptions): void {
  if (bus !== 0) {
    return;
  }
  nameDevices();
  const number = servedDevice();
  if (number < 0) {
    throw new Error('no device was chosen');
  }
  for (let device = 0; device < deviceCount; device++) {
    if (deviceBus[device] === 0 && deviceNumber[device] === number) {
      if (queueCount[device] > MachineLimit.Rings) {
        throw new Error('device ' + number + ' has ' + queueCount[device] + ' virtqueues: this runner serves ' + MachineLimit.Rings);
      }
      if (configSize[device] > mostConfigBytes) {
        throw new Error('device ' + number + ' has ' + configSize[device] + ' bytes of configuration: this runner serves ' + mostConfigBytes);
      }
      addBus(0, 'A', messageBytes);
      // Every question of the carrier is answered at once; a reset that takes time holds messages and kicks back instead.
      busRules[0] = busRules[0] | Rule.LateReset;
      proposeRevision(0, Revision.Newest, messageBytes, 0, 0);
      slotBytes[0] = answerBytes;
      setServed(number);
      setDevice(device);
      forgetConnection();
      return;
    }
  }
  throw new Error('the application has no device ' + number + ' on its first bus');
}

/** The front side sees the end of the process by its socket. */
export function retractCarrier(_bus: number): void {
  return;
}
