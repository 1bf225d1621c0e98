// The agreement of both ends on revision, size and transport features, as a carrier drives it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBus } from '../../../firmware/bus/add-bus.js';
import { maximumSize, revision, transportFeatures } from '../../../firmware/bus/bus-table.hot.js';
import { revisionHandlers } from '../../../firmware/bus/handlers.hot.js';
import { proposeRevision, resetAgreement } from '../../../firmware/bus/revision.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import { encode, le32 } from '../../support/driver/message.js';
import { dropped } from '../../support/fresh.js';
import { testDevice } from '../../support/test-device.js';

/** A bus of profile A, 200 bytes, transport features 0b11, with device 5, on which nothing is agreed. */
function bus(): BareBus {
  const on = new BareBus([testDevice({ number: 5, config: new Array<number>(256).fill(3) }).model], 200, 0x1af4, [], 'A', 3);
  resetAgreement(0);
  return on;
}

const STATUS = encode({ type: 0, id: 7, device: 5, token: 1, payload: [] });
const PING = encode({ type: 2, id: 3, device: 0, token: 1, payload: [1, 2, 3, 4] });

test('R-045 R-053 R-058 before an agreement transport messages are discarded; bus messages are taken', () => {
  const on = bus();
  [0, 1].forEach((round) => {
    assert.deepEqual(on.frame(STATUS), []);
    assert.equal(dropped('not agreed'), round * 2 + 1);
    assert.equal(on.frame(PING).length, 12);
    assert.deepEqual(on.frame(encode({ type: 0, id: 0x41, device: 5, token: 0, payload: le32(0).concat(le32(0)) })), []);
    assert.equal(dropped('not agreed'), round * 2 + 2);
    assert.ok(proposeRevision(0, 1, 100, 0, 0));
    assert.equal(on.frame(STATUS).length, 12);
    resetAgreement(0);
  });
});

test('R-049 R-050 R-052 R-054 every proposal is judged alone: known revisions are accepted, others refused, in any order', () => {
  const on = bus();
  [2, 255, 0, 3].forEach((proposed) => {
    assert.ok(!proposeRevision(0, proposed, 200, 0, 0));
    assert.equal(revision[0], 0);
    assert.deepEqual(on.frame(STATUS), [], 'a refused proposal locks nothing');
  });
  assert.ok(proposeRevision(0, 1, 200, 0, 0));
  assert.equal(revision[0], 1);
});

test('R-048 R-051 R-056 one agreement for all devices, which only a reset of the bus ends', () => {
  bus();
  assert.ok(proposeRevision(0, 1, 100, 1, 0));
  assert.ok(!proposeRevision(0, 1, 200, 3, 0));
  assert.deepEqual([maximumSize[0], transportFeatures[0]], [100, 1]);
  resetAgreement(0);
  assert.ok(proposeRevision(0, 1, 200, 2, 0));
  assert.deepEqual([maximumSize[0], transportFeatures[0]], [200, 2]);
});

test('R-039 R-043 R-046 R-047 the smaller maximum is in force at once, in both directions', () => {
  const on = bus();
  const read = (length: number): number => {
    const answer = on.frame(encode({ type: 0, id: 5, device: 5, token: 1, payload: le32(0).concat(le32(length)) }));
    return answer.length - 20;
  };
  [[100, 100], [65535, 200], [48, 48], [200, 200]].forEach(([proposed, force]) => {
    resetAgreement(0);
    assert.ok(proposeRevision(0, 1, proposed ?? 0, 0, 0));
    assert.equal(read((force ?? 0) - 20), (force ?? 0) - 20);
    assert.equal(read((force ?? 0) - 19), 0);
    const payload = new Array<number>((force ?? 0) - 8).fill(0);
    assert.equal(on.frame(encode({ type: 0, id: 7, device: 5, token: 1, payload }), 256).length, 12);
    assert.deepEqual(on.frame(encode({ type: 0, id: 7, device: 5, token: 1, payload: payload.concat(0) }), 256), []);
  });
});

test('R-039 R-040 a size with which the profile cannot work is refused', () => {
  bus();
  [0, 44, 47].forEach((size) => assert.ok(!proposeRevision(0, 1, size, 0, 0)));
  assert.ok(proposeRevision(0, 1, 48, 0, 0));
});

test('R-055 R-059 transport features are the common ones', () => {
  [[0, 3, 0], [3, 0, 0], [1, 3, 1], [3, 2, 2], [3, 255, 3]].forEach(([own, other, common]) => {
    addBus(0, 'C', 64, own);
    assert.ok(proposeRevision(0, 1, 64, other ?? 0, 0));
    assert.equal(transportFeatures[0], common);
  });
});

test('R-048 R-050 a carrier may refuse a proposal by what travels with it', () => {
  const on = bus();
  const seen: number[][] = [];
  revisionHandlers[0] = (number, proposed, option) => {
    seen.push([number, proposed, option]);
    return option === 77;
  };
  assert.ok(!proposeRevision(0, 1, 200, 0, 5));
  assert.deepEqual(on.frame(STATUS), []);
  assert.ok(proposeRevision(0, 1, 200, 0, 77));
  assert.deepEqual(seen, [[0, 1, 5], [0, 1, 77]]);
});

test('R-044 the limit counts header and payload, whatever the frame around them', () => {
  const on = bus();
  assert.ok(proposeRevision(0, 1, 100, 0, 0));
  [100, 101, 4096].forEach((frame) => {
    assert.equal(on.frame(encode({ type: 0, id: 7, device: 5, token: 1, payload: new Array<number>(92).fill(0) }), frame).length, 12);
    assert.equal(on.frame(encode({ type: 0, id: 5, device: 5, token: 1, payload: le32(0).concat(le32(80)) }), frame).length, 100);
  });
  assert.deepEqual(on.frame(encode({ type: 0, id: 7, device: 5, token: 1, payload: new Array<number>(93).fill(0) }), 4096), []);
});

test('R-057 what revision 1 does not define is discarded, whatever transport features are in force', () => {
  [0, 1, 2, 3].forEach((features) => {
    const on = bus();
    assert.ok(proposeRevision(0, 1, 200, features, 0));
    for (let id = 0; id < 256; id++) {
      if (!(id >= 2 && id <= 0x0c) && id !== 0x41) {
        assert.deepEqual(on.frame(encode({ type: 0, id, device: 5, token: 1, payload: new Array<number>(64).fill(0) })), []);
      }
      if (id !== 2 && id !== 3) {
        assert.deepEqual(on.frame(encode({ type: 2, id, device: 0, token: 1, payload: new Array<number>(64).fill(0) })), []);
      }
    }
    assert.equal(dropped('unknown id'), 256 - 12 + 256 - 2);
  });
});
