// Asks a device for every fact that its description did not give.
import { fail } from './failure.js';
import type { Received } from './incoming.js';
import type { Subject } from './subject.js';
import type { Fields } from './vocabulary.js';
import { headerBytes } from './wire.js';

/** Sends a request to the device under test and returns its answer, whose fields must be `expected`. */
export type Ask = (message: string, fields: Fields, expected: Fields) => Received;

function numeric(received: Received, name: string): number {
  return received.fields[name] as number;
}

/** The device's configuration space of `size` bytes, in as many reads as its messages need. */
export function readConfig(subject: Subject, ask: Ask, size: number): number[] {
  const most = subject.largest - headerBytes(subject.profile) - 12;
  let bytes: number[] = [];
  while (bytes.length < size) {
    const length = Math.min(most, size - bytes.length);
    bytes = bytes.concat(ask('GET_CONFIG', { offset: bytes.length, length }, { length }).fields['data'] as number[]);
  }
  return bytes;
}

/** The numbers of all devices, window after window. */
function findDevices(ask: Ask): number[] {
  const devices: number[] = [];
  let offset = 0;
  do {
    const received = ask('GET_DEVICES', { offset, count: 32 }, {});
    const bitmap = received.fields['bitmap'] as number[];
    for (let bit = 0; bit < bitmap.length * 8; bit++) {
      if (((bitmap[bit >> 3] >> (bit & 7)) & 1) === 1) {
        devices.push(offset + bit);
      }
    }
    const next = numeric(received, 'next_offset');
    if (next !== 0 && next <= offset) {
      fail('GET_DEVICES from ' + offset + ' on has next_offset ' + next);
    }
    offset = next;
  } while (offset !== 0);
  return devices;
}

/** First which devices there are, unless the description says so. */
export function discoverDevices(subject: Subject, ask: Ask): void {
  const given = (fact: string): boolean => subject.described.indexOf(fact) >= 0;
  if (!given('devices')) {
    subject.devices = findDevices(ask);
  }
  if (subject.devices.length === 0) {
    fail('there is no device on the bus');
  }
  if (!given('device')) {
    subject.device = subject.devices[0];
  }
  if (!given('other')) {
    const others = subject.devices.filter((device) => device !== subject.device);
    subject.other = others.length === 0 ? -1 : others[0];
  }
  if (!given('absent')) {
    subject.absent = 31;
    while (subject.devices.indexOf(subject.absent) >= 0) {
      subject.absent--;
    }
  }
}

/** Then what the device under test, in its reset state, says about itself. */
export function discoverDevice(subject: Subject, ask: Ask): void {
  const given = (fact: string): boolean => subject.described.indexOf(fact) >= 0;
  const info = ask('GET_DEVICE_INFO', {}, {});
  if (!given('deviceId')) {
    subject.deviceId = numeric(info, 'device_id');
  }
  if (!given('vendorId')) {
    subject.vendorId = numeric(info, 'vendor_id');
  }
  if (!given('blocks')) {
    subject.blocks = subject.profile === 'A' ? numeric(info, 'num_feature_bits') / 32 : numeric(info, 'num_feature_blocks');
  }
  const offered = ask('GET_DEVICE_FEATURES', { block_index: 0, num_blocks: 2 }, { num_blocks: 2 }).fields['features'] as number[];
  if (!given('features0')) {
    subject.features0 = offered[0];
  }
  if (!given('features1')) {
    subject.features1 = offered[1];
  }
  if (!given('config')) {
    subject.config = readConfig(subject, ask, numeric(info, 'config_size'));
  }
  if (!given('queueCount')) {
    subject.queueCount = numeric(info, 'max_virtqueues');
  }
  if (!given('queueSize')) {
    subject.queueSize = numeric(ask('GET_VQUEUE', { index: 0 }, {}), 'max_size');
  }
  if (!given('queueSize1')) {
    subject.queueSize1 = numeric(ask('GET_VQUEUE', { index: 1 }, {}), 'max_size');
  }
}
