// Header checks and routing of the device-side bus: which frames are answered, which are dropped, and how answers look.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BareBus } from '../../support/bare-bus.js';
import { encode, le32 } from '../../support/driver/message.js';
import { dropped, droppedInAll, forget } from '../../support/fresh.js';
import type { Reason } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

function twoDevices(size = 64): BareBus {
  return new BareBus([testDevice({ number: 0, queueSizes: [8, 8] }).model, testDevice({ number: 5 }).model], size);
}

/** The frame is dropped for exactly this reason, and a request that follows is answered. */
function expectDropped(bus: BareBus, frame: readonly number[], reason: Reason, received = frame.length): void {
  const before = dropped(reason);
  const all = droppedInAll();
  assert.deepEqual(bus.frame(frame, received), [], 'no answer');
  assert.equal(dropped(reason), before + 1, reason);
  assert.equal(droppedInAll(), all + 1, 'one counter, one step');
  assert.equal(bus.readStatus(5), 0, 'a later request still works');
}

const GET_STATUS = encode({ type: 0, id: 0x07, device: 5, token: 7, payload: [] });

test('R-001 a frame shorter than the header is discarded', () => {
  const bus = twoDevices();
  for (let received = 0; received < 8; received++) {
    expectDropped(bus, GET_STATUS.slice(0, received), 'short', received);
  }
});

test('R-002 a msg_size below the header is discarded', () => {
  const bus = twoDevices();
  for (let size = 0; size < 8; size++) {
    expectDropped(bus, encode({ type: 0, id: 0x07, device: 5, token: 7, size, payload: [] }), 'short');
  }
});

test('R-003 a msg_size beyond the frame is discarded', () => {
  const bus = twoDevices();
  [9, 10, 64, 65535].forEach((size) => {
    expectDropped(bus, encode({ type: 0, id: 0x07, device: 5, token: 7, size, payload: [] }), 'long');
  });
});

test('R-004 bytes behind msg_size are ignored, whatever they are', () => {
  const bus = twoDevices();
  const answer = bus.frame(GET_STATUS);
  assert.equal(answer.length, 12);
  assert.deepEqual(bus.frame(GET_STATUS.concat([0xff, 0x55, 0xaa, 1, 2, 3, 4, 5])), answer);
  assert.deepEqual(bus.frame(GET_STATUS, 4096), answer);
});

test('R-005 a msg_size above the maximum of the bus is discarded, also in a larger frame', () => {
  const bus = twoDevices(48);
  const payload = new Array<number>(41).fill(0);
  expectDropped(bus, encode({ type: 0, id: 0x07, device: 5, token: 7, payload }), 'long', 64);
  assert.equal(bus.frame(encode({ type: 0, id: 0x07, device: 5, token: 7, payload: payload.slice(1) }), 64).length, 12);
});

test('R-006 R-007 reserved type bits are ignored on receive and zero in the answer', () => {
  const bus = twoDevices();
  for (let reserved = 4; reserved < 256; reserved += 4) {
    assert.deepEqual(bus.frame([reserved].concat(GET_STATUS.slice(1))), bus.frame(GET_STATUS));
    assert.deepEqual(
      bus.frame(encode({ type: reserved | 2, id: 3, device: 0, token: 1, payload: [1, 2, 3, 4] })),
      encode({ type: 3, id: 3, device: 0, token: 1, payload: [1, 2, 3, 4] }),
    );
  }
});

test('R-009 all header fields are little-endian', () => {
  const bus = new BareBus([testDevice({ number: 0x1234 }).model]);
  assert.deepEqual(bus.frame([0, 7, 0x34, 0x12, 0xcd, 0xab, 8, 0]), [1, 7, 0x34, 0x12, 0xcd, 0xab, 12, 0, 0, 0, 0, 0]);
  assert.deepEqual(bus.frame([0, 7, 0x12, 0x34, 0xcd, 0xab, 8, 0]), []);
});

