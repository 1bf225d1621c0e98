// Feature bits: what is offered, what the driver sets, and the verdict at FEATURES_OK.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { hasFeature } from '../../../firmware/transport/device.hot.js';
import { BareBus } from '../../support/bare-bus.js';
import { le32, read32 } from '../../support/driver/message.js';
import { testDevice } from '../../support/test-device.js';

const FEATURES_OK = 8;

/** A device that offers bits 0, 9, 17 and 23 of block 0, VERSION_1 of block 1 and bit 70 (block 2, bit 6). */
function bus(size = 64): BareBus {
  return new BareBus([testDevice({ number: 5, features: [0, 9, 17, 23, 70] }).model], size);
}
const BLOCK_0 = 0x00820201;
const BLOCK_2 = 0x40;

function getFeatures(on: BareBus, first: number, count: number): number[] {
  const payload = on.request(3, 5, le32(first).concat(le32(count)));
  assert.equal(read32(payload, 0), first, 'block_index echoed');
  const blocks: number[] = [];
  for (let at = 8; at < payload.length; at += 4) {
    blocks.push(read32(payload, at));
  }
  assert.equal(read32(payload, 4), blocks.length, 'num_blocks says how many there are');
  return blocks;
}

function verdict(on: BareBus): boolean {
  const status = on.status(5, 0x0b);
  assert.equal(status, on.readStatus(5), 'the status read later is the one of the answer');
  return (status & FEATURES_OK) !== 0;
}

function negotiating(): BareBus {
  const on = bus();
  on.status(5, 3);
  return on;
}

test('R-100 R-009 offered bits come as little-endian words of the requested blocks', () => {
  const on = bus();
  assert.deepEqual(getFeatures(on, 0, 1), [BLOCK_0]);
  assert.deepEqual(getFeatures(on, 0, 3), [BLOCK_0, 1, BLOCK_2]);
  assert.deepEqual(getFeatures(on, 1, 2), [1, BLOCK_2]);
  assert.deepEqual(getFeatures(on, 2, 1), [BLOCK_2]);
});

test('R-101 R-102 R-027 blocks beyond the implemented ones are zero, up to the last index', () => {
  const on = bus();
  assert.deepEqual(getFeatures(on, 2, 3), [BLOCK_2, 0, 0]);
  assert.deepEqual(getFeatures(on, 3, 2), [0, 0]);
  [0x100, 0xffff, 0x10000, 0x10001, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff].forEach((first) => {
    assert.deepEqual(getFeatures(on, first, 4), [0, 0, 0, 0]);
  });
});

test('R-101 a device does not show the features of its neighbour behind its own blocks', () => {
  const on = new BareBus([testDevice({ number: 5 }).model, testDevice({ number: 6, features: [0, 1, 2, 3] }).model]);
  assert.deepEqual(getFeatures(on, 0, 5), [0, 1, 0, 0, 0]);
});

test('R-103 a request for no blocks is answered with none', () => {
  assert.deepEqual(getFeatures(bus(), 0, 0), []);
});

test('R-104 R-027 more blocks than fit: as many as fit', () => {
  // 64 - 8 header - 8 fields: 12 blocks. 48: 8. 50: 8 and two bytes over.
  [[64, 12], [48, 8], [50, 8]].forEach(([size, fit]) => {
    [13, 1000, 0x10000, 0x3fffffff, 0x40000000, 0xffffffff].forEach((count) => {
      assert.deepEqual(getFeatures(bus(size), 0, count), [BLOCK_0, 1, BLOCK_2].concat(new Array<number>((fit ?? 0) - 3).fill(0)));
    });
  });
});

test('R-105 the offered set is read back whatever the driver has set', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [1, 1, 0]);
  assert.deepEqual(getFeatures(on, 0, 3), [BLOCK_0, 1, BLOCK_2]);
  assert.ok(verdict(on));
  assert.deepEqual(getFeatures(on, 0, 3), [BLOCK_0, 1, BLOCK_2]);
});

test('R-106 exactly the named blocks are replaced', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [2, 1]);
  on.setFeatures(5, 0, [1]);
  assert.ok(verdict(on), 'the unsupported bit 1 went, VERSION_1 in the other block stayed');
  const again = negotiating();
  again.setFeatures(5, 1, [1]);
  again.setFeatures(5, 2, [0x80]);
  again.setFeatures(5, 0, [BLOCK_0]);
  assert.ok(!verdict(again), 'the unsupported bit of block 2 stays');
});

