// The CAN controller: started and stopped, frames checked before they are sent, received frames never split, bus-off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { can } from '../../../firmware/main.js';
import type { CanBackend, CanOptions } from '../../../firmware/main.js';
import { busOff, CanFrame, received, receiveInto } from '../../../firmware/devices/can.hot.js';
import { outboxDropped } from '../../../firmware/serving/outbox.hot.js';
import { privateWindow } from '../../../firmware/memory/private.hot.js';
import { windowWords } from '../../../hal/fake/port.js';
import type { DeviceBench } from '../../support/device-bench.js';
import { benchOf } from '../../support/device-bench.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le16, le32, read16 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';

const TX = 0;
const RX = 1;
const CONTROL = 2;
const ROW = 0;

const CAN_CLASSIC = 0;
const CAN_FD = 1;
const RTR_FRAMES = 2;
const LATE_TX_ACK = 3;

const RTR = 0x2000;
const FD = 0x4000;
const EXTENDED = 0x8000;
const START = 0x0201;
const STOP = 0x0202;
const OK = 0;
const NOT_OK = 1;
const DONE = 0;
const FAILED = 1;
const LATER = 2;

function begin(options: Partial<CanOptions> = {}, features: readonly number[] = [CAN_CLASSIC, CAN_FD, RTR_FRAMES]): DeviceBench {
  return benchOf(can({ number: 8, ...options }), { features, queues: [TX, RX, CONTROL] });
}

function control(bench: DeviceBench, type: number): number | undefined {
  return bench.ask(CONTROL, [le16(type)], [1])?.bytes[0];
}

interface Frame {
  id?: number;
  flags?: number;
  data?: number[];
  length?: number;
  type?: number;
}

function frame({ id = 0x123, flags = 0, data = [], length = data.length, type = 1 }: Frame): number[] {
  return [...le16(type), ...le16(length), 0, 0, 0, 0, ...le32(flags), ...le32(id), ...data];
}

function send(bench: DeviceBench, parts: Frame): number | undefined {
  return bench.ask(TX, [frame(parts)], [1])?.bytes[0];
}

/** Backend on which the test decides what becomes of frames. */
class Bus {
  readonly sent: number[] = [];
  results: number[] = [];
  held = false;
  ends: number[] = [];
  stops = 0;
  startable = true;
  readonly backend: CanBackend = {
    start: () => this.startable,
    stop: () => (this.stops++, true),
    send: (_device, at) => {
      this.sent.push(windowWords[privateWindow]?.[at + CanFrame.Id] ?? -1);
      return this.results.shift() ?? DONE;
    },
    end: () => (this.held ? LATER : (this.ends.shift() ?? DONE)),
  };
}

test('CAN id 36, three queues, status in two bytes of configuration', () => {
  const bench = begin();
  assert.deepEqual([bench.device.info().deviceId, bench.device.info().queues], [36, 3]);
  assert.deepEqual(bench.device.config(0, 2), [0, 0]);
  assert.equal(bench.device.features()[0], 0x0f);
});

test('CAN-1 R-110 FEATURES_OK needs classic or FD frames, and RTR needs classic', () => {
  const verdict = (bits: number): number => {
    const device = new DriverDevice(connectedTo([can({ number: 8 })]), 8);
    device.setStatus(0);
    device.setStatus(3);
    device.setFeatures(bits, 1);
    return device.setStatus(0x0b);
  };
  assert.deepEqual([0, 4, 6, 8].map(verdict), [3, 3, 3, 3]);
  assert.deepEqual([1, 2, 3, 5, 7, 15].map(verdict), Array.from({ length: 6 }, () => 0x0b));
});

test('CAN-3 CAN-4 stopped at first: frames are NOT_OK until START; after STOP again', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend });
  assert.equal(send(bench, { data: [1] }), NOT_OK);
  assert.equal(control(bench, START), OK);
  assert.equal(control(bench, START), OK, 'again changes nothing');
  assert.equal(send(bench, { data: [1] }), OK);
  assert.equal(control(bench, STOP), OK);
  assert.equal(send(bench, { data: [1] }), NOT_OK);
  assert.deepEqual(bus.sent, [0x123]);
  bus.startable = false;
  assert.equal(control(bench, START), NOT_OK);
  assert.equal(send(bench, { data: [1] }), NOT_OK);
});

test('DT-G4 DT-G6 unknown, short and answerless control messages', () => {
  const bench = begin();
  assert.equal(control(bench, 0x0203), NOT_OK);
  assert.deepEqual(bench.ask(CONTROL, [[1]], [1])?.bytes, [NOT_OK]);
  assert.equal(bench.ask(CONTROL, [le16(START)])?.written, 0);
  assert.equal(send(bench, { data: [1] }), NOT_OK, 'a START that could not be answered has no effect');
});

