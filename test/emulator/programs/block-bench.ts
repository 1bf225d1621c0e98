// The block benchmark on the application core: writes and reads of 4 KiB, one or 32 per doorbell; phases as in bench.ts.
import { figure, machine, main, step } from './application-core.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = 0x10000;
const HEADERS_AT = 0x20000;
const STATUS_AT = 0x28000;
const DATA_AT = 0x40000;
const BYTES = 4096;
const ROUNDS = 20;
const DEPTH = 32;

const OUT = 1;
/** Bit 9: with FLUSH a write is finished when the disk has it. */
const FLUSH = 1 << 9;

/** Writes the header of request `part`: its type, and sector 0 or 8 in turn. */
function prepare(part: number, type: number): void {
  const at = (HEADERS_AT + part * 16) / 2;
  for (let word = 0; word < 8; word++) {
    machine.words[at + word] = 0;
  }
  machine.words[at] = type;
  machine.words[at + 4] = (part & 1) * 8;
}

function rounds(bus: AmpBus, type: number, depth: number): (device: DriverDevice, queue: SplitQueue) => void {
  return (device, queue) => {
    for (let part = 0; part < depth; part++) {
      prepare(part, type);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (let part = 0; part < depth; part++) {
        machine.words[(STATUS_AT + part * 2) / 2] = 255;
        queue.add([
          { offset: HEADERS_AT + part * 16, bytes: 16, writable: false },
          { offset: DATA_AT + part * BYTES, bytes: BYTES, writable: type !== OUT },
          { offset: STATUS_AT + part * 2, bytes: 1, writable: true },
        ]);
      }
      queue.publish();
      device.kick(0);
      bus.event('used buffer notification', EVENT_USED, 1);
      for (let part = 0; part < depth; part++) {
        const used = queue.take();
        if (used === undefined || (machine.words[(STATUS_AT + part * 2) / 2] & 255) !== 0) {
          throw new Error('a request came back wrong');
        }
      }
    }
  };
}

function phase(bus: AmpBus, name: string, count: number, work: (device: DriverDevice, queue: SplitQueue) => void): void {
  const device = new DriverDevice(bus, 1);
  step('phase ' + name);
  device.negotiate(FLUSH);
  const queue = new SplitQueue(machine, QUEUE_AT, 128);
  device.setQueue(0, queue.size, queue.areas());
  device.start();
  figure('phase-' + name, count);
  work(device, queue);
  device.setStatus(0);
}

main((bus) => {
  bus.connect();
  phase(bus, 'warm-up', 0, rounds(bus, OUT, 1));
  phase(bus, 'empty', 0, () => undefined);
  [1, DEPTH].forEach((depth) => {
    phase(bus, 'block-write-' + depth, ROUNDS * depth, rounds(bus, OUT, depth));
    phase(bus, 'block-read-' + depth, ROUNDS * depth, rounds(bus, 0, depth));
  });
  bus.shutdown();
});