test('R-107 zero words beyond the implemented blocks are accepted', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [BLOCK_0, 1, BLOCK_2, 0, 0, 0]);
  on.setFeatures(5, 1000, [0, 0]);
  on.setFeatures(5, 0xfffffffe, [0, 0, 0]);
  assert.ok(verdict(on));
});

test('R-108 R-109 a bit that is not offered is taken without complaint and FEATURES_OK refused', () => {
  for (let bit = 0; bit < 96; bit++) {
    const on = negotiating();
    const blocks = [0, 1, 0];
    const block = bit >> 5;
    blocks[block] = ((blocks[block] ?? 0) | (1 << (bit & 31))) >>> 0;
    on.setFeatures(5, 0, blocks);
    assert.equal(verdict(on), [0, 9, 17, 23, 32, 70].includes(bit), 'bit ' + bit);
  }
});

test('R-108 a bit in a block the device does not have is refused at FEATURES_OK', () => {
  [3, 4, 0x10000, 0x80000000, 0xffffffff].forEach((block) => {
    const on = negotiating();
    on.setFeatures(5, 0, [0, 1]);
    on.setFeatures(5, block, [0x80000000]);
    assert.ok(!verdict(on), 'block ' + block);
  });
});

test('R-108 the feature blocks of a neighbour are out of reach', () => {
  const on = new BareBus([testDevice({ number: 5 }).model, testDevice({ number: 6 }).model]);
  on.status(6, 3);
  on.setFeatures(6, 0, [0, 1]);
  on.status(5, 3);
  on.setFeatures(5, 0, [0, 1, 0, 0, 0xff]);
  assert.equal(on.status(6, 0x0b), 0x0b);
});

test('R-111 without VERSION_1 FEATURES_OK is refused', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [BLOCK_0, 0, BLOCK_2]);
  assert.ok(!verdict(on));
});

test('R-112 R-115 every legal subset is accepted, and again after a reset', () => {
  const on = bus();
  [[0, 1, 0], [1, 1, 0], [BLOCK_0, 1, BLOCK_2], [0x20000, 1, BLOCK_2]].forEach((blocks) => {
    [1, 2].forEach(() => {
      on.status(5, 0);
      on.status(5, 3);
      on.setFeatures(5, 0, blocks);
      assert.ok(verdict(on));
    });
  });
});

test('R-113 after a refusal the other bits of the write count and a better set is accepted', () => {
  const on = bus();
  on.setFeatures(5, 0, [2, 1]);
  assert.equal(on.status(5, 0x0b), 3);
  on.setFeatures(5, 0, [1, 1]);
  assert.equal(on.status(5, 0x0b), 0x0b);
});

test('R-113 R-106 a bit beyond the implemented blocks can be taken back like any other', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [0, 1, 0, 1]);
  assert.ok(!verdict(on));
  on.setFeatures(5, 3, [0]);
  assert.ok(verdict(on));
});

/** Block numbers a device may be told of, from the first that none here has to the last there can be. */
const FAR_BLOCKS = [3, 14, 15, 16, 31, 100, 255, 0xffff, 0x10000, 0x12345, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

test('R-106 R-113 a bit in a block the device does not have can be taken back without a reset, whatever the number of the block', () => {
  FAR_BLOCKS.forEach((block) => {
    const on = negotiating();
    on.setFeatures(5, 0, [0, 1]);
    on.setFeatures(5, block, [0x80000000]);
    FAR_BLOCKS.filter((other) => other !== block).forEach((other) => {
      on.setFeatures(5, other, [0]);
    });
    assert.equal(verdict(on), false, 'zeros in other blocks change nothing about block ' + block);
    on.setFeatures(5, block, [0]);
    assert.equal(verdict(on), true, 'block ' + block);
  });
});

test('R-106 blocks that the device does not have are remembered one by one', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [0, 1]);
  // Twelve blocks, as many as a message holds, then one in each of two other places.
  on.setFeatures(5, 0x1000a, new Array<number>(12).fill(1));
  const single = [15, 0xffffffff];
  single.forEach((block) => {
    on.setFeatures(5, block, [2]);
    on.setFeatures(5, block, [1]);
  });
  on.setFeatures(5, 0x1000a, [0, 0, 0, 0, 0, 0]);
  single.forEach((block) => {
    on.setFeatures(5, block, [0]);
    assert.equal(verdict(on), false, 'after block ' + block);
  });
  on.setFeatures(5, 0x10010, [0, 0, 0, 0, 0]);
  assert.equal(verdict(on), false, 'block 0x10015 is left');
  on.setFeatures(5, 0x10015, [0]);
  assert.equal(verdict(on), true);
});