test('R-010 a bus message never reaches a device, not even device 0', () => {
  const bus = twoDevices();
  expectDropped(bus, encode({ type: 2, id: 0x08, device: 0, token: 1, payload: le32(1) }), 'unknown id');
  assert.equal(bus.readStatus(0), 0);
});

test('R-011 a bus message with a device number is discarded', () => {
  const bus = twoDevices();
  [1, 5, 256, 65535].forEach((device) => {
    expectDropped(bus, encode({ type: 2, id: 3, device, token: 1, payload: [1, 2, 3, 4] }), 'bus message with a number');
  });
});

test('R-012 R-030 the answer to a bus message has number 0, the same id and token, and both type bits', () => {
  const answer = twoDevices().frame(encode({ type: 2, id: 2, device: 0, token: 0xbeef, payload: [0, 0, 8, 0] }));
  assert.deepEqual(answer.slice(0, 8), [3, 2, 0, 0, 0xef, 0xbe, 15, 0]);
});

test('R-013 R-030 R-036 every answer has its device, id, token, the response bit and exactly its defined size', () => {
  const bus = twoDevices();
  const area = [0, 0, 1, 0x80, 0, 0, 0, 0, 0, 1, 1, 0x80, 0, 0, 0, 0, 0, 2, 1, 0x80, 0, 0, 0, 0];
  const requests: [number, number[], number][] = [
    [0x02, [], 32],
    [0x03, le32(0).concat(le32(2)), 24],
    [0x04, le32(0).concat(le32(1), le32(0)), 8],
    [0x05, le32(0).concat(le32(0)), 20],
    [0x06, le32(0).concat(le32(0), le32(0)), 20],
    [0x07, [], 12],
    [0x08, le32(1), 12],
    [0x09, le32(0), 48],
    [0x0a, le32(0).concat(le32(0), le32(8), le32(0), area), 8],
    [0x0b, le32(0), 8],
    [0x0c, le32(0), 20],
  ];
  requests.forEach(([id, payload, size]) => {
    [0, 5].forEach((device) => {
      const answer = bus.frame(encode({ type: 0, id, device, token: 0x1234, payload }));
      assert.deepEqual(answer.slice(0, 8), [1, id, device, 0, 0x34, 0x12, size, 0]);
      assert.equal(answer.length, size, 'bytes handed back');
    });
  });
});

test('R-014 device number 0 is a device like any other', () => {
  const bus = twoDevices();
  assert.equal(bus.status(0, 1), 1);
  assert.equal(bus.readStatus(5), 0);
});

test('R-015 a message for a number without a device is dropped', () => {
  const bus = twoDevices();
  [1, 4, 6, 63, 64, 261, 65535].forEach((device) => {
    expectDropped(bus, encode({ type: 0, id: 0x02, device, token: 1, payload: [] }), 'no device');
  });
});

test('R-015 numbers below and above the direct table are told apart', () => {
  const numbers = [63, 64, 65, 319, 65535];
  const bus = new BareBus(numbers.map((number) => testDevice({ number, deviceId: 100 + (number % 50) }).model));
  numbers.forEach((number) => assert.equal(bus.request(0x02, number)[0], 100 + (number % 50)));
  assert.deepEqual(bus.frame(encode({ type: 0, id: 2, device: 62, token: 1, payload: [] })), []);
  assert.deepEqual(bus.frame(encode({ type: 0, id: 2, device: 66, token: 1, payload: [] })), []);
});

test('R-016 a transport response is discarded', () => {
  const bus = twoDevices();
  for (let id = 2; id <= 0x0c; id++) {
    expectDropped(bus, encode({ type: 1, id, device: 5, token: 1, payload: new Array<number>(40).fill(1) }), 'response');
  }
});

test('R-017 an event marked as response is discarded', () => {
  const bus = twoDevices();
  [0x40, 0x41, 0x42, 0x7f].forEach((id) => {
    expectDropped(bus, encode({ type: 1, id, device: 5, token: 0, payload: le32(0).concat(le32(0)) }), 'response');
  });
});

