// Models of doorbell hardware, as the manuals describe it: registers that fail the test when they are used in another way.
import assert from 'node:assert/strict';
import { fakeRegisters } from '../../hal/fake/registers.js';

/** The hardware of a mailbox, seen from both sides. */
export interface Mailbox {
  readonly kind: 'latch' | 'fifo';
  /** Installs a fresh model, as after power-on; what belongs to others is pending, enabled and masked already. */
  readonly powerOn: () => void;
  /** The other side rings, as its own hardware lets it. */
  readonly peerRings: () => void;
  /** Whether the other side's interrupt is raised. */
  readonly peerHears: () => boolean;
  readonly peerAcknowledges: () => void;
  /** Whether this side's interrupt is raised. */
  readonly interrupts: () => boolean;
  /** What happens when the processor takes the interrupt, before any JavaScript runs. */
  readonly interruptTaken: () => void;
}

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
export function counted<Arguments extends unknown[], Result>(call: (...all: Arguments) => Result): (...all: Arguments) => Result {
  return (...all) => {
    accesses = 0;
    return call(...all);
  };
}

/** A latch of 32 bits. */
interface Latch { bits: number }

const bitOf = (latch: Latch, bit: number): boolean => ((latch.bits >>> bit) & 1) !== 0;
const raise = (latch: Latch, bits: number): void => { latch.bits = (latch.bits | bits) >>> 0; };
const lower = (latch: Latch, bits: number): void => { latch.bits = (latch.bits & ~bits) >>> 0; };
const isOneBit = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;
const bit = (number: number): number => (1 << number) >>> 0;

/** What a mailbox of two latches, one per direction, has to say. */
interface Latches {
  /** The bit that matters in each direction. */
  readonly in: number;
  readonly out: number;
  /** Bits that are pending, in both directions, and enabled for others from the start. */
  readonly others?: number;
  /** The interrupt cannot be masked here. */
  readonly enabledAtStart?: boolean;
  readonly registers: (here: Latch, there: Latch, enabled: Latch) => void;
}

