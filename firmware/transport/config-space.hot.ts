// The bytes of a device's configuration space, for the device itself and for messages.
import { windowWords } from '#port';
import { configAt, configSpace } from './device.hot.js';

/** Byte `offset` (0 .. size - 1) of the space. */
export function configByte(device: number, offset: number): number {
  return configSpace[configAt[device] + offset];
}

/** Sets byte `offset`. Say `configChanged` afterwards (config-change.hot.ts), unless the driver's own write led to it. */
export function setConfigByte(device: number, offset: number, value: number): void {
  configSpace[configAt[device] + offset] = value;
}

/** Sets the 16-bit little-endian field at byte `offset`, like `setConfigByte`. */
export function setConfigWord(device: number, offset: number, value: number): void {
  const at = configAt[device] + offset;
  configSpace[at] = value & 255;
  configSpace[at + 1] = (value >> 8) & 255;
}

/** Writes `length` bytes from byte `offset` of the space on to word `at` of `window`; an odd last byte leaves the byte behind it 0. */
export function copyConfig(device: number, offset: number, length: number, window: number, at: number): void {
  const memory = windowWords[window];
  const from = configAt[device] + offset;
  for (let byte = 0; byte < length; byte += 2) {
    const high = byte + 1 < length ? configSpace[from + byte + 1] : 0;
    memory[at + (byte >> 1)] = configSpace[from + byte] | (high << 8);
  }
}
