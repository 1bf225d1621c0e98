// A thermometer, part two: the function that an app calls. It runs once, at start-up, and may allocate.
import type { DeviceModel, DeviceType } from 'virtio-msg-device';
import { resetThermometer, serveThermometer, startThermometer, wakeThermometer } from './thermometer.hot.js';

const thermometerType: DeviceType = {
  name: 'thermometer',
  deviceId: 65100,
  serve: serveThermometer,
  start: startThermometer,
  wake: wakeThermometer,
  reset: resetThermometer,
  inOrder: true,
};

/** A thermometer with one request queue; its configuration space is the last reading, 2 bytes. */
export function thermometer(options: { readonly number: number }): DeviceModel {
  return { type: thermometerType, number: options.number, queueSizes: [16], features: [], config: [0, 0] };
}
