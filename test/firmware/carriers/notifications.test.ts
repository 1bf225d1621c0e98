// Out-of-band notifications of the AMP carrier: doorbells without payload, notification words, polling.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { loop, pass } from '../../../firmware/loop.hot.js';
import type { NotificationOptions } from '../../../firmware/main.js';
import { start } from '../../../firmware/main.js';
import { Wake } from '../../../hal/port.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read16 } from '../../support/driver/message.js';
import { NotificationWords } from '../../support/driver/notification-words.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import type { BusSettings } from '../../support/fresh.js';
import { appWith, connectedTo, droppedInAll, forget } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { Peer, ping } from '../../support/peer.js';
import { BUFFERS, RING } from '../../support/ring-bench.js';
import type { TestDevice } from '../../support/test-device.js';
import { testDevice } from '../../support/test-device.js';

interface Bench {
  bus: AmpBus;
  tested: TestDevice;
  device: DriverDevice;
  queues: SplitQueue[];
  words: NotificationWords;
}

/** Device `number` with `count` queues, all running. */
function bench(notifications: NotificationOptions, number = 3, count = 5, settings: BusSettings = {}): Bench {
  const tested = testDevice({ number, queueSizes: new Array<number>(count).fill(8) });
  const bus = connectedTo([tested.model], { notifications, ...settings });
  const words = new NotificationWords(hostMachine);
  if (words.count !== 0) {
    words.take();
  }
  const device = new DriverDevice(bus, number);
  device.negotiate(0);
  const queues = Array.from({ length: count }, (_, index) => {
    const queue = new SplitQueue(hostMachine, RING + index * 4096, 8);
    device.setQueue(index, 8, queue.areas());
    return queue;
  });
  device.start();
  pass();
  words.take();
  tested.served.length = 0;
  return { bus, tested, device, queues, words };
}

function offer(queue: SplitQueue | undefined): void {
  queue?.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue?.publish();
}

const DIRECT: NotificationOptions = { kind: 'words', words: 1, bitsPerDevice: 4 };
const CASCADED: NotificationOptions = { kind: 'words', words: 5, bitsPerDevice: 8 };

test('the layout header tells words, bits and masks, and the regions do not overlap', () => {
  ([[DIRECT, 0, 1, 4, 16], [CASCADED, 0, 5, 8, 80], [{ ...CASCADED, masked: true }, 1, 5, 8, 120]] as const).forEach(([notifications, features, count, bits, bytes]) => {
    connectedTo([testDevice({ number: 3 }).model], { notifications, elements: 4 });
    const header = new Peer(4).bytes(0, 64);
    assert.deepEqual([read16(header, 6), header[8], header[9]], [features, count, bits]);
    const end = 128 + 2 * 4 * 64;
    assert.deepEqual([read16(header, 16), read16(header, 40)], [end, end + bytes]);
    assert.ok(new Peer(4).bytes(end + 2 * bytes, 64).every((byte) => byte === 0));
  });
});

test('R-270 R-275 direct words: a bit kicks its queue, the last bit of a device that one and all behind it', () => {
  const on = bench(DIRECT);
  // Device 3 with 4 bits: 12, 13, 14 for queues 0 to 2, 15 for queues 3 and 4.
  [[12, [0]], [13, [1]], [14, [2]], [15, [3, 4]]].forEach(([bit, expected]) => {
    on.words.send([bit as number]);
    pass();
    assert.deepEqual(on.words.pendingAtDevice(), []);
    assert.deepEqual(on.tested.served.splice(0), expected);
  });
  on.words.send([12, 14]);
  pass();
  assert.deepEqual(on.tested.served.splice(0), [0, 2]);
});

test('R-261 R-262 bits of no device, no queue and queues that cannot run are acknowledged and ignored', () => {
  const on = bench(DIRECT, 3, 2);
  on.words.send([0, 1, 2, 3, 4, 14, 15, 16, 63]);
  pass();
  assert.deepEqual(on.words.pendingAtDevice(), []);
  assert.deepEqual(on.tested.served, []);
  on.device.setStatus(0);
  on.words.send([12]);
  pass();
  assert.deepEqual(on.words.pendingAtDevice(), []);
  assert.deepEqual(on.tested.served, []);
});

