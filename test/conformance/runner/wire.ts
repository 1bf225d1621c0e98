// The messages of virtio-msg as tables: header and payload of each profile, typed anew from the drafts.
//
// A layout lists the payload's fields in order, each `name:bytes`; `name:*n` is as many n-byte entries as follow; names
// that begin with `reserved` are zero. Bytes, no host order: everything is little-endian.
import type { Profile } from './vocabulary.js';

export interface MessageLayout {
  readonly id: number;
  readonly bus: boolean;
  readonly event: boolean;
  /** What the driver side sends, or an event's payload. */
  readonly request: string;
  readonly response: string;
}

interface Row {
  readonly id: number;
  readonly bus?: boolean;
  readonly event?: boolean;
  /** Layout of all profiles, or of A and of the others; `b` and `c` where a profile differs again. */
  readonly request: string;
  readonly response?: string;
  readonly late?: { readonly request?: string; readonly response?: string };
  readonly b?: { readonly request?: string; readonly response?: string };
  readonly c?: { readonly request?: string; readonly response?: string };
}

const areas = 'desc_addr:8 driver_addr:8 device_addr:8';

const rows: Readonly<Record<string, Row>> = {
  GET_DEVICE_INFO: {
    id: 0x02,
    request: '',
    response: 'device_id:4 vendor_id:4 num_feature_bits:4 config_size:4 max_virtqueues:4 admin_vq_start:2 admin_vq_count:2',
    late: { response: 'device_id:4 vendor_id:4 device_uuid:16 num_feature_blocks:4 config_size:4 max_virtqueues:4 admin_vq_start:4 admin_vq_count:4' },
  },
  GET_DEVICE_FEATURES: { id: 0x03, request: 'block_index:4 num_blocks:4', response: 'block_index:4 num_blocks:4 features:*4' },
  SET_DRIVER_FEATURES: { id: 0x04, request: 'block_index:4 num_blocks:4 features:*4', response: '' },
  GET_CONFIG: { id: 0x05, request: 'offset:4 length:4', response: 'generation:4 offset:4 length:4 data:*1' },
  SET_CONFIG: { id: 0x06, request: 'generation:4 offset:4 length:4 data:*1', response: 'generation:4 offset:4 length:4 data:*1' },
  GET_DEVICE_STATUS: { id: 0x07, request: '', response: 'status:4' },
  SET_DEVICE_STATUS: { id: 0x08, request: 'status:4', response: 'status:4' },
  GET_VQUEUE: {
    id: 0x09,
    request: 'index:4',
    response: `index:4 max_size:4 cur_size:4 reserved:4 ${areas}`,
    late: { response: `index:4 max_size:4 cur_size:4 flags:4 ${areas}` },
  },
  SET_VQUEUE: {
    id: 0x0a,
    request: `index:4 reserved0:4 size:4 reserved1:4 ${areas}`,
    response: '',
    late: { request: `index:4 flags:4 size:4 reserved1:4 ${areas}` },
  },
  RESET_VQUEUE: { id: 0x0b, request: 'index:4', response: '' },
  GET_SHM: { id: 0x0c, request: 'index:4', response: 'index:4 length:4 address:4', late: { response: 'index:4 reserved:4 length:8 address:8' } },
  EVENT_CONFIG: { id: 0x40, event: true, request: 'device_status:4 generation:4 offset:4 length:4 data:*1' },
  EVENT_AVAIL: { id: 0x41, event: true, request: 'vq_index:4 next_offset:4' },
  EVENT_USED: { id: 0x42, event: true, request: 'vq_index:4' },
  GET_DEVICES: {
    id: 0x02,
    bus: true,
    request: 'offset:2 count:2',
    response: 'offset:2 count:2 next_offset:2 bitmap:*1',
    b: { request: 'offset:8 count:2', response: 'offset:8 next_offset:8 count:2 bitmap:*1' },
    c: { response: 'offset:2 next_offset:2 count:2 bitmap:*1' },
  },
  PING: { id: 0x03, bus: true, request: 'data:4', response: 'data:4' },
  EVENT_DEVICE: { id: 0x40, bus: true, event: true, request: 'device_number:2 device_bus_state:2', b: { request: 'device_number:8 device_bus_state:2' } },
  /** Ids that no draft knows; cases choose them by number. */
  UNKNOWN: { id: 0x0d, request: '', response: '' },
  UNKNOWN_BUS: { id: 0x04, bus: true, request: '', response: '' },
};

/** The layout of message `name` in `profile`; throws for a name that is not in the table. */
export function layoutOf(name: string, profile: Profile): MessageLayout {
  const row = rows[name];
  if (row === undefined) {
    throw new Error('no message is called ' + name);
  }
  const late = profile === 'A' || row.late === undefined ? {} : row.late;
  const own = (profile === 'B' ? row.b : profile === 'C' ? row.c : undefined) || {};
  const pick = (key: 'request' | 'response'): string => own[key] || late[key] || row[key] || '';
  return { id: row.id, bus: row.bus === true, event: row.event === true, request: pick('request'), response: pick('response') };
}

/** The name of a message that came in: by its bus bit and id; undefined = nothing a device may send. */
export function nameOf(bus: boolean, id: number): string | undefined {
  let found: string | undefined;
  Object.keys(rows).forEach((name) => {
    if (rows[name].id === id && (rows[name].bus === true) === bus && name.indexOf('UNKNOWN') < 0) {
      found = name;
    }
  });
  return found;
}

export interface Field {
  readonly name: string;
  /** Bytes of the field, or of one entry when it repeats. */
  readonly bytes: number;
  readonly repeats: boolean;
}

export function fieldsOf(layout: string): Field[] {
  return layout
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const [name, width] = part.split(':');
      const repeats = width.charAt(0) === '*';
      return { name, repeats, bytes: Number(repeats ? width.substring(1) : width) };
    });
}

/** `bytes` bytes of `value` (0 .. 2^53), lowest first. */
export function little(value: number, bytes: number): number[] {
  const result: number[] = [];
  let rest = value;
  for (let at = 0; at < bytes; at++) {
    result.push(rest % 256);
    rest = Math.floor(rest / 256);
  }
  return result;
}

/** The little-endian number of `bytes` bytes at `at`. */
export function number(from: readonly number[], at: number, bytes: number): number {
  let value = 0;
  for (let byte = bytes - 1; byte >= 0; byte--) {
    value = value * 256 + from[at + byte];
  }
  return value;
}

export interface Header {
  readonly type: number;
  readonly id: number;
  readonly device: number;
  readonly token: number;
  readonly size: number;
  /** Profile B's reserved field. */
  readonly reserved: number;
}

export function headerBytes(profile: Profile): number {
  return profile === 'B' ? 16 : 8;
}

/** A: type, id, dev_num, token, msg_size. B: type, id, token, msg_size, reserved, dev_num of 8 bytes. */
export function encodeHeader(header: Header, profile: Profile): number[] {
  const start = [header.type, header.id];
  return profile === 'B'
    ? start.concat(little(header.token, 2), little(header.size, 2), little(header.reserved, 2), little(header.device, 8))
    : start.concat(little(header.device, 2), little(header.token, 2), little(header.size, 2));
}

export function decodeHeader(frame: readonly number[], profile: Profile): Header {
  const [device, bytes, token, size] = profile === 'B' ? [8, 8, 2, 4] : [2, 2, 4, 6];
  return {
    type: frame[0],
    id: frame[1],
    device: number(frame, device, bytes),
    token: number(frame, token, 2),
    size: number(frame, size, 2),
    reserved: profile === 'B' ? number(frame, 6, 2) : 0,
  };
}
