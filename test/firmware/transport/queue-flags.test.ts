// SET_VQUEUE with flags, as layouts B and C have it: what is applied, what becomes of the queue, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, le64, read32 } from '../../support/driver/message.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { connectedTo } from '../../support/fresh.js';
import { hostMachine } from '../../support/host-driver.js';
import { BUFFERS, bringUp, RING, settle, usedIndex } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const ENABLE = 1;
const KEEP = 2;
const NO_SIZE = 4;
const NO_DESCRIPTORS = 8;
const NO_DRIVER = 16;
const NO_DEVICE = 32;
const NOTHING = NO_SIZE | NO_DESCRIPTORS | NO_DRIVER | NO_DEVICE;

/** Three areas for up to 64 descriptors; `at` tells different places apart. */
const places = (at = 0): number[] => [0x80010000, 0x80010800, 0x80011000].map((address) => address + at * 0x2000);

interface Queue {
  size: number;
  enabled: number;
  areas: number[];
}
const NONE: Queue = { size: 0, enabled: 0, areas: [0, 0, 0] };

class Bench {
  readonly bus: BareBus;

  constructor(profile: 'B' | 'C', negotiated = true) {
    this.bus = new BareBus([testDevice({ number: 5, queueSizes: [64, 16] }).model], 64, 0x1af4, [], profile);
    if (negotiated) {
      this.bus.negotiate(5);
    }
  }

  /** SET_VQUEUE of queue 0; returns the queue as it is then. The answer has to be empty. */
  set(flags: number, size: number, areas: readonly number[], reserved = 0): Queue {
    const request = le32(0).concat(le32(flags), le32(size), le32(reserved), ...areas.map((address) => le64(address, 0)));
    assert.deepEqual(this.bus.request(0x0a, 5, request), [], 'R-239');
    return this.queue();
  }

  queue(): Queue {
    const answer = this.bus.request(9, 5, le32(0));
    assert.equal(answer.length, 40);
    assert.deepEqual([read32(answer, 4), answer[13], answer[14], answer[15]], [64, 0, 0, 0]);
    return { size: read32(answer, 8), enabled: answer[12] ?? NaN, areas: [16, 24, 32].map((at) => read32(answer, at)) };
  }
}

