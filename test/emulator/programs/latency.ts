// Measures a device side that is there already, from each ring of its doorbell on: until an answer, and until a used buffer, is seen.
//
// Prints what it measured in microseconds, in lines `us message ...` and `us used ...`, and how long all messages took.
import { print } from '#driver-port';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { attach, figure, machine } from './application-core.js';

const ROUNDS = 400;
const QUEUE_AT = 0x100000;
const DATA_AT = 0x200000;
const REQUEST = 64;
const PER_LINE = 16;
/** The clock is modulo 2^27. */
const CLOCK_MASK = 0x7ffffff;

function printAll(name: string, times: readonly number[]): void {
  for (let at = 0; at < times.length; at += PER_LINE) {
    print('us ' + name + ' ' + times.slice(at, at + PER_LINE).join(' '));
  }
}

attach((plain) => {
  const { words, addressLow, addressHigh, layout, wait, barrier, clock, ring } = plain.machine;
  let rung = 0;
  const stampedRing = (): void => {
    rung = clock();
    ring();
  };
  const since = (start: number): number => (clock() - start) & CLOCK_MASK;
  const bus = new AmpBus({ words, addressLow, addressHigh, layout, wait, barrier, clock, ring: stampedRing });
  bus.connect();
  bus.busRequest('GET_DEVICES', 2, [0, 0, 32, 0]);
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  const queue = new SplitQueue(machine, QUEUE_AT, 16);
  device.setQueue(0, queue.size, queue.areas());
  device.start();

  const messages: number[] = [];
  const start = clock();
  const before = bus.messages;
  for (let round = 0; round < ROUNDS; round++) {
    device.status();
    messages.push(since(rung));
  }
  figure('microseconds', since(start));
  figure('messages', bus.messages - before);

  const used: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    queue.add([{ offset: DATA_AT, bytes: REQUEST, writable: true }]);
    queue.publish();
    device.kick(0);
    let back = queue.take();
    bus.until('the buffer comes back', () => {
      back = back === undefined ? queue.take() : back;
      return back !== undefined;
    });
    used.push(since(rung));
    if (back === undefined || back.written !== REQUEST) {
      throw new Error('a buffer came back with other than ' + REQUEST + ' bytes');
    }
    bus.event('used buffer notification', EVENT_USED, 1);
  }
  printAll('message', messages);
  printAll('used', used);
  bus.shutdown();
});
