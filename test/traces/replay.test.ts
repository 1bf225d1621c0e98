// Replays what a real Linux driver sent and compares every answer with the recorded one, byte by byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../hal/fake/port.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { windowBase } from '#tables';
import { featureAt, offeredFeatures } from '../../firmware/transport/device.hot.js';
import { read16, read32 } from '../support/driver/message.js';
import { connectedTo, droppedInAll, dropped, started } from '../support/fresh.js';
import type { Trace } from '../support/golden-trace.js';
import { readTrace } from '../support/golden-trace.js';
import { testDevice } from '../support/test-device.js';

/** The older driver speaks profile A, the newer one profile C. */
const FILES: readonly (readonly [string, 'A' | 'C'])[] = [
  ['golden-gen2-rng.hex', 'A'],
  ['golden-gen2-rng-ping.hex', 'A'],
  ['golden-gen2-rng-blk.hex', 'A'],
  ['golden-gen3-rng.hex', 'C'],
  ['golden-gen3-rng-blk.hex', 'C'],
];

function message(bytes: readonly number[]): number[] {
  return bytes.slice(0, read16(bytes, 6));
}

/** The recorded answers to message `id` of device `number`, payloads only. */
function answers(trace: Trace, id: number, number: number): number[][] {
  return trace.elements
    .filter(({ direction, bytes }) => direction === 'receive' && bytes[0] === 1 && bytes[1] === id && read16(bytes, 2) === number)
    .map(({ bytes }) => message(bytes).slice(8));
}

function only(payloads: readonly number[][]): number[] {
  const payload = payloads[0];
  assert.ok(payload !== undefined && payloads.length === 1, 'the trace asks once');
  return payload;
}

/** A device with the identity the trace's answers tell. */
function recorded(trace: Trace, number: number, profile: 'A' | 'C'): DeviceModel {
  // GET_DEVICE_INFO: config_size and max_virtqueues.
  const [sizeAt, queuesAt] = profile === 'A' ? [12, 16] : [28, 32];
  const info = only(answers(trace, 2, number));
  const features = only(answers(trace, 3, number));
  const config = new Array<number>(read32(info, sizeAt)).fill(0);
  answers(trace, 5, number).forEach((payload) => {
    payload.slice(12).forEach((byte, at) => (config[read32(payload, 4) + at] = byte));
  });
  const queueSizes: number[] = [];
  // The newer driver asks once more after it has set a queue up.
  answers(trace, 9, number).forEach((payload) => (queueSizes[read32(payload, 0)] = read32(payload, 4)));
  assert.equal(queueSizes.length, read32(info, queuesAt), 'the trace asks for every queue');
  const { model } = testDevice({ number, deviceId: read32(info, 0), queueSizes, config });
  return {
    ...model,
    ...(profile === 'A' ? {} : { uuid: info.slice(8, 24).map((byte) => byte.toString(16).padStart(2, '0')).join('') }),
    // The recording offers bits that belong to the transport, which a device type cannot name: they go into the table.
    attach(row: number, firstQueue: number): void {
      model.attach?.(row, firstQueue);
      for (let word = 0; word < 4; word++) {
        offeredFeatures[(featureAt[row] ?? 0) + word] = read16(features, 8 + word * 2);
      }
    },
  };
}

/** Lets window 0 lie where the recording's first ring does: 256 KiB into the window, away from the layout. */
function placeRings(trace: Trace): void {
  const setUp = trace.elements.find(({ direction, bytes }) => direction === 'send' && bytes[0] === 0 && bytes[1] === 0x0a);
  assert.ok(setUp !== undefined);
  const base = read32(setUp.bytes, 24) - 0x40000;
  windowBase.set([base % 65536, Math.floor(base / 65536), read16(setUp.bytes, 28), read16(setUp.bytes, 30)]);
}

FILES.forEach(([file, profile]) => {
  const trace = readTrace(new URL(file, import.meta.url));
  const sent = trace.elements.filter(({ direction }) => direction === 'send');
  const numbers = [...new Set(sent.map(({ bytes }) => read16(bytes, 2)))].filter((number) => number !== 0);
  const models = numbers.map((number) => recorded(trace, number, profile));
  const vendor = read32(only(answers(trace, 2, numbers[0] ?? 0)), 4);

  test(file + ': the layout is published as recorded', () => {
    started(models, { vendor, profile });
    const place = 4096;
    // Behind the 64-byte header: the device's queue head before its magic was seen, and nothing else.
    assert.deepEqual(Array.from(fake.bytes[0]?.subarray(place, place + 64) ?? []), trace.layout.slice(0, 64));
    assert.equal(trace.layout.length, 80);
  });

  test(file + ': every request is answered as recorded', () => {
    const bus = connectedTo(models, { vendor, profile });
    placeRings(trace);
    let compared = 0;
    trace.elements.forEach((element, at) => {
      if (element.direction === 'receive') {
        return;
      }
      bus.sendFrame(element.bytes);
      bus.machine.wait(0);
      const answer = bus.take();
      const expected = trace.elements[at + 1];
      assert.ok(expected !== undefined && expected.direction === 'receive', 'line ' + element.line);
      if ((element.bytes[1] ?? 0) >= 0x40) {
        assert.equal(answer, undefined, 'line ' + element.line + ': an event has no answer');
      } else {
        assert.deepEqual(answer, expected.bytes, 'line ' + expected.line);
        compared += 1;
      }
      assert.equal(bus.take(), undefined, 'line ' + element.line + ': one answer');
    });
    assert.equal(compared, sent.filter(({ bytes }) => (bytes[1] ?? 0) < 0x40).length);
    assert.equal(droppedInAll(), dropped('no queue'), 'nothing but kicks of queues without a window here is dropped');
    assert.ok(fake.guardsIntact());
  });
});

test('a trace that cannot be read is refused with its line', () => {
  assert.throws(() => readTrace(new URL('README.md', import.meta.url)), /line 3 /);
});
