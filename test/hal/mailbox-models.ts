// Models of doorbell hardware, as the manuals describe it, with one bench per mailbox driver for the shared test body.
import assert from 'node:assert/strict';
import { fakeRegisters } from '../../hal/fake/registers.js';
import * as hsem from '../../hal/mailboxes/stm32-hsem.hot.js';
import * as ipc from '../../hal/mailboxes/nrf5340-ipc.hot.js';
import * as ipcc from '../../hal/mailboxes/stm32-ipcc.hot.js';
import * as ipi from '../../hal/mailboxes/zynqmp-ipi.hot.js';
import * as k3 from '../../hal/mailboxes/k3-mailbox.hot.js';
import * as mhu from '../../hal/mailboxes/mhu.hot.js';
import * as mhuV1 from '../../hal/mailboxes/mhu-v1.hot.js';
import * as mhuV2 from '../../hal/mailboxes/mhu-v2.hot.js';
import * as mhuV3 from '../../hal/mailboxes/mhu-v3.hot.js';
import * as muV1 from '../../hal/mailboxes/imx-mu-v1.hot.js';
import * as muV2 from '../../hal/mailboxes/imx-mu-v2.hot.js';
import * as rzg2l from '../../hal/mailboxes/rzg2l-mhu.hot.js';
import * as sioDoorbell from '../../hal/mailboxes/rp2350-doorbell.hot.js';
import * as sioFifo from '../../hal/mailboxes/rp2040-fifo.hot.js';

/** A mailbox driver against its model, seen from both sides. */
export interface Bench {
  readonly name: string;
  readonly kind: 'latch' | 'fifo';
  /** Installs a fresh model, as after power-on; what belongs to others is pending, enabled and masked already. */
  readonly powerOn: () => void;
  readonly start: () => void;
  readonly ring: () => number | undefined;
  readonly acknowledge: () => number;
  /** The other side rings, as its own hardware lets it. */
  readonly peerRings: () => void;
  /** Whether the other side's interrupt is raised. */
  readonly peerHears: () => boolean;
  readonly peerAcknowledges: () => void;
  /** Whether this side's interrupt is raised. */
  readonly interrupts: () => boolean;
}

const block = 3;
const second = 4;
/** Register accesses a call may make: far above what any driver needs, far below for ever. */
const mostAccesses = 64;
let accesses = 0;

/** A register: what a read answers, what a write does; what is absent fails the test. */
type Register = readonly [offset: number, read?: (() => number) | undefined, write?: (value: number) => void];

/** Read-only. */
const status = (offset: number, read: () => number): Register => [offset, read];

/** A write does something to the bits that are set, of which `own` belong to the driver; a write of nothing is a mistake. */
const action = (offset: number, own: number, effect: (bits: number) => void, read?: () => number): Register => [offset, read, (value) => {
  assert.notEqual(value, 0, `0x${offset.toString(16)}: no bit is written`);
  assert.equal((value & ~own) >>> 0, 0, `0x${offset.toString(16)}: bits of others are written`);
  effect(value);
}];

/** Read, modified and written as a whole: bits outside of `own` are written as they are, those of `own` are set, or cleared with `clears`. */
const control = (offset: number, own: number, read: () => number, write: (value: number) => void, clears = false): Register => [offset, read, (value) => {
  assert.equal(((value ^ read()) & ~own) >>> 0, 0, `0x${offset.toString(16)}: bits of others change`);
  assert.equal((value & own) >>> 0, clears ? 0 : own >>> 0, `0x${offset.toString(16)}: the own bits do not change as they should`);
  write(value);
}];

/** Installs registers; any other access, and one access more than any driver needs, fails the test. */
function install(number: number, registers: readonly Register[]): void {
  const find = (offset: number): Register => {
    assert.ok(++accesses <= mostAccesses, 'the driver does not come back');
    return registers.find(([at]) => at === offset) ?? assert.fail(`register 0x${offset.toString(16)} is not the driver's`);
  };
  fakeRegisters.models[number] = {
    read: (offset) => (find(offset)[1] ?? (() => assert.fail(`0x${offset.toString(16)} is write-only`)))() >>> 0,
    write: (offset, value) => {
      (find(offset)[2] ?? (() => assert.fail(`0x${offset.toString(16)} is read-only`)))(value);
    },
  };
}

/** Counts each call's accesses from nought. */
function counted<T>(call: () => T): () => T {
  return () => {
    accesses = 0;
    return call();
  };
}

