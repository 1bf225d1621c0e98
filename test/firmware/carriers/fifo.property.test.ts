// Random interleavings of driver and device over rings of every size: no message is lost, doubled or reordered.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import { pass } from '../../../firmware/loop.hot.js';
import { encode } from '../../support/driver/message.js';
import { connectedTo } from '../../support/fresh.js';
import { ping } from '../../support/peer.js';

const step = fc.constantFrom('put', 'put', 'put silent', 'take', 'take', 'pass');

test('R-061 R-278 answers come once each and in the order of their requests', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.array(step, { minLength: 50, maxLength: 300 }), (elements, steps) => {
      const bus = connectedTo([], { elements });
      let sent = 0;
      let taken = 0;
      const take = (): boolean => {
        const frame = bus.take();
        if (frame !== undefined) {
          assert.deepEqual(frame.slice(0, 12), [3].concat(ping(taken).slice(1)));
          taken += 1;
        }
        return frame !== undefined;
      };
      steps.forEach((what) => {
        if (what === 'put') {
          sent += bus.put(ping(sent)) ? 1 : 0;
        } else if (what === 'put silent') {
          bus.put(encode({ type: 0, id: 0x41, device: 3, token: 0, payload: [0, 0, 0, 0, 0, 0, 0, 0] }));
        } else if (what === 'take') {
          take();
        } else {
          pass();
        }
      });
      for (let turn = 0; turn < 4 * elements; turn++) {
        pass();
        take();
      }
      assert.equal(taken, sent);
      assert.ok(fake.guardsIntact());
    }),
    { seed: 42, numRuns: 400 },
  );
});

test('R-034 R-278 ten thousand messages through the smallest ring', () => {
  const bus = connectedTo([], { elements: 2 });
  for (let count = 0; count < 10000; count++) {
    assert.ok(bus.put(ping(count)));
    pass();
    assert.deepEqual(bus.take()?.slice(0, 12), [3].concat(ping(count).slice(1)));
  }
});
