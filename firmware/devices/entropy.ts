// Describes an entropy device to the stack, and the sources that stand behind one.
import { windowWords } from '#port';
import { allocate } from '../memory/private.js';
import { privateWindow } from '../memory/private.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import type { EntropySource } from './entropy.hot.js';
import { Entropy, entropyAt, entropySource, entropySources, giveSeeded, seedAt, serveEntropy } from './entropy.hot.js';
import { rowOf } from '../transport/type-rows.js';

const entropyType: DeviceType = { name: 'entropy', deviceId: 4, serve: serveEntropy, inOrder: true };

/** The function of a kind of source, shared by all its instances; a hot function, see entropy.hot.ts for what it must do. */
export interface EntropyBackendType {
  readonly give: EntropySource;
}

export interface EntropyBackend {
  readonly type: EntropyBackendType;
  /** Takes what the source needs; called once, with the device's row. */
  readonly attach: (device: number) => void;
}

export interface EntropyOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** Where the bytes come from; the port's `random` by default. */
  readonly backend?: EntropyBackend;
  /** Largest queue size, a power of two, 1..32768; 64 by default. */
  readonly queueSize?: number;
}

const backendTypes: EntropyBackendType[] = [];

/** Enters a type's functions into the tables. */
function enterBackend(type: EntropyBackendType): void {
  entropySources.push(type.give);
}

/** An entropy device (virtio device id 4). The type has no features and no configuration space. */
export function entropy(options: EntropyOptions): DeviceModel {
  const { backend } = options;
  return {
    type: entropyType,
    number: options.number,
    queueSizes: [options.queueSize === undefined ? 64 : options.queueSize],
    features: [],
    config: [],
    attach(device: number): void {
      entropySource[device] = Entropy.Port;
      if (backend !== undefined) {
        entropySource[device] = 1 + rowOf(backendTypes, backend.type, enterBackend);
        entropyAt[device] = allocate(Entropy.SourceBytes);
        backend.attach(device);
      }
    },
  };
}

const seededType: EntropyBackendType = { give: giveSeeded };

/**
 * NOT FOR CRYPTOGRAPHY: the same bytes after every start, for tests and emulated machines. xorshift32 from `seed` (1 .. 2^32 -
 * 1), the highest byte of each state; a reset of the device does not begin anew. Throws an Error with one sentence for another seed.
 */
export function seededNotForCryptography(options: { readonly seed: number }): EntropyBackend {
  const { seed } = options;
  if (!(seed >= 1 && seed <= 4294967295 && seed % 1 === 0)) {
    throw new Error('the seed of an entropy source is a whole number from 1 to 2^32 - 1');
  }
  return {
    type: seededType,
    attach(device: number): void {
      seedAt[device] = allocate(4);
      const words = windowWords[privateWindow];
      words[seedAt[device] / 2] = seed % 65536;
      words[seedAt[device] / 2 + 1] = Math.floor(seed / 65536);
    },
  };
}
