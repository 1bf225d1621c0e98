// Every test begins with a firmware that remembers nothing: whatever an earlier test in this process left is reset first.
import assert from 'node:assert/strict';
import type { App, NotificationOptions } from '../../firmware/main.js';
import { bus } from '../../firmware/main.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { discarded } from '../../firmware/bus/frame.hot.js';
import { pass } from '../../firmware/loop.hot.js';
import { serveKicked } from '../../firmware/virtqueue/schedule.hot.js';
import { configGeneration } from '../../firmware/transport/device.hot.js';
import { nextEvent } from '../../firmware/transport/events.hot.js';
import { resetBusDevices } from '../../firmware/transport/status.hot.js';
import type { AmpBus } from './driver/amp-bus.js';
import type { Message, Profile } from './driver/message.js';
import { connected, startFirmware } from './host-driver.js';

/** Resets the devices of both buses and empties every list and counter. */
export function forget(): void {
  [0, 1].forEach((number) => {
    resetBusDevices(number);
    while (nextEvent(number) >= 0) {
      continue;
    }
  });
  while (serveKicked()) {
    continue;
  }
  configGeneration.fill(0);
  discarded.fill(0);
}

export interface BusSettings {
  /** 'A' by default. */
  profile?: Profile;
  strictConfigGeneration?: boolean;
  pingSeconds?: number;
  leaveState?: number;
  askState?: number;
  notifications?: NotificationOptions;
  pollMicroseconds?: number;
  requiredFeatures?: readonly number[];
  mostFeatureBlocks?: number;
  elements?: number;
  vendor?: number;
  /** Ring features offered; none by default, so that tests see what they ask for. */
  ringFeatures?: readonly number[];
}

/** An application with one bus. */
export function appWith(devices: readonly DeviceModel[], settings: BusSettings = {}): App {
  return bus({ profile: 'A', devices, ringFeatures: [], ...settings });
}

/** The firmware has started and published its layout; no driver has come yet. */
export function started(devices: readonly DeviceModel[], settings: BusSettings = {}): void {
  forget();
  startFirmware(appWith(devices, settings));
}

/** The same with a driver's bus whose handshake is through. */
export function connectedTo(devices: readonly DeviceModel[], settings: BusSettings = {}): AmpBus {
  forget();
  return connected(appWith(devices, settings), settings.profile);
}

/** Why messages were dropped, in the order in which the firmware counts them. */
export const REASONS = [
  'short',
  'long',
  'bus message with a number',
  'no device',
  'response',
  'unknown id',
  'payload',
  'misaligned',
  'no queue',
  'not agreed',
] as const;
export type Reason = (typeof REASONS)[number];

/** Messages dropped for `reason` since the test began. */
export function dropped(reason: Reason): number {
  return discarded[REASONS.indexOf(reason)] ?? NaN;
}

/** Messages dropped since the test began, whatever the reason. */
export function droppedInAll(): number {
  return discarded.reduce((sum, count) => sum + count, 0);
}

/** Lets the firmware run until nothing is left to do; returns the events it sent. */
export function settle(bus: AmpBus): Message[] {
  let busy = true;
  for (let passes = 0; passes < 1000 && busy; passes++) {
    busy = pass();
  }
  assert.ok(!busy, 'the firmware comes to rest');
  bus.poll();
  return bus.events.splice(0);
}