test('CAN-2 CAN-5 ids, lengths, flags and formats out of range are NOT_OK and not sent', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend });
  control(bench, START);
  const eight = [1, 2, 3, 4, 5, 6, 7, 8];
  const wrong: Frame[] = [
    { id: 0x800 },
    { id: 0x10000 },
    { id: 0x20000000, flags: EXTENDED },
    { data: [...eight, 9] },
    { flags: FD, data: [], length: 65 },
    { flags: FD, length: 300 },
    { flags: RTR | FD },
    { flags: 1 },
    { flags: 0x10000 },
    { type: 2 },
    { length: 5, data: [1, 2, 3, 4] },
    { flags: RTR, length: 9 },
  ];
  wrong.forEach((parts) => assert.equal(send(bench, parts), NOT_OK, JSON.stringify(parts)));
  assert.deepEqual(bench.ask(TX, [frame({}).slice(0, 15)], [1])?.bytes, [NOT_OK]);
  assert.equal(bench.ask(TX, [frame({})])?.written, 0);
  assert.deepEqual(bus.sent, []);
  const right: Frame[] = [
    { id: 0x7ff, data: eight },
    { id: 0x1fffffff, flags: EXTENDED },
    { flags: FD, data: Array.from({ length: 64 }, (_, at) => at) },
    { flags: RTR, length: 8 },
  ];
  right.forEach((parts) => assert.equal(send(bench, parts), OK, JSON.stringify(parts)));
  assert.equal(bus.sent.length, right.length);
});

test('CAN-5 formats the driver did not accept are NOT_OK', () => {
  const classic = begin({}, [CAN_CLASSIC]);
  control(classic, START);
  assert.deepEqual([send(classic, {}), send(classic, { flags: FD }), send(classic, { flags: RTR })], [OK, NOT_OK, NOT_OK]);
  const fd = begin({}, [CAN_FD]);
  control(fd, START);
  assert.deepEqual([send(fd, {}), send(fd, { flags: FD })], [NOT_OK, OK]);
});

test('received frames carry type, length, flags, id and data; the loop gives back what was sent', () => {
  const bench = begin();
  control(bench, START);
  bench.offer(RX, [], [80]);
  bench.offer(RX, [], [10, 6, 64]);
  bench.kick(RX);
  send(bench, { id: 0x1234567, flags: EXTENDED, data: [5, 6, 7] });
  send(bench, { flags: RTR, length: 4 });
  const answers = bench.takeAll(RX);
  assert.deepEqual(answers.map(({ written }) => written), [19, 16]);
  assert.deepEqual(answers[0]?.bytes.slice(0, 19), frame({ type: 0x0101, id: 0x1234567, flags: EXTENDED, data: [5, 6, 7] }));
  assert.deepEqual(answers[1]?.bytes.slice(0, 16), frame({ type: 0x0101, flags: RTR, length: 4 }));
  assert.equal(control(bench, STOP), OK);
});

test('CAN-8 frames wait for buffers, the newest are dropped and counted when too many wait', () => {
  const bench = begin({ receiveFrames: 4 });
  control(bench, START);
  for (let id = 1; id <= 6; id++) {
    send(bench, { id });
  }
  assert.equal(outboxDropped[ROW], 2);
  for (let at = 0; at < 6; at++) {
    bench.offer(RX, [], [80]);
  }
  bench.kick(RX);
  assert.deepEqual(bench.takeAll(RX).map(({ bytes }) => read16(bytes, 12)), [1, 2, 3, 4]);
});

test('CAN-9 a frame larger than its buffer is dropped and counted, never split; the buffer takes the next one', () => {
  const bench = begin();
  control(bench, START);
  bench.offer(RX, [], [18]);
  bench.kick(RX);
  send(bench, { id: 1, data: [1, 2, 3] });
  assert.equal(bench.take(RX), undefined);
  assert.equal(outboxDropped[ROW], 1);
  send(bench, { id: 2, data: [1, 2] });
  bench.wait(3000);
  const answer = bench.take(RX);
  assert.deepEqual([answer?.written, read16(answer?.bytes ?? [], 12)], [18, 2]);
});