/** A latch of 32 bits. */
interface Latch { bits: number }

const bitOf = (latch: Latch, bit: number): boolean => ((latch.bits >>> bit) & 1) !== 0;
const raise = (latch: Latch, bits: number): void => { latch.bits = (latch.bits | bits) >>> 0; };
const lower = (latch: Latch, bits: number): void => { latch.bits = (latch.bits & ~bits) >>> 0; };
const isOneBit = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;
const bit = (number: number): number => (1 << number) >>> 0;

/** What a bench of two latches, one per direction, has to say. */
interface LatchBench extends Pick<Bench, 'name' | 'start' | 'ring' | 'acknowledge'> {
  /** The bit that matters in each direction. */
  readonly in: number;
  readonly out: number;
  /** Bits that are pending, in both directions, and enabled for others from the start. */
  readonly others?: number;
  /** The interrupt cannot be masked here. */
  readonly enabledAtStart?: boolean;
  readonly registers: (here: Latch, there: Latch, enabled: Latch) => void;
}

function latchBench({ name, start, ring, acknowledge, others = 0, enabledAtStart = false, registers, ...bits }: LatchBench): Bench {
  let here: Latch = { bits: 0 };
  let there: Latch = { bits: 0 };
  let enabled: Latch = { bits: 0 };
  return {
    name,
    kind: 'latch',
    start: counted(start),
    ring: counted(ring),
    acknowledge: counted(acknowledge),
    powerOn: () => {
      here = { bits: (others & ~bit(bits.in)) >>> 0 };
      there = { bits: (others & ~bit(bits.out)) >>> 0 };
      enabled = { bits: enabledAtStart ? 0xffffffff : (others & ~bit(bits.in)) >>> 0 };
      registers(here, there, enabled);
    },
    peerRings: () => { raise(here, bit(bits.in)); },
    peerHears: () => bitOf(there, bits.out),
    peerAcknowledges: () => { lower(there, bit(bits.out)); },
    interrupts: () => bitOf(here, bits.in) && bitOf(enabled, bits.in),
  };
}

/** Raises an enable, which may come only when what an earlier run left is gone. */
function enable(enabled: Latch, here: Latch, bits: number): void {
  assert.equal(here.bits & bits & ~enabled.bits, 0, 'enabled before the old ring was dropped');
  raise(enabled, bits);
}

/** A FIFO; what hardware loses in silence, a read of an empty one and a write to a full one, fails the test. */
class Fifo {
  readonly words: number[] = [];
  constructor(private readonly depth: number) {}
  full(): boolean { return this.words.length >= this.depth; }
  /** The driver sends. */
  send(word: number): void {
    assert.ok(!this.full(), 'a word is written to a full FIFO');
    this.words.push(word);
  }
  /** The driver takes. */
  take(): number { return this.words.shift() ?? assert.fail('an empty FIFO is read'); }
  /** The other side sends, and loses what does not fit. */
  push(word: number): void {
    if (!this.full()) {
      this.words.push(word);
    }
  }
}

/** The K3 mailbox as the tests of control words need it. */
export const k3Model = { receive: new Fifo(4), transmit: new Fifo(4), status: 0, enabled: 0 };
const k3Receive = 9;
const k3Transmit = 2;
const k3User = 3;
const newMessage = bit(2 * k3Receive);
const k3Push = (word: number): void => {
  k3Model.receive.push(word);
  k3Model.status |= newMessage;
};
export const k3Bench: Bench & { readonly push: (word: number) => void } = {
  name: 'TI K3 mailbox',
  kind: 'fifo',
  push: k3Push,
  powerOn: () => {
    Object.assign(k3Model, { receive: new Fifo(4), transmit: new Fifo(4), status: 0, enabled: 0 });
    install(block, [
      [0x040 + 4 * k3Receive, () => k3Model.receive.take()],
      [0x040 + 4 * k3Transmit, undefined, (value) => { k3Model.transmit.send(value); }],
      // Bits 31..1 and 31..3 are reserved and read here as ones.
      status(0x080 + 4 * k3Transmit, () => (k3Model.transmit.full() ? 0xffffffff : 0xfffffffe)),
      status(0x0c0 + 4 * k3Receive, () => (0xfffffff8 | k3Model.receive.words.length) >>> 0),
      // While words wait the status is raised again at once: acknowledging first would be in vain.
      action(0x104 + 0x10 * k3User, newMessage, (bits) => { k3Model.status = k3Model.receive.words.length > 0 ? k3Model.status : k3Model.status & ~bits; }),
      action(0x108 + 0x10 * k3User, newMessage, (bits) => { k3Model.enabled |= bits; }),
    ]);
  },
  start: counted(() => { k3.k3Start(block, k3Receive, k3User); }),
  ring: counted(() => k3.k3Ring(block, k3Transmit)),
  acknowledge: counted(() => k3.k3Acknowledge(block, k3Receive, k3Transmit, k3User)),
  peerRings: () => { k3Push(1); },
  peerHears: () => k3Model.transmit.words.length > 0,
  peerAcknowledges: () => { k3Model.transmit.words.length = 0; },
  interrupts: () => (k3Model.status & k3Model.enabled & newMessage) !== 0,
};

