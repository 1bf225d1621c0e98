// Messages through the AMP carrier: slots, doorbells, and what happens when the driver does not read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake, layouts } from '../../../hal/fake/port.js';
import { loop, pass } from '../../../firmware/loop.hot.js';
import { Wake } from '../../../hal/port.js';
import { pollInterval } from '../../../firmware/carriers/amp-shmem.hot.js';
import { start } from '../../../firmware/main.js';
import { needsReset } from '../../../firmware/transport/needs-reset.hot.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { encode, le32, read16 } from '../../support/driver/message.js';
import { Notifier } from '../../support/driver/out-of-band.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo, dropped, forget } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { Peer, ping } from '../../support/peer.js';
import { BUFFERS, bringUp, RING, settle, usedIndex } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';
import { atBarriers, atDoorbells } from '../../support/watch.js';

/** Takes everything that is there. */
function takeAll(bus: AmpBus): number[][] {
  const frames: number[][] = [];
  for (let frame = bus.take(); frame !== undefined; frame = bus.take()) {
    frames.push(frame);
  }
  return frames;
}

/** Fills the device's outgoing ring with answers nobody reads. */
function fillOutgoing(bus: AmpBus): void {
  for (let count = 0; count < bus.elements - 1; count++) {
    assert.ok(bus.put(ping(count)));
    pass();
  }
}

/** A device with several queues, all set up and started; the queues hold one chain each. */
function manyQueues(elements: number): { bus: AmpBus; device: DriverDevice; queues: SplitQueue[] } {
  const bus = connectedTo([testDevice({ number: 1, queueSizes: [8, 8, 8] }).model, testDevice({ number: 2 }).model], { elements });
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  const queues = [0, 1, 2].map((index) => {
    const queue = new SplitQueue(hostMachine, RING + index * 4096, 8);
    device.setQueue(index, 8, queue.areas());
    return queue;
  });
  device.start();
  settle(bus);
  return { bus, device, queues };
}

function offer(queue: SplitQueue): void {
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
}

test('R-034 every byte of a slot behind msg_size is 0, laps after longer messages too', () => {
  const bus = connectedTo([testDevice({ number: 1, config: new Array<number>(44).fill(0xff) }).model], { elements: 4 });
  const device = new DriverDevice(bus, 1);
  const peer = new Peer(4);
  for (let lap = 0; lap < 5; lap++) {
    device.config(0, 44);
    device.config(0, 44);
    device.request('SET_DRIVER_FEATURES', 4, le32(0).concat(le32(0)));
    bus.busRequest('PING', 3, [0xff, 0xff, 0xff, 0xff]);
    [0, 1, 2, 3].forEach((slot) => {
      const element = peer.element(slot);
      assert.ok(element.slice(read16(element, 6)).every((byte) => byte === 0), 'slot ' + slot);
    });
  }
});

test('R-034 R-279 the slots of events are clean too', () => {
  const { bus, device, queues } = manyQueues(4);
  for (let lap = 0; lap < 6; lap++) {
    bus.busRequest('PING', 3, [0xff, 0xff, 0xff, 0xff]);
    queues.forEach((queue, index) => {
      offer(queue);
      device.kick(index);
    });
    pass();
    takeAll(bus).forEach((frame) => {
      assert.ok(frame.slice(read16(frame, 6)).every((byte) => byte === 0));
      assert.deepEqual(frame.slice(0, 8), [0, 0x42, 1, 0, 0, 0, 12, 0]);
    });
    queues.forEach((queue) => queue.take());
  }
});

test('leftovers of earlier laps in the driver\'s slots are ignored', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model], { elements: 3 });
  for (let lap = 0; lap < 9; lap++) {
    bus.sendFrame(new Array<number>(64).fill(0xff));
    pass();
    assert.deepEqual(bus.busRequest('PING', 3, [lap, 2, 3, 4]), [lap, 2, 3, 4]);
  }
  assert.equal(dropped('long'), 9);
});

test('a pass with several messages rings once, a pass without any not at all', () => {
  const bus = connectedTo([]);
  [0, 1, 2, 3].forEach((count) => bus.put(ping(count)));
  const before = fake.rings[0] ?? NaN;
  pass();
  assert.equal(fake.rings[0], before + 1);
  assert.equal(takeAll(bus).length, 4);
  pass();
  pass();
  assert.equal(fake.rings[0], before + 1);
});

