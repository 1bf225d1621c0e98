// Backends of one's own with nothing but what the package exports: one for every device type whose backend is a hardware block.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { can, console as consoleDevice, gpio, i2c, input, rtc, scmi, spi } from 'virtio-msg-device';
import {
  answerMessageAt, busOff, CanFrame, commandAt, headerAt, inputAt, inputEnd, inputRoom, notificationAt, notify, privateByte, privateWindow, received, receiveInto, report,
  setPrivateByte, setTime, SpiHead, time, Times, Transfer, transferAt, wakeAfter, windowWords,
} from 'virtio-msg-device/device';
import { benchOf } from 'virtio-msg-device/testing';
import { le32 } from '../../support/driver/message.js';

const memory = (): Uint16Array => windowWords[privateWindow] as Uint16Array;

test('I2C: a chip that takes its time, and one that does not answer', () => {
  const start = (device: number, address: number, read: number, bytes: number): number => {
    for (let at = 0; read === 1 && at < bytes; at++) {
      setPrivateByte((transferAt[device] as number) + at, 0x60 + at);
    }
    return address === 0x21 ? Transfer.Later : Transfer.Failed;
  };
  const bench = benchOf(i2c({ number: 1, backend: { start, end: (): number => Transfer.Done } }), { features: [0] });
  assert.equal(bench.ask(0, [[0x42, 0, 0, 0, 2, 0, 0, 0]], [3, 1]), undefined);
  bench.wait(1000, 100);
  assert.deepEqual(bench.take(0)?.bytes, [0x60, 0x61, 0x62, 0]);
  assert.equal(bench.ask(0, [[0x44, 0, 0, 0, 2, 0, 0, 0]], [3, 1])?.bytes[3], 1);
});

test('SPI: the head is there for the backend', () => {
  const seen: number[] = [];
  const start = (device: number, txBytes: number): number => {
    seen.push(memory()[headerAt + SpiHead.Frequency] as number, privateByte(transferAt[device] as number), txBytes);
    return Transfer.Done;
  };
  const bench = benchOf(spi({ number: 1, backend: { start, end: (): number => Transfer.Done } }));
  const head = [0, 8, 0, 0, 0, 0, 0, 0, ...le32(0), ...le32(5000), ...le32(0), ...le32(0), ...le32(0), ...le32(0)];
  assert.deepEqual(bench.ask(0, [head, [0x99, 1]], [1])?.bytes, [0]);
  assert.deepEqual(seen, [5000, 0x99, 2]);
});

test('CAN: a frame from the bus, and bus-off', () => {
  const send = (device: number, at: number): number => {
    if (memory()[at + CanFrame.Id] === 0x7ff) {
      busOff(device);
      return Transfer.Failed;
    }
    const to = receiveInto(device);
    memory().fill(0, to, to + CanFrame.Words);
    memory()[to + CanFrame.Length] = 1;
    memory()[to + CanFrame.Id] = 0x55;
    memory()[to + CanFrame.Data] = 0xab;
    received(device);
    return Transfer.Done;
  };
  const backend = { start: (): boolean => true, stop: (): boolean => true, send, end: (): number => Transfer.Done };
  const bench = benchOf(can({ number: 1, backend }), { features: [0], queues: [0, 1, 2] });
  assert.deepEqual(bench.ask(2, [[1, 2]], [1])?.bytes, [0]);
  bench.offer(1, [], [80]);
  const frame = (id: number): number[] => [1, 0, 0, 0, 0, 0, 0, 0, ...le32(0), ...le32(id)];
  assert.deepEqual(bench.ask(0, [frame(1)], [1])?.bytes, [0]);
  bench.kick(1);
  assert.deepEqual(bench.take(1)?.bytes.slice(0, 17), [1, 1, 1, 0, 0, 0, 0, 0, ...le32(0), ...le32(0x55), 0xab]);
  assert.deepEqual(bench.ask(0, [frame(0x7ff)], [1])?.bytes, [1]);
  assert.deepEqual(bench.device.config(0, 2), [1, 0]);
});

