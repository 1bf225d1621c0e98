// A message that came from the device side: reads it and holds it against the rules for all messages.
import { fail } from './failure.js';
import type { Profile } from './vocabulary.js';
import type { Header } from './wire.js';
import { decodeHeader, fieldsOf, headerBytes, layoutOf, nameOf, number } from './wire.js';

export const RESPONSE = 1;
export const BUS = 2;

/** Fields by name: a number, or bytes and entries. */
export interface FieldsRead {
  readonly [name: string]: number | number[];
}

export interface Received {
  readonly name: string;
  readonly header: Header;
  readonly payload: number[];
  readonly fields: FieldsRead;
}

/** Reads a frame of the device side and holds it against the rules that bind every message; a broken one fails the case. */
export function readMessage(frame: readonly number[], profile: Profile, largest: number): Received {
  const header = decodeHeader(frame, profile);
  const start = headerBytes(profile);
  const what = 'type ' + header.type + ' id ' + header.id + ' device ' + header.device;
  if (header.type > (RESPONSE | BUS)) {
    fail('a message has reserved type bits set: ' + what);
  }
  const bus = (header.type & BUS) !== 0;
  const name = nameOf(bus, header.id);
  if (name === undefined || name === 'EVENT_AVAIL' || name === 'GET_DEVICES' && header.type === BUS) {
    return fail('the device side sent what it may not: ' + what);
  }
  const layout = layoutOf(name, profile);
  const response = (header.type & RESPONSE) !== 0;
  if (layout.event === response || (!layout.event && !response && !bus)) {
    fail(name + ' came as ' + (response ? 'a response' : 'a request'));
  }
  if (header.size < start || header.size > largest) {
    fail('msg_size of ' + name + ' is ' + header.size);
  }
  if (header.reserved !== 0) {
    fail('the reserved header field of ' + name + ' is ' + header.reserved);
  }
  if (bus && header.device !== 0) {
    fail(name + ' came with device number ' + header.device);
  }
  if (layout.event && header.token !== 0) {
    fail(name + ' came with token ' + header.token);
  }
  for (let at = header.size; at < frame.length; at++) {
    if (frame[at] !== 0) {
      fail('byte ' + at + ' behind ' + name + ' of ' + header.size + ' bytes is ' + frame[at]);
    }
  }
  const payload = frame.slice(start, header.size);
  const fields: { [field: string]: number | number[] } = {};
  let at = 0;
  fieldsOf(response ? layout.response : layout.request).forEach((field) => {
    if (field.repeats) {
      const entries: number[] = [];
      while (at + field.bytes <= payload.length) {
        entries.push(number(payload, at, field.bytes));
        at += field.bytes;
      }
      fields[field.name] = entries;
    } else if (at + field.bytes > payload.length) {
      fail(name + ' has ' + payload.length + ' payload bytes, too few');
    } else {
      fields[field.name] = field.bytes > 8 ? payload.slice(at, at + field.bytes) : number(payload, at, field.bytes);
      at += field.bytes;
    }
    if (field.name.indexOf('reserved') === 0 && fields[field.name] !== 0) {
      fail(field.name + ' of ' + name + ' is not 0');
    }
  });
  if (at !== payload.length) {
    fail(name + ' has ' + payload.length + ' payload bytes, ' + (payload.length - at) + ' too many');
  }
  checkCounts(name, response, fields, profile);
  return { name, header, payload, fields };
}

/** What a message says about the number of its own entries must be so. */
function checkCounts(name: string, response: boolean, fields: FieldsRead, profile: Profile): void {
  const entries = (field: string): number => (fields[field] as number[]).length;
  if (name === 'GET_CONFIG' && fields['length'] !== entries('data')) {
    fail('GET_CONFIG says length ' + fields['length'] + ' and has ' + entries('data') + ' bytes');
  }
  if (name === 'SET_CONFIG' && response && entries('data') !== 0 && fields['length'] !== entries('data')) {
    fail('SET_CONFIG says length ' + fields['length'] + ' and echoes ' + entries('data') + ' bytes');
  }
  if (name === 'GET_DEVICE_FEATURES' && fields['num_blocks'] !== entries('features')) {
    fail('GET_DEVICE_FEATURES says ' + fields['num_blocks'] + ' blocks and has ' + entries('features'));
  }
  if (name === 'GET_DEVICES' && Math.ceil((fields['count'] as number) / 8) !== entries('bitmap')) {
    fail('GET_DEVICES says ' + fields['count'] + ' slots and has ' + entries('bitmap') + ' bytes');
  }
  if (name === 'EVENT_CONFIG' && entries('data') !== 0 && fields['length'] !== entries('data')) {
    fail('EVENT_CONFIG says length ' + fields['length'] + ' and has ' + entries('data') + ' bytes');
  }
  if (name === 'EVENT_CONFIG' && entries('data') === 0 && profile !== 'B' && fields['length'] !== 0) {
    fail('EVENT_CONFIG says length ' + fields['length'] + ' and has no data');
  }
}

/** A message in words, for reasons. */
export function shown(received: Received): string {
  return received.name + ' of device ' + received.header.device + ' with payload ' + received.payload.join(' ');
}
