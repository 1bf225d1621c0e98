// Uses each device of firmware/apps/demo.ts once, one after the other, and checks what comes back; any driver side can do it.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { Client } from '../../support/driver/client.js';
import { le32, le64, read16, read32 } from '../../support/driver/message.js';
import { figure, machine, step, traceMessages } from './application-core.js';

const MEMORY = 0x100000;

function same(found: readonly number[], expected: readonly number[], what: string): void {
  if (found.length !== expected.length || found.some((byte, at) => byte !== expected[at])) {
    throw new Error(what + ' came back wrong');
  }
}

/** `length` bytes that differ from place to place. */
function pattern(length: number): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < length; at++) {
    bytes.push((at * 7 + (at >> 8) * 13) & 255);
  }
  return bytes;
}

/** Adler's checksum, its two sums as one number. */
export function checksum(bytes: readonly number[]): number {
  let a = 1;
  let b = 0;
  bytes.forEach((byte) => {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  });
  return b * 65536 + a;
}

function useEntropy(client: Client): void {
  const one = client.ask(0, [], 64);
  const two = client.ask(0, [], 64);
  if (one.written !== 64 || two.written !== 64 || one.bytes.every((byte, at) => byte === two.bytes[at])) {
    throw new Error('two requests gave the same bytes, or too few');
  }
}

function useConsole(client: Client): void {
  const text = 'hello, coprocessor'.split('').map((letter) => letter.charCodeAt(0));
  client.offer(0, [], 32);
  client.ask(1, text, 0);
  const { written, bytes } = client.reply(0);
  same(bytes.slice(0, written), text, 'what the console was sent');
}

/** A request of type `type` at `sector`; returns the data, throws when the status is not OK. */
function disk(client: Client, type: number, sector: number, data: readonly number[], room: number): number[] {
  const { bytes } = client.ask(0, le32(type).concat(le32(0), le64(sector, 0), data), room + 1);
  if (bytes[room] !== 0) {
    throw new Error('the disk answers status ' + bytes[room] + ' to a request of type ' + type);
  }
  return bytes.slice(0, room);
}

function useBlock(client: Client): void {
  const sectors = read32(client.device.config(0, 4), 0);
  step('  format: write zeroes, then a first sector with the checksum of what follows');
  disk(client, 13, 0, le64(0, 0).concat(le32(sectors), le32(0)), 0);
  const data = pattern(4096);
  const first = le32(0x6f6d6564).concat(le32(checksum(data)));
  while (first.length < 512) {
    first.push(0);
  }
  disk(client, 1, 0, first, 0);
  step('  write 4 KiB, flush, read back, verify');
  disk(client, 1, 8, data, 0);
  disk(client, 4, 0, [], 0);
  const written = disk(client, 0, 8, [], 4096);
  same(written, data, 'what the disk was given');
  if (read32(disk(client, 0, 0, [], 512), 4) !== checksum(written)) {
    throw new Error('the checksum on the disk is not that of the data');
  }
  figure('disk-checksum', checksum(written));
}

/** An ICMP echo request with its checksum, from and to `own`. */
function ping(own: readonly number[]): number[] {
  const address = [10, 0, 0, 1];
  const ones = (bytes: readonly number[]): number[] => {
    let sum = 0;
    for (let at = 0; at < bytes.length; at += 2) {
      sum += bytes[at] * 256 + bytes[at + 1];
    }
    while (sum > 65535) {
      sum = (sum & 65535) + Math.floor(sum / 65536);
    }
    return [(65535 - sum) >> 8, (65535 - sum) & 255];
  };
  const head = [0x45, 0, 0, 84, 0, 1, 0, 0, 64, 1];
  const ip = head.concat(ones(head.concat([0, 0], address, address)), address, address);
  const tail = [0, 1, 0, 1].concat(pattern(56));
  return own.concat(own, [8, 0], ip, [8, 0], ones([8, 0, 0, 0].concat(tail)), tail);
}

function useNetwork(client: Client): void {
  const frame = ping(client.device.config(0, 6));
  client.offer(0, [], 1526);
  const header = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  client.ask(1, header.concat(frame), 0);
  const { written, bytes } = client.reply(0);
  same(bytes.slice(12, written), frame, 'the ping');
}

/** A GPIO request; returns the value, throws when the status is not OK. */
function line(client: Client, type: number, number: number, value: number): number {
  const { bytes } = client.ask(0, [type, 0, number, 0].concat(le32(value)), 2);
  if (bytes[0] !== 0) {
    throw new Error('GPIO line ' + number + ' refuses a request of type ' + type);
  }
  return bytes[1];
}

function useGpio(client: Client): void {
  // Line 0 is an output, line 1, which is wired to it, an input with an interrupt on the rising edge.
  line(client, 3, 0, 1);
  line(client, 3, 1, 2);
  line(client, 6, 1, 1);
  client.offer(1, [1, 0], 1);
  line(client, 5, 0, 1);
  if (client.reply(1).bytes[0] !== 1 || line(client, 4, 1, 0) !== 1) {
    throw new Error('the rising edge of line 1 caused no interrupt');
  }
}

/** Seconds and nanoseconds are one 64-bit number; this gives its upper 48 bits, in steps of 65.536 microseconds. */
function readClock(client: Client): number {
  const { bytes } = client.ask(0, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16);
  if (bytes[0] !== 0) {
    throw new Error('the clock answers status ' + bytes[0]);
  }
  return read16(bytes, 10) + read32(bytes, 12) * 65536;
}

