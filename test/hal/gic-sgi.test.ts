// The doorbell that is an interrupt controller's software-generated interrupt, against the register as its manual has it.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { fakeRegisters } from '../../hal/fake/registers.js';
import { sgiRing } from '../../hal/mailboxes/gic-sgi.hot.js';

const BLOCK = 3;

beforeEach(() => {
  fakeRegisters.clear();
});

for (const core of [0, 1, 7]) {
  for (const line of [0, 15]) {
    test(`a ring names core ${core} in the target list and line ${line}, and nobody else`, () => {
      assert.equal(sgiRing(BLOCK, core, line), 1);
      assert.deepEqual(fakeRegisters.accesses, [{ kind: 'write', block: BLOCK, offset: 0xf00, value: 2 ** (16 + core) + line }]);
    });
  }
}
