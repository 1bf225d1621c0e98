// What a device type tells the stack about itself when it is put on a bus: the interface for one's own devices.
import type { ConfigHandler, ResetHandler, ServeHandler } from '../transport/handlers.hot.js';

/** The functions of a device type, shared by all its instances. Written in the hot subset; see docs/architecture.md. */
export interface DeviceType {
  /** Name for messages. */
  readonly name: string;
  /** Virtio device id, 1 .. 65535. */
  readonly deviceId: number;
  readonly serve: ServeHandler;
  readonly reset?: ResetHandler;
  readonly writeConfig?: ConfigHandler;
  /** True when `serve` finishes every chain before it takes the next one: the condition for IN_ORDER. */
  readonly inOrder?: boolean;
}

/** One device: a type with a number, queues, features and configuration. Read once at start-up. */
export interface DeviceModel {
  readonly type: DeviceType;
  /** Device number on its bus, 0..65535; Linux looks for 0..31. */
  readonly number: number;
  /** Largest size of each queue, powers of two up to 32768. */
  readonly queueSizes: readonly number[];
  /** Feature bits offered besides VERSION_1. */
  readonly features: readonly number[];
  /** Initial configuration space. */
  readonly config: readonly number[];
  /** Called once the device has its rows: remember what `serve` needs, by row. */
  readonly attach?: (device: number, firstQueue: number) => void;
}
