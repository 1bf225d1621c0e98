// The benchmark on the application core: phases between DRIVER_OK and reset, at which the device core logs its counters.
//
// The device core's busy instructions between the two lines of a phase, less those of the empty phase, are the cost of
// the phase's work. This core sleeps while the device core works, so their instructions do not mix.
import { main, figure, machine, step } from './application-core.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = 0x10000;
const DATA_AT = 0x20000;
const REQUEST_BYTES = 64;
const MESSAGES = 500;
const ROUNDS = 500;
const BATCH = 32;

function phase(bus: AmpBus, name: string, count: number, work: (device: DriverDevice, queue: SplitQueue) => void): void {
  const device = new DriverDevice(bus, 1);
  step('phase ' + name);
  device.negotiate(0);
  const queue = new SplitQueue(machine, QUEUE_AT, 64);
  device.setQueue(0, queue.size, queue.areas());
  device.start();
  figure('phase-' + name, count);
  work(device, queue);
  device.setStatus(0);
}

function entropyRounds(bus: AmpBus, rounds: number, batch: number): (device: DriverDevice, queue: SplitQueue) => void {
  return (device, queue) => {
    for (let round = 0; round < rounds; round++) {
      for (let part = 0; part < batch; part++) {
        queue.add([{ offset: DATA_AT + part * REQUEST_BYTES, bytes: REQUEST_BYTES, writable: true }]);
      }
      queue.publish();
      device.kick(0);
      bus.event('used buffer notification', EVENT_USED, 1);
      for (let part = 0; part < batch; part++) {
        const used = queue.take();
        if (used === undefined || used.written !== REQUEST_BYTES) {
          throw new Error('a request came back wrong');
        }
      }
    }
  };
}

main((bus) => {
  bus.connect();
  phase(bus, 'warm-up', 0, entropyRounds(bus, 2, 1));
  phase(bus, 'empty', 0, () => undefined);
  phase(bus, 'status', MESSAGES, (device) => {
    for (let message = 0; message < MESSAGES; message++) {
      device.status();
    }
  });
  phase(bus, 'entropy-1', ROUNDS, entropyRounds(bus, ROUNDS, 1));
  phase(bus, 'entropy-32', (ROUNDS / 10) * BATCH, entropyRounds(bus, ROUNDS / 10, BATCH));
  bus.shutdown();
});
