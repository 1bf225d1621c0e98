// A vhost-user front side for host tests: words messages, hands them to the carrier over the fake machine, and reads answers.
import assert from 'node:assert/strict';
import { fake, windowWords } from '../../hal/fake/port.js';
import { fakeVhostUser } from '../../hal/fake/vhost-user.js';
import type { BusOptions } from '../../firmware/bus/options.js';
import { layoutOptions } from '../../firmware/bus/options.js';
import { receiveAll, sendAll } from '../../firmware/carriers/vhost-user/carrier.hot.js';
import { openCarrier } from '../../firmware/carriers/vhost-user/start.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { start } from '../../firmware/main.js';
import { serveKicked } from '../../firmware/virtqueue/schedule.hot.js';
import { serveWaits } from '../../firmware/waits.hot.js';
import { appWith, forget } from './fresh.js';
import type { DriverMachine } from './driver/machine.js';

export const request = {
  GET_FEATURES: 1, SET_FEATURES: 2, SET_OWNER: 3, RESET_OWNER: 4, SET_MEM_TABLE: 5, SET_VRING_NUM: 8, SET_VRING_ADDR: 9,
  SET_VRING_BASE: 10, GET_VRING_BASE: 11, SET_VRING_KICK: 12, SET_VRING_CALL: 13, SET_VRING_ERR: 14, GET_PROTOCOL_FEATURES: 15,
  SET_PROTOCOL_FEATURES: 16, GET_QUEUE_NUM: 17, SET_VRING_ENABLE: 18, GET_CONFIG: 24, SET_CONFIG: 25, GET_INFLIGHT_FD: 31, SET_INFLIGHT_FD: 32, RESET_DEVICE: 34,
  SET_STATUS: 39, GET_STATUS: 40,
} as const;

/** Feature bits. */
export const VERSION_1 = 1n << 32n;
export const RING_PACKED = 1n << 34n;
export const PROTOCOL_FEATURES = 1n << 30n;
/** Protocol features. */
export const REPLY_ACK = 1n << 3n;
export const STATUS = 1n << 16n;

/** Where the front side has the guest's memory, and how much there is: the fake port's first window. */
export const userBase = 0x7f1234560000n;
export const guestBytes = 1048576;

export const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
export const u64 = (value: bigint): number[] => [...u32(Number(value & 0xffffffffn)), ...u32(Number(value >> 32n))];
export const readU64 = (bytes: readonly number[], at = 12): bigint => bytes.slice(at, at + 8).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** A region of a memory table. */
export interface Region {
  readonly guest: bigint;
  readonly bytes: bigint;
  readonly user: bigint;
  readonly file: bigint;
}

export const oneRegion: Region = { guest: 0n, bytes: BigInt(guestBytes), user: userBase, file: 0n };

/** Describes memory for chains in flight, as QEMU does: 20 bytes and four of padding. */
export function inflightPayload(bytes: bigint, queues: number, entries: number, offset = 0n): number[] {
  return [...u64(bytes), ...u64(offset), ...u32(queues + entries * 65536), ...u32(0)];
}

/** One message; `flags` is version 1 without the wish for a reply by default. */
export function message(id: number, payload: readonly number[], flags = 1): number[] {
  return [...u32(id), ...u32(flags), ...u32(payload.length), ...payload];
}

export function tablePayload(regions: readonly Region[]): number[] {
  return [...u32(regions.length), ...u32(0), ...regions.flatMap(({ guest, bytes, user, file }) => [...u64(guest), ...u64(bytes), ...u64(user), ...u64(file)])];
}

/** The guest's driver works in the same memory. */
export const guestMachine: DriverMachine = {
  words: windowWords[0],
  addressLow: 0,
  addressHigh: 0,
  layout: 0,
  ring: () => undefined,
  wait: () => undefined,
  barrier: () => undefined,
  clock: () => 0,
};

/** One pass of the firmware with this carrier. */
export function pass(): void {
  serveWaits();
  receiveAll();
  serveKicked();
  sendAll();
}

/** Runs until no message waits. */
export function settle(): void {
  do {
    pass();
  } while (fakeVhostUser.waiting.length > 0);
  pass();
}

/** The firmware starts with `device` (number 1) behind a front side that has connected. */
export function connectedFront(device: DeviceModel, ringFeatures: readonly number[] = []): void {
  forget();
  fake.clear();
  fakeVhostUser.clear();
  const app = appWith([device], { ringFeatures });
  start(app);
  openCarrier(0, layoutOptions(0, app.buses[0] as BusOptions));
  fakeVhostUser.state = 1;
  pass();
  fake.logged = [];
}

/** Sends one message and returns the bytes of the answer, if one came. */
export function send(id: number, payload: readonly number[], descriptors: readonly number[] = [], flags = 1): number[] | undefined {
  const before = fakeVhostUser.replies.length;
  fakeVhostUser.send(message(id, payload, flags), descriptors);
  settle();
  return fakeVhostUser.replies[before];
}

/** Why messages were refused since the start, as [request, reason]. */
export function refusals(): number[][] {
  return fake.logged.filter(({ code }) => code === 66).map(({ value }) => [value >> 5, value & 31]);
}

/** The usual way up to the rings: features, and one region of guest memory. */
export function begin(features: bigint, protocol?: bigint): void {
  if (protocol !== undefined) {
    send(request.SET_PROTOCOL_FEATURES, u64(protocol));
  }
  send(request.SET_FEATURES, u64(features | (protocol === undefined ? 0n : PROTOCOL_FEATURES)));
  send(request.SET_MEM_TABLE, tablePayload([oneRegion]), [7]);
}

export interface RingSetUp {
  readonly ring?: number;
  readonly size: number;
  readonly base?: number;
  /** The three areas' offsets in guest memory: descriptors, available, used. */
  readonly areas: readonly number[];
}

/** Describes a ring and hands over its descriptors, as QEMU does. */
export function startRing({ ring = 0, size, base = 0, areas }: RingSetUp): void {
  const [descriptors, available, used] = areas.map((offset) => userBase + BigInt(offset));
  send(request.SET_VRING_NUM, [...u32(ring), ...u32(size)]);
  send(request.SET_VRING_BASE, [...u32(ring), ...u32(base)]);
  send(request.SET_VRING_ADDR, [...u32(ring), ...u32(0), ...u64(descriptors as bigint), ...u64(used as bigint), ...u64(available as bigint), ...u64(0n)]);
  send(request.SET_VRING_KICK, u64(BigInt(ring)), [20 + ring]);
  send(request.SET_VRING_CALL, u64(BigInt(ring)), [40 + ring]);
}

/** Stops a ring; returns its base. */
export function stopRing(ring = 0): number {
  const answer = send(request.GET_VRING_BASE, [...u32(ring), ...u32(0)]) ?? [];
  const pair = readU64(answer, 12);
  assert.equal(pair & 0xffffffffn, BigInt(ring), 'the ring is named');
  return Number(pair >> 32n);
}

export function kick(ring = 0): void {
  fakeVhostUser.kicked.push(ring);
  settle();
}
