// The driver's half on the host: it shares the fake port's memory and lets the firmware run a pass whenever it waits.
import { barrier, clock, fake, layouts, windowWords } from '../../hal/fake/port.js';
import { pass } from '../../firmware/loop.hot.js';
import type { App } from '../../firmware/main.js';
import { start } from '../../firmware/main.js';
import type { DriverMachine } from './driver/machine.js';
import { AmpBus } from './driver/amp-bus.js';
import type { Profile } from './driver/message.js';

export const hostMachine: DriverMachine = {
  words: windowWords[0],
  addressLow: 0x80000000,
  addressHigh: 0,
  layout: layouts[0].offset,
  ring(): void {
    return;
  },
  wait(microseconds: number): void {
    fake.microseconds += microseconds;
    pass();
  },
  barrier,
  clock,
};

/** Starts the firmware afresh with `app` in cleared memory. */
export function startFirmware(app: App): void {
  fake.clear();
  start(app);
}

/** The same, and a bus whose handshake is through. */
export function connected(app: App, profile: Profile = 'A'): AmpBus {
  startFirmware(app);
  const bus = new AmpBus(hostMachine, profile);
  bus.connect();
  return bus;
}
