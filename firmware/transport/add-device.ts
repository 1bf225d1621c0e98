// Gives a device its rows in all tables at start-up.
import { Capacity } from '../capacity.js';
import { clearBusEvents } from '../bus/bus-events.hot.js';
import { directDevice } from '../bus/bus-table.hot.js';
import type { DeviceModel, DeviceType } from '../devices/device-model.js';
import { anyKept } from '../serving/keep.hot.js';
import { windowBase, windowLast } from '#tables';
import { queueDevice, queueFeature, QueueFeature, queueIndex, queueMaximum, queueState, QueueState } from '../virtqueue/queue-table.hot.js';
import { clearKicks } from '../virtqueue/kicks.hot.js';
import { Feature } from '../wire/features.js';
import {
  configAt,
  configGeneration,
  configShown,
  configSize,
  configSpace,
  dependencyAt,
  dependencyBit,
  dependencyCount,
  dependencyNeeds,
  deviceBus,
  deviceCount,
  deviceId,
  deviceLeaves,
  deviceNumber,
  deviceStatus,
  deviceType,
  deviceUuid,
  driverFeatures,
  featureAt,
  featureBlocks,
  firstQueue,
  offeredFeatures,
  Presence,
  queueCount,
  regionAt,
  regionCount,
  setDeviceCount,
  vendorId,
} from './device.hot.js';
import { clearEvents } from './events.hot.js';
import {
  agree,
  busyHandlers,
  configHandlers,
  configWrittenHandlers,
  featuresHandlers,
  nothingFollows,
  nothingToDo,
  rejectConfig,
  resetHandlers,
  serveHandlers,
  startHandlers,
  wakeHandlers,
} from './handlers.hot.js';
import { listDevice, unlistDevice } from './presence.hot.js';
import { regionAddress, regionFirst, regionId, regionLast, regionWindow, setRegionCount } from './shared-memory.hot.js';
import { clearWaits } from './wait.hot.js';
import { rowOf } from './type-rows.js';
import { forgetUnknownBlocks } from './unknown-blocks.hot.js';

const types: DeviceType[] = [];
let queuesUsed = 0;
let featureWordsUsed = 0;
let configBytesUsed = 0;
let dependenciesUsed = 0;
let regionsUsed = 0;

/** Forgets all devices: the tables are free for a new start. */
export function clearDevices(): void {
  clearEvents();
  clearKicks();
  types.splice(0, types.length);
  serveHandlers.splice(0, serveHandlers.length);
  resetHandlers.splice(0, resetHandlers.length);
  configHandlers.splice(0, configHandlers.length);
  configWrittenHandlers.splice(0, configWrittenHandlers.length);
  featuresHandlers.splice(0, featuresHandlers.length);
  startHandlers.splice(0, startHandlers.length);
  wakeHandlers.splice(0, wakeHandlers.length);
  busyHandlers.splice(0, busyHandlers.length);
  clearWaits();
  clearBusEvents();
  queuesUsed = 0;
  featureWordsUsed = 0;
  configBytesUsed = 0;
  dependenciesUsed = 0;
  regionsUsed = 0;
  setRegionCount(0);
  for (let entry = 0; entry < directDevice.length; entry++) {
    directDevice[entry] = 0;
  }
  setDeviceCount(0);
}

/** Enters a type's functions into the tables of handlers. */
function enterType(type: DeviceType): void {
  serveHandlers.push(type.serve);
  resetHandlers.push(type.reset === undefined ? nothingToDo : type.reset);
  configHandlers.push(type.writeConfig === undefined ? rejectConfig : type.writeConfig);
  configWrittenHandlers.push(type.configWritten === undefined ? nothingFollows : type.configWritten);
  featuresHandlers.push(type.checkFeatures === undefined ? agree : type.checkFeatures);
  startHandlers.push(type.start === undefined ? agree : type.start);
  wakeHandlers.push(type.wake === undefined ? nothingToDo : type.wake);
  busyHandlers.push(type.busy === undefined ? anyKept : type.busy);
}

function refuse(model: DeviceModel, reason: string): never {
  throw new Error(model.type.name + ' device ' + model.number + ': ' + reason);
}

const noUuid = '00000000000000000000000000000000';

function isPowerOfTwo(size: number): boolean {
  return size >= 1 && size <= 32768 && size % 1 === 0 && (size & (size - 1)) === 0;
}

/** Feature bits a device type may name: 0 .. 23 and 50 upwards; those between belong to the rings and the transport. */
function isDeviceFeature(bit: number, blocks: number): boolean {
  return bit % 1 === 0 && bit >= 0 && bit < blocks * 32 && (bit < 24 || bit >= 50);
}

