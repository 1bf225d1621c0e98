// Brings the entropy device up, reads 4 KiB through a split ring, shuts down.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { figure, machine, own, step, traceMessages } from './application-core.js';
import { DriverDevice } from '../../support/driver/device.js';
import { EVENT_USED } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const QUEUE_AT = own;
const DATA_AT = 2 * own;
const TOTAL = 4096;
const REQUEST = 256;
const BATCH = 4;

export function readEntropy(bus: AmpBus): void {
  traceMessages(bus);
  step('find the shared-memory layout and shake hands');
  bus.connect();
  step('ask for the devices');
  const answer = bus.busRequest('GET_DEVICES', 2, [0, 0, 32, 0]);
  if (answer[6] !== 2 || answer[7] !== 0 || answer[8] !== 0 || answer[9] !== 0) {
    throw new Error('GET_DEVICES shows other devices than number 1');
  }
  step('bring the entropy device up');
  const device = new DriverDevice(bus, 1);
  const info = device.info();
  if (info.deviceId !== 4) {
    throw new Error('device 1 has device id ' + info.deviceId + ', not 4');
  }
  device.negotiate(0);
  const queue = new SplitQueue(machine, QUEUE_AT, 16);
  if (device.queueMaximum(0) < queue.size) {
    throw new Error('queue 0 is too small');
  }
  device.setQueue(0, queue.size, queue.areas());
  device.start();
  step('read 4 KiB of entropy through a split ring');
  for (let at = 0; at < TOTAL; at += 2) {
    machine.words[(DATA_AT + at) / 2] = 0;
  }
  let written = 0;
  for (let at = 0; at < TOTAL; at += REQUEST * BATCH) {
    for (let part = 0; part < BATCH; part++) {
      queue.add([{ offset: DATA_AT + at + part * REQUEST, bytes: REQUEST, writable: true }]);
    }
    queue.publish();
    device.kick(0);
    bus.event('used buffer notification', EVENT_USED, 1);
    for (let used = queue.take(); used !== undefined; used = queue.take()) {
      written += used.written;
    }
  }
  const seen: boolean[] = [];
  let values = 0;
  for (let at = 0; at < TOTAL; at += 2) {
    const byte = machine.words[(DATA_AT + at) / 2] & 255;
    if (!seen[byte]) {
      seen[byte] = true;
      values++;
    }
  }
  figure('requests', TOTAL / REQUEST);
  figure('entropy-bytes', written);
  figure('entropy-values', values);
  if (written !== TOTAL || values < 200) {
    throw new Error(written + ' bytes with ' + values + ' different values came back: that is not 4 KiB of entropy');
  }
  step('reset the device');
  if (device.setStatus(0) !== 0) {
    throw new Error('the device is not in its reset state');
  }
  step('shut the bus down');
  bus.shutdown();
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
}
