// A device that works on one queue while it serves another: each pass keeps to its own queue, and nothing of it is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { queueEpoch } from '../../../firmware/virtqueue/queue-table.hot.js';
import { finish, finishLater, take } from '../../../firmware/virtqueue/queue.hot.js';
import type { DeviceModel } from '../../../firmware/devices/device-model.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, onePass, RING, settle } from '../../support/ring-bench.js';

const RING_PACKED = 34;

/** A device with two queues whose serve function is the test's. */
class Pair {
  /** Row of queue 0; queue 1's is the next one. */
  row = -1;
  /** Passes over each queue, and what happens in them. */
  readonly passes = [0, 0];
  serve: (index: number) => void = () => undefined;
  readonly bus: AmpBus;
  readonly device: DriverDevice;
  readonly queues: (SplitQueue | PackedQueue)[];

  constructor(packed: boolean) {
    const model: DeviceModel = {
      type: {
        name: 'pair',
        deviceId: 77,
        serve: (queue) => {
          const index = queue - this.row;
          this.passes[index] = (this.passes[index] ?? 0) + 1;
          this.serve(index);
        },
      },
      number: 1,
      queueSizes: [8, 8],
      features: [],
      config: [],
      attach: (_device, firstQueue) => {
        this.row = firstQueue;
      },
    };
    this.bus = connectedTo([model], { ringFeatures: [RING_PACKED] });
    this.device = new DriverDevice(this.bus, 1);
    this.device.negotiate(0, packed ? 4 : 0);
    this.queues = [0, 1].map((index) => {
      const queue = new (packed ? PackedQueue : SplitQueue)(hostMachine, RING + index * 0x1000, 8);
      this.device.setQueue(index, 8, queue.areas());
      return queue;
    });
    this.device.start();
    settle(this.bus);
    this.passes.fill(0);
  }

  queue(index: number): SplitQueue | PackedQueue {
    const queue = this.queues[index];
    assert.ok(queue !== undefined);
    return queue;
  }

  offer(index: number, chains: number): void {
    for (let chain = 0; chain < chains; chain++) {
      this.queue(index).add([{ offset: BUFFERS + index * 0x1000 + chain * 16, bytes: 4, writable: true }]);
    }
    this.queue(index).publish();
  }

  /** Chains the driver finds given back. */
  back(index: number): number {
    let chains = 0;
    while (this.queue(index).take() !== undefined) {
      chains++;
    }
    return chains;
  }
}

for (const packed of [false, true]) {
  const format = packed ? 'packed' : 'split';

  test(`R-360 ${format}: a device that leaves chains of its queue and asks another one for chains is not asked to look again`, () => {
    const pair = new Pair(packed);
    const given: number[] = [];
    pair.serve = (index) => {
      if (index === 0) {
        finish(pair.row, take(pair.row), fillChain(0, 4, 7));
        given.push(take(pair.row + 1));
      }
    };
    pair.offer(0, 3);
    pair.offer(1, 2);
    pair.device.kick(0);
    settle(pair.bus);
    assert.deepEqual(given, [-1], 'chains come from the queue being served only');
    assert.deepEqual(pair.passes, [1, 0], 'the chains left on purpose keep nobody awake');
    assert.ok(!pair.queue(0).wantsKick(), 'nor does the device ask for a notification');
    assert.equal(pair.back(0), 1);
  });

  // Each gives the chain `kept` of queue `row` back and returns what is to be given back next: the same one, or -1 = none.
  const ways: readonly (readonly [string, (row: number, kept: number) => number])[] = [
    ['later, again and again', (row, kept) => {
      finishLater(row, kept, 0, queueEpoch[row] ?? NaN);
      return kept;
    }],
    ['at once, while its elements stand in the tables', (row, kept) => {
      if (kept >= 0) {
        finish(row, kept, 0);
      }
      return -1;
    }],
  ];
  for (const [how, giveBack] of ways) {
    test(`R-422 ${format}: a chain given back on another queue ${how} does not end the pass over this one`, () => {
      const pair = new Pair(packed);
      let kept = -1;
      pair.serve = (index) => {
        if (index === 1) {
          kept = take(pair.row + 1);
          return;
        }
        for (let handle = take(pair.row); handle >= 0; handle = take(pair.row)) {
          finish(pair.row, handle, fillChain(0, 4, 7));
          kept = giveBack(pair.row + 1, kept);
        }
      };
      pair.offer(1, 1);
      pair.device.kick(1);
      settle(pair.bus);
      pair.offer(0, 4);
      pair.device.kick(0);
      onePass(pair.bus);
      assert.equal(pair.back(0), 4, 'one pass serves all four');
      pair.device.kick(1);
      settle(pair.bus);
      assert.equal(pair.back(1), 1, 'given back once: the queue held one');
    });
  }

  test(`R-364 ${format}: a device that asks again in the pass of a ring error gets nothing, though the driver has mended the chain`, () => {
    const pair = new Pair(packed);
    const given: number[] = [];
    pair.serve = () => {
      given.push(take(pair.row));
      // The length.
      hostMachine.words.fill(4, (RING + 8) / 2, (RING + 10) / 2);
      hostMachine.words.fill(0, (RING + 10) / 2, (RING + 12) / 2);
      given.push(take(pair.row));
    };
    pair.queue(0).add([{ offset: BUFFERS, bytes: 0x7fffff00, writable: true }]);
    pair.queue(0).publish();
    pair.device.kick(0);
    settle(pair.bus);
    assert.deepEqual(given, [-1, -1]);
    assert.equal(pair.device.status(), 0x4f);
    assert.equal(pair.back(0), 0);
  });

  test(`R-364 ${format}: a queue that a ring error has stopped gives no chain while another one is served`, () => {
    const pair = new Pair(packed);
    let taken = 0;
    pair.serve = (index) => {
      for (let handle = take(pair.row + index); handle >= 0; handle = take(pair.row + index)) {
        finish(pair.row + index, handle, fillChain(0, 4, 7));
      }
      if (index === 0 && take(pair.row + 1) >= 0) {
        taken++;
      }
    };
    // A length no window has, then a chain that is in order.
    pair.queue(1).add([{ offset: BUFFERS, bytes: 0x7fffff00, writable: true }]);
    pair.queue(1).publish();
    pair.device.kick(1);
    settle(pair.bus);
    assert.equal(pair.device.status(), 0x4f);
    hostMachine.words.fill(4, (RING + 0x1000 + 8) / 2, (RING + 0x1000 + 10) / 2);
    hostMachine.words.fill(0, (RING + 0x1000 + 10) / 2, (RING + 0x1000 + 12) / 2);
    pair.offer(0, 1);
    pair.device.kick(0);
    settle(pair.bus);
    assert.equal(pair.back(0), 1, 'the other queue goes on');
    assert.equal(taken, 0);
    assert.equal(pair.back(1), 0);
  });
}