function useRtc(client: Client): void {
  const first = readClock(client);
  const seconds = Math.floor((first * 65536) / 1000000000);
  figure('clock-seconds', seconds);
  machine.wait(1000);
  if (seconds < 1700000000 || seconds > 1700000060 || readClock(client) <= first) {
    throw new Error('the clock shows ' + seconds + ' s, or does not run');
  }
}

/** One segment of an I2C transfer to 7-bit address `address`; `room` bytes are read. */
function segment(client: Client, address: number, data: readonly number[], room: number): number[] {
  const { bytes } = client.ask(0, [address * 2, 0, 0, 0].concat(le32(room > 0 ? 2 : 0), data), room + 1);
  if (bytes[room] !== 0) {
    throw new Error('the chip at address ' + address + ' does not answer');
  }
  return bytes.slice(0, room);
}

function useI2c(client: Client): void {
  // A temperature sensor at 0x48, whose register 0 is the temperature, and a memory at 0x50.
  segment(client, 0x48, [0], 0);
  const [degrees, part] = segment(client, 0x48, [], 2);
  figure('temperature-256ths', degrees * 256 + part);
  segment(client, 0x50, [16, 1, 2, 3], 0);
  segment(client, 0x50, [16], 0);
  same(segment(client, 0x50, [], 3), [1, 2, 3], 'what the I2C memory was given');
}

function useSpi(client: Client): void {
  const head = [0, 8, 0, 0, 0, 0, 0, 0].concat(le32(0), le32(1000000), le32(0), le32(0), le32(0), le32(0));
  const data = pattern(32);
  for (let turn = 0; turn < 2; turn++) {
    const { bytes } = client.ask(0, head.concat(data), 33);
    if (bytes[32] !== 0) {
      throw new Error('the SPI controller answers ' + bytes[32]);
    }
    same(bytes.slice(0, 32), data, 'what was sent over SPI');
  }
}

function useCan(client: Client): void {
  // START, then a classic frame to oneself, then STOP.
  const control = (type: number): void => same(client.ask(2, [type, 2], 1).bytes, [0], 'the answer of the CAN controller');
  control(1);
  client.offer(1, [], 80);
  const frame = [8, 0, 0, 0, 0, 0].concat(le32(0), le32(0x123), pattern(8));
  same(client.ask(0, [1, 0].concat(frame), 1).bytes, [0], 'the answer to a CAN frame');
  const { written, bytes } = client.reply(1);
  same(bytes.slice(0, written), [1, 1].concat(frame), 'the CAN frame');
  control(2);
}

function useInput(client: Client): void {
  // A key goes down and up: EV_KEY KEY_A 1, EV_SYN, EV_KEY KEY_A 0, EV_SYN.
  [1, 0].forEach(() => {
    client.offer(0, [], 8);
    client.offer(0, [], 8);
  });
  [1, 0].forEach((value) => {
    same(client.reply(0).bytes, [1, 0, 30, 0].concat(le32(value)), 'the key');
    same(client.reply(0).bytes, [0, 0, 0, 0].concat(le32(0)), 'the end of the key');
  });
}

function useScmi(client: Client): void {
  // Base protocol (0x10): PROTOCOL_VERSION, and a command there is none of.
  const version = client.ask(0, le32(0x10 << 10), 12);
  if (version.written !== 12 || read32(version.bytes, 4) !== 0 || read32(version.bytes, 8) !== 0x20000) {
    throw new Error('SCMI does not tell its version');
  }
  if (read32(client.ask(0, le32((0x10 << 10) | 200), 12).bytes, 4) === 0) {
    throw new Error('SCMI carries an unknown command out');
  }
}

/** Brings a device up, uses it, resets it, and says how many requests that took. */
function use(bus: AmpBus, name: string, number: number, deviceId: number, block0: number, queues: number, work: (client: Client) => void): void {
  step('use the ' + name + ' device');
  const client = new Client(bus, machine, number, deviceId, block0, queues, MEMORY);
  figure('use-' + name, number);
  work(client);
  figure('requests-' + name, client.requests);
  client.close();
}

/** Handshake, every device, shutdown. */
export function useDevices(bus: AmpBus): void {
  traceMessages(bus);
  step('find the shared-memory layout and shake hands');
  bus.connect();
  use(bus, 'entropy', 1, 4, 0, 1, useEntropy);
  use(bus, 'console', 2, 3, 0, 2, useConsole);
  // FLUSH and WRITE_ZEROES.
  use(bus, 'block', 3, 2, (1 << 9) | (1 << 14), 1, useBlock);
  // MAC.
  use(bus, 'network', 4, 1, 1 << 5, 2, useNetwork);
  // IRQ.
  use(bus, 'gpio', 5, 41, 1, 2, useGpio);
  use(bus, 'rtc', 6, 17, 0, 1, useRtc);
  // ZERO_LENGTH_REQUEST.
  use(bus, 'i2c', 7, 34, 1, 1, useI2c);
  use(bus, 'spi', 8, 45, 0, 1, useSpi);
  // CAN_CLASSIC.
  use(bus, 'can', 9, 36, 1, 3, useCan);
  use(bus, 'input', 10, 18, 0, 1, useInput);
  use(bus, 'scmi', 11, 32, 0, 1, useScmi);
  step('shut the bus down');
  bus.shutdown();
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
}