test('an element is written before the tail that shows it, with a barrier between, and both before the doorbell', () => {
  const bus = connectedTo([]);
  const peer = new Peer();
  const { tail } = peer.device();
  bus.put(ping(0x1234));
  let answerBeforeTail = false;
  const stopBarriers = atBarriers(() => {
    if (peer.device().tail === tail && peer.element(tail)[8] === 0x34) {
      answerBeforeTail = true;
    }
  });
  const shown: number[] = [];
  const stopDoorbells = atDoorbells(() => shown.push(peer.device().tail));
  pass();
  stopBarriers();
  stopDoorbells();
  assert.ok(answerBeforeTail);
  assert.deepEqual(shown, [(tail + 1) % 16]);
});

test('elements are read after the tail that shows them, with a barrier between', () => {
  const bus = connectedTo([]);
  const peer = new Peer();
  const { tail } = peer.driver();
  bus.put(new Array<number>(64).fill(0xff));
  // The weakest order the driver's barrier allows: the element becomes visible after the tail, at our barrier.
  const stop = atBarriers(() => peer.write(tail, ping(9)));
  pass();
  stop();
  assert.deepEqual(takeAll(bus).map((frame) => frame[8]), [9]);
});

test('R-278 a full outgoing ring holds requests back in order, and overwrites nothing', () => {
  [2, 3, 4, 16].forEach((elements) => {
    const bus = connectedTo([], { elements });
    const peer = new Peer(elements);
    fillOutgoing(bus);
    const full = peer.element(0);
    let sent = elements - 1;
    while (bus.put(ping(sent))) {
      sent += 1;
      pass();
      assert.deepEqual(peer.element(0), full);
    }
    assert.equal(sent, 2 * (elements - 1), 'both rings are full');
    const seen: number[] = [];
    for (let turn = 0; turn < 2 * elements; turn++) {
      const frame = bus.take();
      if (frame !== undefined) {
        seen.push(frame[8] ?? NaN);
      }
      pass();
    }
    assert.deepEqual(seen, Array.from({ length: sent }, (_, count) => count));
  });
});

test('R-278 R-269 what a queue uses while the ring is full is told by one EVENT_USED when there is room', () => {
  const bus = connectedTo([testDevice({ number: 1, queueSizes: [256] }).model], { elements: 4 });
  const { device, queue } = bringUp(bus, 1, 256);
  [0, 1].forEach((count) => {
    bus.put(ping(count));
    pass();
  });
  for (let turn = 0; turn < 256; turn++) {
    queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  }
  queue.publish();
  // One element is free: the first batch's event takes it. The later batches of the same kick find the ring full.
  device.kick(0);
  for (let turn = 0; turn < 10; turn++) {
    pass();
  }
  for (let turn = 0; turn < 256; turn++) {
    assert.notEqual(queue.take(), undefined, 'all chains are used meanwhile');
  }
  assert.deepEqual(takeAll(bus).map((frame) => frame[1]), [3, 3, 0x42]);
  pass();
  assert.deepEqual(takeAll(bus).map((frame) => frame[1]), [0x42]);
  pass();
  assert.deepEqual(takeAll(bus), []);
});

/** Outgoing ring with exactly one free element, used up by an event: what comes after it has to wait. */
function eventsWaiting(): { bus: AmpBus; device: DriverDevice } {
  const { bus, device, queues } = manyQueues(4);
  [0, 1].forEach((count) => {
    bus.put(ping(count));
    pass();
  });
  queues.forEach((queue, index) => {
    offer(queue);
    device.kick(index);
  });
  pass();
  return { bus, device };
}

test('R-278 events that find one free element: one goes, the others follow when there is room', () => {
  const { bus } = eventsWaiting();
  assert.deepEqual(takeAll(bus).map((frame) => frame[1]), [3, 3, 0x42]);
  pass();
  assert.deepEqual(takeAll(bus).map((frame) => [frame[1], frame[8]]), [[0x42, 1], [0x42, 2]]);
  pass();
  assert.deepEqual(takeAll(bus), []);
});