test('R-270 cascaded words: word 0 points to the word with the device\'s bits', () => {
  // 8 bits a device: device 20 has bits 160..167 of the space, which is word 3, bits 32..39.
  const on = bench(CASCADED, 20);
  const bit = 3 * 64 + 32;
  on.words.send([bit + 1, bit + 4]);
  pass();
  assert.deepEqual(on.tested.served, [], 'nobody looks there before word 0 says so');
  on.words.send([3]);
  pass();
  assert.deepEqual(on.words.pendingAtDevice(), []);
  assert.deepEqual(on.tested.served.splice(0), [1, 4]);
  on.words.send([7, 63, 1, 2, 4]);
  pass();
  assert.deepEqual(on.words.pendingAtDevice(), [], 'pointers to nothing');
});

test('R-265 R-267 R-271 used buffers are told by a bit and a doorbell, once until it is acknowledged', () => {
  [[DIRECT, 3, 12, []], [CASCADED, 20, 3 * 64 + 32, [3]]].forEach(([notifications, number, first, summary]) => {
    const on = bench(notifications as NotificationOptions, number as number);
    const bit = first as number;
    [0, 2, 4].forEach((index) => {
      offer(on.queues[index]);
      on.device.kick(index);
    });
    const rings = fake.rings[0] ?? NaN;
    pass();
    // With 4 bits queue 4 shares the last one.
    const used = notifications === DIRECT ? [bit, bit + 2, bit + 3] : [bit, bit + 2, bit + 4];
    assert.deepEqual(on.words.pending(), (summary as number[]).concat(used));
    assert.equal(fake.rings[0], rings + 1);
    assert.equal(on.bus.take(), undefined, 'no EVENT_USED');
    offer(on.queues[0]);
    on.device.kick(0);
    pass();
    assert.deepEqual(on.words.take(), (summary as number[]).concat(used), 'a pending bit is not flipped back');
    offer(on.queues[0]);
    on.device.kick(0);
    pass();
    assert.deepEqual(on.words.take(), (summary as number[]).concat([bit]));
  });
});

test('R-278 R-271 a full message queue holds up no used notification', () => {
  const on = bench(DIRECT, 3, 1, { elements: 2 });
  on.bus.put(ping(1));
  pass();
  on.words.take();
  offer(on.queues[0]);
  on.words.send([12]);
  pass();
  assert.deepEqual(on.words.take(), [12]);
  assert.notEqual(on.queues[0]?.take(), undefined);
});

test('R-172 the answer to DRIVER_OK is visible before the first used bit', () => {
  const tested = testDevice({ number: 3 });
  const bus = connectedTo([tested.model], { notifications: DIRECT });
  const words = new NotificationWords(hostMachine);
  const device = new DriverDevice(bus, 3);
  device.negotiate(0);
  const queue = new SplitQueue(hostMachine, RING, 8);
  device.setQueue(0, 8, queue.areas());
  offer(queue);
  words.take();
  const { tail } = new Peer().device();
  const tails: number[] = [];
  const memory = fake.bytes[0] ?? new Uint8Array(0);
  let count = fake.barriers;
  Object.defineProperty(fake, 'barriers', {
    configurable: true,
    get: () => count,
    set: (value: number) => {
      count = value;
      if (words.pending().includes(12)) {
        tails.push(new Peer().device().tail);
      }
    },
  });
  bus.send({ type: 0, id: 8, device: 3, token: 3, payload: le32(0x0f) });
  pass();
  Object.defineProperty(fake, 'barriers', { configurable: true, enumerable: true, writable: true, value: count });
  assert.ok(memory.length > 0);
  assert.deepEqual(words.take(), [0, 12]);
  assert.ok(tails.length > 0 && tails.every((seen) => seen !== tail), 'wherever the bit was visible, so was the answer');
});

