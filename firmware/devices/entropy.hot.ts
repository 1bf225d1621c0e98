// Entropy device (id 4): fills the driver's buffers with random bytes of the port, or of the source behind the device.
import { seeded } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { writableBytes } from '../virtqueue/chain.hot.js';
import { randomChain, writeChain } from '../virtqueue/cursor.hot.js';
import { finish, take, untake } from '../virtqueue/queue.hot.js';
import { queueDevice } from '../virtqueue/queue-table.hot.js';

export const enum Entropy {
  /** Most bytes for one request; a device may give fewer than asked for (ENT-1). Bounds the work of one request. */
  MostBytes = 4096,
  /** The same where a source makes them; Linux asks for 64. */
  SourceBytes = 64,
  /** In `entropySource`: the port's `random`. */
  Port = 0,
}

/** Per device: `Entropy.Port` or 1 + the row of its source, and where in the private window the source puts its bytes. */
export const entropySource = new Uint8Array(Capacity.Devices);
export const entropyAt = new Int32Array(Capacity.Devices);
/** Per device: byte offset in the private window of the state of its seeded generator. */
export const seedAt = new Int32Array(Capacity.Devices);

/**
 * Puts up to `bytes` (1..64) random bytes at byte `offset` of the private window and says how many; 0 = none now: the device
 * asks again within a millisecond (ENT-4).
 */
export type EntropySource = (device: number, offset: number, bytes: number) => number;

// eslint-disable-next-line no-restricted-syntax -- a table of functions: in C it is an array of function pointers, filled before serving
export const entropySources: EntropySource[] = [];

/** Not for cryptography: who knows the seed, or 32 bits of the stream, knows all of it. */
export function giveSeeded(device: number, offset: number, bytes: number): number {
  seeded(privateWindow, offset, bytes, privateWindow, seedAt[device]);
  return bytes;
}

/** Fills the writable part from the device's source; returns the bytes placed. */
function sourceChain(device: number): number {
  const wanted = writableBytes < Entropy.SourceBytes ? writableBytes : Entropy.SourceBytes;
  if (wanted === 0) {
    return 0;
  }
  const given = entropySources[entropySource[device] - 1](device, entropyAt[device], wanted);
  return writeChain(0, privateWindow, entropyAt[device], given);
}

/** Serves the request queue. A readable part is ignored, a request without writable bytes is given back with 0 (ENT-3). */
export function serveEntropy(queue: number): void {
  const device = queueDevice[queue];
  let handle = 0;
  while (handle >= 0) {
    handle = take(queue);
    if (handle >= 0) {
      const written = entropySource[device] === Entropy.Port ? randomChain(Entropy.MostBytes) : sourceChain(device);
      if (written === 0 && writableBytes !== 0) {
        // Nothing to be had now: the buffer stays the driver's next one until there is (ENT-4).
        untake(queue);
        return;
      }
      finish(queue, handle, written);
    }
  }
}
