// An SPI backend without hardware: a wire from MOSI to MISO. What is sent comes back; who only receives gets zeros.
import { fill } from '#port';
import { privateWindow } from '../memory/private.hot.js';
import { Transfer, transferAt } from '../serving/transfer.hot.js';

/** As `SpiBackend.start`. In full duplex the bytes sent lie where the received ones are looked for. */
export function startLoop(device: number, txBytes: number, rxBytes: number): number {
  if (txBytes === 0) {
    fill(privateWindow, transferAt[device], rxBytes, 0);
  }
  return Transfer.Done;
}

/** The wire is never busy. */
export function endLoop(_device: number): number {
  return Transfer.Done;
}
