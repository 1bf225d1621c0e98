// A device that leaves chains in the ring until it has data for them: the firmware rests meanwhile and misses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceModel } from '../../../firmware/devices/device-model.js';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { pass } from '../../../firmware/loop.hot.js';
import { anyKicked, kick, later } from '../../../firmware/virtqueue/kicks.hot.js';
import { finish, take, untake } from '../../../firmware/virtqueue/queue.hot.js';
import { DriverDevice } from '../../support/driver/device.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { appWith, connectedTo } from '../../support/fresh.js';
import { hostMachine, startFirmware } from '../../support/host-driver.js';
import { BUFFERS, RING, settle } from '../../support/ring-bench.js';

const EVENT_IDX = 29;
const RING_PACKED = 34;

/** Answers only as many chains as it has data for; without data it takes none, or puts one back. */
class Receiver {
  data = 0;
  putsBack = false;
  row = -1;
  passes = 0;
  readonly model: DeviceModel = {
    type: {
      name: 'receiver',
      deviceId: 77,
      serve: (queue) => {
        this.passes++;
        for (; this.data > 0; this.data--) {
          const handle = take(queue);
          if (handle < 0) {
            return;
          }
          finish(queue, handle, fillChain(0, 4, 7));
        }
        if (this.putsBack && take(queue) >= 0) {
          untake(queue);
        }
      },
    },
    number: 1,
    queueSizes: [8],
    features: [],
    config: [],
    attach: (_device, firstQueue) => {
      this.row = firstQueue;
    },
  };
}

for (const packed of [false, true]) {
  for (const eventIdx of [false, true]) {
    test(`R-360 R-422 ${packed ? 'packed' : 'split'}${eventIdx ? ', event index' : ''}: chains left on purpose keep nobody awake and are there when data comes`, () => {
      const receiver = new Receiver();
      const bus = connectedTo([receiver.model], { ringFeatures: [EVENT_IDX, RING_PACKED] });
      const device = new DriverDevice(bus, 1);
      device.negotiate(eventIdx ? 1 << EVENT_IDX : 0, packed ? 4 : 0);
      const queue = packed ? new PackedQueue(hostMachine, RING, 8, { eventIdx }) : new SplitQueue(hostMachine, RING, 8, { eventIdx });
      device.setQueue(0, 8, queue.areas());
      device.start();
      settle(bus);
      const offer = (count: number): void => {
        for (let at = 0; at < count; at++) {
          queue.add([{ offset: BUFFERS + at * 16, bytes: 4, writable: true }]);
        }
        queue.publish();
      };
      const come = (count: number): number => {
        receiver.data += count;
        kick(receiver.row);
        settle(bus);
        let back = 0;
        while (queue.take() !== undefined) {
          back++;
        }
        return back;
      };
      offer(3);
      device.kick(0);
      const before = receiver.passes;
      settle(bus);
      assert.ok(receiver.passes - before <= 1, 'the queue is not looked at again and again');
      assert.equal(come(2), 2);
      assert.equal(come(0), 0);
      // More data than buffers: now the driver must be asked to say when there are more.
      assert.equal(come(3), 1);
      offer(2);
      assert.ok(queue.wantsKick(), 'the device waits for buffers');
      device.kick(0);
      settle(bus);
      assert.equal(receiver.data, 0);
      assert.equal(come(0), 2);
    });
  }
}

for (const packed of [false, true]) {
  test(`R-422 ${packed ? 'packed' : 'split'}: a chain put back lets the core sleep a little, and is looked at again though nobody says so`, () => {
    const receiver = new Receiver();
    receiver.putsBack = true;
    const bus = connectedTo([receiver.model], { ringFeatures: [RING_PACKED] });
    const device = new DriverDevice(bus, 1);
    device.negotiate(0, packed ? 4 : 0);
    const queue = packed ? new PackedQueue(hostMachine, RING, 8) : new SplitQueue(hostMachine, RING, 8);
    device.setQueue(0, 8, queue.areas());
    device.start();
    settle(bus);
    const head = queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    queue.publish();
    device.kick(0);
    settle(bus);
    for (let turn = 0; turn < 3; turn++) {
      assert.equal(later, 1, 'the loop sleeps no longer than until it looks again');
      const before = receiver.passes;
      assert.equal(pass(), false);
      assert.equal(receiver.passes, before + 1);
      assert.equal(queue.take(), undefined);
    }
    receiver.data = 1;
    pass();
    assert.deepEqual(queue.take(), { head, written: 4 });
    const before = receiver.passes;
    pass();
    assert.deepEqual([receiver.passes, later], [before, 0], 'nothing is left to look at');
  });
}

test('a firmware that starts anew does not take queues for kicked that were kicked before', () => {
  const before = new Receiver();
  connectedTo([before.model]);
  kick(before.row);
  const receiver = new Receiver();
  startFirmware(appWith([receiver.model]));
  assert.equal(anyKicked(), false);
  kick(receiver.row);
  assert.equal(anyKicked(), true);
});
