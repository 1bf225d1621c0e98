// Goes round an entropy queue's rings several times, resets the device, and does it again with fresh rings.
import { figure, machine, main, own, step } from './application-core.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = own;
const DATA_AT = 2 * own;
const SIZE = 16;
const REQUESTS = 100;
const BYTES = 64;
/** Requests ask for different lengths, and those of one place in the ring for others each time round: what is left there from before shows. */
const LENGTHS = 61;
// Not a divisor of the ring's size: heads and indices meet its end at every place.
const BATCH = 5;

main((bus) => {
  let served = 0;

  function roundAndRound(): void {
    const device = new DriverDevice(bus, 1);
    device.negotiate(0);
    const queue = new SplitQueue(machine, QUEUE_AT, SIZE);
    device.setQueue(0, queue.size, queue.areas());
    device.start();
    for (let made = 0; made < REQUESTS; ) {
      const asked: number[] = [];
      for (let part = 0; part < BATCH; part++, made++) {
        const bytes = 1 + (made % LENGTHS);
        asked[queue.add([{ offset: DATA_AT + part * BYTES, bytes, writable: true }])] = bytes;
      }
      queue.publish();
      device.kick(0);
      bus.event('used buffer notification', EVENT_USED, 1);
      let back = 0;
      for (let used = queue.take(); used !== undefined; used = queue.take()) {
        if (used.written !== asked[used.head]) {
          throw new Error('head ' + used.head + ' came back with ' + used.written + ' bytes');
        }
        asked[used.head] = 0;
        back++;
      }
      if (back !== BATCH) {
        throw new Error(back + ' of ' + BATCH + ' buffers came back');
      }
      served += back;
    }
    figure('requests', served);
    if (device.setStatus(0) !== 0) {
      throw new Error('the device is not in its reset state');
    }
  }

  step('find the shared-memory layout and shake hands');
  bus.connect();
  step('go round a ring of 16 with 100 requests');
  roundAndRound();
  step('reset the device and go round once more');
  roundAndRound();
  step('shut the bus down');
  bus.shutdown();
  figure('messages', bus.messages);
});
