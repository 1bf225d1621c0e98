// Drives the README's first device: every byte it hands out is 42.
import { figure, machine, main, step, traceMessages } from './application-core.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = 0x100000;
const DATA_AT = 0x200000;

main((bus) => {
  traceMessages(bus);
  bus.connect();
  step('ask device 3 for 100 bytes in two elements');
  const device = new DriverDevice(bus, 3);
  device.negotiate(0);
  const queue = new SplitQueue(machine, QUEUE_AT, 16);
  device.setQueue(0, queue.size, queue.areas());
  device.start();
  queue.add([
    { offset: DATA_AT, bytes: 60, writable: true },
    { offset: DATA_AT + 0x1000, bytes: 40, writable: true },
  ]);
  queue.publish();
  device.kick(0);
  bus.event('used buffer notification', EVENT_USED, 3);
  const used = queue.take();
  if (used === undefined || used.written !== 100) {
    throw new Error('the request came back with ' + (used === undefined ? 'nothing' : used.written + ' bytes'));
  }
  for (let at = 0; at < 60; at += 2) {
    const second = at < 40 ? machine.words[(DATA_AT + 0x1000 + at) / 2] : 0x2a2a;
    if (machine.words[(DATA_AT + at) / 2] !== 0x2a2a || second !== 0x2a2a) {
      throw new Error('the bytes are not 42');
    }
  }
  figure('requests', 1);
  device.setStatus(0);
  bus.shutdown();
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
});
