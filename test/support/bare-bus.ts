// A bus without a carrier: frames of any length go straight to the bus layer, which answers into a slot full of old bytes.
import assert from 'node:assert/strict';
import { fake, windows } from '../../hal/fake/port.js';
import { addBus } from '../../firmware/bus/add-bus.js';
import { receive } from '../../firmware/bus/bus.hot.js';
import { proposeRevision } from '../../firmware/bus/revision.hot.js';
import { slotBytes } from '../../firmware/bus/bus-table.hot.js';
import { sendNext } from '../../firmware/bus/send.hot.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { addWindows } from '../../firmware/memory/windows.js';
import { addDevice, clearDevices } from '../../firmware/transport/add-device.js';
import { serveKicked } from '../../firmware/virtqueue/schedule.hot.js';
import type { Profile } from './driver/message.js';
import { encode, headerBytes, le32, read16, read32 } from './driver/message.js';
import { forget } from './fresh.js';

const REQUEST = 0x8000;
const ANSWER = 0xa000;
const OLD_BYTE = 0xee;

export class BareBus {
  /** The token of the last request. */
  token = 6;

  /** `ringFeatures`: what every device offers besides VERSION_1. `size`: the bus's largest message; an answer slot is as large, rounded up to an even number of bytes. */
  constructor(
    devices: readonly DeviceModel[],
    readonly size = 64,
    vendor = 0x1af4,
    ringFeatures: readonly number[] = [],
    readonly profile: Profile = 'A',
    transportFeatures = 0,
  ) {
    forget();
    fake.clear();
    clearDevices();
    addWindows(windows);
    addBus(0, profile, size, transportFeatures);
    assert.ok(proposeRevision(0, 1, size, transportFeatures, 0), 'a driver side with the same abilities agrees');
    slotBytes[0] = this.slotSize();
    devices.forEach((model) => addDevice(0, model, { vendor, ringFeatures, requiredFeatures: [], mostFeatureBlocks: 4 }));
  }

  private slotSize(): number {
    return (this.size + 1) & ~1;
  }

  /** Hands over a frame of `received` bytes that begins with `bytes`; returns the answer, msg_size bytes of it, or [] for none. */
  frame(bytes: readonly number[], received = bytes.length): number[] {
    const memory = this.memory();
    memory.fill(OLD_BYTE, ANSWER, ANSWER + this.slotSize() + 64);
    memory.fill(0, REQUEST, REQUEST + received + 64);
    memory.set(bytes, REQUEST);
    const answered = receive(0, 0, REQUEST / 2, received, ANSWER / 2);
    const behind = memory.subarray(ANSWER + this.slotSize(), ANSWER + this.slotSize() + 64);
    assert.ok(behind.every((byte) => byte === OLD_BYTE), 'nothing is written behind the answer slot');
    assert.ok(answered >= 0 && answered <= this.size, 'the answer respects the maximum size');
    return this.slot().slice(0, answered);
  }

  /** The whole answer slot as the last frame left it. */
  slot(): number[] {
    return Array.from(this.memory().subarray(ANSWER, ANSWER + this.slotSize()));
  }

  /** What the device side sends unasked: every message that waits, oldest first. */
  sent(): number[][] {
    const messages: number[][] = [];
    for (let bytes = sendNext(0, 0, ANSWER / 2); bytes > 0; bytes = sendNext(0, 0, ANSWER / 2)) {
      assert.ok(bytes <= this.size, 'a message respects the maximum size');
      messages.push(this.slot().slice(0, bytes));
    }
    return messages;
  }

  private memory(): Uint8Array {
    const memory = fake.bytes[0];
    assert.ok(memory !== undefined);
    return memory;
  }

  /** Sends a transport request and returns the payload of its answer, whose header is checked. */
  request(id: number, device: number, payload: readonly number[] = []): number[] {
    this.token += 1;
    const answer = this.frame(encode({ type: 0, id, device, token: this.token, payload: Array.from(payload) }, this.profile));
    const header = headerBytes(this.profile);
    assert.deepEqual(
      answer.slice(0, header),
      encode({ type: 1, id, device, token: this.token, payload: [], size: answer.length }, this.profile),
      'header of the answer',
    );
    return answer.slice(header);
  }

  /** Writes the status and returns the resulting one. */
  status(device: number, value: number): number {
    return read32(this.request(0x08, device, le32(value)), 0);
  }

  /** Status by GET_DEVICE_STATUS. */
  readStatus(device: number): number {
    return read32(this.request(0x07, device), 0);
  }

  /** SET_DRIVER_FEATURES with `blocks` from block `first` on; the answer has to be empty. */
  setFeatures(device: number, first: number, blocks: readonly number[]): void {
    const words = blocks.reduce((bytes: number[], block) => bytes.concat(le32(block)), []);
    assert.deepEqual(this.request(0x04, device, le32(first).concat(le32(blocks.length), words)), []);
  }

  /** ACKNOWLEDGE, DRIVER, the features of blocks 0 and 1, FEATURES_OK; returns the resulting status. */
  negotiate(device: number, block0 = 0, block1 = 1): number {
    this.status(device, 0);
    this.status(device, 1);
    this.status(device, 3);
    this.setFeatures(device, 0, [block0, block1]);
    return this.status(device, 0x0b);
  }

  /** EVENT_AVAIL for `index`; returns what came back, which must be nothing. */
  kick(device: number, index: number, next = 0): number[] {
    return this.frame(encode({ type: 0, id: 0x41, device, token: 0, payload: le32(index).concat(le32(next)) }, this.profile));
  }

  /** Lets the queues that were kicked be served. */
  serve(): void {
    while (serveKicked()) {
      continue;
    }
  }
}

/** Message size in a header. */
export function sizeOf(message: readonly number[]): number {
  return read16(message, 6);
}

/** Bytes from their hexadecimal form, as the specification prints them. */
export function hex(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((digits) => parseInt(digits, 16));
}
