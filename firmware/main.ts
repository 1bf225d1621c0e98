// Joins port, buses and devices: what an application imports, and the start of the firmware.
import { layouts, log, windows } from '#port';
import { addBus } from './bus/add-bus.js';
import { setPingInterval } from './bus/bus-events.hot.js';
import { busRules } from './bus/bus-table.hot.js';
import { askState, leaveState } from './bus/hotplug.hot.js';
import { publishLayout, retractLayout } from './carriers/amp-shmem.js';
import { Layout, setBusCount } from './carriers/amp-shmem.hot.js';
import type { DeviceModel } from './devices/device-model.js';
import { loop } from './loop.hot.js';
import { closePrivateMemory, openPrivateMemory } from './memory/private.js';
import { addWindows } from './memory/windows.js';
import { prepareServing } from './serving/set-up.js';
import { addDevice, clearDevices } from './transport/add-device.js';
import { Feature } from './wire/features.js';
import type { ProfileName } from './wire/profile.js';
import { Rule, TransportFeature } from './wire/profile.js';
import { Log } from './wire/log.js';

export { allocate } from './memory/private.js';
export { keepRoom } from './serving/set-up.js';
export { block, delayedDisk, flashDisk, ramDisk } from './devices/block.js';
export type { BlockBackend, BlockBackendType, BlockOptions } from './devices/block.js';
export { console, echo, logBuffer, serialLine } from './devices/console.js';
export type { ConsoleBackend, ConsoleBackendType, ConsoleOptions, ConsolePort } from './devices/console.js';
export { loopBack, network, networkSwitch } from './devices/network.js';
export type { NetworkBackend, NetworkBackendType, NetworkOptions } from './devices/network.js';
export { entropy } from './devices/entropy.js';
export type { EntropyOptions } from './devices/entropy.js';
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

export interface BusOptions {
  /** Wire profile: 'A' is the v1 text, 'B' the reviewed draft with a 16-byte header, 'C' the late draft with the 8-byte header. */
  readonly profile: ProfileName;
  readonly devices: readonly DeviceModel[];
  /** Queue elements per direction, 2..4096; 16 by default. One element always stays empty. */
  readonly elements?: number;
  /** Vendor id of all devices, 0..2^32-1; 0x1AF4 by default. */
  readonly vendor?: number;
  /**
   * Profiles B and C: true when the driver side is configured for VIRTIO_MSG_F_STRICT_CONFIG_GENERATION too, so that a
   * SET_CONFIG must carry the present generation count. False by default; profile A is always strict.
   */
  readonly strictConfigGeneration?: boolean;
  /** Seconds between two PINGs to the driver side, up to 120; none by default. One that is not answered is logged. */
  readonly pingSeconds?: number;
  /**
   * EVENT_DEVICE states 0x8000-0xFFFC that the driver side is configured to take for "this device will be removed" and for
   * "may this device be removed?". Bits 0 and 1 are clear, since a known driver reads them as ADDED and REMOVED. Without
   * them such removals go at once, after what is in flight.
   */
  readonly leaveState?: number;
  readonly askState?: number;
  /**
   * Ring and transport feature bits every device offers besides VERSION_1, from 28 INDIRECT_DESC, 29 EVENT_IDX,
   * 33 ACCESS_PLATFORM, 34 RING_PACKED, 35 IN_ORDER, 36 ORDER_PLATFORM, 38 NOTIFICATION_DATA, 40 RING_RESET, 43 SUSPEND.
   * 28, 29 and 40 by default. IN_ORDER is left out for device types that complete out of order.
   */
  readonly ringFeatures?: readonly number[];
}

/** Everything one image serves. */
export interface App {
  readonly buses: readonly BusOptions[];
}

const defaultRingFeatures: readonly number[] = [Feature.IndirectDesc, Feature.EventIdx, Feature.RingReset];

/** An application with one bus, on the port's first layout place. */
export function bus(options: BusOptions): App {
  return { buses: [options] };
}

function pingMicroseconds(bus: number, seconds: number | undefined): number {
  if (seconds === undefined) {
    return 0;
  }
  if (!(seconds >= 0.1 && seconds <= 120)) {
    throw new Error('bus ' + bus + ' has ' + seconds + ' seconds between two PINGs: 0.1 to 120 are possible');
  }
  return Math.round(seconds * 1000000);
}

function removalState(bus: number, state: number | undefined): number {
  if (state !== undefined && !(state >= 0x8000 && state <= 0xfffc && state % 4 === 0)) {
    throw new Error('bus ' + bus + ' has a removal state of ' + state + ': 0x8000 to 0xFFFC with bits 0 and 1 clear are possible');
  }
  return state === undefined ? 0 : state;
}

/** Fills all tables and publishes the layouts; throws an Error with one sentence when the application cannot be served here. */
export function start(app: App): void {
  setBusCount(0);
  clearDevices();
  addWindows(windows);
  openPrivateMemory(windows);
  prepareServing();
  app.buses.forEach((options, number) => {
    const place = layouts[number];
    if (place === undefined) {
      throw new Error('bus ' + number + ' has no layout place on this board');
    }
    addBus(number, options.profile, Layout.ElementBytes, options.strictConfigGeneration === true ? TransportFeature.StrictConfigGeneration : 0);
    setPingInterval(number, pingMicroseconds(number, options.pingSeconds));
    leaveState[number] = removalState(number, options.leaveState);
    askState[number] = removalState(number, options.askState);
    options.devices.forEach((model) => {
      addDevice(number, model, {
        vendor: options.vendor === undefined ? 0x1af4 : options.vendor,
        ringFeatures: options.ringFeatures === undefined ? defaultRingFeatures : options.ringFeatures,
      });
    });
  });
  app.buses.forEach((options, number) => {
    const place = layouts[number];
    // Only where a reset may hold its answer back do requests wait for it.
    const parks = (busRules[number] & Rule.LateReset) === 0 && options.devices.some((model) => model.type.busy !== undefined);
    publishLayout(number, place, windows[place.window], options.elements === undefined ? 16 : options.elements, parks);
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
    app.buses.forEach((_options, number) => retractLayout(number, layouts[number]));
  }
}
