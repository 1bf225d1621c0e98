// The tables of all devices: one row a device, written at start-up and by the driver's requests.
import { Capacity } from '../capacity.js';
import { Status } from '../wire/status.js';

export const enum Presence {
  /** Never plugged in, or removed long ago. */
  Absent = 0,
  Present = 1,
  /** Its reset takes time, and the answer to it is due before any other. */
  Busy = 2,
  /** Removed: its number rests. */
  Gone = 3,
}

/** Bus the device is on. */
export const deviceBus = new Uint8Array(Capacity.Devices);
/** Device number on that bus. */
export const deviceNumber = new Uint16Array(Capacity.Devices);
/** Row of its type in the handler tables. */
export const deviceType = new Uint8Array(Capacity.Devices);
/** Virtio device id, below 65536. */
export const deviceId = new Uint16Array(Capacity.Devices);
/** Vendor id, two halves, lower first. */
export const vendorId = new Uint16Array(Capacity.Devices * 2);
/** Identifier of the device, 8 words in the order of its bytes; all zero = none. */
export const deviceUuid = new Uint16Array(Capacity.Devices * 8);
/** Whether messages find it (`Presence`). */
export const devicePresence = new Uint8Array(Capacity.Devices);
/** 1 = it is being removed, and its reset has to end first. */
export const deviceLeaves = new Uint8Array(Capacity.Devices);
/** Status field (wire/status.ts). */
export const deviceStatus = new Uint8Array(Capacity.Devices);

/** First row in the queue tables; queue index n is row firstQueue + n. */
export const firstQueue = new Uint8Array(Capacity.Devices);
export const queueCount = new Uint8Array(Capacity.Devices);

/** First word in the feature tables. */
export const featureAt = new Uint16Array(Capacity.Devices);
/** Feature blocks of 32 bits the device has. */
export const featureBlocks = new Uint8Array(Capacity.Devices);
export const offeredFeatures = new Uint16Array(Capacity.FeatureWords);
export const driverFeatures = new Uint16Array(Capacity.FeatureWords);

/** Feature bits that need another one: the device's entries in the two tables. */
export const dependencyAt = new Uint8Array(Capacity.Devices);
export const dependencyCount = new Uint8Array(Capacity.Devices);
export const dependencyBit = new Uint8Array(Capacity.Dependencies);
export const dependencyNeeds = new Uint8Array(Capacity.Dependencies);

/** First entry and number of entries in the tables of shared memory regions (transport/shared-memory.hot.ts). */
export const regionAt = new Uint8Array(Capacity.Devices);
export const regionCount = new Uint8Array(Capacity.Devices);

/** First byte in `configSpace`. */
export const configAt = new Uint16Array(Capacity.Devices);
export const configSize = new Uint16Array(Capacity.Devices);
export const configSpace = new Uint8Array(Capacity.ConfigBytes);
/** Configuration generation count, two halves, lower first (R-209: starts at 0). */
export const configGeneration = new Uint16Array(Capacity.Devices * 2);
/** 1 = a message has shown the count, so the next change must step it. */
export const configShown = new Uint8Array(Capacity.Devices);

export let deviceCount = 0;

export function setDeviceCount(count: number): void {
  deviceCount = count;
}

/** True when the driver accepted feature bit `bit` (0 .. 32 * blocks - 1). */
export function hasFeature(device: number, bit: number): boolean {
  return ((driverFeatures[featureAt[device] + (bit >> 4)] >> (bit & 15)) & 1) === 1;
}

/** True while the device may touch its rings: DRIVER_OK and not FAILED. */
export function isRunning(device: number): boolean {
  return (deviceStatus[device] & (Status.DriverOk | Status.Failed)) === Status.DriverOk;
}
