// One body of rules for every mailbox driver, against models of the registers; then what only one of them has.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fakeRegisters } from '../../hal/fake/registers.js';
import { mhuV2Acknowledge, mhuV2Ring } from '../../hal/mailboxes/mhu-v2.hot.js';
import { mhuV3Acknowledge } from '../../hal/mailboxes/mhu-v3.hot.js';
import { type Bench, benches, k3Mailbox, sioBench, sioMailbox } from './mailbox-benches.js';
import { hsemHolder } from './mailbox-hardware.js';

const [later, merged, rang] = [-1, 0, 1];

/** The bench whose name begins so. */
const named = (name: string): Bench => benches.find((bench) => bench.name.startsWith(name)) ?? assert.fail(name);
const k3Bench = named('TI K3 mailbox, FIFO 9');

for (const bench of benches) {
  const { mailbox } = bench;

  describe(bench.name, () => {
    beforeEach(() => {
      fakeRegisters.clear();
      mailbox.powerOn();
      bench.start();
      fakeRegisters.accesses.length = 0;
    });

    test('starting rings nobody and forgets what an earlier run left', () => {
      fakeRegisters.clear();
      mailbox.powerOn();
      mailbox.peerRings();
      bench.start();
      assert.equal(mailbox.peerHears(), false);
      assert.equal(mailbox.interrupts(), false);
      assert.equal(bench.acknowledge(), 0);
      assert.equal(mailbox.peerHears(), false, 'nor does an acknowledge');
      mailbox.peerRings();
      assert.equal(mailbox.interrupts(), true, 'later rings interrupt');
    });

    test('a ring raises the other side\'s interrupt, and not the own', () => {
      const result = bench.ring();
      assert.ok(result === undefined || result === rang);
      assert.equal(mailbox.peerHears(), true);
      assert.equal(mailbox.interrupts(), false);
    });

    test('a doorbell is taken once, and its interrupt is gone afterwards', () => {
      mailbox.peerRings();
      assert.equal(mailbox.interrupts(), true);
      assert.equal(bench.acknowledge(), 1);
      assert.equal(mailbox.interrupts(), false);
      assert.equal(bench.acknowledge(), 0);
    });

    test('a ring during the look at shared memory is seen next time', () => {
      mailbox.peerRings();
      assert.equal(bench.acknowledge(), 1);
      mailbox.peerRings();
      assert.equal(mailbox.interrupts(), true);
      assert.equal(bench.acknowledge(), 1);
    });

    test('a spurious interrupt answers 0 and writes nothing', () => {
      assert.equal(bench.acknowledge(), 0);
      assert.deepEqual(fakeRegisters.accesses.filter(({ kind }) => kind === 'write'), []);
    });

    test('a side that never acknowledges costs no more than a side that does', () => {
      bench.ring();
      for (let turn = 0; turn < 1000; turn++) {
        const before = fakeRegisters.accesses.length;
        const result = bench.ring();
        assert.ok(result !== later, 'something is pending, so nothing is owed');
        assert.ok(fakeRegisters.accesses.length - before <= 3, 'nobody waits');
      }
      assert.equal(mailbox.peerHears(), true);
      mailbox.peerAcknowledges();
      assert.equal(mailbox.peerHears(), false);
      bench.ring();
      assert.equal(mailbox.peerHears(), true, 'and it hears again once it has');
    });

    test('a ring leaves alone what the other side rang', () => {
      mailbox.peerRings();
      bench.ring();
      assert.equal(mailbox.interrupts(), true);
      assert.equal(bench.acknowledge(), 1);
    });

    test('acknowledging does not touch what the other side has not heard yet', () => {
      bench.ring();
      mailbox.peerRings();
      assert.equal(bench.acknowledge(), 1);
      assert.equal(mailbox.peerHears(), true);
    });

    if (mailbox.kind === 'latch') {
      test('many rings before the acknowledge are one', () => {
        mailbox.peerRings();
        mailbox.peerRings();
        assert.equal(bench.acknowledge(), 1);
        assert.equal(bench.acknowledge(), 0);
      });

      test('the latch is read before it is cleared', () => {
        mailbox.peerRings();
        bench.acknowledge();
        const kinds = fakeRegisters.accesses.map(({ kind }) => kind);
        assert.ok(kinds.indexOf('read') >= 0 && kinds.indexOf('read') < kinds.indexOf('write'));
        assert.equal(kinds.filter((kind) => kind === 'write').length, 1);
      });
    } else {
      test('a FIFO is drained to its last word by one call, before it is acknowledged', () => {
        mailbox.peerRings();
        mailbox.peerRings();
        mailbox.peerRings();
        assert.equal(bench.acknowledge(), 1);
        assert.equal(mailbox.interrupts(), false);
        assert.equal(bench.acknowledge(), 0);
      });

      test('a side that never stops writing keeps nobody in the loop', () => {
        const model = fakeRegisters.models[3];
        assert.ok(model !== undefined);
        const read = model.read.bind(model);
        let reads = 0;
        model.read = (offset) => {
          mailbox.peerRings();
          reads++;
          return read(offset);
        };
        mailbox.peerRings();
        assert.equal(bench.acknowledge(), 1);
        assert.ok(reads <= 40, `${reads} reads`);
        reads = 0;
        bench.start();
        assert.ok(reads <= 40, `${reads} reads at start`);
        model.read = read;
        assert.equal(mailbox.interrupts(), true, 'what is left interrupts again');
      });

      test('a full FIFO refuses a ring without losing a word', () => {
        let rings = 0;
        while (bench.ring() === rang) {
          rings++;
        }
        assert.ok(rings === 4 || rings === 8);
        assert.equal(bench.ring(), merged);
      });
    }
  });
}