test('R-018 R-019 R-020 unknown, reserved, implementation-defined and device-only ids are discarded', () => {
  const bus = twoDevices();
  for (let id = 0; id < 256; id++) {
    if (!(id >= 0x02 && id <= 0x0c) && id !== 0x41) {
      expectDropped(bus, encode({ type: 0, id, device: 5, token: 1, payload: new Array<number>(40).fill(0) }), 'unknown id');
    }
  }
});

test('R-021 R-317 a bus id nobody registered is discarded', () => {
  const bus = twoDevices();
  for (let id = 0; id < 256; id++) {
    if (id !== 2 && id !== 3) {
      expectDropped(bus, encode({ type: 2, id, device: 0, token: 1, payload: [0, 0, 8, 0] }), 'unknown id');
    }
  }
});

test('R-023 an event is never answered, valid or not', () => {
  const bus = twoDevices();
  [[], [0], le32(0), le32(0).concat(le32(0)), le32(9).concat(le32(0))].forEach((payload) => {
    assert.deepEqual(bus.frame(encode({ type: 0, id: 0x41, device: 5, token: 9, payload })), []);
  });
});

test('R-024 a request without its fixed part is discarded, one byte short as well as empty', () => {
  const bus = twoDevices();
  const fixed: [number, number][] = [[0x03, 8], [0x04, 8], [0x05, 8], [0x06, 12], [0x08, 4], [0x09, 4], [0x0a, 40], [0x0b, 4], [0x0c, 4], [0x41, 8]];
  fixed.forEach(([id, bytes]) => {
    for (let length = 0; length < bytes; length++) {
      expectDropped(bus, encode({ type: 0, id, device: 5, token: 1, payload: new Array<number>(length).fill(0) }), 'payload');
    }
  });
  [2, 3].forEach((id) => {
    for (let length = 0; length < 4; length++) {
      expectDropped(bus, encode({ type: 2, id, device: 0, token: 1, payload: new Array<number>(length).fill(0) }), 'payload');
    }
  });
});

test('R-025 payload bytes behind the known fields are ignored', () => {
  const bus = twoDevices();
  assert.deepEqual(bus.request(0x07, 5, [9, 9, 9]), [0, 0, 0, 0]);
  assert.deepEqual(bus.request(0x08, 5, [1, 0, 0, 0, 0xff, 0xff]), [1, 0, 0, 0]);
  assert.deepEqual(bus.request(0x02, 5, [1, 2, 3, 4]), bus.request(0x02, 5));
  assert.deepEqual(bus.request(0x0b, 5, [0, 0, 0, 0, 7]), []);
  assert.equal(bus.status(5, 3), 3);
  assert.deepEqual(bus.request(0x04, 5, le32(0).concat(le32(2), le32(0), le32(1), le32(0xffffffff))), []);
  assert.equal(bus.status(5, 0x0b), 0x0b, 'the word behind num_blocks was not taken');
});

test('R-026 a count beyond the payload is discarded and nothing of it applied', () => {
  const bus = new BareBus([testDevice({ number: 5, config: [1, 2, 3, 4, 5, 6, 7, 8], writable: [0, 8] }).model]);
  bus.status(5, 3);
  bus.setFeatures(5, 0, [0, 1]);
  [2, 3, 0x40000000, 0x40000001, 0x80000001, 0xffffffff].forEach((blocks) => {
    // The one block that is there would take VERSION_1 away.
    expectDroppedWithStatus(bus, encode({ type: 0, id: 4, device: 5, token: 1, payload: le32(1).concat(le32(blocks), le32(0)) }));
  });
  assert.equal(bus.status(5, 0x0b), 0x0b);
  [5, 8, 0x10000, 0x08000000, 0x7fffffff, 0xfffffff0, 0xffffffff].forEach((length) => {
    expectDroppedWithStatus(bus, encode({ type: 0, id: 6, device: 5, token: 1, payload: le32(0).concat(le32(0), le32(length), [9, 9, 9, 9]) }));
  });
  assert.deepEqual(bus.request(5, 5, le32(0).concat(le32(8))).slice(12), [1, 2, 3, 4, 5, 6, 7, 8]);
});

