// The benchmark's status rounds by themselves, to compare profiles.
import { figure, main, step } from './application-core.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import type { Profile } from '../../support/driver/message.js';

const MESSAGES = 500;

function phase(bus: AmpBus, name: string, count: number): void {
  const device = new DriverDevice(bus, 1);
  step('phase ' + name);
  device.negotiate(0);
  device.start();
  figure('phase-' + name, count);
  for (let message = 0; message < count; message++) {
    device.status();
  }
  device.setStatus(0);
}

/** Phases between DRIVER_OK and reset, as in bench.ts: a warm-up, an empty one, and GET_DEVICE_STATUS rounds. */
export function statusBench(profile: Profile): void {
  main((bus) => {
    bus.connect();
    phase(bus, 'warm-up', 2);
    phase(bus, 'empty', 0);
    phase(bus, 'status', MESSAGES);
    bus.shutdown();
  }, profile);
}
