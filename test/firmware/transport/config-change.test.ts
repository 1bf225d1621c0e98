// Changes of the configuration space that the device makes by itself: generation count and EVENT_CONFIG, layout A.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configByte, configChanged, setConfigByte, setConfigWord } from '../../../firmware/device.hot.js';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { askForReset } from '../../../firmware/transport/needs-reset.hot.js';
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { le32, read32 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { BUFFERS, bringUp, settle } from '../../support/ring-bench.js';
import type { TestDeviceOptions } from '../../support/test-device.js';
import { testDevice } from '../../support/test-device.js';

const SPACE = Array.from({ length: 60 }, (_, at) => 0x40 + at);

interface Bench {
  bus: AmpBus;
  row: number;
  device: DriverDevice;
}

function bench(options: Partial<TestDeviceOptions> = {}): Bench {
  const tested = testDevice({ number: 5, config: SPACE, writable: [0, 60], ...options });
  const bus = connectedTo([testDevice({ number: 4, config: [9, 9] }).model, tested.model]);
  return { bus, row: tested.row, device: new DriverDevice(bus, 5) };
}

interface ConfigEvent {
  status: number;
  generation: number;
  offset: number;
  length: number;
  data: number[];
}

/** The EVENT_CONFIG that come now; every event has to be one, of device 5. */
function events(bus: AmpBus): ConfigEvent[] {
  return settle(bus).map((event) => {
    assert.deepEqual([event.type, event.id, event.device, event.token], [0, 0x40, 5, 0]);
    const [status, generation, offset, length] = [0, 4, 8, 12].map((at) => read32(event.payload, at));
    return { status: status ?? NaN, generation: generation ?? NaN, offset: offset ?? NaN, length: length ?? NaN, data: event.payload.slice(16) };
  });
}

function generation(device: DriverDevice): number {
  return read32(device.request('GET_CONFIG', 5, le32(0).concat(le32(0))), 0);
}

test('R-197 R-204 a change by the device steps the generation and is told with its data and the status', () => {
  const { bus, row, device } = bench();
  device.setStatus(3);
  setConfigByte(row, 7, 0xaa);
  setConfigWord(row, 8, 0xbbcc);
  configChanged(row, 7, 3);
  assert.deepEqual(events(bus), [{ status: 3, generation: 1, offset: 7, length: 3, data: [0xaa, 0xcc, 0xbb] }]);
  assert.deepEqual(device.config(6, 5), [0x46, 0xaa, 0xcc, 0xbb, 0x4a]);
  assert.equal(configByte(row, 9), 0xbb);
  assert.equal(generation(device), 1);
});

test('R-197 while the status is 0 the generation steps all the same, but no event is sent', () => {
  const { bus, row, device } = bench();
  configChanged(row, 0, 1);
  assert.deepEqual(events(bus), []);
  assert.equal(generation(device), 1);
  device.setStatus(1);
  assert.deepEqual(events(bus), [], 'nor later');
});

test('R-198 changes that nobody saw the count of share one step and one event', () => {
  const { bus, row, device } = bench();
  device.setStatus(1);
  configChanged(row, 20, 2);
  configChanged(row, 10, 4);
  configChanged(row, 12, 1);
  assert.deepEqual(events(bus), [{ status: 1, generation: 1, offset: 10, length: 12, data: SPACE.slice(10, 22) }]);
  configChanged(row, 0, 1);
  configChanged(row, 0, 0);
  configChanged(row, 4, 1);
  assert.deepEqual(events(bus), [{ status: 1, generation: 2, offset: 0, length: 0, data: [] }], 'an unknown range stays unknown');
});

test('R-199 events with data have different generations, and so has each change after an answer that showed the count', () => {
  const { bus, row, device } = bench();
  device.setStatus(1);
  for (let count = 1; count <= 5; count++) {
    configChanged(row, count, 1);
    assert.deepEqual(events(bus).map((event) => [event.generation, event.offset, event.length]), [[count, count, 1]]);
  }
  configChanged(row, 0, 1);
  assert.equal(generation(device), 6);
  configChanged(row, 0, 1);
  assert.equal(generation(device), 7);
  device.request('SET_CONFIG', 6, le32(0).concat(le32(0), le32(1), [1]));
  configChanged(row, 0, 1);
  assert.equal(generation(device), 8, 'a rejected write shows the count too');
});

test('R-197 the count goes on behind 65535 and begins again behind 2^32 - 1', () => {
  const { row, device } = bench();
  [[0xffff, 0x10000], [0xffffffff, 0]].forEach(([before, after]) => {
    configGeneration.set([(before ?? 0) % 65536, Math.floor((before ?? 0) / 65536)], row * 2);
    assert.equal(generation(device), before);
    configChanged(row, 0, 1);
    assert.equal(generation(device), after);
  });
});

test('R-200 R-201 data that does not fit one message is left out, and length is 0', () => {
  // 64 bytes: 8 header, 16 fields, 40 bytes of data.
  const { bus, row, device } = bench();
  device.setStatus(1);
  configChanged(row, 3, 40);
  assert.deepEqual(events(bus), [{ status: 1, generation: 1, offset: 3, length: 40, data: SPACE.slice(3, 43) }]);
  configChanged(row, 3, 41);
  assert.deepEqual(events(bus), [{ status: 1, generation: 2, offset: 3, length: 0, data: [] }]);
});

test('R-203 R-204 a status that changes alone has no range, and shares an event with a change that waits', () => {
  const { bus, row, device } = bench();
  device.setStatus(3);
  askForReset(row);
  assert.deepEqual(events(bus), [{ status: 0x43, generation: 0, offset: 0, length: 0, data: [] }]);
  const again = bench();
  again.device.setStatus(3);
  configChanged(again.row, 2, 1);
  askForReset(again.row);
  assert.deepEqual(events(again.bus), [{ status: 0x43, generation: 1, offset: 2, length: 1, data: [0x42] }]);
});

test('R-158 R-206 a reset takes back a change event that waits and keeps the count', () => {
  const { bus, row, device } = bench();
  device.setStatus(3);
  configChanged(row, 2, 1);
  // The reset comes in the pass that would have sent the event.
  device.setStatus(0);
  assert.deepEqual(events(bus), []);
  device.setStatus(3);
  askForReset(row);
  assert.deepEqual(events(bus), [{ status: 0x43, generation: 1, offset: 0, length: 0, data: [] }], 'the range is forgotten');
});

test('R-205 R-208 fields that follow from a write are set by it, without generation step or event', () => {
  const seen: number[][] = [];
  const { bus, device, row } = bench({
    onConfig: (_row, offset, length) => seen.push([offset, length, configByte(row, offset)]),
    type: {
      configWritten(changed: number, offset: number): void {
        setConfigByte(changed, offset + 2, configByte(changed, offset) * 2);
      },
    },
  });
  device.setStatus(3);
  [7, 8].forEach((value) => {
    const answer = device.request('SET_CONFIG', 6, le32(0).concat(le32(0), le32(1), [value]));
    assert.deepEqual([read32(answer, 0), read32(answer, 8)], [0, 1]);
    assert.deepEqual(device.config(0, 3), [value, 0x41, value * 2]);
  });
  assert.deepEqual(seen, [[0, 1, 0x40], [0, 1, 7]], 'the judge sees the bytes as they were');
  assert.deepEqual(events(bus), []);
});

test('R-065 R-064 events of one device come each once, in whatever order they were raised', () => {
  [true, false].forEach((first) => {
    const { bus, row, device } = bench();
    const queue = bringUp(bus, 5).queue;
    queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
    queue.publish();
    if (first) {
      configChanged(row, 0, 1);
    }
    device.kick(0);
    if (!first) {
      configChanged(row, 0, 1);
    }
    assert.deepEqual(settle(bus).map((event) => event.id).sort(), [0x40, 0x42]);
  });
});
