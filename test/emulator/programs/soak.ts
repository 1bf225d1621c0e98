// A soak: more than two million messages, good and bad ones, and a chain through the ring with every batch of them.
//
// The frames are made once and written word by word, so that nearly all of the time is the device side's.
import { figure, machine, main, step } from './application-core.js';
import { DriverDevice } from '../../support/driver/device.js';
import type { Message } from '../../support/driver/message.js';
import { encode, le32, le64 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = 0x100000;
const DATA_AT = 0x200000;
const BATCHES = 85000;
/** Which of the two devices a request is for: the second one is set up and reset over and over, the first one serves. */
const SERVING = 1;
const RESTLESS = 2;

/** A frame as words, and the first payload word of its answer; -1 = it has none, -2 = any. */
interface Frame {
  words: number[];
  answer: number;
}

function frame(message: Message, answer: number): Frame {
  const bytes = encode(message);
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) {
    words.push(bytes[at] + (at + 1 < bytes.length ? bytes[at + 1] * 256 : 0));
  }
  return { words, answer };
}

function request(device: number, id: number, payload: number[], answer: number): Frame {
  return frame({ type: 0, id, device, token: 1, payload }, answer);
}

const ring = le64(QUEUE_AT + 0x10000 + machine.addressLow, machine.addressHigh);
const features = le32(0).concat(le32(2), le32(0), le32(1));
const frames: Frame[] = [
  request(SERVING, 0x07, [], 0x0f),
  request(RESTLESS, 0x08, le32(0), 0),
  request(RESTLESS, 0x08, le32(3), 3),
  request(RESTLESS, 0x03, le32(0).concat(le32(2)), 0),
  request(RESTLESS, 0x04, features, -2),
  request(RESTLESS, 0x08, le32(0x0b), 0x0b),
  request(RESTLESS, 0x0a, le32(0).concat(le32(0), le32(8), le32(0), ring, ring, ring), -2),
  request(RESTLESS, 0x09, le32(0), 0),
  request(RESTLESS, 0x08, le32(0x0f), 0x0f),
  frame({ type: 2, id: 3, device: 0, token: 1, payload: [0x34, 0x12, 0, 0] }, 0x1234),
  // What is dropped: no such device, unknown id, a payload too short.
  request(9, 0x07, [], -1),
  request(SERVING, 0x3f, [], -1),
  request(SERVING, 0x08, [1, 0], -1),
  request(SERVING, 0x41, le32(0).concat(le32(0)), -1),
];
const DROPPED = 3;

main((bus) => {
  bus.connect();
  const device = new DriverDevice(bus, SERVING);
  device.negotiate(0);
  const queue = new SplitQueue(machine, QUEUE_AT, 16);
  device.setQueue(0, queue.size, queue.areas());
  device.start();
  new DriverDevice(bus, RESTLESS).status();
  step('soak');
  const words = bus.machine.words;
  const driverHead = bus.driverHead / 2;
  const deviceHead = bus.deviceHead / 2;
  let messages = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    queue.add([{ offset: DATA_AT, bytes: 16, writable: true }]);
    queue.publish();
    for (let index = 0; index < frames.length; index++) {
      const from = frames[index].words;
      const to = bus.driverElements / 2 + bus.tail * 32;
      for (let word = 0; word < from.length; word++) {
        words[to + word] = from[word];
      }
      // A token of its own for every message.
      words[to + 2] = (batch + index) & 0xffff;
      bus.tail = (bus.tail + 1) % bus.elements;
    }
    machine.barrier();
    words[driverHead + 2] = bus.tail;
    bus.machine.ring();
    let next = 0;
    let used = false;
    let waits = 0;
    while (next < frames.length || !used) {
      if (bus.head === words[deviceHead + 2]) {
        waits++;
        if (waits > 1000) {
          throw new Error('batch ' + batch + ' is not answered: ' + next + ' of ' + frames.length);
        }
        bus.machine.wait(1000);
      } else {
        machine.barrier();
        const at = bus.deviceElements / 2 + bus.head * 32;
        if (words[at] === 0x4200) {
          used = queue.take() !== undefined;
        } else {
          while (next < frames.length && frames[next].answer === -1) {
            next++;
          }
          const sent = frames[next];
          if (words[at] !== (sent.words[0] | 1) || words[at + 2] !== ((batch + next) & 0xffff) || (sent.answer >= 0 && words[at + 4] !== sent.answer)) {
            throw new Error('batch ' + batch + ': the answer to message ' + next + ' is wrong: ' + words[at] + ' ' + words[at + 2] + ' ' + words[at + 4]);
          }
          next++;
        }
        bus.head = (bus.head + 1) % bus.elements;
        words[driverHead + 3] = bus.head;
        messages++;
        while (next < frames.length && frames[next].answer === -1) {
          next++;
        }
      }
    }
    messages += frames.length;
  }
  figure('soak-messages', messages);
  figure('soak-dropped', BATCHES * DROPPED);
  if (device.status() !== 0x0f) {
    throw new Error('the device has lost its status');
  }
  bus.shutdown();
});
