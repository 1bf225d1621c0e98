// Describes the device to the stack. Runs once, at start-up, and may allocate.
import type { DeviceModel, DeviceType } from 'virtio-msg-device';
import { resetSample, serveSample } from './sample.hot.js';

/** Linux binds a driver by the device id: take one below 65536 that virtio does not assign, and write that driver for it. */
const sampleType: DeviceType = { name: 'sample', deviceId: 65200, serve: serveSample, reset: resetSample, inOrder: true };

/** One request queue, no features, no configuration space. */
export function sample(options: { readonly number: number }): DeviceModel {
  return { type: sampleType, number: options.number, queueSizes: [16], features: [], config: [] };
}
