// Turns messages into one line each: direction, name, device, key fields, time.

const transportNames: Record<number, string> = {
  0x02: 'GET_DEVICE_INFO',
  0x03: 'GET_DEVICE_FEATURES',
  0x04: 'SET_DRIVER_FEATURES',
  0x05: 'GET_CONFIG',
  0x06: 'SET_CONFIG',
  0x07: 'GET_DEVICE_STATUS',
  0x08: 'SET_DEVICE_STATUS',
  0x09: 'GET_VQUEUE',
  0x0a: 'SET_VQUEUE',
  0x0b: 'RESET_VQUEUE',
  0x0c: 'GET_SHM',
  0x40: 'EVENT_CONFIG',
  0x41: 'EVENT_AVAIL',
  0x42: 'EVENT_USED',
};

const busNames: Record<number, string> = { 0x02: 'GET_DEVICES', 0x03: 'PING', 0x40: 'EVENT_DEVICE' };

const statusBits: readonly [number, string][] = [
  [1, 'ACKNOWLEDGE'],
  [2, 'DRIVER'],
  [8, 'FEATURES_OK'],
  [4, 'DRIVER_OK'],
  [16, 'SUSPEND'],
  [64, 'DEVICE_NEEDS_RESET'],
  [128, 'FAILED'],
];

/** The status field in words; 0 is what a reset device shows. */
export function statusName(status: number): string {
  const names = statusBits.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? '0' : names.join('+');
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** The fields worth seeing in a message of profile A; a payload shorter than its fields shows as bytes. */
function fields(bus: boolean, response: boolean, id: number, payload: Buffer): string {
  const u16 = (at: number): number => payload.readUInt16LE(at);
  const u32 = (at: number): number => payload.readUInt32LE(at);
  const u64 = (at: number): string => hex(payload.readBigUInt64LE(at));
  if (bus) {
    switch (id) {
      case 0x02:
        return response
          ? `offset ${u16(0)} count ${u16(2)} next ${u16(4)} devices [${bitmap(payload.subarray(6), u16(0))}]`
          : `offset ${u16(0)} count ${u16(2)}`;
      case 0x03:
        return `data ${hex(u32(0))}`;
      default:
        return payload.toString('hex');
    }
  }
  const words = (from: number): string => {
    const list: string[] = [];
    for (let at = from; at + 4 <= payload.length; at += 4) {
      list.push(hex(u32(at)));
    }
    return list.join(' ');
  };
  switch (id) {
    case 0x02:
      return response
        ? `device id ${u32(0)} vendor ${hex(u32(4))} feature bits ${u32(8)} config ${u32(12)} queues ${u32(16)}`
        : '';
    case 0x03:
      return response ? `block ${u32(0)} features ${words(8)}` : `block ${u32(0)} count ${u32(4)}`;
    case 0x04:
      return response ? '' : `block ${u32(0)} features ${words(8)}`;
    case 0x05:
      return response
        ? `generation ${u32(0)} offset ${u32(4)} length ${u32(8)} data ${payload.subarray(12).toString('hex')}`
        : `offset ${u32(0)} length ${u32(4)}`;
    case 0x06:
      return `generation ${u32(0)} offset ${u32(4)} length ${u32(8)} data ${payload.subarray(12).toString('hex')}`;
    case 0x07:
    case 0x08:
      return payload.length === 0 ? '' : statusName(u32(0));
    case 0x09:
      return response
        ? `queue ${u32(0)} max ${u32(4)} size ${u32(8)} areas ${u64(16)} ${u64(24)} ${u64(32)}`
        : `queue ${u32(0)}`;
    case 0x0a:
      return response ? '' : `queue ${u32(0)} size ${u32(8)} areas ${u64(16)} ${u64(24)} ${u64(32)}`;
    case 0x0b:
      return response ? '' : `queue ${u32(0)}`;
    case 0x0c:
      return response ? `region ${u32(0)} length ${u32(4)} address ${hex(u32(8))}` : `region ${u32(0)}`;
    case 0x40:
      return `${statusName(u32(0))} generation ${u32(4)} offset ${u32(8)} length ${u32(12)}`;
    case 0x41:
    case 0x42:
      return `queue ${u32(0)}`;
    default:
      return payload.toString('hex');
  }
}

function bitmap(bytes: Buffer, offset: number): string {
  const numbers: number[] = [];
  bytes.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((byte >> bit) & 1) {
        numbers.push(offset + at * 8 + bit);
      }
    }
  });
  return numbers.join(' ');
}

/** The name of a message by its header's type and id. */
export function messageName(type: number, id: number): string {
  return ((type & 2) !== 0 ? busNames : transportNames)[id] ?? `id ${hex(id)}`;
}

/** One line for one message. `direction`: '>' from the driver to the device, '<' back. `microseconds`: virtual time. */
export function describe(direction: '>' | '<', microseconds: number, message: Buffer): string {
  const time = (microseconds / 1e6).toFixed(6).padStart(10);
  const arrow = direction === '>' ? 'driver -> device' : 'driver <- device';
  if (message.length < 8) {
    return `${time} s  ${arrow}  malformed: ${message.toString('hex')}`;
  }
  const type = message.readUInt8(0);
  const id = message.readUInt8(1);
  const bus = (type & 2) !== 0;
  const response = (type & 1) !== 0;
  const name = messageName(type, id);
  const who = bus ? 'bus' : `dev ${message.readUInt16LE(2)}`;
  const payload = message.subarray(8, message.readUInt16LE(6));
  let text: string;
  try {
    text = fields(bus, response, id, payload);
  } catch {
    text = `short payload ${payload.toString('hex')}`;
  }
  return `${time} s  ${arrow}  ${name.padEnd(19)} ${response ? 'answer' : '      '} ${who.padEnd(6)} ${text}`.trimEnd();
}
