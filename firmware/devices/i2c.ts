// Describes an I2C adapter to the stack, with a backend for its bus.
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { keepRoom } from '../serving/set-up.js';
import { clearTransfer, transferAt, transferRoom } from '../serving/transfer.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { endChips, powerUpChips, startChips } from './i2c-chips.hot.js';
import { checkI2c, endI2c, resetI2c, serveI2c, startI2c, wakeI2c } from './i2c.hot.js';

/** What drives the bus. Functions of the hot subset, shared by all devices with this backend. */
export interface I2cBackend {
  /** Called once per device at start-up. */
  readonly attach?: (device: number) => void;
  /**
   * Starts one segment of `bytes` (0 .. maximum) bytes at byte `transferAt[device]` of the private window: to be written, or
   * (`read` 1) where to put what is read. `address`: 0..127, or 1024 + a 10-bit one. Returns Transfer.Done,
   * Transfer.Failed (no acknowledge), or Transfer.Later.
   */
  readonly start: (device: number, address: number, read: number, bytes: number) => number;
  /** After Later: what became of the segment, Later again if it still goes on. Must end by itself. */
  readonly end: (device: number) => number;
}

export interface I2cOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** Most bytes of one segment, 1..65536; 256 by default. Longer ones fail. */
  readonly maximumBytes?: number;
  /** `simulatedChips` by default. */
  readonly backend?: I2cBackend;
}

/** A temperature sensor like an LM75 at 0x48 and a memory of 256 bytes at 0x50, both without hardware: for trying out drivers. */
export const simulatedChips: I2cBackend = {
  attach: (device) => powerUpChips(device, allocate(256)),
  start: startChips,
  end: endChips,
};

/** Feature ZERO_LENGTH_REQUEST, which a device must offer. */
const zeroLength = 0;

const i2cType: DeviceType = { name: 'i2c', deviceId: 34, serve: serveI2c, reset: resetI2c, wake: wakeI2c, checkFeatures: checkI2c, inOrder: true };

/**
 * An I2C adapter (virtio device id 34). Offered: ZERO_LENGTH_REQUEST, the type's only feature, without which a driver is refused
 * (I2C-7). Throws an Error with one sentence for a segment size it cannot have.
 */
export function i2c(options: I2cOptions): DeviceModel {
  const backend = options.backend === undefined ? simulatedChips : options.backend;
  const maximum = options.maximumBytes === undefined ? 256 : options.maximumBytes;
  if (!(maximum >= 1 && maximum <= 65536 && maximum % 1 === 0)) {
    throw new Error('i2c device ' + options.number + ': a segment has 1 to 65536 bytes at most');
  }
  return {
    type: i2cType,
    number: options.number,
    queueSizes: [64],
    features: [zeroLength],
    config: [],
    attach: (device) => {
      transferAt[device] = allocate(maximum);
      transferRoom[device] = maximum;
      clearTransfer(device);
      keepRoom(device, 1, Capacity.ChainElements);
      startI2c[device] = backend.start;
      endI2c[device] = backend.end;
      if (backend.attach !== undefined) {
        backend.attach(device);
      }
    },
  };
}
