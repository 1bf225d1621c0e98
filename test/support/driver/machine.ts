// What the driver's half needs from the machine it runs on: an application core, or a host test that runs the device in place.

export interface DriverMachine {
  /** The memory both sides share, as 16-bit words. */
  readonly words: Uint16Array;
  /** 64-bit address of its first byte as the driver gives it to the device: lower and upper 32 bits. */
  readonly addressLow: number;
  readonly addressHigh: number;
  /** Byte offset of the layout header inside `words`. */
  readonly layout: number;
  /** Rings the device side's doorbell. */
  ring(): void;
  /** Lets the device side run until it rings, or about `microseconds` have passed. */
  wait(microseconds: number): void;
  barrier(): void;
  /** Microseconds since an arbitrary moment, modulo 2^27. */
  clock(): number;
}

/** Sees every message: 'send' is driver to device. */
export type MessageListener = (direction: 'send' | 'receive', bytes: readonly number[], clock: number) => void;