/** The SIO FIFO as the test of its error flags needs it. */
export const sioModel = { receive: new Fifo(8), transmit: new Fifo(8), errors: 0 };
export const sioBench: Bench = {
  name: 'RP2040 SIO FIFO',
  kind: 'fifo',
  powerOn: () => {
    Object.assign(sioModel, { receive: new Fifo(8), transmit: new Fifo(8), errors: 0 });
    install(block, [
      [0x050, () => (sioModel.receive.words.length > 0 ? 1 : 0) | (sioModel.transmit.full() ? 0 : 2) | sioModel.errors, () => {
        assert.notEqual(sioModel.errors, 0, 'there is nothing to clear');
        assert.equal(sioModel.receive.words.length, 0, 'cleared before the FIFO was drained');
        sioModel.errors = 0;
      }],
      [0x054, undefined, (value) => { sioModel.transmit.send(value); }],
      [0x058, () => sioModel.receive.take()],
    ]);
  },
  start: counted(() => { sioFifo.sioFifoStart(block); }),
  ring: counted(() => sioFifo.sioFifoRing(block)),
  acknowledge: counted(() => sioFifo.sioFifoAcknowledge(block)),
  peerRings: () => { sioModel.receive.push(1); },
  peerHears: () => sioModel.transmit.words.length > 0,
  peerAcknowledges: () => { sioModel.transmit.words.length = 0; },
  // Error flags interrupt too.
  interrupts: () => sioModel.receive.words.length > 0 || sioModel.errors !== 0,
};

/** Who holds the semaphore of the HSEM bench: 0 = nobody, else a core's id; `unlocked`: a read names this core and shows no lock. */
export const hsemHolder = { id: 0, unlocked: false };
const hsemOwn = 5;

/** Two windows of 32 bits behind which each side's channel belongs to this pair alone: what is pending is taken whole. */
const wholeChannel = 0xffffffff;