test('mailboxes that show what is pending merge a second ring instead of repeating it', () => {
  const showing = benches.filter(({ name }) => /Xilinx|IPCC|NXP/.test(name));
  assert.equal(showing.length, 8);
  for (const bench of showing) {
    fakeRegisters.clear();
    bench.mailbox.powerOn();
    bench.start();
    assert.equal(bench.ring(), rang);
    fakeRegisters.accesses.length = 0;
    assert.equal(bench.ring(), merged);
    assert.deepEqual(fakeRegisters.accesses.map(({ kind }) => kind), ['read'], bench.name);
  }
});

test('Arm MHU version 2: while the receiver sleeps a ring is owed, and nobody waits for it', () => {
  fakeRegisters.clear();
  const writes: number[] = [];
  fakeRegisters.models[1] = { read: () => 0, write: (offset) => writes.push(offset) };
  assert.equal(mhuV2Ring(1, 0), later);
  assert.deepEqual(writes, [0xf88], 'access is requested and nothing is set');
});

test('Arm MHU versions 2 and 3: what is pending in the upper half of a channel is taken, too', () => {
  for (const acknowledge of [mhuV2Acknowledge, mhuV3Acknowledge]) {
    for (const pending of [0x200000, 0x80000001]) {
      fakeRegisters.clear();
      const cleared: number[] = [];
      fakeRegisters.models[1] = { read: () => pending, write: (_offset, value) => cleared.push(value) };
      assert.equal(acknowledge(1, 0), 1);
      assert.deepEqual(cleared, [pending]);
    }
  }
});

test('nRF5340 IPC: the write that clears the event is read back, so that it has arrived when the interrupt is looked at again', () => {
  const bench = named('nRF5340');
  fakeRegisters.clear();
  bench.mailbox.powerOn();
  bench.start();
  bench.mailbox.peerRings();
  fakeRegisters.accesses.length = 0;
  bench.acknowledge();
  const event = { block: 3, offset: 0x110 };
  assert.deepEqual(fakeRegisters.accesses, [{ kind: 'read', ...event, value: 1 }, { kind: 'write', ...event, value: 0 }, { kind: 'read', ...event, value: 0 }]);
});

test('RP2040 SIO FIFO: a full FIFO is seen beside a word that waits, and a doorbell is the word 1', () => {
  fakeRegisters.clear();
  sioMailbox.powerOn();
  sioMailbox.peerRings();
  const words = Array.from({ length: 8 }, () => {
    assert.equal(sioBench.ring(), rang);
    return fakeRegisters.accesses.at(-1)?.value;
  });
  assert.equal(sioBench.ring(), merged);
  assert.deepEqual(words, Array.from({ length: 8 }, () => 1));
});