test('masked bits are flipped without a doorbell', () => {
  const on = bench({ ...DIRECT, masked: true });
  on.words.mask(12);
  offer(on.queues[0]);
  on.words.send([12]);
  const rings = fake.rings[0] ?? NaN;
  pass();
  assert.deepEqual(on.words.take(), [12]);
  assert.equal(fake.rings[0], rings);
  on.words.mask(12);
  offer(on.queues[0]);
  on.words.send([12]);
  pass();
  assert.equal(fake.rings[0], rings + 1);
  on.words.mask(0);
  on.bus.put(ping(1));
  pass();
  assert.deepEqual(on.words.take(), [0, 12]);
  assert.equal(fake.rings[0], rings + 1, 'the message queue has bit 0');
});

test('R-243 R-279 a queue that was reset is not told any more', () => {
  const on = bench(DIRECT);
  offer(on.queues[0]);
  on.words.send([12]);
  on.bus.send({ type: 0, id: 0x0b, device: 3, token: 3, payload: le32(0) });
  pass();
  assert.ok(!on.words.take().includes(12));
});

test('R-280 words begin with 0 again when the driver does', () => {
  const on = bench(DIRECT);
  offer(on.queues[0]);
  on.words.send([12]);
  pass();
  on.bus.shutdown();
  on.bus.connect();
  assert.deepEqual([on.words.pending(), on.words.pendingAtDevice()], [[], []]);
  assert.equal(on.device.status(), 0);
});

test('R-272 R-271 a doorbell without payload stands for every queue; used buffers ring it', () => {
  const on = bench({ kind: 'doorbell' });
  [1, 3].forEach((index) => offer(on.queues[index]));
  const rings = fake.rings[0] ?? NaN;
  pass();
  assert.deepEqual([0, 1, 2, 3, 4].filter((index) => on.queues[index]?.take() !== undefined), [1, 3]);
  assert.equal(fake.rings[0], rings + 1);
  assert.equal(on.bus.take(), undefined);
  pass();
  assert.equal(fake.rings[0], rings + 1);
  assert.equal(droppedInAll(), 0);
});

test('R-275 EVENT_AVAIL is understood in every mode, and requests are', () => {
  ([DIRECT, CASCADED, { kind: 'doorbell' }] as const).forEach((notifications) => {
    const on = bench(notifications);
    on.device.kick(2);
    pass();
    assert.ok(on.tested.served.includes(2));
    assert.equal(on.device.status(), 0x0f);
  });
});

test('R-274 R-273 R-266 polling: the loop sleeps no longer than the interval', () => {
  connectedTo([], { pollMicroseconds: 2500, notifications: { kind: 'doorbell' } });
  const limits: number[] = [];
  fake.onWait = (limit) => {
    limits.push(limit);
    return limits.length < 4 ? Wake.None : Wake.Stop;
  };
  loop();
  fake.onWait = () => Wake.Stop;
  assert.ok(limits.slice(1).every((limit) => limit === 2500), limits.join());
});

test('R-121 NOTIFICATION_DATA is not offered out of band, and words without bits for a device are refused', () => {
  forget();
  const refused = (notifications: NotificationOptions, reason: RegExp, number = 3, settings: BusSettings = {}): void => {
    assert.throws(() => start(appWith([testDevice({ number }).model], { notifications, ...settings })), reason);
  };
  refused(DIRECT, /NOTIFICATION_DATA/, 3, { ringFeatures: [38] });
  refused({ kind: 'doorbell' }, /NOTIFICATION_DATA/, 3, { ringFeatures: [38] });
  refused(DIRECT, /no notification bits for device 0/, 0);
  refused(DIRECT, /no notification bits for device 16/, 16);
  refused(CASCADED, /no notification bits for device 32/, 32);
  [0, 65, 1.5].forEach((words) => refused({ ...DIRECT, words }, /1 to 64 words/));
  [0, 3, 32].forEach((bitsPerDevice) => refused({ ...DIRECT, bitsPerDevice }, /1, 2, 4, 8 or 16/));
  [99, 100001, NaN].forEach((pollMicroseconds) => refused({ kind: 'messages' }, /is looked at every/, 3, { pollMicroseconds }));
});
