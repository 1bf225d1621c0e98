// Gives a device its rows in all tables at start-up.
import { Capacity } from '../capacity.js';
import { directDevice } from '../bus/bus.hot.js';
import type { DeviceModel, DeviceType } from '../devices/device-model.js';
import { queueDevice, queueIndex, queueMaximum, queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { clearKicks } from '../virtqueue/kicks.hot.js';
import { Feature } from '../wire/features.js';
import {
  configAt,
  configGeneration,
  configSize,
  configSpace,
  deviceBus,
  deviceCount,
  deviceId,
  deviceNumber,
  deviceStatus,
  deviceType,
  driverFeatures,
  featureAt,
  featureBlocks,
  featuresBeyond,
  firstQueue,
  offeredFeatures,
  queueCount,
  setDeviceCount,
  vendorId,
} from './device.hot.js';
import { clearEvents } from './events.hot.js';
import { configHandlers, nothingToReset, rejectConfig, resetHandlers, serveHandlers } from './handlers.hot.js';

const types: DeviceType[] = [];
let queuesUsed = 0;
let featureWordsUsed = 0;
let configBytesUsed = 0;

/** Forgets all devices: the tables are free for a new start. */
export function clearDevices(): void {
  clearEvents();
  clearKicks();
  types.length = 0;
  serveHandlers.length = 0;
  resetHandlers.length = 0;
  configHandlers.length = 0;
  queuesUsed = 0;
  featureWordsUsed = 0;
  configBytesUsed = 0;
  for (let entry = 0; entry < directDevice.length; entry++) {
    directDevice[entry] = 0;
  }
  setDeviceCount(0);
}

/** The row of `type` in the handler tables, made on first use. */
function typeRow(type: DeviceType): number {
  const known = types.indexOf(type);
  if (known >= 0) {
    return known;
  }
  types.push(type);
  serveHandlers.push(type.serve);
  resetHandlers.push(type.reset === undefined ? nothingToReset : type.reset);
  configHandlers.push(type.writeConfig === undefined ? rejectConfig : type.writeConfig);
  return types.length - 1;
}

function refuse(model: DeviceModel, reason: string): never {
  throw new Error(model.type.name + ' device ' + model.number + ': ' + reason);
}

function isPowerOfTwo(size: number): boolean {
  return size >= 1 && size <= 32768 && size % 1 === 0 && (size & (size - 1)) === 0;
}

/** Feature bits a device type may name: 0 .. 23 and 50 .. 127; those between belong to the rings and the transport. */
function isDeviceFeature(bit: number): boolean {
  return bit % 1 === 0 && bit >= 0 && bit <= 127 && (bit < 24 || bit >= 50);
}

/** What a bus adds to every device it carries. */
export interface BusIdentity {
  readonly vendor: number;
  /** Ring and transport feature bits offered besides VERSION_1. */
  readonly ringFeatures: readonly number[];
}

/** Ring and transport features this stack serves. */
const servedRingFeatures: readonly number[] = [
  Feature.IndirectDesc,
  Feature.EventIdx,
  Feature.AccessPlatform,
  Feature.RingPacked,
  Feature.InOrder,
  Feature.OrderPlatform,
  Feature.NotificationData,
  Feature.RingReset,
];

/** The ring features `model` can offer: IN_ORDER only when its type gives buffers back in the order it took them. */
function ringFeaturesOf(model: DeviceModel, wanted: readonly number[]): number[] {
  return wanted.filter((bit) => {
    if (servedRingFeatures.indexOf(bit) < 0) {
      refuse(model, 'ring feature bit ' + bit + ' cannot be served');
    }
    return bit !== Feature.InOrder || model.type.inOrder === true;
  });
}

/** Puts `model` on `bus`; throws an Error with one sentence when it breaks a rule or the image is full. Returns the device's row. */
export function addDevice(bus: number, model: DeviceModel, identity: BusIdentity): number {
  const device = deviceCount;
  if (!(model.type.deviceId >= 1 && model.type.deviceId <= 65535 && model.type.deviceId % 1 === 0)) {
    refuse(model, 'a device id lies between 1 and 65535');
  }
  if (!model.features.every(isDeviceFeature)) {
    refuse(model, 'a device feature bit lies in 0 to 23 or 50 to 127');
  }
  const blocks = model.features.reduce((most, bit) => Math.max(most, (bit >> 5) + 1), 2);
  if (device >= Capacity.Devices) {
    refuse(model, 'the image holds ' + Capacity.Devices + ' devices');
  }
  if (!(model.number >= 0 && model.number <= 65535 && model.number % 1 === 0)) {
    refuse(model, 'a device number lies between 0 and 65535');
  }
  for (let other = 0; other < device; other++) {
    if (deviceBus[other] === bus && deviceNumber[other] === model.number) {
      refuse(model, 'another device of this bus has that number');
    }
  }
  if (model.queueSizes.length === 0 || queuesUsed + model.queueSizes.length > Capacity.Queues) {
    refuse(model, 'the image holds ' + Capacity.Queues + ' virtqueues, a device has at least one');
  }
  if (!model.queueSizes.every(isPowerOfTwo)) {
    refuse(model, 'a queue size is a power of two up to 32768');
  }
  if (featureWordsUsed + blocks * 2 > Capacity.FeatureWords || configBytesUsed + model.config.length > Capacity.ConfigBytes) {
    refuse(model, 'the image has no room for its features or configuration space');
  }
  if (types.indexOf(model.type) < 0 && types.length === Capacity.DeviceTypes) {
    refuse(model, 'the image holds ' + Capacity.DeviceTypes + ' device types');
  }

  deviceStatus[device] = 0;
  featuresBeyond[device] = 0;
  configGeneration[device * 2] = 0;
  configGeneration[device * 2 + 1] = 0;
  deviceBus[device] = bus;
  deviceNumber[device] = model.number;
  deviceType[device] = typeRow(model.type);
  deviceId[device] = model.type.deviceId;
  vendorId[device * 2] = identity.vendor % 65536;
  vendorId[device * 2 + 1] = Math.floor(identity.vendor / 65536);
  if (model.number < Capacity.DirectNumbers) {
    directDevice[bus * Capacity.DirectNumbers + model.number] = device + 1;
  }

  firstQueue[device] = queuesUsed;
  queueCount[device] = model.queueSizes.length;
  model.queueSizes.forEach((size, index) => {
    queueDevice[queuesUsed] = device;
    queueIndex[queuesUsed] = index;
    queueMaximum[queuesUsed] = size;
    queueState[queuesUsed] = QueueState.Disabled;
    queuesUsed++;
  });

  featureAt[device] = featureWordsUsed;
  featureBlocks[device] = blocks;
  for (let word = 0; word < blocks * 2; word++) {
    offeredFeatures[featureWordsUsed + word] = 0;
    driverFeatures[featureWordsUsed + word] = 0;
  }
  model.features.concat(ringFeaturesOf(model, identity.ringFeatures), [Feature.Version1]).forEach((bit) => {
    const word = featureWordsUsed + (bit >> 4);
    offeredFeatures[word] = offeredFeatures[word] | (1 << (bit & 15));
  });
  featureWordsUsed += blocks * 2;

  configAt[device] = configBytesUsed;
  configSize[device] = model.config.length;
  model.config.forEach((byte, at) => {
    configSpace[configBytesUsed + at] = byte;
  });
  configBytesUsed += model.config.length;

  setDeviceCount(device + 1);
  if (model.attach !== undefined) {
    model.attach(device, firstQueue[device]);
  }
  return device;
}