test('STM32H7 HSEM: a semaphore that the other core holds is left to it, and the ring is owed', () => {
  const bench = named('STM32H7');
  fakeRegisters.clear();
  bench.mailbox.powerOn();
  bench.start();
  hsemHolder.id = 3;
  assert.equal(bench.ring(), later);
  assert.equal(hsemHolder.id, 3);
  assert.equal(bench.mailbox.peerHears(), false);
  Object.assign(hsemHolder, { id: 0, unlocked: true });
  assert.equal(bench.ring(), later, 'nor is one taken that does not lock');
});

test('RP2040 SIO FIFO: flags of lost words are cleared after the drain, at start and later', () => {
  for (const call of [sioBench.start, sioBench.acknowledge]) {
    for (const flag of [4, 8]) {
      fakeRegisters.clear();
      sioMailbox.powerOn();
      sioMailbox.peerRings();
      sioMailbox.errors = flag;
      call();
      assert.equal(sioMailbox.errors, 0);
      assert.equal(sioMailbox.interrupts(), false);
    }
  }
});

describe('TI K3 control words', () => {
  beforeEach(() => {
    fakeRegisters.clear();
    k3Mailbox.powerOn();
    k3Bench.start();
  });

  test('SHUTDOWN is answered and reported', () => {
    k3Mailbox.push(0xffffff14);
    assert.equal(k3Bench.acknowledge(), 2);
    assert.deepEqual(k3Mailbox.words(2), [0xffffff15]);
    assert.equal(k3Bench.acknowledge(), 0);
    assert.deepEqual(k3Mailbox.words(2), [0xffffff15], 'once');
  });

  test('a doorbell is the word 0, which is no control word', () => {
    k3Bench.ring();
    assert.deepEqual(k3Mailbox.words(2), [0]);
  });

  test('ECHO_REQUEST is answered and is no doorbell; words of other control are ignored', () => {
    [0xffffff03, 0xffffff00, 0xffffffff].forEach((word) => k3Mailbox.push(word));
    assert.equal(k3Bench.acknowledge(), 0);
    assert.deepEqual(k3Mailbox.words(2), [0xffffff04]);
  });

  test('SHUTDOWN behind doorbells in one FIFO reports both', () => {
    [0, 1, 0xffffff14].forEach((word) => k3Mailbox.push(word));
    assert.equal(k3Bench.acknowledge(), 3);
  });

  test('an answer that finds the FIFO full is sent when there is room, and only then the core stops', () => {
    while (k3Bench.ring() === rang) {
      // Fills the FIFO.
    }
    k3Mailbox.push(0xffffff14);
    assert.equal(k3Bench.acknowledge(), 0);
    k3Mailbox.peerAcknowledges();
    assert.equal(k3Bench.acknowledge(), 2);
    assert.deepEqual(k3Mailbox.words(2), [0xffffff15]);
  });

  test('an ECHO_REQUEST behind SHUTDOWN does not take the place of its answer', () => {
    [0xffffff14, 0xffffff03].forEach((word) => k3Mailbox.push(word));
    assert.equal(k3Bench.acknowledge(), 2);
    assert.deepEqual(k3Mailbox.words(2), [0xffffff15]);
  });

  test('a status that an earlier run drained and did not acknowledge is cleared at start', () => {
    k3Mailbox.status = 1 << 18;
    k3Bench.start();
    assert.equal(k3Mailbox.interrupts(), false);
  });

  test('a second start has forgotten a SHUTDOWN that was not answered', () => {
    while (k3Bench.ring() === rang) {
      // Fills the FIFO.
    }
    k3Mailbox.push(0xffffff14);
    k3Bench.acknowledge();
    k3Mailbox.powerOn();
    k3Bench.start();
    assert.equal(k3Bench.acknowledge(), 0);
    assert.deepEqual(k3Mailbox.words(2), []);
  });
});