test('CAN-6 with LATE_TX_ACK a frame comes back when the bus has acknowledged it, else when it is queued', () => {
  const bus = new Bus();
  const late = begin({ backend: bus.backend }, [CAN_CLASSIC, LATE_TX_ACK]);
  control(late, START);
  bus.results = [LATER];
  bus.ends = [FAILED];
  bus.held = true;
  assert.equal(send(late, { id: 1 }), undefined);
  late.offer(TX, [frame({ id: 2 })], [1]);
  late.kick(TX);
  late.wait(1000);
  assert.deepEqual(late.takeAll(TX), []);
  bus.held = false;
  late.wait(1000);
  assert.deepEqual(late.takeAll(TX).map(({ bytes }) => bytes), [[NOT_OK], [OK]]);
  assert.deepEqual(bus.sent, [1, 2]);

  const other = new Bus();
  const soon = begin({ backend: other.backend }, [CAN_CLASSIC]);
  control(soon, START);
  other.results = [LATER];
  other.held = true;
  assert.equal(send(soon, { id: 1 }), OK);
  soon.offer(TX, [frame({ id: 2 })], [1]);
  soon.kick(TX);
  assert.deepEqual([soon.take(TX), other.sent], [undefined, [1]], 'one frame at a time');
  other.held = false;
  soon.wait(1000);
  assert.deepEqual(soon.takeAll(TX).map(({ bytes }) => bytes), [[OK]]);
});

test('CAN-4 at STOP the frame under way and the waiting ones come back NOT_OK', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend }, [CAN_CLASSIC, LATE_TX_ACK]);
  control(bench, START);
  bus.results = [LATER];
  bus.held = true;
  bench.offer(TX, [frame({ id: 1 })], [1]);
  bench.offer(TX, [frame({ id: 2 })], [1]);
  bench.kick(TX);
  assert.equal(control(bench, STOP), OK);
  assert.deepEqual(bench.takeAll(TX).map(({ bytes }) => bytes), [[NOT_OK], [NOT_OK]]);
  bus.held = false;
  bench.wait(1000);
  assert.deepEqual(bench.takeAll(TX), [], 'the late end finishes nothing twice');
  control(bench, START);
  assert.equal(send(bench, { id: 3 }), OK);
});

test('CAN-4 at STOP frames that wait behind one that was answered when it was queued come back NOT_OK at once', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend }, [CAN_CLASSIC]);
  control(bench, START);
  bus.results = [LATER];
  bus.held = true;
  assert.equal(send(bench, { id: 1 }), OK);
  assert.equal(send(bench, { id: 2 }), undefined, 'the bus still works on the first');
  assert.equal(control(bench, STOP), OK);
  assert.deepEqual(bench.takeAll(TX).map(({ bytes }) => bytes), [[NOT_OK]]);
  assert.deepEqual(bus.sent, [1]);
});

test('CAN-7 bus-off shows in the status with a notification, stops the controller, and START ends it', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend }, [CAN_CLASSIC, LATE_TX_ACK]);
  control(bench, START);
  bus.results = [LATER];
  bus.held = true;
  bench.offer(TX, [frame({ id: 1 })], [1]);
  bench.offer(TX, [frame({ id: 2 })], [1]);
  bench.kick(TX);
  bench.events.splice(0);
  busOff(ROW);
  bench.settle();
  assert.deepEqual(bench.events.filter(({ id }) => id === 0x40).length, 1);
  assert.deepEqual(bench.device.config(0, 2), [1, 0]);
  assert.deepEqual(bench.takeAll(TX).map(({ bytes }) => bytes), [[NOT_OK], [NOT_OK]], 'the one under way and the one behind it');
  assert.equal(send(bench, { id: 2 }), NOT_OK);
  bus.held = false;
  bench.wait(1000);
  assert.equal(control(bench, START), OK);
  assert.deepEqual(bench.device.config(0, 2), [0, 0]);
  assert.equal(send(bench, { id: 3 }), OK);
});

test('R-159 a reset stops the controller and forgets waiting frames', () => {
  const bus = new Bus();
  const bench = begin({ backend: bus.backend });
  control(bench, START);
  const at = receiveInto(ROW);
  assert.ok(at >= 0);
  received(ROW);
  bench.device.setStatus(0);
  assert.equal(bus.stops, 1);
  assert.equal(receiveInto(ROW), -1, 'stopped: nothing is received');
  bench.start();
  bench.offer(RX, [], [80]);
  bench.kick(RX);
  assert.equal(bench.take(RX), undefined);
  assert.equal(send(bench, {}), NOT_OK);
});

test('options a controller cannot have are one sentence', () => {
  assert.throws(() => can({ number: 8, classic: false, fd: false }), /classic frames or FD frames/);
  assert.throws(() => begin({ receiveFrames: 3 }), /power of two/);
});
