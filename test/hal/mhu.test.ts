// The SSE-200 Message Handling Unit's driver against a model of its registers.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { RegisterModel } from '../../hal/fake/registers.js';
import { fakeRegisters } from '../../hal/fake/registers.js';
import { mhuAcknowledge, mhuRing } from '../../hal/mailboxes/mhu.hot.js';

/** CPU0INTR_STAT, SET and CLR at 0x00, 0x04 and 0x08, CPU1INTR_* at 0x10, 0x14 and 0x18: four latched bits a CPU. */
class Mhu implements RegisterModel {
  readonly pending = [0, 0];
  /** What the reserved bits 31..4 of STAT read as. */
  reserved = 0;
  /** Called after each read of STAT: the other CPU does something meanwhile. */
  meanwhile = (): void => undefined;

  private cpu(offset: number): 0 | 1 {
    assert.ok(offset < 0x20, 'only the interrupt registers are used');
    return offset < 0x10 ? 0 : 1;
  }

  read(offset: number): number {
    assert.equal(offset % 0x10, 0, 'SET and CLR are write-only');
    const value = this.pending[this.cpu(offset)] ?? 0;
    this.meanwhile();
    return (value | this.reserved) >>> 0;
  }

  write(offset: number, value: number): void {
    const cpu = this.cpu(offset);
    assert.ok(value >= 0 && value <= 15, 'reserved bits are written as 0');
    if (offset % 0x10 === 4) {
      this.pending[cpu] = (this.pending[cpu] ?? 0) | value;
    } else {
      assert.equal(offset % 0x10, 8, 'STAT is read-only');
      this.pending[cpu] = (this.pending[cpu] ?? 0) & ~value;
    }
  }
}

const BLOCK = 2;
let mhu = new Mhu();

beforeEach(() => {
  fakeRegisters.clear();
  mhu = new Mhu();
  fakeRegisters.models[BLOCK] = mhu;
});

test('a ring sets one bit at the CPU that is to hear it, and only there', () => {
  for (let bit = 0; bit < 4; bit++) {
    mhuRing(BLOCK, 0, bit);
    assert.deepEqual(mhu.pending, [(2 << bit) - 1, 0]);
  }
  mhuRing(BLOCK, 1, 2);
  assert.deepEqual(mhu.pending, [15, 4]);
  assert.deepEqual(fakeRegisters.accesses.at(-1), { kind: 'write', block: BLOCK, offset: 0x14, value: 4 });
});

test('a ring is one write to SET: no register is read first', () => {
  mhuRing(BLOCK, 0, 3);
  assert.deepEqual(fakeRegisters.accesses, [{ kind: 'write', block: BLOCK, offset: 0x04, value: 8 }]);
});

test('acknowledging returns and clears the bits pending at this CPU, and leaves the other CPU alone', () => {
  mhuRing(BLOCK, 1, 0);
  mhuRing(BLOCK, 1, 3);
  mhuRing(BLOCK, 0, 1);
  assert.equal(mhuAcknowledge(BLOCK, 1), 9);
  assert.deepEqual(mhu.pending, [2, 0]);
  assert.equal(mhuAcknowledge(BLOCK, 0), 2);
  assert.deepEqual(mhu.pending, [0, 0]);
});

test('STAT is read before CLR is written, each once', () => {
  mhuRing(BLOCK, 0, 0);
  fakeRegisters.accesses.length = 0;
  mhuAcknowledge(BLOCK, 0);
  assert.deepEqual(fakeRegisters.accesses, [
    { kind: 'read', block: BLOCK, offset: 0x00, value: 1 },
    { kind: 'write', block: BLOCK, offset: 0x08, value: 1 },
  ]);
});

test('a spurious interrupt returns 0 and clears nothing', () => {
  assert.equal(mhuAcknowledge(BLOCK, 0), 0);
  assert.deepEqual(fakeRegisters.accesses.map(({ kind }) => kind), ['read']);
});

test('two rings before the acknowledge are one', () => {
  mhuRing(BLOCK, 0, 0);
  mhuRing(BLOCK, 0, 0);
  assert.equal(mhuAcknowledge(BLOCK, 0), 1);
  assert.equal(mhuAcknowledge(BLOCK, 0), 0);
});

test('a bit that rings between the read and the clear is not lost', () => {
  mhuRing(BLOCK, 0, 0);
  mhu.meanwhile = () => mhuRing(BLOCK, 0, 2);
  assert.equal(mhuAcknowledge(BLOCK, 0), 1);
  mhu.meanwhile = () => undefined;
  assert.equal(mhuAcknowledge(BLOCK, 0), 4);
});

test('a ring after the acknowledge, while shared memory is being looked at, is seen next time', () => {
  mhuRing(BLOCK, 0, 0);
  assert.equal(mhuAcknowledge(BLOCK, 0), 1);
  mhuRing(BLOCK, 0, 0);
  assert.equal(mhuAcknowledge(BLOCK, 0), 1);
});

test('reserved bits of STAT are ignored', () => {
  mhu.reserved = 0xfffffff0;
  assert.equal(mhuAcknowledge(BLOCK, 0), 0);
  mhuRing(BLOCK, 0, 1);
  assert.equal(mhuAcknowledge(BLOCK, 0), 2);
  assert.deepEqual(mhu.pending, [0, 0]);
});

test('two blocks are two units', () => {
  const other = new Mhu();
  fakeRegisters.models[0] = other;
  mhuRing(0, 1, 0);
  assert.deepEqual([mhu.pending, other.pending], [[0, 0], [0, 1]]);
});
