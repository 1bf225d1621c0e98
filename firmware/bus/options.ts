// What an application says about a bus, checked and put into the tables at start-up.
import { messageBytes } from '#carrier-start';
import { Budget } from '../capacity.js';
import type { LayoutOptions } from '../carriers/amp-shmem.js';
import type { DeviceModel } from '../devices/device-model.js';
import { addDevice } from '../transport/add-device.js';
import { Feature } from '../wire/features.js';
import { WordLayout } from '../wire/notification.js';
import type { ProfileName } from '../wire/profile.js';
import { Rule, TransportFeature } from '../wire/profile.js';
import { addBus } from './add-bus.js';
import { setPingInterval } from './bus-events.hot.js';
import { busRules } from './bus-table.hot.js';
import { askState, leaveState } from './hotplug.hot.js';

/**
 * `messages`: EVENT_AVAIL and EVENT_USED. `doorbell`: the doorbell alone, which stands for every queue of the bus. `words`: 1 to
 * 64 notification words of the AMP layout with 1, 2, 4, 8 or 16 bits a device (wire/notification.ts), with mask words or not.
 */
export type NotificationOptions =
  | { readonly kind: 'messages' }
  | { readonly kind: 'doorbell' }
  | { readonly kind: 'words'; readonly words: number; readonly bitsPerDevice: number; readonly masked?: boolean };

export interface BusOptions {
  /** Wire profile: 'A' is the v1 text, 'B' the reviewed draft with a 16-byte header, 'C' the late draft with the 8-byte header. */
  readonly profile: ProfileName;
  readonly devices: readonly DeviceModel[];
  /** Queue elements per direction, 2..4096; 16 by default. One element always stays empty. */
  readonly elements?: number;
  /**
   * Names of the board's windows into which this bus's driver side may point: all shared ones by default. With two driver sides
   * each keeps to its own memory.
   */
  readonly windows?: readonly string[];
  /** Vendor id of all devices, 0..2^32-1; 0x1AF4 by default. */
  readonly vendor?: number;
  /**
   * Profiles B and C: true when the driver side is configured for VIRTIO_MSG_F_STRICT_CONFIG_GENERATION too, so that a
   * SET_CONFIG must carry the present generation count. False by default; profile A is always strict.
   */
  readonly strictConfigGeneration?: boolean;
  /** How buffers are announced; in messages by default, which is what the known driver does. Both ends must be configured alike. */
  readonly notifications?: NotificationOptions;
  /**
   * Longest time between two looks at the bus in microseconds, 100 to 100,000 (the default): the polling interval for boards
   * without a doorbell from the driver side.
   */
  readonly pollMicroseconds?: number;
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
  /** Of these, the ones without which the devices refuse FEATURES_OK, as a platform may need 33 or 36. */
  readonly requiredFeatures?: readonly number[];
  /** Most feature blocks of 32 bits a device of this bus may have, 2 to 8; 4 by default, which the known drivers take. */
  readonly mostFeatureBlocks?: number;
}

const defaultRingFeatures: readonly number[] = [Feature.IndirectDesc, Feature.EventIdx, Feature.RingReset];

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

function notificationsOf(options: BusOptions): NotificationOptions {
  return options.notifications === undefined ? { kind: 'messages' } : options.notifications;
}

/** Throws when the notification words cannot be, or have no bits for a device of the bus. */
function checkNotifications(bus: number, options: BusOptions): void {
  const notifications = notificationsOf(options);
  if (notifications.kind !== 'messages' && options.ringFeatures !== undefined && options.ringFeatures.indexOf(Feature.NotificationData) >= 0) {
    throw new Error('bus ' + bus + ' offers NOTIFICATION_DATA (38), which needs notifications by messages');
  }
  if (notifications.kind !== 'words') {
    return;
  }
  const { words, bitsPerDevice } = notifications;
  if (!(words >= 1 && words <= WordLayout.MostWords && words % 1 === 0) || [1, 2, 4, 8, 16].indexOf(bitsPerDevice) < 0) {
    throw new Error('bus ' + bus + ' has notification words that cannot be: 1 to 64 words with 1, 2, 4, 8 or 16 bits a device are possible');
  }
  // One word is shared with the message queue, of more the first one only points to the others.
  const least = words === 1 ? 1 : 0;
  const most = (words === 1 ? WordLayout.BitsPerWord : (words - 1) * WordLayout.BitsPerWord) / bitsPerDevice - 1;
  options.devices.forEach((model) => {
    if (model.number < least || model.number > most) {
      throw new Error('bus ' + bus + ' has no notification bits for device ' + model.number + ': numbers ' + least + ' to ' + most + ' have');
    }
  });
}

function pollMicroseconds(bus: number, microseconds: number | undefined): number {
  if (microseconds !== undefined && !(microseconds >= 100 && microseconds <= Budget.RunningPoll)) {
    throw new Error('bus ' + bus + ' is looked at every ' + microseconds + ' microseconds: 100 to ' + Budget.RunningPoll + ' are possible');
  }
  return microseconds === undefined ? Budget.RunningPoll : microseconds;
}

function featureBlocks(bus: number, blocks: number | undefined): number {
  if (blocks !== undefined && !(blocks >= 2 && blocks <= 8 && blocks % 1 === 0)) {
    throw new Error('bus ' + bus + ' has ' + blocks + ' feature blocks at most: 2 to 8 are possible');
  }
  return blocks === undefined ? 4 : blocks;
}

/** Gives `bus` and its devices their rows in the tables; throws an Error with one sentence when they cannot be. */
export function openBus(bus: number, options: BusOptions): void {
  addBus(bus, options.profile, messageBytes, options.strictConfigGeneration === true ? TransportFeature.StrictConfigGeneration : 0);
  setPingInterval(bus, pingMicroseconds(bus, options.pingSeconds));
  leaveState[bus] = removalState(bus, options.leaveState);
  askState[bus] = removalState(bus, options.askState);
  checkNotifications(bus, options);
  options.devices.forEach((model) => {
    addDevice(bus, model, {
      vendor: options.vendor === undefined ? 0x1af4 : options.vendor,
      ringFeatures: options.ringFeatures === undefined ? defaultRingFeatures : options.ringFeatures,
      requiredFeatures: options.requiredFeatures === undefined ? [] : options.requiredFeatures,
      mostFeatureBlocks: featureBlocks(bus, options.mostFeatureBlocks),
    });
  });
}

/** What the bus wants of its carrier. */
export function layoutOptions(bus: number, options: BusOptions): LayoutOptions {
  return {
    elements: options.elements === undefined ? 16 : options.elements,
    // Only where a reset may hold its answer back do requests wait for it.
    parks: (busRules[bus] & Rule.LateReset) === 0 && options.devices.some((model) => model.type.busy !== undefined),
    notifications: notificationsOf(options),
    pollMicroseconds: pollMicroseconds(bus, options.pollMicroseconds),
  };
}