function latches({ others = 0, enabledAtStart = false, registers, ...bits }: Latches): Mailbox {
  let here: Latch = { bits: 0 };
  let there: Latch = { bits: 0 };
  let enabled: Latch = { bits: 0 };
  return {
    kind: 'latch',
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
    interruptTaken: () => undefined,
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

const wholeChannel = 0xffffffff;

/** Arm SSE-200 MHU: CPU `own`'s end (0 or 1), of whose four bits bit `number` is the one that rings, in both directions. */
export const sse200Mhu = (block: number, own: number, number: number): Mailbox => latches({
  in: number, out: number, enabledAtStart: true,
  registers: (here, there) => {
    const [mine, other] = [0x10 * own, 0x10 * (1 - own)];
    install(block, [status(mine, () => here.bits), action(mine + 0x08, 15, (bits) => { lower(here, bits); }), action(other + 0x04, bit(number), (bits) => { raise(there, bits); })]);
  },
});

/** Xilinx IPI: the registers of the agent that rings agent `agent` and is rung by it. */
export const xilinxIpi = (block: number, agent: number): Mailbox => latches({
  in: agent, out: agent, others: 0x0f0f0701,
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
});

/** STM32 IPCC: processor 2's end of channel `channel`. */
export const stm32Ipcc = (block: number, channel: number): Mailbox => latches({
  in: channel, out: channel, others: 0x3f,
  registers: (here, there, enabled) => {
    const [receive, transmit] = [bit(channel), bit(16 + channel)];
    let interruptEnable = 0x10000;
    let masks = (0xffffffc0 | receive) >>> 0;
    install(block, [
      status(0x0c, () => here.bits),
      control(0x10, 1, () => interruptEnable, (value) => { interruptEnable = value; enable(enabled, here, ~masks & receive); }),
      control(0x14, receive, () => masks, (value) => { masks = value; }, true),
      [0x18, undefined, (value) => {
        assert.ok(value === receive || value === transmit, 'one channel is freed, or one is occupied');
        lower(here, value & receive);
        raise(there, value >>> 16);
      }],
      status(0x1c, () => there.bits),
    ]);
  },
});

/** NXP MU version 1: GIPn is bit 31-n of SR, GIEn bit 31-n of CR, GIRn bit 19-n of CR, which shows a request until the other side has cleared it. */
export const muV1 = (block: number, number: number): Mailbox => {
  const [incoming, outgoing] = [31 - number, 19 - number];
  return latches({
    in: incoming, out: outgoing, others: 0xd0050000,
    registers: (here, there, enabled) => {
      const other = 0x0a000011;
      install(block, [
        action(0x20, bit(incoming), (bits) => { lower(here, bits); }, () => (here.bits & 0xf0000000) | 0x00f00000),
        [0x24, () => (other | (enabled.bits & 0xf0000000) | (there.bits & 0xf0000)) >>> 0, (value) => {
          assert.equal(((value ^ (other | (enabled.bits & 0xf0000000) | (there.bits & 0xf0000))) & ~(bit(incoming) | bit(outgoing))) >>> 0, 0, 'CR: bits of others change');
          enable(enabled, here, value & bit(incoming));
          assert.ok(bitOf(enabled, incoming) === bitOf({ bits: value }, incoming), 'the own enable stays');
          raise(there, value & bit(outgoing));
        }],
      ]);
    },
  });
};

/** NXP MU version 2: general purpose interrupt `number`. */
export const muV2 = (block: number, number: number): Mailbox => latches({
  in: number, out: number, others: 0x1000d,
  registers: (here, there, enabled) => {
    install(block, [
      control(0x110, bit(number), () => enabled.bits, (value) => { enable(enabled, here, value); }),
      control(0x114, bit(number), () => there.bits, (value) => { raise(there, value); }),
      action(0x118, bit(number), (bits) => { lower(here, bits); }, () => here.bits),
    ]);
  },
});

/** Renesas RZ/G2L MHU: channel `hear` comes in, channel `ring` goes out. Bits 31..1 of a status are reserved and read here as ones. */
export const rzg2lMhu = (block: number, hear: number, ring: number): Mailbox => latches({
  in: 0, out: 0, enabledAtStart: true,
  registers: (here, there) => {
    install(block, [
      status(0x20 * hear, () => (0xfffffffe | here.bits) >>> 0),
      action(0x20 * hear + 0x08, 1, (bits) => { lower(here, bits); }),
      action(0x20 * ring + 0x04, 1, (bits) => { raise(there, bits); }),
    ]);
  },
});

/** Who holds the semaphore that the HSEM's model is rung by: 0 = nobody, else a core's id; `unlocked`: a read names this core and shows no lock. */
export const hsemHolder = { id: 0, unlocked: false };

/** STM32H7 HSEM, core 2's end (id 1): semaphore `hear` comes in, semaphore `ring` goes out. */
export const stm32Hsem = (block: number, hear: number, ring: number): Mailbox => latches({
  in: hear, out: ring, others: 0x00030006,
  registers: (here, there, enabled) => {
    Object.assign(hsemHolder, { id: 0, unlocked: false });
    install(block, [
      status(0x080 + 4 * ring, () => {
        if (hsemHolder.unlocked) {
          return 0x100;
        }
        assert.notEqual(hsemHolder.id, 1, 'the semaphore was not freed');
        hsemHolder.id = hsemHolder.id === 0 ? 1 : hsemHolder.id;
        return (0x80000000 | (hsemHolder.id << 8)) >>> 0;
      }),
      [4 * ring, undefined, (value) => {
        assert.equal(value, 0x100, 'freed with the own core id');
        assert.equal(hsemHolder.id, 1, 'only the holder frees');
        hsemHolder.id = 0;
        raise(there, bit(ring));
      }],
      control(0x110, bit(hear), () => enabled.bits, (value) => { enable(enabled, here, value); }),
      action(0x114, bit(hear), (bits) => { lower(here, bits); }),
      status(0x11c, () => (here.bits & enabled.bits) >>> 0),
    ]);
  },
});

/** RP2350 SIO doorbells: doorbell `number` in both directions. */
export const sioDoorbells = (block: number, number: number): Mailbox => latches({
  in: number, out: number, others: 0xff, enabledAtStart: true,
  registers: (here, there) => {
    install(block, [
      action(0x180, bit(number), (bits) => { raise(there, bits); }),
      action(0x18c, bit(number), (bits) => { lower(here, bits); }, () => here.bits),
    ]);
  },
});

/** A software-generated interrupt: one write of `value` to `offset` raises it at the other core, and the processor's acknowledge is the only one. */
export const softwareInterrupt = (block: number, offset: number, value: number): Mailbox => {
  const here: Latch = { bits: 0 };
  return {
    ...latches({
      in: 0, out: 0, enabledAtStart: true,
      registers: (_here, there) => {
        here.bits = 0;
        install(block, [[offset, undefined, (written) => { assert.equal(written, value); raise(there, 1); }]]);
      },
    }),
    peerRings: () => { raise(here, 1); },
    interrupts: () => bitOf(here, 0),
    interruptTaken: () => { lower(here, 1); },
  };
};

/** TI K3 mailbox, user `user`'s end: FIFOs that come in and FIFOs that go out; doorbells go through the first of each. */
export class K3Mailbox implements Mailbox {
  readonly kind = 'fifo';
  status = 0;
  private enabled = 0;
  private readonly fifos = new Map<number, Fifo>();

  constructor(private readonly block: number, private readonly user: number, private readonly incoming: readonly number[], private readonly outgoing: readonly number[]) {}

  /** The words in FIFO `number`. */
  words(number: number): number[] { return this.fifo(number).words; }

  /** The other side sends a word, and loses it when there is no room. */
  push(word: number, number = this.incoming[0]): void {
    this.fifo(number).push(word);
    this.status = (this.status | newMessage(number)) >>> 0;
  }

  powerOn(): void {
    const { block, user, incoming, outgoing } = this;
    this.status = 0;
    this.enabled = 0;
    [...incoming, ...outgoing].forEach((number) => this.fifos.set(number, new Fifo(4)));
    const own = incoming.reduce((bits, number) => bits + newMessage(number), 0);
    const waiting = (): number => incoming.reduce((bits, number) => (this.words(number).length > 0 ? bits + newMessage(number) : bits), 0);
    install(block, [
      // Bits 31..3 and 31..1 are reserved and read here as ones.
      ...incoming.flatMap((number): Register[] => [
        [0x040 + 4 * number, () => this.fifo(number).take()], status(0x0c0 + 4 * number, () => (0xfffffff8 | this.words(number).length) >>> 0),
      ]),
      ...outgoing.flatMap((number): Register[] => [
        [0x040 + 4 * number, undefined, (word) => { this.fifo(number).send(word); }], status(0x080 + 4 * number, () => (this.fifo(number).full() ? 0xffffffff : 0xfffffffe)),
      ]),
      // While words wait the status is raised again at once: acknowledging first would be in vain.
      action(0x104 + 0x10 * user, own, (bits) => { this.status = ((this.status & ~bits) | waiting()) >>> 0; }),
      action(0x108 + 0x10 * user, own, (bits) => { this.enabled = (this.enabled | bits) >>> 0; }),
    ]);
  }

  peerRings(): void { this.push(1); }
  peerHears(): boolean { return this.words(this.outgoing[0]).length > 0; }
  peerAcknowledges(): void { this.words(this.outgoing[0]).length = 0; }
  interrupts(): boolean { return (this.status & this.enabled) !== 0; }
  interruptTaken(): void { return; }

  private fifo(number: number | undefined): Fifo { return this.fifos.get(number ?? NaN) ?? assert.fail(`FIFO ${number} is not the driver's`); }
}

/** NEWMSG of FIFO `number` in a user's registers. */
const newMessage = (number: number): number => bit(2 * number);

/** RP2040 SIO FIFO. */
export class SioFifo implements Mailbox {
  readonly kind = 'fifo';
  /** Flags of lost words. */
  errors = 0;
  private receive = new Fifo(8);
  private transmit = new Fifo(8);

  constructor(private readonly block: number) {}

  powerOn(): void {
    Object.assign(this, { receive: new Fifo(8), transmit: new Fifo(8), errors: 0 });
    install(this.block, [
      [0x050, () => (this.receive.words.length > 0 ? 1 : 0) | (this.transmit.full() ? 0 : 2) | this.errors, () => {
        assert.notEqual(this.errors, 0, 'there is nothing to clear');
        assert.equal(this.receive.words.length, 0, 'cleared before the FIFO was drained');
        this.errors = 0;
      }],
      [0x054, undefined, (word) => { this.transmit.send(word); }],
      [0x058, () => this.receive.take()],
    ]);
  }

  peerRings(): void { this.receive.push(1); }
  peerHears(): boolean { return this.transmit.words.length > 0; }
  peerAcknowledges(): void { this.transmit.words.length = 0; }
  // Error flags interrupt too.
  interrupts(): boolean { return this.receive.words.length > 0 || this.errors !== 0; }
  interruptTaken(): void { return; }
}

/** Arm MHU version 1, the channel at byte offset `channel`: bit `incoming` comes in, bit 0 goes out; the channel belongs to this pair alone, so that what is pending is taken whole. */
export const mhuV1 = (block: number, channel: number, incoming: number): Mailbox => latches({
  in: incoming, out: 0, enabledAtStart: true,
  registers: (here, there) => {
    install(block, [
      status(channel, () => here.bits), action(channel + 0x10, wholeChannel, (bits) => { lower(here, bits); }), action(channel + 0x108, 1, (bits) => { raise(there, bits); }),
    ]);
  },
});

/** Arm MHU version 2: channel `ring` of the sender frame, channel `hear` of the receiver frame, each taken whole. */
export const mhuV2 = (sender: number, receiver: number, ring: number, hear: number): Mailbox => latches({
  in: 0, out: 0,
  registers: (here, there, enabled) => {
    let requested = false;
    install(sender, [
      action(0xf88, 1, () => { requested = true; }),
      status(0xf8c, () => (requested ? 1 : 0)),
      action(0x20 * ring + 0x0c, 1, (bits) => { assert.ok(requested, 'the receiver sleeps'); raise(there, bits); }),
    ]);
    install(receiver, [
      status(0x20 * hear, () => here.bits),
      action(0x20 * hear + 0x08, wholeChannel, (bits) => { lower(here, bits); }),
      action(0x20 * hear + 0x18, 1, (bits) => { enable(enabled, here, bits); }),
    ]);
  },
});

/** Arm MHU version 3: doorbell channel `ring` of the postbox, channel `hear` of the mailbox, each taken whole. */
export const mhuV3 = (postbox: number, mailbox: number, ring: number, hear: number): Mailbox => latches({
  in: 0, out: 0,
  registers: (here, there, enabled) => {
    install(postbox, [action(0x1000 + 0x20 * ring + 0x0c, 1, (bits) => { raise(there, bits); })]);
    install(mailbox, [
      status(0x1000 + 0x20 * hear, () => here.bits),
      action(0x1000 + 0x20 * hear + 0x08, wholeChannel, (bits) => { lower(here, bits); }),
      action(0x1000 + 0x20 * hear + 0x18, 1, (bits) => { enable(enabled, here, bits); }),
    ]);
  },
});

/** nRF5340 IPC: task `send` and channel `send` go out, channel `receive` and event `receive` come in. */
export const nrf5340Ipc = (block: number, send: number, receive: number): Mailbox => latches({
  in: receive, out: send, others: 0xffff,
  registers: (here, there, enabled) => {
    let [signals, hears] = [0, 0];
    install(block, [
      action(4 * send, 1, () => { raise(there, signals); }),
      [0x100 + 4 * receive, () => ((here.bits & hears) >>> receive) & 1, (value) => { assert.equal(value, 0); lower(here, bit(receive)); }],
      action(0x304, bit(receive), (bits) => { enable(enabled, here, bits); }),
      action(0x510 + 4 * send, bit(send), (bits) => { signals = bits; }),
      action(0x590 + 4 * receive, bit(receive), (bits) => { hears = bits; }),
    ]);
  },
});
