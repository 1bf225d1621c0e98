// Builds and reads messages the way a driver does. The numbers are typed anew from the specification, on purpose.

/** A has the 8-byte header and the first payloads, B the 16-byte header and the second payloads, C the 8-byte header and the second payloads. */
export type Profile = 'A' | 'B' | 'C';

export interface Message {
  type: number;
  id: number;
  device: number;
  token: number;
  /** msg_size as in the header; by default header + payload. */
  size?: number;
  payload: number[];
}

export const TYPE_RESPONSE = 1;
export const TYPE_BUS = 2;

/** Transport messages, v1 text "Message IDs". */
export const GET_DEVICE_INFO = 0x02;
export const GET_DEVICE_FEATURES = 0x03;
export const SET_DRIVER_FEATURES = 0x04;
export const GET_CONFIG = 0x05;
export const SET_CONFIG = 0x06;
export const GET_DEVICE_STATUS = 0x07;
export const SET_DEVICE_STATUS = 0x08;
export const GET_VQUEUE = 0x09;
export const SET_VQUEUE = 0x0a;
export const RESET_VQUEUE = 0x0b;
export const GET_SHM = 0x0c;
export const EVENT_CONFIG = 0x40;
export const EVENT_AVAIL = 0x41;
export const EVENT_USED = 0x42;
/** Bus messages. */
export const BUS_GET_DEVICES = 0x02;
export const BUS_PING = 0x03;

export function le16(value: number): number[] {
  return [value & 255, (value >> 8) & 255];
}

/** `value`: 0 .. 2^32-1. */
export function le32(value: number): number[] {
  return le16(value & 65535).concat(le16(Math.floor(value / 65536) & 65535));
}

export function le64(low: number, high: number): number[] {
  return le32(low).concat(le32(high));
}

export function read16(bytes: readonly number[], at: number): number {
  return bytes[at] + bytes[at + 1] * 256;
}

export function read32(bytes: readonly number[], at: number): number {
  return read16(bytes, at) + read16(bytes, at + 2) * 65536;
}

/** Bytes of the header. */
export function headerBytes(profile: Profile): number {
  return profile === 'B' ? 16 : 8;
}

export function encode(message: Message, profile: Profile = 'A'): number[] {
  const size = message.size === undefined ? headerBytes(profile) + message.payload.length : message.size;
  if (profile === 'B') {
    return [message.type, message.id].concat(le16(message.token), le16(size), le16(0), le64(message.device, 0), message.payload);
  }
  return [message.type, message.id].concat(le16(message.device), le16(message.token), le16(size), message.payload);
}

export function decode(bytes: readonly number[], profile: Profile = 'A'): Message {
  if (profile === 'B') {
    const bytesInAll = read16(bytes, 4);
    return { type: bytes[0], id: bytes[1], device: read32(bytes, 8), token: read16(bytes, 2), size: bytesInAll, payload: bytes.slice(16, bytesInAll) };
  }
  const size = read16(bytes, 6);
  return {
    type: bytes[0],
    id: bytes[1],
    device: read16(bytes, 2),
    token: read16(bytes, 4),
    size,
    payload: bytes.slice(8, size),
  };
}
