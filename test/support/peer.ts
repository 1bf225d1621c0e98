// The driver side of the AMP layout as bare memory: queue heads and elements written by hand, for drivers that misbehave.
import assert from 'node:assert/strict';
import { fake } from '../../hal/fake/port.js';
import { pass } from '../../firmware/loop.hot.js';
import { encode, read16 } from './driver/message.js';

export const INIT = 0;
export const READY = 1;
export const RUN = 2;
export const SHUTDOWN = 3;
export const PEER_DEAD = 4;
export const HEAD_MAGIC = 0x514f;

/** One side's queue head. */
export interface QueueHead {
  magic: number;
  status: number;
  tail: number;
  head: number;
}

/** Layout of a bus with `elements` elements at byte `base` of window 0, offsets as in the recorded header. */
export class Peer {
  constructor(readonly elements = 16, readonly base = 4096, readonly bus = 0) {}

  private memory(): Uint8Array {
    const memory = fake.bytes[0];
    assert.ok(memory !== undefined);
    return memory;
  }

  bytes(offset: number, length: number): number[] {
    return Array.from(this.memory().subarray(this.base + offset, this.base + offset + length));
  }

  private queueHead(offset: number): QueueHead {
    const [magic, status, tail, head] = [0, 2, 4, 6].map((at) => read16(this.bytes(offset + at, 2), 0));
    return { magic: magic ?? NaN, status: status ?? NaN, tail: tail ?? NaN, head: head ?? NaN };
  }

  /** What the device side shows. */
  device(): QueueHead {
    return this.queueHead(64);
  }

  driver(): QueueHead {
    return this.queueHead(72);
  }

  /** Changes the driver's queue head. */
  set(change: Partial<QueueHead>): void {
    const next = { ...this.driver(), ...change };
    [next.magic, next.status, next.tail, next.head].forEach((value, at) => {
      this.memory().set([value & 255, value >> 8], this.base + 72 + at * 2);
    });
  }

  /** Puts `frame` into the driver's element `slot`, the bytes behind it stay. */
  write(slot: number, frame: readonly number[]): void {
    this.memory().set(frame, this.base + 128 + (this.elements + slot) * 64);
  }

  /** The device's element `slot`. */
  element(slot: number): number[] {
    return this.bytes(128 + slot * 64, 64);
  }

  /** Everything behind what the layout takes, up to `length` bytes: must stay as it was. */
  behind(length: number): number[] {
    return this.bytes(128 + 2 * this.elements * 64, length);
  }

  rings(): number {
    return fake.rings[this.bus] ?? NaN;
  }

  /** One step of the driver: change the queue head, let the firmware run once, see what it made of it. */
  step(change: Partial<QueueHead>): QueueHead {
    this.set(change);
    pass();
    return this.device();
  }

  /** INIT, READY, RUN from nothing. */
  shakeHands(): void {
    this.step({ magic: HEAD_MAGIC, status: INIT, tail: 0, head: 0 });
    this.step({ status: READY });
    assert.equal(this.step({ status: RUN }).status, RUN);
  }
}

export const GET_DEVICES = encode({ type: 2, id: 2, device: 0, token: 1, payload: [0, 0, 32, 0] });

export function ping(count: number): number[] {
  return encode({ type: 2, id: 3, device: 0, token: 1 + (count % 65535), payload: [count & 255, (count >> 8) & 255, 0x55, 0xaa] });
}
