// One virtio device as its driver sees it: the requests of the transport, and the usual way to bring it up.
import type { AmpBus } from './amp-bus.js';
import {
  EVENT_AVAIL,
  GET_CONFIG,
  GET_DEVICE_FEATURES,
  GET_DEVICE_INFO,
  GET_DEVICE_STATUS,
  GET_VQUEUE,
  le32,
  le64,
  read32,
  RESET_VQUEUE,
  SET_DEVICE_STATUS,
  SET_DRIVER_FEATURES,
  SET_VQUEUE,
} from './message.js';

export const ACKNOWLEDGE = 1;
export const DRIVER = 2;
export const DRIVER_OK = 4;
export const FEATURES_OK = 8;
export const NEEDS_RESET = 64;
export const FAILED = 128;

/** VERSION_1 is bit 32: bit 0 of block 1. */
export const VERSION_1_BLOCK = 1;

export interface DeviceInfo {
  deviceId: number;
  vendorId: number;
  featureBits: number;
  configSize: number;
  queues: number;
}

export class DriverDevice {
  constructor(readonly bus: AmpBus, readonly number: number) {}

  request(name: string, id: number, payload: number[]): number[] {
    return this.bus.request(name, 0, id, this.number, payload);
  }

  info(): DeviceInfo {
    const answer = this.request('GET_DEVICE_INFO', GET_DEVICE_INFO, []);
    if (this.bus.profile !== 'A') {
      return {
        deviceId: read32(answer, 0),
        vendorId: read32(answer, 4),
        featureBits: read32(answer, 24) * 32,
        configSize: read32(answer, 28),
        queues: read32(answer, 32),
      };
    }
    return {
      deviceId: read32(answer, 0),
      vendorId: read32(answer, 4),
      featureBits: read32(answer, 8),
      configSize: read32(answer, 12),
      queues: read32(answer, 16),
    };
  }

  status(): number {
    return read32(this.request('GET_DEVICE_STATUS', GET_DEVICE_STATUS, []), 0);
  }

  setStatus(status: number): number {
    return read32(this.request('SET_DEVICE_STATUS ' + status, SET_DEVICE_STATUS, le32(status)), 0);
  }

  /** Offered feature blocks 0 and 1. */
  features(): number[] {
    const answer = this.request('GET_DEVICE_FEATURES', GET_DEVICE_FEATURES, le32(0).concat(le32(2)));
    return [read32(answer, 8), read32(answer, 12)];
  }

  setFeatures(block0: number, block1: number): void {
    const payload = le32(0).concat(le32(2), le32(block0), le32(block1));
    this.request('SET_DRIVER_FEATURES', SET_DRIVER_FEATURES, payload);
  }

  config(offset: number, length: number): number[] {
    return this.request('GET_CONFIG', GET_CONFIG, le32(offset).concat(le32(length))).slice(12);
  }

  /** Largest size of a queue, 0 = absent. */
  queueMaximum(index: number): number {
    return read32(this.request('GET_VQUEUE', GET_VQUEUE, le32(index)), 4);
  }

  /** GET_VQUEUE's answer as numbers: index, max size, size, flags and the three addresses' lower halves. */
  queue(index: number): number[] {
    const answer = this.request('GET_VQUEUE', GET_VQUEUE, le32(index));
    return [0, 4, 8, 12, 16, 24, 32].map((at) => read32(answer, at));
  }

  /** Sets a queue up and enables it. */
  setQueue(index: number, size: number, areas: readonly number[][]): void {
    // Payload set 2 says in bits 1..0 of its flags what becomes of the queue: 1 = enable.
    const payload = le32(index)
      .concat(le32(this.bus.profile === 'A' ? 0 : 1), le32(size), le32(0))
      .concat(le64(areas[0][0], areas[0][1]), le64(areas[1][0], areas[1][1]), le64(areas[2][0], areas[2][1]));
    this.request('SET_VQUEUE', SET_VQUEUE, payload);
  }

  resetQueue(index: number): void {
    this.request('RESET_VQUEUE', RESET_VQUEUE, le32(index));
  }

  /**
   * Reset, ACKNOWLEDGE, DRIVER, features and FEATURES_OK, in the known driver's order. Throws when a step is refused.
   * `block0`: bits 0..31; `block1`: bits 32..63 besides VERSION_1.
   */
  negotiate(block0: number, block1 = 0): void {
    this.expectStatus(0, 0);
    this.expectStatus(ACKNOWLEDGE, ACKNOWLEDGE);
    this.expectStatus(ACKNOWLEDGE | DRIVER, ACKNOWLEDGE | DRIVER);
    const offered = this.features();
    if ((offered[1] & 1) === 0) {
      throw new Error('device ' + this.number + ' does not offer VERSION_1');
    }
    this.setFeatures(block0, block1 | 1);
    this.expectStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK, ACKNOWLEDGE | DRIVER | FEATURES_OK);
  }

  start(): void {
    const all = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    this.expectStatus(all, all);
  }

  private expectStatus(write: number, expected: number): void {
    const status = this.setStatus(write);
    if (status !== expected) {
      throw new Error('device ' + this.number + ' answers status ' + status + ' to a write of ' + write);
    }
  }

  /** EVENT_AVAIL for queue `index`. */
  kick(index: number): void {
    this.bus.send({ type: 0, id: EVENT_AVAIL, device: this.number, token: 0, payload: le32(index).concat(le32(0)) });
  }
}
