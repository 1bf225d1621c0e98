// What runs with an app that has no program of its own: brings each device up with all of its queues, shows it, and resets it.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { BUS_GET_DEVICES, le16, read16 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { figure, machine, main, own, step, traceMessages } from './application-core.js';

/** Device numbers asked for at a time. */
const WINDOW = 32;
/** Size of a queue whose device allows it, and the bytes that such a ring takes at most. */
const QUEUE_SIZE = 16;
const RING_ROOM = 0x200;
/** Queues that are set up of a device, at most: their rings lie in the memory that is the program's own. */
const QUEUES = 64;
/** Bytes of the configuration space that are shown: what one message holds. */
const CONFIG_BYTES = 32;

/** Device ids of the virtio specification that have a name here. */
const names: Record<number, string> = {
  1: 'network', 2: 'block', 3: 'console', 4: 'entropy', 17: 'rtc', 18: 'input', 32: 'scmi', 34: 'i2c', 36: 'can', 41: 'gpio', 45: 'spi',
};

function numbersOnBus(bus: AmpBus): number[] {
  const numbers: number[] = [];
  for (let offset = 0, more = true; more; ) {
    const answer = bus.busRequest('GET_DEVICES', BUS_GET_DEVICES, le16(offset).concat(le16(WINDOW)));
    for (let number = 0; number < read16(answer, 2); number++) {
      if (((answer[6 + (number >> 3)] >> (number & 7)) & 1) === 1) {
        numbers.push(offset + number);
      }
    }
    more = read16(answer, 4) > offset;
    offset = read16(answer, 4);
  }
  return numbers;
}

function bringUp(bus: AmpBus, number: number): void {
  step('bring device ' + number + ' up');
  const device = new DriverDevice(bus, number);
  const { deviceId, configSize, queues } = device.info();
  const name = (names[deviceId] ?? 'type-' + deviceId) + '-' + number;
  figure('use-' + name, number);
  figure('requests-' + name, 0);
  device.negotiate(0);
  if (configSize > 0) {
    device.config(0, Math.min(configSize, CONFIG_BYTES));
  }
  for (let index = 0; index < Math.min(queues, QUEUES); index++) {
    const size = Math.min(device.queueMaximum(index), QUEUE_SIZE);
    // 0: no such queue without a feature that was not negotiated.
    if (size > 0) {
      const queue = new SplitQueue(machine, own + index * RING_ROOM, size);
      device.setQueue(index, size, queue.areas());
    }
  }
  device.start();
  if (device.setStatus(0) !== 0) {
    throw new Error('device ' + number + ' is not in its reset state');
  }
}

main((bus) => {
  traceMessages(bus);
  step('find the shared-memory layout and shake hands');
  bus.connect();
  step('ask for the devices, in profile A: an app of another one needs a --program of its own');
  const numbers = numbersOnBus(bus);
  if (numbers.length === 0) {
    throw new Error('there is no device on the bus');
  }
  numbers.forEach((number) => bringUp(bus, number));
  step('shut the bus down');
  bus.shutdown();
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
});
