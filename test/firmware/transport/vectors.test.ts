// The constructed vectors of the protocol reference, section 14, layout A: exact bytes in, exact bytes out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entropy } from '../../../firmware/main.js';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { raiseConfigEvent } from '../../../firmware/transport/events.hot.js';
import { BareBus, hex } from '../../support/bare-bus.js';
import { encode, le16, le32 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { BUFFERS, bringUp, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

const VERSION_1_BLOCK = '01 00 00 00 01 00 00 00';

test('R-080 vector: GET_DEVICE_INFO of an entropy device', () => {
  const bus = new BareBus([entropy({ number: 5 })]);
  assert.deepEqual(
    bus.frame(hex('00 02 05 00 07 00 08 00')),
    hex('01 02 05 00 07 00 20 00 04 00 00 00 f4 1a 00 00 40 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00'),
  );
});

test('R-100 R-116 vector: GET_DEVICE_FEATURES of block 1', () => {
  const bus = new BareBus([entropy({ number: 5 })]);
  assert.deepEqual(
    bus.frame(hex('00 03 05 00 07 00 10 00 ' + VERSION_1_BLOCK)),
    hex('01 03 05 00 07 00 14 00 ' + VERSION_1_BLOCK + ' 01 00 00 00'),
  );
});

test('R-060 vector: the answer to SET_DRIVER_FEATURES is a bare header', () => {
  const bus = new BareBus([entropy({ number: 5 })]);
  assert.deepEqual(
    bus.frame(hex('00 04 05 00 07 00 14 00 ' + VERSION_1_BLOCK + ' 01 00 00 00')),
    hex('01 04 05 00 07 00 08 00'),
  );
});

test('R-109 vector: SET_DEVICE_STATUS 0x0B with FEATURES_OK refused', () => {
  const bus = new BareBus([entropy({ number: 5 })]);
  assert.deepEqual(bus.frame(hex('00 08 05 00 07 00 0c 00 0b 00 00 00')), hex('01 08 05 00 07 00 0c 00 03 00 00 00'));
});

test('R-192 vector: SET_CONFIG rejected at offset 4, generation 9', () => {
  const bus = new BareBus([testDevice({ number: 5, config: [1, 2, 3, 4, 5, 6, 7, 8] }).model]);
  configGeneration[0] = 9;
  const request = encode({ type: 0, id: 6, device: 5, token: 7, payload: le32(9).concat(le32(4), le32(1), [0xff]) });
  assert.deepEqual(bus.frame(request), hex('01 06 05 00 07 00 14 00 09 00 00 00 04 00 00 00 00 00 00 00'));
});

test('R-228 vector: SET_VQUEUE of queue 0 with 8 descriptors', () => {
  // The vector's areas lie at 0x2000_0000 and up, where this machine has no window: rejected, with the same answer.
  const vector = hex(
    '00 0a 05 00 07 00 30 00 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 00 00 00 20 00 00 00 00 80 00 00 20 00 00 00 00 c0 00 00 20 00 00 00 00',
  );
  const bus = new BareBus([entropy({ number: 5 })]);
  bus.negotiate(5);
  assert.deepEqual(bus.frame(vector), hex('01 0a 05 00 07 00 08 00'));
  assert.deepEqual(bus.request(9, 5, le32(0)).slice(4, 12), [64, 0, 0, 0, 0, 0, 0, 0]);
  // The same with areas in the window at 0x8000_0000.
  [27, 35, 43].forEach((at) => (vector[at] = 0x80));
  assert.deepEqual(bus.frame(vector), hex('01 0a 05 00 07 00 08 00'));
  assert.deepEqual(
    bus.frame(hex('00 09 05 00 07 00 0c 00 00 00 00 00')),
    hex(
      '01 09 05 00 07 00 30 00 00 00 00 00 40 00 00 00 08 00 00 00 00 00 00 00 00 00 00 80 00 00 00 00 80 00 00 80 00 00 00 00 c0 00 00 80 00 00 00 00',
    ),
  );
});

test('R-031 R-036 R-260 vectors: EVENT_AVAIL of queue 0 brings EVENT_USED of queue 0, 12 bytes, token 0', () => {
  const bus = connectedTo([testDevice({ number: 5 }).model]);
  const { queue } = bringUp(bus, 5);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  bus.sendFrame(hex('00 41 05 00 00 00 10 00 00 00 00 00 00 00 00 00'));
  bus.machine.wait(0);
  assert.deepEqual(bus.take(), hex('00 42 05 00 00 00 0c 00 00 00 00 00').concat(new Array<number>(52).fill(0)));
  assert.equal(bus.take(), undefined);
});

test('R-031 R-201 R-204 vector: EVENT_CONFIG without data, status 0x0F, generation 9', () => {
  const tested = testDevice({ number: 5, onServe: (_index, row) => (row >= 0 ? raiseConfigEvent(tested.row) : undefined) });
  const bus = connectedTo([tested.model]);
  const { device } = bringUp(bus, 5);
  configGeneration[0] = 9;
  settle(bus);
  device.kick(0);
  bus.machine.wait(0);
  const vector = '00 40 05 00 00 00 18 00 0f 00 00 00 09 00 00 00 00 00 00 00 00 00 00 00';
  assert.deepEqual(bus.take(), hex(vector).concat(new Array<number>(40).fill(0)));
});

test('R-300 vector: PING', () => {
  const bus = new BareBus([entropy({ number: 5 })]);
  assert.deepEqual(bus.frame(hex('02 03 00 00 07 00 0c 00 44 33 22 11')), hex('03 03 00 00 07 00 0c 00 44 33 22 11'));
});

test('R-290 vector: GET_DEVICES with devices 0, 2 and 5 and one behind the window', () => {
  const bus = new BareBus([0, 2, 5, 16].map((number) => testDevice({ number }).model));
  const request = encode({ type: 2, id: 2, device: 0, token: 7, payload: le16(0).concat(le16(16)) });
  assert.deepEqual(bus.frame(request), hex('03 02 00 00 07 00 10 00 00 00 10 00 10 00 25 00'));
});
