// Joins port, buses and devices: what an application imports, and the start of the firmware.
import { closeCarrier, openCarrier, retractCarrier } from '#carrier-start';
import { log, windows } from '#port';
import type { BusOptions } from './bus/options.js';
import { layoutOptions, openBus } from './bus/options.js';
import { loop } from './loop.hot.js';
import { closePrivateMemory, openPrivateMemory } from './memory/private.js';
import { addWindows, shareWindows } from './memory/windows.js';
import { prepareServing } from './serving/set-up.js';
import { clearDevices } from './transport/add-device.js';
import { Log } from './wire/log.js';

export type { BusOptions, NotificationOptions } from './bus/options.js';
export { allocate } from './memory/private.js';
export { keepRoom } from './serving/set-up.js';
export { block, delayedDisk, flashDisk, ramDisk } from './devices/block.js';
export type { BlockBackend, BlockBackendType, BlockOptions } from './devices/block.js';
export { console, echo, logBuffer, serialLine } from './devices/console.js';
export type { ConsoleBackend, ConsoleBackendType, ConsoleOptions, ConsolePort } from './devices/console.js';
export { loopBack, network, networkSwitch } from './devices/network.js';
export type { NetworkBackend, NetworkBackendType, NetworkOptions } from './devices/network.js';
export { entropy, seededNotForCryptography } from './devices/entropy.js';
export type { EntropyBackend, EntropyBackendType, EntropyOptions } from './devices/entropy.js';
export { can, loopBus } from './devices/can.js';
export type { CanBackend, CanOptions } from './devices/can.js';
export { gpio, wiredLines } from './devices/gpio.js';
export type { GpioBackend, GpioOptions } from './devices/gpio.js';
export { i2c, simulatedChips } from './devices/i2c.js';
export type { I2cBackend, I2cOptions } from './devices/i2c.js';
export { input, tappedKey } from './devices/input.js';
export type { InputAxis, InputBackend, InputOptions } from './devices/input.js';
export { portClock, rtc } from './devices/rtc.js';
export type { RtcBackend, RtcClock, RtcOptions } from './devices/rtc.js';
export { baseProtocol, scmi } from './devices/scmi.js';
export type { ScmiBackend, ScmiOptions } from './devices/scmi.js';
export { loopWire, spi } from './devices/spi.js';
export type { SpiAbilities, SpiBackend, SpiOptions } from './devices/spi.js';
export type { DeviceModel, DeviceType, SharedMemoryRegion } from './devices/device-model.js';

/** Everything one image serves. */
export interface App {
  readonly buses: readonly BusOptions[];
}

/** An application with one bus, on the port's first layout place. */
export function bus(options: BusOptions): App {
  return { buses: [options] };
}

/** Fills all tables and publishes the layouts; throws an Error with one sentence when the application cannot be served here. */
export function start(app: App): void {
  closeCarrier();
  clearDevices();
  addWindows(windows);
  openPrivateMemory(windows);
  prepareServing();
  app.buses.forEach((options, number) => {
    openBus(number, options);
    shareWindows(number, options.windows, windows);
  });
  app.buses.forEach((options, number) => {
    openCarrier(number, layoutOptions(number, options));
  });
  log(Log.PrivateMemory, closePrivateMemory());
}

/**
 * Calls itself `depth` times from inside a loop, so that an engine that grows its stacks on demand (Duktape: one for calls,
 * one for loops and switches) does it before serving, not while.
 */
function deepenStacks(depth: number): number {
  let calls = 0;
  while (calls < depth) {
    calls += deepenStacks(depth - 1 - calls) + depth;
  }
  return calls;
}

/** More calls than the hot path ever nests. */
const hotPathDepth = 32;

/** Starts and serves; returns only when the port says stop. */
export function run(app: App): void {
  start(app);
  // The comparison keeps the call: a bundler drops a function whose result nobody wants.
  if (deepenStacks(hotPathDepth) >= hotPathDepth) {
    loop();
    app.buses.forEach((_options, number) => retractCarrier(number));
  }
}
