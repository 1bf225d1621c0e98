// Two driver sides, each with windows of its own: neither leads the device into the other's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layouts } from '../../../hal/fake/port.js';
import type { BusOptions } from '../../../firmware/main.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { forget } from '../../support/fresh.js';
import { connected, hostMachine, startFirmware } from '../../support/host-driver.js';
import { element, HIGH, inWindow, MAIN } from '../../support/lab.js';
import { settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const RINGS = [0x10000, 0x20000];

/** Two buses with a device each; the second one's driver side may point where `windows` says. */
function twoBuses(windows: readonly (readonly string[] | undefined)[]): { bus: AmpBus; queue: SplitQueue; device: DriverDevice }[] {
  forget();
  const buses = windows.map((names): BusOptions => ({
    profile: 'A',
    ringFeatures: [],
    devices: [testDevice({ number: 1 }).model],
    ...(names === undefined ? {} : { windows: names }),
  }));
  const first = connected({ buses });
  const second = new AmpBus({ ...hostMachine, layout: layouts[1]?.offset ?? NaN });
  second.connect();
  return [first, second].map((bus, number) => {
    const device = new DriverDevice(bus, 1);
    device.negotiate(0);
    const queue = new SplitQueue(hostMachine, RINGS[number] ?? NaN, 8);
    device.setQueue(0, 8, queue.areas());
    device.start();
    settle(bus);
    return { bus, queue, device };
  });
}

/** Offers one buffer in `window` to the device of a bus; returns its status afterwards. */
function offer({ bus, queue, device }: ReturnType<typeof twoBuses>[number], window: number): number {
  queue.add([element(0x4000, 8, true, window)]);
  queue.publish();
  device.kick(0);
  settle(bus);
  return device.status();
}

test('R-337 R-420 R-423 a driver side reaches its own windows, and a buffer in those of another one is a ring error', () => {
  const [one, two] = twoBuses([['main', 'high'], ['main']]);
  assert.ok(one !== undefined && two !== undefined);
  // In turn, so that each translation follows one for the other bus.
  assert.equal(offer(one, HIGH), 0x0f);
  assert.equal(offer(two, MAIN), 0x0f);
  assert.equal(offer(one, HIGH), 0x0f);
  assert.equal(offer(two, HIGH), 0x4f, 'not its window, although it was the one found last');
  assert.equal(offer(one, HIGH), 0x0f, 'the other driver side goes on');
});

test('R-227 a queue of one driver side cannot be set up in a window of another one', () => {
  const [one, two] = twoBuses([undefined, ['main']]);
  assert.ok(one !== undefined && two !== undefined);
  const place = inWindow(HIGH, 0);
  const areas = [0, 0x1000, 0x2000].map((at) => [place.low + at, place.high]);
  const sizes = [one, two].map(({ device }) => {
    device.resetQueue(0);
    device.setQueue(0, 8, areas);
    return device.queue(0)[2];
  });
  assert.deepEqual(sizes, [8, 0]);
  // The set-up in between has not changed what the first one's open queue may reach.
  assert.equal(one.device.status(), 0x0f);
});

test('windows of a bus: all shared ones by default, unknown and private ones are refused in one sentence', () => {
  for (const name of ['private', 'elsewhere']) {
    forget();
    assert.throws(
      () => startFirmware({ buses: [{ profile: 'A', devices: [], windows: [name] }] }),
      new RegExp(`^Error: bus 0 names a window "${name}": the board shares main, high, cached$`),
    );
  }
  const [one, two] = twoBuses([undefined, undefined]);
  assert.ok(one !== undefined && two !== undefined);
  assert.deepEqual([offer(one, HIGH), offer(two, HIGH)], [0x0f, 0x0f]);
});