test('R-278 R-279 an event that waits when its device is reset is never sent', () => {
  const { bus } = eventsWaiting();
  assert.ok(bus.put(encode({ type: 0, id: 8, device: 1, token: 9, payload: le32(0) })));
  pass();
  assert.deepEqual(takeAll(bus).map((frame) => frame[1]), [3, 3, 0x42]);
  for (let turn = 0; turn < 4; turn++) {
    pass();
  }
  const rest = takeAll(bus);
  const reset = rest.findIndex((frame) => frame[1] === 8);
  assert.ok(reset >= 0);
  assert.deepEqual(rest.slice(reset + 1), [], 'nothing about a device that was reset');
});

test('R-158 R-278 an EVENT_CONFIG that waits is sent once when there is room, and never after a reset', () => {
  [false, true].forEach((reset) => {
    const tested = testDevice({ number: 1, config: [0], writable: [0, 1], onConfig: (row) => needsReset(row) });
    const bus = connectedTo([tested.model], { elements: 4 });
    bringUp(bus, 1);
    // The third answer takes the last free element, so the event has to wait.
    const setConfig = encode({ type: 0, id: 6, device: 1, token: 9, payload: le32(0).concat(le32(0), le32(1), [1]) });
    [ping(0), ping(1), setConfig].forEach((frame) => {
      bus.put(frame);
      pass();
    });
    if (reset) {
      bus.put(encode({ type: 0, id: 8, device: 1, token: 9, payload: le32(0) }));
    }
    assert.deepEqual(takeAll(bus).map((frame) => frame[1]), [3, 3, 6]);
    pass();
    assert.deepEqual(takeAll(bus).map((frame) => [frame[1], frame[8]]), [reset ? [8, 0] : [0x40, 0x4f]]);
    pass();
    assert.deepEqual(takeAll(bus), []);
  });
});

test('R-243 R-279 an event that waits when its queue is reset is never sent', () => {
  const { bus } = eventsWaiting();
  assert.ok(bus.put(encode({ type: 0, id: 0x0b, device: 1, token: 9, payload: le32(2) })));
  takeAll(bus);
  pass();
  const rest = takeAll(bus);
  const reset = rest.findIndex((frame) => frame[1] === 0x0b);
  assert.ok(reset >= 0);
  assert.ok(rest.slice(reset + 1).every((frame) => frame[8] !== 2));
  pass();
  assert.ok(takeAll(bus).every((frame) => frame[8] !== 2));
});

test('R-278 while something waits for room the loop looks more often: the driver rings nothing when it reads', () => {
  const bus = connectedTo([], { elements: 4 });
  const limits: number[] = [];
  const sleep = (): number => {
    fake.onWait = (limit) => {
      limits.push(limit);
      return limits.length < 3 ? Wake.None : Wake.Stop;
    };
    limits.length = 0;
    loop();
    return limits.at(-1) ?? NaN;
  };
  const idle = sleep();
  fillOutgoing(bus);
  assert.equal(sleep(), idle, 'full, but nothing waits');
  bus.put(ping(9));
  assert.ok(sleep() < idle);
  takeAll(bus);
  assert.equal(sleep(), idle);
  assert.deepEqual(takeAll(bus).map((frame) => frame[8]), [9]);
});

test('R-422 a pass takes a limited number of messages and the rest in the next', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model], { elements: 256 });
  const silent = encode({ type: 0, id: 0x41, device: 9, token: 0, payload: le32(0).concat(le32(0)) });
  for (let count = 0; count < 200; count++) {
    bus.put(silent);
  }
  pass();
  const first = dropped('no device');
  assert.ok(first > 0 && first < 200);
  settle(bus);
  assert.equal(dropped('no device'), 200);
});

test('R-158 R-268 no EVENT_USED before DRIVER_OK or after a reset, in a whole life', () => {
  const bus = connectedTo([testDevice({ number: 1 }).model]);
  const { device, queue } = bringUp(bus, 1);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  device.setStatus(0);
  device.kick(0);
  assert.deepEqual(settle(bus), []);
});

