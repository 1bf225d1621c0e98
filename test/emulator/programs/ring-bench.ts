// Ring benchmark on the application core: what kicks, passes and requests of several shapes cost the device core.
//
// Each phase lies between DRIVER_OK and reset, at which the device core logs its busy time. `kick-only` sends EVENT_AVAIL
// for a queue that does not exist: the price of the message. The ring's own cost is a phase's cost less that price.
import { figure, machine, main, step } from './application-core.js';
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
const ROUNDS = 40;

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

main((bus) => {
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
  phase(bus, 'kick-only', [], ROUNDS, (device) => {
    for (let round = 0; round < ROUNDS; round++) {
      device.kick(9);
      pause();
    }
  });
  formats.forEach((format) => {
    phase(bus, format.name + '-idle-pass', format.features, ROUNDS, (device) => {
      for (let round = 0; round < ROUNDS; round++) {
        device.kick(0);
        pause();
      }
    });
    shapes.forEach((shape) => {
      [1, 32].forEach((batch) => {
        phase(bus, format.name + '-' + shape.name + '-' + batch, format.features, ROUNDS, (device, queue) => {
          for (let round = 0; round < ROUNDS; round++) {
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
  bus.shutdown();
});