function expectDroppedWithStatus(bus: BareBus, frame: readonly number[]): void {
  const before = dropped('payload');
  assert.deepEqual(bus.frame(frame), []);
  assert.equal(dropped('payload'), before + 1);
}

test('R-032 the token has no influence', () => {
  const bus = twoDevices();
  [0, 1, 0x8000, 0xffff].forEach((token) => {
    const answer = bus.frame(encode({ type: 0, id: 7, device: 5, token, payload: [] }));
    assert.deepEqual(answer, encode({ type: 1, id: 7, device: 5, token, payload: le32(0) }));
  });
});

test('R-033 a dropped frame leaves the device as it was', () => {
  const bus = twoDevices();
  bus.negotiate(5);
  expectUnchanged(bus, encode({ type: 1, id: 8, device: 5, token: 1, payload: le32(0) }));
  expectUnchanged(bus, encode({ type: 0, id: 8, device: 5, token: 1, size: 500, payload: le32(0) }));
  expectUnchanged(bus, encode({ type: 0, id: 8, device: 5, token: 1, payload: [0, 0, 0] }));
});

function expectUnchanged(bus: BareBus, frame: readonly number[]): void {
  assert.deepEqual(bus.frame(frame), []);
  assert.equal(bus.readStatus(5), 0x0b);
}

test('R-028 R-029 R-034 the answer slot holds nothing but the answer: reserved fields and all bytes behind it are zero', () => {
  const bus = twoDevices();
  const requests: [number, number[]][] = [[2, []], [3, le32(0).concat(le32(1))], [7, []], [8, le32(1)], [9, le32(7)], [0x0c, le32(3)], [4, le32(0).concat(le32(0))]];
  requests.forEach(([id, payload]) => {
    const answer = bus.frame(encode({ type: 0, id, device: 5, token: 1, payload }));
    assert.ok(bus.slot().slice(answer.length).every((byte) => byte === 0), 'id ' + id);
  });
});

test('R-029 reserved fields of GET_DEVICE_INFO, GET_VQUEUE and GET_SHM answers are zero', () => {
  const bus = twoDevices();
  assert.deepEqual(bus.request(2, 5).slice(20), [0, 0, 0, 0], 'admin virtqueues');
  assert.deepEqual(bus.request(9, 5, le32(0)).slice(12, 16), [0, 0, 0, 0]);
});

test('R-043 R-047 no answer exceeds the maximum size of its bus', () => {
  [48, 64, 264].forEach((size) => {
    const bus = new BareBus([testDevice({ number: 5, config: new Array<number>(300).fill(7) }).model], size);
    for (let length = 0; length <= 300; length++) {
      assert.ok(bus.request(5, 5, le32(0).concat(le32(length))).length + 8 <= size);
    }
    assert.ok(bus.request(3, 5, le32(0).concat(le32(1000))).length + 8 <= size);
    assert.ok(bus.frame(encode({ type: 2, id: 2, device: 0, token: 1, payload: [0, 0, 0xf8, 0xff] })).length <= size);
  });
});

test('R-068 the same request repeated has the same answer', () => {
  const bus = twoDevices();
  const frames = [2, 7].map((id) => encode({ type: 0, id, device: 5, token: 3, payload: [] }));
  frames.push(encode({ type: 0, id: 9, device: 5, token: 3, payload: le32(0) }));
  frames.push(encode({ type: 0, id: 3, device: 5, token: 3, payload: le32(0).concat(le32(2)) }));
  frames.forEach((frame) => {
    const first = bus.frame(frame);
    assert.notEqual(first.length, 0);
    assert.deepEqual(bus.frame(frame), first);
  });
});

test('R-140 a new device has status 0', () => {
  forget();
  assert.equal(twoDevices().readStatus(5), 0);
});