test('R-108 R-113 bits in more places than a device remembers are refused, a reset leads on', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [0, 1]);
  [100, 200, 300, 400, 500].forEach((block) => on.setFeatures(5, block, [1]));
  [500, 400, 300, 200, 100].forEach((block) => {
    assert.equal(verdict(on), false);
    on.setFeatures(5, block, [0]);
  });
  assert.equal(verdict(on), false, 'on the safe side');
  on.status(5, 0);
  on.status(5, 3);
  on.setFeatures(5, 0, [0, 1]);
  assert.equal(verdict(on), true);
});

test('R-027 bits behind the last possible block are refused and become no other block', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [0, 1]);
  on.setFeatures(5, 0xffffffff, [0, 0, 0]);
  assert.equal(verdict(on), true, 'zeros there are nothing');
  const again = negotiating();
  again.setFeatures(5, 0, [0, 1]);
  again.setFeatures(5, 0xffffffff, [0, 1]);
  again.setFeatures(5, 0xffffffff, [0, 0]);
  again.setFeatures(5, 0, [0, 1]);
  assert.equal(verdict(again), false, 'no message can take them back');
});

test('R-106 R-108 whatever blocks a driver sets and takes back, the verdict is that of a table without end', () => {
  // Four groups of sixteen in all, as many as a device remembers.
  const near = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0x80000000 - 6, max: 0x80000000 + 4 }));
  const write = fc.tuple(near, fc.array(fc.constantFrom(0, 0, 1), { minLength: 1, maxLength: 12 }));
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), fc.boolean(), (writes, allBack) => {
      const on = negotiating();
      const table = new Map<number, number>();
      const set = (first: number, blocks: readonly number[]): void => {
        on.setFeatures(5, first, [...blocks]);
        blocks.forEach((bits, at) => table.set(first + at, bits));
      };
      writes.forEach(([first, blocks]) => set(first, blocks));
      if (allBack) {
        [...table.keys()].forEach((block) => set(block, [0]));
      }
      set(1, [1]);
      const expected = [...table].every(([block, bits]) => bits === 0 || block < 2);
      accepted += expected ? 1 : 0;
      assert.equal(verdict(on), expected);
    }),
    { seed: 20261125, numRuns: 500 },
  );
  assert.ok(accepted >= 100, accepted + ' accepted');
});

test('R-114 R-115 once accepted the set is locked until a reset', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [1, 1]);
  assert.ok(verdict(on));
  on.setFeatures(5, 0, [2, 0]);
  on.setFeatures(5, 7, [1]);
  assert.ok(verdict(on));
  assert.equal(on.status(5, 0x0f), 0x0f);
  on.setFeatures(5, 0, [0xffffffff, 0xffffffff]);
  assert.equal(on.readStatus(5), 0x0f);
  on.status(5, 0);
  on.status(5, 3);
  assert.ok(!verdict(on), 'the reset cleared VERSION_1 from the driver set');
});

test('R-114 R-159 what a device type sees is the set accepted, until the reset', () => {
  const tested = testDevice({ number: 5, features: [0, 9, 70] });
  const on = new BareBus([tested.model]);
  const seen = (): boolean[] => [0, 9, 32, 70].map((bit) => hasFeature(tested.row, bit));
  on.status(5, 3);
  on.setFeatures(5, 0, [1, 1, 0x40]);
  assert.ok(verdict(on));
  on.setFeatures(5, 0, [0x200, 0, 0]);
  assert.deepEqual(seen(), [true, false, true, true]);
  on.status(5, 0);
  assert.deepEqual(seen(), [false, false, false, false]);
});

test('R-159 a reset forgets the driver features, the ones beyond included', () => {
  const on = negotiating();
  on.setFeatures(5, 0, [2, 1, 0, 1]);
  on.status(5, 0);
  on.status(5, 3);
  on.setFeatures(5, 1, [1]);
  assert.ok(verdict(on));
});
