// The phases of the ring benchmarks on the application core: what kicks, passes and requests cost the device core.
//
// Each phase lies between DRIVER_OK and reset, at which the device core logs its busy time. `doorbell` rings without a message:
// the price of waking up for nothing. `kick-only` sends EVENT_AVAIL for a queue that does not exist: the price of the message
// on top. The ring's own cost is a phase's cost less that of its kicks.
import { figure, machine, step } from './application-core.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import type { Element } from '../../support/driver/ring-memory.js';
import { placeOf } from '../../support/driver/ring-memory.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = 0x10000;
const TABLES_AT = 0x30000;
const DATA_AT = 0x40000;
const SIZE = 256;
/** Requests a doorbell in the long phase. */
const LONG_BATCH = 32;

const INDIRECT_DESC = 28;
const RING_PACKED = 34;

/** Request shapes: lengths and directions of the elements. */
const shapes: { name: string; elements: Element[] }[] = [
  { name: 'r64', elements: [{ offset: DATA_AT, bytes: 64, writable: false }] },
  {
    name: 'blk',
    elements: [
      { offset: DATA_AT, bytes: 16, writable: false },
      { offset: DATA_AT + 0x100, bytes: 512, writable: false },
      { offset: DATA_AT + 0x400, bytes: 1, writable: true },
    ],
  },
  {
    name: 'net',
    elements: [
      { offset: DATA_AT, bytes: 12, writable: false },
      { offset: DATA_AT + 0x100, bytes: 1500, writable: false },
    ],
  },
];

/** Lets the device core run until `queue` has given everything back. */
function settle(queue: SplitQueue | PackedQueue, count: number): void {
  let left = count;
  let waits = 0;
  while (left > 0) {
    while (queue.take() !== undefined) {
      left--;
    }
    if (left > 0) {
      waits++;
      if (waits > 1000) {
        throw new Error('the device does not give requests back');
      }
      machine.wait(1000);
    }
  }
}

function phase(bus: AmpBus, name: string, features: number[], count: number, work: (device: DriverDevice, queue: SplitQueue | PackedQueue) => void): void {
  const device = new DriverDevice(bus, 1);
  step('phase ' + name);
  const has = (bit: number): boolean => features.indexOf(bit) >= 0;
  device.negotiate(has(INDIRECT_DESC) ? 1 << INDIRECT_DESC : 0, has(RING_PACKED) ? 4 : 0);
  const queue = has(RING_PACKED) ? new PackedQueue(machine, QUEUE_AT, SIZE) : new SplitQueue(machine, QUEUE_AT, SIZE);
  device.setQueue(0, SIZE, queue.areas());
  // No used notification: the cost of its message belongs to the transport.
  queue.suppress(1);
  device.start();
  figure('phase-' + name, count);
  work(device, queue);
  device.setStatus(0);
}

/** Lets the device core finish what a kick asked for when nothing comes back. */
function pause(): void {
  machine.wait(200);
}

/**
 * A ring that is always full: the driver moves its index and nothing else, so that many requests take little time. Waits for
 * the used index after each batch.
 */
function moveIndex(device: DriverDevice, queue: SplitQueue, rounds: number): void {
  while (queue.room() > 0) {
    queue.add(shapes[0].elements);
  }
  const { words } = machine;
  let index = 0;
  for (let round = 0; round < rounds; round++) {
    index = (index + LONG_BATCH) % 65536;
    words[queue.available / 2 + 1] = index;
    device.kick(0);
    for (let waits = 0; words[queue.used / 2 + 1] !== index; waits++) {
      if (waits > 1000) {
        throw new Error('the device does not give requests back');
      }
      machine.wait(1000);
    }
  }
}

/** What is to be run. */
export interface RingPhases {
  /** Doorbells of each phase. */
  readonly rounds: number;
  /** Requests a doorbell. */
  readonly batches: readonly number[];
  /** Doorbells of the phase that shows that nothing is ever allocated, 0 = none. */
  readonly longRounds: number;
}

export function runRings(bus: AmpBus, { rounds, batches, longRounds }: RingPhases): void {
  bus.connect();
  const formats = [
    { name: 'split', features: [] as number[] },
    { name: 'indirect', features: [INDIRECT_DESC] },
    { name: 'packed', features: [RING_PACKED] },
  ];
  phase(bus, 'warm-up', [], 0, (device) => {
    device.kick(0);
    pause();
  });
  phase(bus, 'empty', [], 0, () => undefined);
  phase(bus, 'doorbell', [], rounds, () => {
    for (let round = 0; round < rounds; round++) {
      machine.ring();
      pause();
    }
  });
  phase(bus, 'kick-only', [], rounds, (device) => {
    for (let round = 0; round < rounds; round++) {
      device.kick(9);
      pause();
    }
  });
  formats.forEach((format) => {
    phase(bus, format.name + '-idle-pass', format.features, rounds, (device) => {
      for (let round = 0; round < rounds; round++) {
        device.kick(0);
        pause();
      }
    });
    shapes.forEach((shape) => {
      batches.forEach((batch) => {
        phase(bus, format.name + '-' + shape.name + '-' + batch, format.features, rounds, (device, queue) => {
          for (let round = 0; round < rounds; round++) {
            for (let part = 0; part < batch; part++) {
              if (format.name === 'indirect') {
                queue.add(shape.elements, placeOf(machine, TABLES_AT + part * 64));
              } else {
                queue.add(shape.elements);
              }
            }
            queue.publish();
            device.kick(0);
            settle(queue, batch);
          }
        });
      });
    });
  });
  if (longRounds > 0) {
    phase(bus, 'long-' + LONG_BATCH, [], longRounds, (device, queue) => {
      if (queue instanceof SplitQueue) {
        moveIndex(device, queue, longRounds);
      }
    });
  }
  bus.shutdown();
}
