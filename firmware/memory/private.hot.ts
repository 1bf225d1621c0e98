// The window only this core reaches: headers read from chains, kept chains, packets, RAM disks.
import { copy, windowWords } from '#port';

/** Its number; -1 on a board without one. */
export let privateWindow = -1;

export function setPrivateWindow(window: number): void {
  privateWindow = window;
}

/** Byte `offset` of the private window. */
export function privateByte(offset: number): number {
  const word = windowWords[privateWindow][offset >> 1];
  return (offset & 1) === 0 ? word & 255 : word >> 8;
}

/** Sets byte `offset` of the private window to `value` (0..255). */
export function setPrivateByte(offset: number, value: number): void {
  const memory = windowWords[privateWindow];
  const at = offset >> 1;
  const word = memory[at];
  memory[at] = (offset & 1) === 0 ? (word & 0xff00) | value : (word & 255) | (value << 8);
}

/** Copies `bytes` bytes inside the private window; the two ranges do not overlap. */
export function copyPrivate(to: number, from: number, bytes: number): void {
  copy(privateWindow, to, privateWindow, from, bytes);
}
