// A device type whose chains stay in flight until the test gives them back: what a UART or a flash behind a device does.
import { finishLater, kick, queueEpoch, take } from '../../firmware/device.hot.js';
import type { TestDevice, TestDeviceOptions } from './test-device.js';
import { testDevice } from './test-device.js';

export interface BusyDevice extends TestDevice {
  /** Chains in flight, oldest first. */
  readonly flying: { queue: number; handle: number; epoch: number }[];
  /** What the device type says when it is asked whether it is busy; by default whether chains are in flight. */
  stuck: boolean;
  /** Gives the oldest chain back with `written` bytes and has its queue shown. */
  land(written: number): void;
}

export function busyDevice(options: TestDeviceOptions): BusyDevice {
  const flying: { queue: number; handle: number; epoch: number }[] = [];
  const tested = testDevice({ ...options, type: { busy: () => device.stuck || flying.length !== 0, ...options.type } });
  const model = {
    ...tested.model,
    type: {
      ...tested.model.type,
      serve(queue: number): void {
        for (let handle = take(queue); handle >= 0; handle = take(queue)) {
          flying.push({ queue, handle, epoch: queueEpoch[queue] ?? NaN });
        }
      },
    },
  };
  const device: BusyDevice = Object.assign(tested, {
    model,
    flying,
    stuck: false,
    land(written: number): void {
      const chain = flying.shift();
      if (chain !== undefined) {
        finishLater(chain.queue, chain.handle, written, chain.epoch);
        kick(chain.queue);
      }
    },
  });
  return device;
}
