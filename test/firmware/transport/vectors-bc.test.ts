// The constructed vectors of the protocol reference, section 14, layouts B and C: exact bytes in, exact bytes out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entropy } from '../../../firmware/main.js';
import { configChanged } from '../../../firmware/device.hot.js';
import { configGeneration } from '../../../firmware/transport/device.hot.js';
import { BareBus, hex } from '../../support/bare-bus.js';
import type { Profile } from '../../support/driver/message.js';
import { encode, headerBytes, le32, le64 } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { BUFFERS, bringUp, settle } from '../../support/ring-bench.js';
import { testDevice } from '../../support/test-device.js';

/** Headers of layout B: device 5, token 7, or event of device 5. */
const B5 = (type: number, id: string, size: string): string => `0${type} ${id} 07 00 ${size} 00 00 00 05 00 00 00 00 00 00 00`;
const B5_EVENT = (id: string, size: string): string => `00 ${id} 00 00 ${size} 00 00 00 05 00 00 00 00 00 00 00`;
const VERSION_1_BLOCK = '01 00 00 00 01 00 00 00';

function entropyBus(profile: Profile): BareBus {
  return new BareBus([entropy({ number: 5 })], 64, 0x1af4, [], profile);
}

/** Requests with their answers, to a fresh entropy device 5. */
function exchange(name: string, profile: Profile, request: string, answer: string): void {
  test(name, () => assert.deepEqual(entropyBus(profile).frame(hex(request)), hex(answer)));
}

const INFO_2 =
  '04 00 00 00 f4 1a 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00';

exchange('R-080 R-083 R-088 vector B: GET_DEVICE_INFO', 'B', B5(0, '02', '10'), B5(1, '02', '3c') + ' ' + INFO_2);
exchange('R-080 R-083 R-088 vector C: GET_DEVICE_INFO', 'C', '00 02 05 00 07 00 08 00', '01 02 05 00 07 00 34 00 ' + INFO_2);
exchange('R-100 vector B: GET_DEVICE_FEATURES of block 1', 'B', B5(0, '03', '18') + ' ' + VERSION_1_BLOCK, B5(1, '03', '1c') + ' ' + VERSION_1_BLOCK + ' 01 00 00 00');
exchange('R-060 vector B: SET_DRIVER_FEATURES', 'B', B5(0, '04', '1c') + ' ' + VERSION_1_BLOCK + ' 01 00 00 00', B5(1, '04', '10'));
exchange('R-109 vector B: SET_DEVICE_STATUS 0x0B, FEATURES_OK refused', 'B', B5(0, '08', '14') + ' 0b 00 00 00', B5(1, '08', '14') + ' 03 00 00 00');
exchange('R-300 vector B: PING', 'B', '02 03 07 00 14 00 00 00 00 00 00 00 00 00 00 00 44 33 22 11', '03 03 07 00 14 00 00 00 00 00 00 00 00 00 00 00 44 33 22 11');

test('R-187 R-192 vector B: SET_CONFIG rejected at offset 4, the count hidden in the baseline', () => {
  const bus = new BareBus([testDevice({ number: 5, config: [1, 2, 3, 4, 5, 6, 7, 8] }).model], 64, 0x1af4, [], 'B');
  configGeneration[0] = 9;
  const request = encode({ type: 0, id: 6, device: 5, token: 7, payload: le32(9).concat(le32(4), le32(1), [0xff]) }, 'B');
  assert.deepEqual(bus.frame(request), hex(B5(1, '06', '1c') + ' 00 00 00 00 04 00 00 00 00 00 00 00'));
});

test('R-223 R-230 R-239 vectors B and C: SET_VQUEUE with op enable, and the queue read back', () => {
  (['B', 'C'] as const).forEach((profile) => {
    const bus = entropyBus(profile);
    bus.negotiate(5);
    const header = profile === 'B' ? B5(0, '0a', '38') : '00 0a 05 00 07 00 30 00';
    const request = hex(header + ' 00 00 00 00 01 00 00 00 08 00 00 00 00 00 00 00 00 00 00 20 00 00 00 00 80 00 00 20 00 00 00 00 c0 00 00 20 00 00 00 00');
    const empty = hex(profile === 'B' ? B5(1, '0a', '10') : '01 0a 05 00 07 00 08 00');
    // The vector's areas lie at 0x2000_0000, where this machine has no window: rejected, with the same answer.
    assert.deepEqual(bus.frame(request), empty);
    assert.deepEqual(bus.request(9, 5, le32(0)).slice(8, 16), [0, 0, 0, 0, 0, 0, 0, 0]);
    const at = headerBytes(profile);
    [19, 27, 35].forEach((byte) => (request[at + byte] = 0x80));
    assert.deepEqual(bus.frame(request), empty);
    const queue = ' 00 00 00 00 40 00 00 00 08 00 00 00 01 00 00 00 00 00 00 80 00 00 00 00 80 00 00 80 00 00 00 00 c0 00 00 80 00 00 00 00';
    const [get, answer] = profile === 'B' ? [B5(0, '09', '14'), B5(1, '09', '38')] : ['00 09 05 00 07 00 0c 00', '01 09 05 00 07 00 30 00'];
    assert.deepEqual(bus.frame(hex(get + ' 00 00 00 00')), hex(answer + queue));
  });
});

test('R-031 R-036 R-260 vectors B: EVENT_AVAIL of queue 0 brings EVENT_USED of queue 0', () => {
  const bus = connectedTo([testDevice({ number: 5 }).model], { profile: 'B' });
  const { queue } = bringUp(bus, 5);
  queue.add([{ offset: BUFFERS, bytes: 4, writable: true }]);
  queue.publish();
  bus.sendFrame(hex(B5_EVENT('41', '18') + ' 00 00 00 00 00 00 00 00'));
  bus.machine.wait(0);
  assert.deepEqual(bus.take(), hex(B5_EVENT('42', '14') + ' 00 00 00 00').concat(new Array<number>(44).fill(0)));
});

test('R-187 R-203 R-210 vectors B and C: EVENT_CONFIG of an unknown range, status 0x0F; C carries the live count', () => {
  (['B', 'C'] as const).forEach((profile) => {
    const tested = testDevice({ number: 5 });
    const bus = connectedTo([tested.model], { profile });
    bringUp(bus, 5);
    settle(bus);
    configChanged(tested.row, 0, 0);
    bus.machine.wait(0);
    const count = profile === 'B' ? '00' : '01';
    const header = profile === 'B' ? B5_EVENT('40', '20') : '00 40 05 00 00 00 18 00';
    const bytes = hex(`${header} 0f 00 00 00 ${count} 00 00 00 00 00 00 00 00 00 00 00`);
    assert.deepEqual(bus.take(), bytes.concat(new Array<number>(64 - bytes.length).fill(0)));
  });
});

test('R-290 vectors B and C: GET_DEVICES with devices 0, 2 and 5 and one behind the window', () => {
  const models = [0, 2, 5, 16].map((number) => testDevice({ number }).model);
  const long = new BareBus(models, 64, 0x1af4, [], 'B');
  const request = encode({ type: 2, id: 2, device: 0, token: 7, payload: le64(0, 0).concat([16, 0]) }, 'B');
  assert.deepEqual(
    long.frame(request),
    hex('03 02 07 00 24 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 10 00 25 00'),
  );
  const late = new BareBus(models, 64, 0x1af4, [], 'C');
  assert.deepEqual(late.frame(encode({ type: 2, id: 2, device: 0, token: 7, payload: [0, 0, 16, 0] })), hex('03 02 00 00 07 00 10 00 00 00 10 00 10 00 25 00'));
});
