// What a program on the application core needs from its machine: the exports of every target's driver-port module.
import type { LayoutPlace, WindowDescription } from '../hal/port.js';

/** The driver side's counterpart of `Port`; ranges and units as there. */
export interface DriverPort {
  /** The target's name. */
  readonly name: string;
  readonly windows: readonly WindowDescription[];
  readonly windowWords: readonly Uint16Array[];
  readonly layouts: readonly LayoutPlace[];
  copy(toWindow: number, toOffset: number, fromWindow: number, fromOffset: number, length: number): void;
  fill(window: number, offset: number, length: number, value: number): void;
  barrier(): void;
  clock(): number;
  log(code: number, value: number): void;
  /** Writes a line of text. */
  print(text: string): void;
  /** Ends the program, the device's core included, with an exit status. */
  exit(status: number): void;
  /** Starts the device's core. Before that it has executed nothing. */
  release(): void;
  /** Rings the device side's doorbell. */
  ring(): void;
  /** Waits for the driver side's doorbell and acknowledges it; returns Wake bits. */
  wait(limit: number): number;
}