/** What a bus adds to every device it carries. */
export interface BusIdentity {
  readonly vendor: number;
  /** Ring and transport feature bits offered besides VERSION_1. */
  readonly ringFeatures: readonly number[];
  /** Of all offered bits, those the driver must accept. */
  readonly requiredFeatures: readonly number[];
  /** Most feature blocks of a device; known drivers take 2, or 4. */
  readonly mostFeatureBlocks: number;
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
  Feature.Suspend,
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

/** Enters which accepted feature bits need others; what is offered must keep the same rule. */
function addDependencies(device: number, model: DeviceModel, offered: readonly number[], required: readonly number[]): void {
  // VERSION_1 is always accepted, so what it needs is required of every driver.
  const ofBus = required.map((bit): [number, number] => [Feature.Version1, bit]);
  const requires = (model.type.requires === undefined ? [] : model.type.requires).concat(ofBus);
  dependencyAt[device] = dependenciesUsed;
  dependencyCount[device] = 0;
  requires.forEach((pair) => {
    if (offered.indexOf(pair[0]) < 0) {
      return;
    }
    if (offered.indexOf(pair[1]) < 0) {
      refuse(model, 'feature bit ' + pair[0] + ' needs bit ' + pair[1] + ', which is not offered');
    }
    if (dependenciesUsed === Capacity.Dependencies) {
      refuse(model, 'the image holds ' + Capacity.Dependencies + ' dependencies between features');
    }
    dependencyBit[dependenciesUsed] = pair[0];
    dependencyNeeds[dependenciesUsed] = pair[1];
    dependenciesUsed++;
    dependencyCount[device]++;
  });
}

/** Enters the shared memory regions GET_SHM tells of. */
function addRegions(device: number, model: DeviceModel): void {
  const regions = model.regions === undefined ? [] : model.regions;
  regionAt[device] = regionsUsed;
  regionCount[device] = regions.length;
  regions.forEach((region, number) => {
    const last = region.offset + region.bytes - 1;
    if (!(region.id >= 0 && region.id <= 255 && region.id % 1 === 0) || regions.some((other, at) => at < number && other.id === region.id)) {
      refuse(model, 'a shared memory id lies between 0 and 255 and is used once');
    }
    if (!(region.bytes >= 1 && region.offset >= 0 && region.offset % 1 === 0 && region.bytes % 1 === 0 && last <= windowLast[region.window])) {
      refuse(model, 'shared memory region ' + region.id + ' does not lie in a window the driver reaches');
    }
    if (regionsUsed === Capacity.Regions) {
      refuse(model, 'the image holds ' + Capacity.Regions + ' shared memory regions');
    }
    regionId[regionsUsed] = region.id;
    regionWindow[regionsUsed] = region.window;
    regionFirst[regionsUsed] = region.offset;
    regionLast[regionsUsed] = last;
    // A window does not cross a multiple of 4 GiB, so the upper halves are the window's.
    const low = windowBase[region.window * 4] + windowBase[region.window * 4 + 1] * 65536 + region.offset;
    regionAddress[regionsUsed * 4] = low % 65536;
    regionAddress[regionsUsed * 4 + 1] = Math.floor(low / 65536);
    regionAddress[regionsUsed * 4 + 2] = windowBase[region.window * 4 + 2];
    regionAddress[regionsUsed * 4 + 3] = windowBase[region.window * 4 + 3];
    regionsUsed++;
  });
  setRegionCount(regionsUsed);
}

/** Puts `model` on `bus`; throws an Error with one sentence when it breaks a rule or the image is full. Returns the device's row. */
export function addDevice(bus: number, model: DeviceModel, identity: BusIdentity): number {
  const device = deviceCount;
  if (!(model.type.deviceId >= 1 && model.type.deviceId <= 65535 && model.type.deviceId % 1 === 0)) {
    refuse(model, 'a device id lies between 1 and 65535');
  }
  if (!model.features.every((bit) => isDeviceFeature(bit, identity.mostFeatureBlocks))) {
    refuse(model, 'a device feature bit lies in 0 to 23 or 50 to ' + (identity.mostFeatureBlocks * 32 - 1));
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

  const offered = model.features.concat(ringFeaturesOf(model, identity.ringFeatures), [Feature.Version1]);
  const queueFeatures = model.queueFeatures === undefined ? [] : model.queueFeatures;
  if (!queueFeatures.every((bit) => bit === -1 || model.features.indexOf(bit) >= 0)) {
    refuse(model, 'a queue needs a feature bit that is not offered');
  }
  if (model.uuid !== undefined && !(model.uuid.length === 32 && /^[0-9a-fA-F]+$/.test(model.uuid))) {
    refuse(model, 'a uuid has 32 hexadecimal digits');
  }
  addDependencies(device, model, offered, identity.requiredFeatures);
  addRegions(device, model);

  deviceStatus[device] = 0;
  forgetUnknownBlocks(device);
  configGeneration[device * 2] = 0;
  configGeneration[device * 2 + 1] = 0;
  // A driver that has read nothing yet counts on 0, so the first change must step.
  configShown[device] = 1;
  deviceBus[device] = bus;
  deviceNumber[device] = model.number;
  deviceType[device] = rowOf(types, model.type, enterType);
  deviceId[device] = model.type.deviceId;
  vendorId[device * 2] = identity.vendor % 65536;
  vendorId[device * 2 + 1] = Math.floor(identity.vendor / 65536);
  deviceLeaves[device] = 0;
  if (model.absent === true) {
    unlistDevice(device, Presence.Absent);
  } else {
    listDevice(device);
  }

  const uuid = model.uuid === undefined ? noUuid : model.uuid;
  for (let word = 0; word < 8; word++) {
    const digits = uuid.substring(word * 4, word * 4 + 4);
    deviceUuid[device * 8 + word] = parseInt(digits.substring(2, 4) + digits.substring(0, 2), 16);
  }

  firstQueue[device] = queuesUsed;
  queueCount[device] = model.queueSizes.length;
  model.queueSizes.forEach((size, index) => {
    queueDevice[queuesUsed] = device;
    queueIndex[queuesUsed] = index;
    queueMaximum[queuesUsed] = size;
    queueFeature[queuesUsed] = index < queueFeatures.length && queueFeatures[index] !== -1 ? queueFeatures[index] : QueueFeature.None;
    queueState[queuesUsed] = QueueState.Disabled;
    queuesUsed++;
  });

  featureAt[device] = featureWordsUsed;
  featureBlocks[device] = blocks;
  for (let word = 0; word < blocks * 2; word++) {
    offeredFeatures[featureWordsUsed + word] = 0;
    driverFeatures[featureWordsUsed + word] = 0;
  }
  offered.forEach((bit) => {
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
