// A started device as a client uses it: requests are lists of bytes, answers are what came back in the writable part.
import type { AmpBus } from './amp-bus.js';
import { DriverDevice } from './device.js';
import type { DriverMachine } from './machine.js';
import { EVENT_USED } from './message.js';
import { SplitQueue } from './split-queue.js';

/** Bytes of memory per queue: its ring of 16 descriptors, then its buffers. */
const QUEUE_ROOM = 0x8000;
const BUFFERS_AT = 0x400;

/** What the device gave back. */
export interface Reply {
  readonly written: number;
  readonly bytes: number[];
}

interface Pending {
  readonly at: number;
  readonly length: number;
}

export class Client {
  readonly device: DriverDevice;
  private readonly queues: SplitQueue[] = [];
  private readonly pending: Pending[][] = [];
  private readonly next: number[] = [];
  /** Requests made in all. */
  requests = 0;

  /**
   * Brings device `number`, which must have `deviceId`, up with the feature bits `block0` and its first `queues` queues, whose
   * rings and buffers lie from byte `memory` of the shared memory on.
   */
  constructor(readonly bus: AmpBus, readonly machine: DriverMachine, number: number, deviceId: number, block0: number, queues: number, readonly memory: number) {
    this.device = new DriverDevice(bus, number);
    const found = this.device.info().deviceId;
    if (found !== deviceId) {
      throw new Error('device ' + number + ' has device id ' + found + ', not ' + deviceId);
    }
    this.device.negotiate(block0);
    for (let index = 0; index < queues; index++) {
      const queue = new SplitQueue(machine, memory + index * QUEUE_ROOM, 16);
      this.device.setQueue(index, queue.size, queue.areas());
      this.queues.push(queue);
      this.pending.push([]);
      this.next.push(memory + index * QUEUE_ROOM + BUFFERS_AT);
    }
    this.device.start();
  }

  private setByte(at: number, value: number): void {
    const words = this.machine.words;
    const word = words[at >> 1];
    words[at >> 1] = (at & 1) === 0 ? (word & 0xff00) | value : (word & 0xff) | (value << 8);
  }

  private byte(at: number): number {
    const word = this.machine.words[at >> 1];
    return (at & 1) === 0 ? word & 255 : word >> 8;
  }

  private place(index: number, length: number): number {
    const end = this.memory + (index + 1) * QUEUE_ROOM;
    if (this.next[index] + length > end) {
      this.next[index] = this.memory + index * QUEUE_ROOM + BUFFERS_AT;
    }
    const at = this.next[index];
    this.next[index] += (length + 15) & ~15;
    return at;
  }

  /** Makes a request of queue `index` available and rings: `readable` bytes, room for `writable` bytes. */
  offer(index: number, readable: readonly number[], writable: number): void {
    const elements: { offset: number; bytes: number; writable: boolean }[] = [];
    if (readable.length > 0) {
      const at = this.place(index, readable.length);
      readable.forEach((byte, offset) => this.setByte(at + offset, byte));
      elements.push({ offset: at, bytes: readable.length, writable: false });
    }
    const answer = { at: this.place(index, writable), length: writable };
    if (writable > 0) {
      elements.push({ offset: answer.at, bytes: writable, writable: true });
    }
    const head = this.queues[index].add(elements);
    this.pending[index][head] = answer;
    this.queues[index].publish();
    this.device.kick(index);
    this.requests++;
  }

  /** Waits for the next request of queue `index` that the device gives back. */
  reply(index: number): Reply {
    let used = this.queues[index].take();
    while (used === undefined) {
      this.bus.event('used buffer notification', EVENT_USED, this.device.number);
      used = this.queues[index].take();
    }
    const { at, length } = this.pending[index][used.head];
    const bytes: number[] = [];
    for (let offset = 0; offset < length; offset++) {
      bytes.push(this.byte(at + offset));
    }
    return { written: used.written, bytes };
  }

  /** One request and its answer. */
  ask(index: number, readable: readonly number[], writable: number): Reply {
    this.offer(index, readable, writable);
    return this.reply(index);
  }

  /** Resets the device; the client cannot be used any more. */
  close(): void {
    if (this.device.setStatus(0) !== 0) {
      throw new Error('device ' + this.device.number + ' is not in its reset state');
    }
  }
}