export const benches: readonly Bench[] = [
  latchBench({
    name: 'Arm SSE-200 MHU', in: 0, out: 0, enabledAtStart: true,
    registers: (here, there) => {
      install(block, [status(0x10, () => here.bits), action(0x18, 15, (bits) => { lower(here, bits); }), action(0x04, 1, (bits) => { raise(there, bits); })]);
    },
    start: () => { mhu.mhuAcknowledge(block, 1); },
    ring: () => { mhu.mhuRing(block, 0, 0); return undefined; },
    acknowledge: () => mhu.mhuAcknowledge(block, 1),
  }),
  ...[0, 5, 21].map((incoming) => latchBench({
    name: `Arm MHU version 1, high priority, bit ${incoming} comes in`, in: incoming, out: 0, enabledAtStart: true,
    registers: (here, there) => {
      install(block, [status(0x20, () => here.bits), action(0x30, wholeChannel, (bits) => { lower(here, bits); }), action(0x128, 1, (bits) => { raise(there, bits); })]);
    },
    start: () => { mhuV1.mhuV1Start(block, 0x20); },
    ring: () => mhuV1.mhuV1Ring(block, 0x20),
    acknowledge: () => mhuV1.mhuV1Acknowledge(block, 0x20),
  })),
  latchBench({
    name: 'Arm MHU version 2', in: 0, out: 0,
    registers: (here, there, enabled) => {
      let requested = false;
      install(block, [
        action(0xf88, 1, () => { requested = true; }),
        status(0xf8c, () => (requested ? 1 : 0)),
        action(0x4c, 1, (bits) => { assert.ok(requested, 'the receiver sleeps'); raise(there, bits); }),
      ]);
      install(second, [
        status(0x60, () => here.bits), action(0x68, wholeChannel, (bits) => { lower(here, bits); }), action(0x78, 1, (bits) => { enable(enabled, here, bits); }),
      ]);
    },
    start: () => { mhuV2.mhuV2Start(second, 3); },
    ring: () => mhuV2.mhuV2Ring(block, 2),
    acknowledge: () => mhuV2.mhuV2Acknowledge(second, 3),
  }),
  latchBench({
    name: 'Arm MHU version 3', in: 0, out: 0,
    registers: (here, there, enabled) => {
      install(block, [action(0x104c, 1, (bits) => { raise(there, bits); })]);
      install(second, [
        status(0x1060, () => here.bits), action(0x1068, wholeChannel, (bits) => { lower(here, bits); }), action(0x1078, 1, (bits) => { enable(enabled, here, bits); }),
      ]);
    },
    start: () => { mhuV3.mhuV3Start(second, 3); },
    ring: () => mhuV3.mhuV3Ring(block, 2),
    acknowledge: () => mhuV3.mhuV3Acknowledge(second, 3),
  }),
  ...[0, 24].map((agent) => latchBench({
    name: `Xilinx IPI, agent ${agent}`, in: agent, out: agent, others: 0x0f0f0701,
    registers: (here, there, enabled) => {
      // Renode's model: one bit per write, or nothing happens.
      const one = (latch: Latch, change: (latch: Latch, bits: number) => void) => (bits: number): void => {
        assert.ok(isOneBit(bits), 'one bit per write');
        change(latch, bits);
      };
      install(block, [
        action(0x00, bit(agent), one(there, raise)),
        status(0x04, () => there.bits),
        action(0x10, bit(agent), one(here, lower), () => here.bits),
        action(0x18, bit(agent), (bits) => { enable(enabled, here, bits); }),
      ]);
    },
    start: () => { ipi.ipiStart(block, agent); },
    ring: () => ipi.ipiRing(block, agent),
    acknowledge: () => ipi.ipiAcknowledge(block, agent),
  })),
  latchBench({
    name: 'STM32 IPCC, processor 2', in: 2, out: 2, others: 0x3b,
    registers: (here, there, enabled) => {
      let interruptEnable = 0x10000;
      let masks = 0xffffffc4;
      install(block, [
        status(0x0c, () => here.bits),
        control(0x10, 1, () => interruptEnable, (value) => { interruptEnable = value; enable(enabled, here, ~masks & 4); }),
        control(0x14, 4, () => masks, (value) => { masks = value; }, true),
        [0x18, undefined, (value) => {
          assert.ok(value === 4 || value === 0x40000, 'one channel is freed, or one is occupied');
          lower(here, value & 4);
          raise(there, value >>> 16);
        }],
        status(0x1c, () => there.bits),
      ]);
    },
    start: () => { ipcc.ipccStart(block, 1, 2); },
    ring: () => ipcc.ipccRing(block, 1, 2),
    acknowledge: () => ipcc.ipccAcknowledge(block, 1, 2),
  }),
  latchBench({
    // GIP2 is bit 29 of SR, GIE2 bit 29 of CR, GIR2 bit 17 of CR, which shows a request until the other side has cleared it.
    name: 'NXP MU version 1', in: 29, out: 17, others: 0xd0050000,
    registers: (here, there, enabled) => {
      const other = 0x0a000011;
      install(block, [
        action(0x20, bit(29), (bits) => { lower(here, bits); }, () => (here.bits & 0xf0000000) | 0x00f00000),
        [0x24, () => (other | (enabled.bits & 0xf0000000) | (there.bits & 0xf0000)) >>> 0, (value) => {
          assert.equal(((value ^ (other | enabled.bits | there.bits)) & ~(bit(29) | bit(17))) >>> 0, 0, 'CR: bits of others change');
          enable(enabled, here, value & bit(29));
          assert.ok(bitOf(enabled, 29) === bitOf({ bits: value }, 29), 'the own enable stays');
          raise(there, value & bit(17));
        }],
      ]);
    },
    start: () => { muV1.muV1Start(block, 2); },
    ring: () => muV1.muV1Ring(block, 2),
    acknowledge: () => muV1.muV1Acknowledge(block, 2),
  }),
  latchBench({
    name: 'NXP MU version 2', in: 1, out: 1, others: 0x1000d,
    registers: (here, there, enabled) => {
      install(block, [
        control(0x110, 2, () => enabled.bits, (value) => { enable(enabled, here, value); }),
        control(0x114, 2, () => there.bits, (value) => { raise(there, value); }),
        action(0x118, 2, (bits) => { lower(here, bits); }, () => here.bits),
      ]);
    },
    start: () => { muV2.muV2Start(block, 1); },
    ring: () => muV2.muV2Ring(block, 1),
    acknowledge: () => muV2.muV2Acknowledge(block, 1),
  }),
  k3Bench,
  { ...k3Bench, name: 'TI K3 mailbox, a FIFO for doorbells alone', acknowledge: counted(() => k3.k3AcknowledgeDoorbells(block, k3Receive, k3User)) },
  latchBench({
    // Bits 31..1 of a status are reserved and read here as ones.
    name: 'Renesas RZ/G2L MHU', in: 0, out: 0, enabledAtStart: true,
    registers: (here, there) => {
      install(block, [
        status(0x20, () => (0xfffffffe | here.bits) >>> 0), action(0x28, 1, (bits) => { lower(here, bits); }), action(0x64, 1, (bits) => { raise(there, bits); }),
      ]);
    },
    start: () => { rzg2l.rzg2lMhuStart(block, 1); },
    ring: () => rzg2l.rzg2lMhuRing(block, 3),
    acknowledge: () => rzg2l.rzg2lMhuAcknowledge(block, 1),
  }),
  ...[3, 19].map((number) => latchBench({
    name: `STM32H7 HSEM, core 2, semaphore ${number}`, in: number, out: hsemOwn, others: 0x00030006,
    registers: (here, there, enabled) => {
      Object.assign(hsemHolder, { id: 0, unlocked: false });
      install(block, [
        status(0x080 + 4 * hsemOwn, () => {
          if (hsemHolder.unlocked) {
            return 0x100;
          }
          assert.notEqual(hsemHolder.id, 1, 'the semaphore was not freed');
          hsemHolder.id = hsemHolder.id === 0 ? 1 : hsemHolder.id;
          return (0x80000000 | (hsemHolder.id << 8)) >>> 0;
        }),
        [4 * hsemOwn, undefined, (value) => {
          assert.equal(value, 0x100, 'freed with the own core id');
          assert.equal(hsemHolder.id, 1, 'only the holder frees');
          hsemHolder.id = 0;
          raise(there, bit(hsemOwn));
        }],
        control(0x110, bit(number), () => enabled.bits, (value) => { enable(enabled, here, value); }),
        action(0x114, bit(number), (bits) => { lower(here, bits); }),
        status(0x11c, () => (here.bits & enabled.bits) >>> 0),
      ]);
    },
    start: () => { hsem.hsemStart(block, number, 1); },
    ring: () => hsem.hsemRing(block, hsemOwn, 1),
    acknowledge: () => hsem.hsemAcknowledge(block, number, 1),
  })),
  sioBench,
  latchBench({
    name: 'RP2350 SIO doorbells', in: 6, out: 6, others: 0xbf, enabledAtStart: true,
    registers: (here, there) => {
      install(block, [
        action(0x180, bit(6), (bits) => { raise(there, bits); }),
        action(0x18c, bit(6), (bits) => { lower(here, bits); }, () => here.bits),
      ]);
    },
    start: () => { sioDoorbell.sioDoorbellStart(block, 6); },
    ring: () => sioDoorbell.sioDoorbellRing(block, 6),
    acknowledge: () => sioDoorbell.sioDoorbellAcknowledge(block, 6),
  }),
  latchBench({
    name: 'nRF5340 IPC', in: 4, out: 9, others: 0xfdef,
    registers: (here, there, enabled) => {
      let send = 0;
      let receive = 0;
      install(block, [
        action(4 * 9, 1, () => { raise(there, send); }),
        [0x100 + 4 * 4, () => ((here.bits & receive) >>> 4) & 1, (value) => { assert.equal(value, 0); lower(here, bit(4)); }],
        action(0x304, bit(4), (bits) => { enable(enabled, here, bits); }),
        action(0x510 + 4 * 9, bit(9), (bits) => { send = bits; }),
        action(0x590 + 4 * 4, bit(4), (bits) => { receive = bits; }),
      ]);
    },
    start: () => { ipc.ipcStart(block, 9, 4); },
    ring: () => ipc.ipcRing(block, 9),
    acknowledge: () => ipc.ipcAcknowledge(block, 4),
  }),
];
