// Looks at memory at the very moment of a barrier or a doorbell: the fake port's counters become hooks.
import { fake } from '../../hal/fake/port.js';

/** Calls `look` at every barrier until the returned function is called. */
export function atBarriers(look: () => void): () => void {
  let count = fake.barriers;
  Object.defineProperty(fake, 'barriers', {
    configurable: true,
    enumerable: true,
    get: () => count,
    set: (value: number) => {
      count = value;
      look();
    },
  });
  return () => {
    Object.defineProperty(fake, 'barriers', { configurable: true, enumerable: true, writable: true, value: count });
  };
}

/** Calls `look` with the bus at every doorbell until the returned function is called. */
export function atDoorbells(look: (bus: number) => void): () => void {
  const counts = fake.rings.slice();
  const hooked: number[] = [];
  counts.forEach((_, bus) => {
    Object.defineProperty(hooked, bus, {
      get: () => counts[bus],
      set: (value: number) => {
        counts[bus] = value;
        look(bus);
      },
    });
  });
  fake.rings = hooked;
  return () => {
    fake.rings = counts;
  };
}
