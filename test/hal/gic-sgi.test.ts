// The doorbells that are an interrupt controller's software-generated interrupts, against the registers as their manuals have them.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { fakeRegisters } from '../../hal/fake/registers.js';
import { gicV3Ring } from '../../hal/mailboxes/gic-v3-sgi.hot.js';
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

    test(`version 3: a ring makes line ${line} pending at the redistributor of core ${core}, and nothing else`, () => {
      assert.equal(gicV3Ring(BLOCK, core, line), 1);
      assert.deepEqual(fakeRegisters.accesses, [{ kind: 'write', block: BLOCK, offset: 0x20000 * core + 0x10000 + 0x200, value: 2 ** line }]);
    });
  }
}
