// Describes an SPI controller to the stack: what it can do, and a backend for its lines.
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { keepRoom } from '../serving/set-up.js';
import { clearTransfer, transferAt, transferRoom } from '../serving/transfer.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { endLoop, startLoop } from './spi-loop.hot.js';
import { endSpi, resetSpi, serveSpi, startSpi, wakeSpi } from './spi.hot.js';

/** What drives the lines. Functions of the hot subset, shared by all devices with this backend. */
export interface SpiBackend {
  /** Called once per device at start-up. */
  readonly attach?: (device: number) => void;
  /**
   * Starts a transfer: `txBytes` bytes lie at byte `transferAt[device]` of the private window, the `rxBytes` received ones go
   * there too. Its parameters stand in the head (`SpiHead`, spi.hot.ts). Returns Transfer.Done, Failed or Later.
   */
  readonly start: (device: number, txBytes: number, rxBytes: number) => number;
  /** After Later: what became of the transfer, Later again if it still goes on. Must end by itself. */
  readonly end: (device: number) => number;
}

/** What the controller can do (virtio 1.4, SPI Controller Device, configuration layout). All may be left out. */
export interface SpiAbilities {
  /** Chip selects, 1..255; 1 by default. */
  readonly chipSelects?: number;
  /** Whether the chip select can change between transfers. */
  readonly csChange?: boolean;
  /** Data lines to transmit and to receive besides one: bit 0 two, bit 1 four, bit 2 eight. */
  readonly txLines?: number;
  readonly rxLines?: number;
  /** Bit n: words of n + 1 bits; 0 (the default) = any size up to 32. */
  readonly bitsPerWord?: number;
  /** Mode functions; 0x0f by default: both phases, both polarities. Bit 4 chip select high, bit 5 least significant bit first, bit 6 loop. */
  readonly modes?: number;
  /** Highest clock in hertz, 0 (the default) = no limit. */
  readonly maxHertz?: number;
  /** Longest delays in nanoseconds: between words, set-up, hold and inactive time of the chip select; 0 (the default) = not supported. */
  readonly maxDelays?: readonly [number, number, number, number];
}

export interface SpiOptions extends SpiAbilities {
  /** Device number on the bus. */
  readonly number: number;
  /** Most bytes of one transfer, 1..65536; 256 by default. Longer ones are parameter errors. */
  readonly maximumBytes?: number;
  /** `loopWire` by default. */
  readonly backend?: SpiBackend;
}

/** A wire from MOSI to MISO: for trying out drivers. */
export const loopWire: SpiBackend = { start: startLoop, end: endLoop };

const spiType: DeviceType = { name: 'spi', deviceId: 45, serve: serveSpi, reset: resetSpi, wake: wakeSpi, inOrder: true };

function le32(value: number): number[] {
  return [value % 256, Math.floor(value / 256) % 256, Math.floor(value / 65536) % 256, Math.floor(value / 16777216)];
}

function orElse(value: number | undefined, other: number): number {
  return value === undefined ? other : value;
}

/**
 * An SPI controller (virtio device id 45). The type has no features: what a controller can do stands in its configuration
 * space. Throws an Error with one sentence for abilities it cannot have.
 */
export function spi(options: SpiOptions): DeviceModel {
  const backend = options.backend === undefined ? loopWire : options.backend;
  const maximum = orElse(options.maximumBytes, 256);
  const chips = orElse(options.chipSelects, 1);
  const modes = orElse(options.modes, 0x0f);
  const delays = options.maxDelays === undefined ? [0, 0, 0, 0] : options.maxDelays;
  const words = [orElse(options.bitsPerWord, 0), modes, orElse(options.maxHertz, 0)].concat(delays);
  const refuse = (reason: string): never => {
    throw new Error('spi device ' + options.number + ': ' + reason);
  };
  if (!(maximum >= 1 && maximum <= 65536 && maximum % 1 === 0)) {
    refuse('a transfer has 1 to 65536 bytes at most');
  }
  if (!(chips >= 1 && chips <= 255 && chips % 1 === 0)) {
    refuse('it has 1 to 255 chip selects');
  }
  if (modes > 127 || (modes & 3) === 0 || (modes & 12) === 0) {
    refuse('its modes have at least one phase and one polarity');
  }
  if (!words.every((word) => word >= 0 && word <= 4294967295 && word % 1 === 0)) {
    refuse('limits are numbers of 32 bits');
  }
  const config = [chips, options.csChange === true ? 1 : 0, orElse(options.txLines, 0), orElse(options.rxLines, 0)];
  return {
    type: spiType,
    number: options.number,
    queueSizes: [64],
    features: [],
    config: words.reduce((bytes, word) => bytes.concat(le32(word)), config),
    attach: (device) => {
      transferAt[device] = allocate(maximum);
      transferRoom[device] = maximum;
      clearTransfer(device);
      keepRoom(device, 1, Capacity.ChainElements);
      startSpi[device] = backend.start;
      endSpi[device] = backend.end;
      if (backend.attach !== undefined) {
        backend.attach(device);
      }
    },
  };
}
