// Describes an entropy device to the stack.
import type { DeviceModel, DeviceType } from './device-model.js';
import { serveEntropy } from './entropy.hot.js';

const entropyType: DeviceType = { name: 'entropy', deviceId: 4, serve: serveEntropy, inOrder: true };

export interface EntropyOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** Largest queue size, a power of two, 1..32768; 64 by default. */
  readonly queueSize?: number;
}

/** An entropy device (virtio device id 4) that hands out the bytes of the port's `random`. */
export function entropy(options: EntropyOptions): DeviceModel {
  return {
    type: entropyType,
    number: options.number,
    queueSizes: [options.queueSize === undefined ? 64 : options.queueSize],
    features: [],
    config: [],
  };
}