(['B', 'C'] as const).forEach((profile) => {
  test('R-229 R-222 R-223 flags 0 applies all fields and leaves the queue disabled, profile ' + profile, () => {
    const bench = new Bench(profile);
    assert.deepEqual(bench.set(0, 8, places()), { size: 8, enabled: 0, areas: places() });
    assert.deepEqual(bench.set(0, 16, places(1)), { size: 16, enabled: 0, areas: places(1) }, 'again, with other values');
  });

  test('R-230 op 1 applies and enables, in one step or after the fields came one by one, profile ' + profile, () => {
    assert.deepEqual(new Bench(profile).set(ENABLE, 8, places()), { size: 8, enabled: 1, areas: places() });
    const bench = new Bench(profile);
    const zeros = [0, 0, 0];
    assert.deepEqual(bench.set(NOTHING & ~NO_SIZE, 8, zeros), { ...NONE, size: 8 });
    const [one, two, three] = places() as [number, number, number];
    bench.set(NOTHING & ~NO_DESCRIPTORS, 0, [one, 0, 0]);
    bench.set(NOTHING & ~NO_DRIVER, 0, [0, two, 0]);
    assert.deepEqual(bench.set(ENABLE | NOTHING, 0, zeros), { size: 8, enabled: 0, areas: [one, two, 0] }, 'one area is missing: refused');
    bench.set(NOTHING & ~NO_DEVICE, 0, [0, 0, three]);
    assert.deepEqual(bench.set(ENABLE | NOTHING, 0, zeros), { size: 8, enabled: 1, areas: places() });
  });

  test('R-231 R-234 op 2 applies the fields that are not ignored and changes no state, profile ' + profile, () => {
    const bench = new Bench(profile);
    bench.set(0, 8, places());
    assert.deepEqual(bench.set(KEEP | NO_SIZE, 99, places(1)), { size: 8, enabled: 0, areas: places(1) });
    assert.deepEqual(bench.set(KEEP | (NOTHING & ~NO_SIZE), 32, [1, 1, 1]), { size: 32, enabled: 0, areas: places(1) });
  });

  test('R-232 op 3 and every undefined bit are rejected, profile ' + profile, () => {
    const bench = new Bench(profile);
    bench.set(0, 8, places());
    const before = { size: 8, enabled: 0, areas: places() };
    assert.deepEqual(bench.set(3, 16, places(1)), before);
    assert.deepEqual(bench.set(3 | NOTHING, 16, places(1)), before);
    for (let bit = 6; bit < 32; bit++) {
      assert.deepEqual(bench.set((ENABLE | (1 << bit)) >>> 0, 16, places(1)), before, 'bit ' + bit);
    }
  });

  test('R-233 the second reserved field is ignored, profile ' + profile, () => {
    assert.deepEqual(new Bench(profile).set(ENABLE, 8, places(), 0xffffffff), { size: 8, enabled: 1, areas: places() });
  });

  test('R-225 R-226 R-227 R-235 one bad field rejects all of them, whatever the op, profile ' + profile, () => {
    const [one, two, three] = places() as [number, number, number];
    const bad: [number, number[]][] = [
      [0, places()],
      [65, places()],
      [12, places()],
      [0x10008, places()],
      [8, [one + 8, two, three]],
      [8, [one, two + 1, three]],
      [8, [one, two, three + 2]],
      [8, [0x7fffff80, two, three]],
      [8, [one, 0x80100000 - 20, three]],
      [8, [one, two, 0x80100000 - 68]],
    ];
    [0, ENABLE, KEEP].forEach((flags) => {
      bad.forEach(([size, areas]) => {
        const bench = new Bench(profile);
        assert.deepEqual(bench.set(flags, size, areas), NONE);
        bench.set(0, 16, places(2));
        assert.deepEqual(bench.set(flags, size, areas), { size: 16, enabled: 0, areas: places(2) });
      });
    });
  });

  test('R-230 a new size that the areas kept cannot hold is refused when the queue is to be enabled, profile ' + profile, () => {
    const bench = new Bench(profile);
    const end = [0x80100000 - 16 * 8, 0x80010800, 0x80011000];
    assert.equal(bench.set(0, 8, end).size, 8);
    assert.deepEqual(bench.set(KEEP | (NOTHING & ~NO_SIZE), 16, end), { size: 16, enabled: 0, areas: end });
    assert.equal(bench.set(ENABLE | NOTHING, 0, end).enabled, 0);
    assert.deepEqual(bench.set(ENABLE | (NOTHING & ~NO_SIZE), 8, end), { size: 8, enabled: 1, areas: end });
  });

  test('R-236 R-237 R-238 an enabled queue ignores op disable and every new value; nothing new is no change, profile ' + profile, () => {
    const bench = new Bench(profile);
    const running = bench.set(ENABLE, 8, places());
    [0, ENABLE, KEEP, NOTHING, NO_SIZE, ENABLE | NO_SIZE].forEach((flags) => assert.deepEqual(bench.set(flags, 16, places(1)), running));
    assert.deepEqual(bench.set(ENABLE | NOTHING, 16, places(1)), running);
    assert.deepEqual(bench.set(KEEP | NOTHING, 16, places(1)), running);
  });

  test('R-242 R-245 R-246 RESET_VQUEUE forgets an enabled queue and leaves a disabled one as it is, profile ' + profile, () => {
    const bench = new Bench(profile);
    bench.set(ENABLE, 8, places());
    assert.deepEqual(bench.bus.request(0x0b, 5, le32(0)), []);
    assert.deepEqual(bench.queue(), NONE);
    bench.set(0, 16, places(1));
    assert.deepEqual(bench.bus.request(0x0b, 5, le32(0)), []);
    assert.equal(bench.queue().size, 16);
    assert.deepEqual(bench.set(ENABLE, 32, places(2)), { size: 32, enabled: 1, areas: places(2) });
  });

  test('R-159 R-221 a reset of the device forgets fields of disabled queues too, profile ' + profile, () => {
    const bench = new Bench(profile);
    bench.set(0, 16, places(1));
    bench.bus.negotiate(5);
    assert.deepEqual(bench.queue(), NONE);
  });

  test('R-241 nothing is taken before FEATURES_OK, profile ' + profile, () => {
    const bench = new Bench(profile, false);
    [0, ENABLE, KEEP].forEach((flags) => assert.deepEqual(bench.set(flags, 8, places()), NONE));
  });

  test('R-153 R-240 a queue enabled after DRIVER_OK is looked at, one that is only set up is not, profile ' + profile, () => {
    const tested = testDevice({ number: 1, queueSizes: [8, 8] });
    const bus = connectedTo([tested.model], { profile });
    const { device } = bringUp(bus, 1);
    tested.served.length = 0;
    const queue = new SplitQueue(hostMachine, RING + 4096, 8);
    queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    queue.publish();
    const set = (flags: number): void => {
      const areas = queue.areas().map(([low, high]) => le64(low ?? 0, high ?? 0));
      device.request('SET_VQUEUE', 0x0a, le32(1).concat(le32(flags), le32(8), le32(0), ...areas));
    };
    set(0);
    device.kick(1);
    assert.deepEqual(settle(bus), []);
    assert.deepEqual(tested.served, []);
    set(ENABLE | NOTHING);
    assert.deepEqual(settle(bus).map(usedIndex), [1]);
    assert.notEqual(queue.take(), undefined);
    assert.deepEqual(new DriverDevice(bus, 1).queue(1).slice(0, 4), [1, 8, 8, 1]);
  });
});
