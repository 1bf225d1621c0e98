// A device that leaves chains in the ring until it has data for them: the firmware rests meanwhile and misses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceModel } from '../../../firmware/devices/device-model.js';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { kick } from '../../../firmware/virtqueue/kicks.hot.js';
import { finish, take } from '../../../firmware/virtqueue/queue.hot.js';
import { DriverDevice } from '../../support/driver/device.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, RING, settle } from '../../support/ring-bench.js';

const EVENT_IDX = 29;
const RING_PACKED = 34;

/** Answers only as many chains as it has data for. */
class Receiver {
  data = 0;
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