test('two buses are two worlds: numbers, rings, doorbells, life and death', () => {
  forget();
  fake.clear();
  const devices = [testDevice({ number: 1, deviceId: 11 }), testDevice({ number: 1, deviceId: 22 })];
  start({ buses: devices.map((device) => ({ profile: 'A' as const, devices: [device.model] })) });
  const buses = layouts.map((place) => new AmpBus({ ...hostMachine, layout: place.offset }));
  buses.forEach((bus) => bus.connect());
  assert.deepEqual(buses.map((bus) => new DriverDevice(bus, 1).info().deviceId), [11, 22]);
  const [one, two] = buses;
  assert.ok(one !== undefined && two !== undefined);
  assert.deepEqual(one.busRequest('GET_DEVICES', 2, [0, 0, 8, 0]), [0, 0, 8, 0, 0, 0, 2]);
  new DriverDevice(one, 1).setStatus(3);
  new DriverDevice(two, 1).setStatus(1);
  const rings = fake.rings.slice();
  two.put(ping(1));
  pass();
  assert.deepEqual(fake.rings, [rings[0], (rings[1] ?? NaN) + 1]);
  two.take();
  two.shutdown();
  assert.equal(new DriverDevice(one, 1).status(), 3);
  two.connect();
  assert.equal(new DriverDevice(two, 1).status(), 0);
});

test('two buses of one image speak different profiles in turn, and announce buffers in different ways', () => {
  const pairs = [['A', 'B'], ['C', 'A'], ['B', 'C']] as const;
  pairs.forEach((pair) => {
    forget();
    fake.clear();
    const ways = [{ kind: 'messages' }, { kind: 'words', words: 1, bitsPerDevice: 2 }] as const;
    start({ buses: pair.map((profile, at) => ({ profile, ringFeatures: [], notifications: ways[at] ?? ways[0], devices: [testDevice({ number: 3, deviceId: 11 + at }).model] })) });
    const buses = layouts.map((place, at) => new AmpBus({ ...hostMachine, layout: place.offset }, pair[at]));
    buses.forEach((bus) => bus.connect());
    const lives = buses.map((bus, at) => {
      assert.equal(new DriverDevice(bus, 3).info().deviceId, 11 + at, pair.join(' '));
      return bringUp(bus, 3, 8, RING + at * 0x1000);
    });
    const notifier = new Notifier(buses[1] as AmpBus, ways[1]);
    for (let turn = 0; turn < 20; turn++) {
      lives.forEach(({ device, queue }, at) => {
        const head = queue.add([{ offset: BUFFERS + at * 64, bytes: 4, writable: true }]);
        queue.publish();
        const events = at === 0 ? (device.kick(0), settle(device.bus)) : (notifier.put(3, 0), settle(device.bus));
        assert.deepEqual(events.map((event) => [event.id, event.device, usedIndex(event)]), at === 0 ? [[0x42, 3, 0]] : []);
        assert.deepEqual(notifier.heardFromWords(), at === 0 ? [] : [{ device: 3, queue: 0 }]);
        assert.equal(queue.take()?.head, head);
      });
    }
    assert.deepEqual(lives.map(({ device }) => device.status()), [15, 15]);
  });
});

/** Two buses with one device each and `elements` elements; both handshakes are through. */
function twoBuses(elements: number): [AmpBus, AmpBus] {
  forget();
  fake.clear();
  start({ buses: [1, 2].map((number) => ({ profile: 'A' as const, elements, devices: [testDevice({ number }).model] })) });
  const buses = layouts.map((place) => new AmpBus({ ...hostMachine, layout: place.offset })) as [AmpBus, AmpBus];
  buses.forEach((bus) => bus.connect());
  return buses;
}

test('two buses in turn keep their own indices, around the ends of their rings', () => {
  const [one, two] = twoBuses(8);
  for (let turn = 0; turn < 60; turn++) {
    for (let count = 0; count <= turn % 5; count++) {
      assert.equal(new DriverDevice(one, 1).status(), 0, `turn ${turn}`);
    }
    assert.equal(new DriverDevice(two, 2).status(), 0, `turn ${turn}`);
  }
});

test('R-278 a bus that waits for room makes the loop look often while another one has nothing to do', () => {
  const [one] = twoBuses(4);
  pass();
  assert.equal(pollInterval(), 100000);
  fillOutgoing(one);
  one.put(ping(99));
  pass();
  assert.equal(pollInterval(), 1000);
  takeAll(one);
  pass();
  assert.equal(takeAll(one).length, 1);
  pass();
  assert.equal(pollInterval(), 100000);
});
