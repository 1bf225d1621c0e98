// What a device type tells the stack about itself when it is put on a bus: the interface for one's own devices.
import type {
  BusyHandler,
  ConfigHandler,
  ConfigWrittenHandler,
  FeaturesHandler,
  ResetHandler,
  ServeHandler,
  StartHandler,
  WakeHandler,
} from '../transport/handlers.hot.js';

/** The functions of a device type, shared by all its instances. Written in the hot subset; see docs/devices.md. */
export interface DeviceType {
  /** Name for messages. */
  readonly name: string;
  /** Virtio device id, 1 .. 65535. */
  readonly deviceId: number;
  readonly serve: ServeHandler;
  readonly reset?: ResetHandler;
  /** Judges a write of the configuration space by the driver; without it every write is rejected. */
  readonly writeConfig?: ConfigHandler;
  /** Sets the fields that follow from an accepted write. */
  readonly configWritten?: ConfigWrittenHandler;
  /** Judges the driver's features at FEATURES_OK, after `requires`. */
  readonly checkFeatures?: FeaturesHandler;
  /** Starts the device at DRIVER_OK; may fail. */
  readonly start?: StartHandler;
  /** Called at the time the device asked for with `wakeAfter`, and when a peripheral's interrupt fired. */
  readonly wake?: WakeHandler;
  /** Says whether chains are in flight behind the device; without it, whether chains are kept (firmware/serving/keep.hot.ts). */
  readonly busy?: BusyHandler;
  /** Feature bits that need another one: `[bit, needed bit]`. A model that offers the first must offer the second. */
  readonly requires?: readonly (readonly [number, number])[];
  /** True when `serve` finishes every chain before it takes the next one: the condition for IN_ORDER. */
  readonly inOrder?: boolean;
}

/** Memory of the device that the driver may use directly (virtio 1.4, Shared Memory Regions). */
export interface SharedMemoryRegion {
  /** Shared memory id, 0..255, unique within the device. */
  readonly id: number;
  /** Window that holds it, which the driver must be able to reach. */
  readonly window: number;
  /** Byte offset in the window and size in bytes. No message slot may lie inside; rings that lie inside are refused. */
  readonly offset: number;
  readonly bytes: number;
}

/** One device: a type with a number, queues, features and configuration. Read once at start-up. */
export interface DeviceModel {
  readonly type: DeviceType;
  /** Device number on its bus, 0..65535; Linux looks for 0..31. */
  readonly number: number;
  /** True when the device is not there at start-up: it comes by `plug` (firmware/device.hot.ts). */
  readonly absent?: boolean;
  /** Identifier as 32 hexadecimal digits (profiles B and C show it, R-088); none by default. */
  readonly uuid?: string;
  /** Largest size of each queue, powers of two up to 32768. */
  readonly queueSizes: readonly number[];
  /**
   * Feature bit each queue needs, -1 = none: a queue whose feature the driver did not accept does not exist. Queues
   * beyond the end of the list need none.
   */
  readonly queueFeatures?: readonly number[];
  /** Feature bits offered besides VERSION_1. */
  readonly features: readonly number[];
  /** Initial configuration space. */
  readonly config: readonly number[];
  /** What GET_SHM reports; none by default. */
  readonly regions?: readonly SharedMemoryRegion[];
  /**
   * Called once the device has its rows: remember what `serve` needs, by row. The only place where a device takes memory
   * (`allocate`, `keepRoom`).
   */
  readonly attach?: (device: number, firstQueue: number) => void;
}