test('GPIO: a line with levels of its own', () => {
  const levels = [1, 0];
  const backend = {
    setDirection: (): boolean => true,
    read: (_device: number, line: number): number => levels[line] as number,
    write: (_device: number, line: number, value: number): void => void (levels[line] = value),
    takeEdges: (): number => 0,
  };
  const bench = benchOf(gpio({ number: 1, lines: 2, backend }));
  const ask = (type: number, line: number, value: number): number[] | undefined => bench.ask(0, [[type, 0, line, 0, ...le32(value)]], [2])?.bytes;
  assert.deepEqual([ask(3, 0, 2), ask(4, 0, 0), ask(3, 1, 1), ask(5, 1, 1)], [[0, 0], [0, 1], [0, 0], [0, 0]]);
  assert.deepEqual(levels, [1, 1]);
});

test('RTC: a clock that answers once', () => {
  let good = true;
  const read = (): boolean => {
    setTime(Times.Reading, 1, 2, 3, 4);
    assert.equal(time[Times.Reading * 4 + 3], 4);
    return good;
  };
  const bench = benchOf(rtc({ number: 1, clocks: [{ type: 'tai' }], backend: { read } }));
  const ask = (): number[] | undefined => bench.ask(0, [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], [16])?.bytes;
  assert.deepEqual(ask()?.slice(8), [1, 0, 2, 0, 3, 0, 4, 0]);
  good = false;
  assert.equal(ask()?.[0], 5);
});

test('input: a knob', () => {
  const look = (device: number): void => {
    report(device, 2, 7, 3);
    report(device, 0, 0, 0);
    wakeAfter(device, 1000000);
  };
  const bench = benchOf(input({ number: 1, name: 'knob', events: [{ type: 2, codes: [7] }], backend: { look } }));
  bench.offer(0, [], [8]);
  bench.offer(0, [], [8]);
  bench.kick(0);
  assert.deepEqual(bench.takeAll(0).map(({ bytes }) => bytes), [[2, 0, 7, 0, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]]);
});

test('SCMI: a command with a return value, and a notification', () => {
  const handle = (device: number, bytes: number): number => {
    memory()[(answerMessageAt[device] as number) + 4] = (memory()[(commandAt[device] as number) + 2] as number) + bytes;
    memory()[(answerMessageAt[device] as number) + 5] = 0;
    const at = notificationAt(device);
    memory()[at] = 0x77;
    memory()[at + 1] = 0;
    notify(device, 4);
    return 8;
  };
  const bench = benchOf(scmi({ number: 1, backend: { handle, notifies: true } }), { features: [0], queues: [0, 1] });
  bench.offer(1, [], [16]);
  bench.kick(1);
  assert.deepEqual(bench.ask(0, [le32(0x4001), le32(9)], [12])?.bytes, [...le32(0x4001), ...le32(0), ...le32(13)]);
  bench.settle();
  assert.deepEqual(bench.take(1)?.bytes.slice(0, 4), le32(0x77));
});

test('console: a backend whose input is fetched, as much at a time as there is room for', () => {
  let next = 0;
  const type = {
    output: (_port: number, _position: number, bytes: number): number => bytes,
    emergency: (): void => undefined,
    input: (port: number): number => {
      const bytes = Math.min(3, inputRoom(port), 20 - next);
      for (let at = 0; at < bytes; at++) {
        setPrivateByte((inputAt[port] as number) + ((inputEnd(port) + at) & 7), next++);
      }
      return bytes;
    },
  };
  const bench = benchOf(consoleDevice({ number: 1, ports: [{ backend: { type, attach: (): void => undefined }, input: 8 }] }), { queues: [0, 1] });
  const got: number[] = [];
  for (let round = 0; round < 10; round++) {
    bench.offer(0, [], [2]);
    bench.kick(0);
    bench.takeAll(0).forEach(({ written, bytes }) => got.push(...bytes.slice(0, written)));
  }
  assert.deepEqual(got.slice(0, 13), Array.from({ length: 13 }, (_, at) => at));
});
