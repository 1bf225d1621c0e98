// Every port of a core of its own, from the interrupt to the look at shared memory, on the model of its mailbox.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Port } from '../../hal/port.js';
import { fakeRegisters } from '../../hal/fake/registers.js';
import { isProcess, readBoard } from '../../tools/image/board.js';
import { knownTargets } from '../../tools/targets.js';
import * as hardware from '../hal/mailbox-hardware.js';

const [none, doorbell, stop, backend] = [0, 1, 2, 4];
/** What `idle` of the machine returns for the one line of the board, and for a byte on the serial line. */
const [line, serial] = [1, 2 ** 26];

const k3 = {
  'am62x-m4f': { mailbox: new hardware.K3Mailbox(0, 2, [3, 1], [2, 0]), controlIn: 1, controlOut: 0, doorbellsOut: 2 },
  'am64x-r5f': { mailbox: new hardware.K3Mailbox(0, 0, [5, 1], [4, 0]), controlIn: 1, controlOut: 0, doorbellsOut: 4 },
} as const;
const hsem = hardware.stm32Hsem(0, 1, 0);

/** The mailboxes with the numbers of the SoCs' device trees; each is the first register block of its board. */
const mailboxes: Readonly<Record<string, hardware.Mailbox>> = {
  'am62x-m4f': k3['am62x-m4f'].mailbox,
  'am64x-r5f': k3['am64x-r5f'].mailbox,
  'imx8mp-m7': hardware.muV1(0, 0),
  'imx93-m33': hardware.muV2(0, 0),
  'mps2-an386-m4': hardware.sse200Mhu(0, 1, 0),
  'mps2-an521-m33': hardware.sse200Mhu(0, 1, 0),
  // Line 0 at core 0: the target list of GICD_SGIR, and GICR_ISPENDR0 of the first redistributor.
  'mps3-an536-r52': hardware.softwareInterrupt(0, 0x10200, 1),
  'vexpress-r5': hardware.softwareInterrupt(0, 0xf00, 0x10000),
  'rp2350-m33': hardware.sioDoorbells(0, 0),
  'rt700-m33': hardware.muV2(0, 0),
  'rzg2l-m33': hardware.rzg2lMhu(0, 1, 0),
  'stm32h747-m4': hsem,
  'stm32mp15-m4': hardware.stm32Ipcc(0, 4),
  'template': hardware.sse200Mhu(0, 1, 0),
  'zynqmp-r5': hardware.xilinxIpi(0, 0),
};

/** The boards of images. */
const images = knownTargets().map(readBoard).filter((board) => !isProcess(board));

/** Boards of emulators, whose registers are nought when they start: their ports drop nothing. */
const startsWithNought = /^(mps2|mps3|vexpress)/;

/** The C below the port, as `natives.ts` has it. */
const machine = {
  idle: (_limit: number): number => 0,
  memory: (number: number): ArrayBuffer => new ArrayBuffer(2 * (number + 1)),
};
Object.assign(globalThis, { native: { ...machine, idle: (limit: number) => machine.idle(limit) } });

/** Boards without a register behind the interrupt. */
const interruptIsAll = /^(mps3|vexpress)/;

let starts = 0;

/** Loads a port's module anew. */
const load = async (target: string): Promise<Port> => await import(`../../platforms/${target}/port.ts?start=${++starts}`) as Port;

/** Starts a port: its module is loaded anew, on registers as `before` leaves them. */
async function start(target: string, mailbox: hardware.Mailbox | undefined, before: () => void = () => undefined): Promise<Pick<Port, 'ring' | 'wait'>> {
  fakeRegisters.clear();
  mailbox?.powerOn();
  before();
  machine.idle = () => assert.fail('a port does not sleep while it starts');
  const { ring, wait } = await load(target);
  return { ring, wait: hardware.counted(wait) };
}

/** Sleeps until the mailbox's interrupt, which the processor takes; without one until the time-out. */
function sleepOn(mailbox: hardware.Mailbox): (limit: number) => number {
  return () => {
    const up = mailbox.interrupts();
    if (up) {
      mailbox.interruptTaken();
    }
    return up ? line : 0;
  };
}

/** Calls `meanwhile` before each access to the registers of block 0. */
function betweenAccesses(meanwhile: () => void): void {
  const model = fakeRegisters.models[0];
  assert.ok(model !== undefined);
  fakeRegisters.models[0] = {
    read: (offset) => { meanwhile(); return model.read(offset); },
    write: (offset, value) => { meanwhile(); model.write(offset, value); },
  };
}

for (const { name } of images) {
  test(`${name}: the port gives each window of board.json its memory`, async () => {
    fakeRegisters.clear();
    mailboxes[name]?.powerOn();
    const { windows, windowWords } = await load(name);
    assert.deepEqual(windows.map((window) => window.name), readBoard(name).windows.map((window) => window.name));
    assert.deepEqual(windowWords.map(({ length }) => length), windows.map((_window, number) => number + 1));
  });
}

test('every port with a doorbell is held against a model of it', () => {
  assert.deepEqual(Object.keys(mailboxes).sort(), images.filter(({ interrupts }) => interrupts.length > 0).map(({ name }) => name).sort());
});

for (const [target, mailbox] of Object.entries(mailboxes)) {
  describe(target, () => {
    test('one doorbell is one wake: its interrupt is gone when the caller looks', async () => {
      const port = await start(target, mailbox);
      machine.idle = sleepOn(mailbox);
      for (let turn = 0; turn < 3; turn++) {
        mailbox.peerRings();
        assert.equal(port.wait(1000), doorbell);
        assert.equal(mailbox.interrupts(), false);
        assert.equal(port.wait(1000), none);
      }
    });

    test('whenever the other side rings, the core does not go to sleep over what it left', async () => {
      const port = await start(target, mailbox);
      let [left, seen, now, moment, wakes] = [0, 0, 0, 0, 0];
      let asleep = false;
      const leave = (): void => {
        left++;
        mailbox.peerRings();
      };
      const meanwhile = (): void => {
        if (now++ === moment) {
          leave();
        }
      };
      betweenAccesses(meanwhile);
      machine.idle = () => {
        meanwhile();
        if (mailbox.interrupts()) {
          assert.ok(++wakes <= 3, 'it comes to rest');
          mailbox.interruptTaken();
          return line;
        }
        assert.equal(seen, left, `it sleeps, and did not see what came at moment ${moment}`);
        asleep = true;
        return 0;
      };
      for (let came = true; came; moment++) {
        [left, seen, now, wakes, asleep] = [0, 0, 0, 0, false];
        leave();
        while (!asleep) {
          port.wait(1000);
          meanwhile();
          // The caller looks.
          seen = left;
          meanwhile();
        }
        came = now > moment;
      }
      assert.ok(moment >= 4);
    });

    test('a ring reaches the other side, the second one too once that has taken the first', async () => {
      const port = await start(target, mailbox);
      assert.equal(mailbox.peerHears(), false);
      for (let turn = 0; turn < 2; turn++) {
        port.ring(0);
        port.ring(0);
        assert.equal(mailbox.peerHears(), true);
        mailbox.peerAcknowledges();
        assert.equal(mailbox.peerHears(), false);
      }
    });

    if (!interruptIsAll.test(target)) {
      test('an interrupt with nothing behind it is no doorbell', async () => {
        const port = await start(target, mailbox);
        machine.idle = () => line;
        assert.equal(port.wait(1000), none);
      });
    }

    if (!startsWithNought.test(target)) {
      test('what an earlier run left is no doorbell of this one', async () => {
        const port = await start(target, mailbox, () => { mailbox.peerRings(); });
        machine.idle = sleepOn(mailbox);
        assert.equal(mailbox.interrupts(), false);
        assert.equal(port.wait(1000), none);
        mailbox.peerRings();
        assert.equal(port.wait(1000), doorbell);
      });
    }
  });
}

for (const [target, { mailbox, controlIn, controlOut, doorbellsOut }] of Object.entries(k3)) {
  describe(`${target}: control words of remoteproc`, () => {
    const [echoRequest, echoReply, shutdown, shutdownAck] = [0xffffff03, 0xffffff04, 0xffffff14, 0xffffff15];

    test('SHUTDOWN is answered, the firmware is told to leave its loop, and nothing goes out any more', async () => {
      const port = await start(target, mailbox);
      machine.idle = sleepOn(mailbox);
      mailbox.peerRings();
      mailbox.push(shutdown, controlIn);
      assert.equal(port.wait(1000), stop);
      assert.deepEqual(mailbox.words(controlOut), [shutdownAck]);
      port.ring(0);
      assert.deepEqual(mailbox.words(doorbellsOut), []);
    });

    test('the answer waits for room without an interrupt, and the core stops only then', async () => {
      const port = await start(target, mailbox);
      machine.idle = sleepOn(mailbox);
      while (mailbox.words(controlOut).length < 4) {
        mailbox.words(controlOut).push(0);
      }
      mailbox.push(shutdown, controlIn);
      assert.equal(port.wait(1000), none);
      assert.equal(mailbox.interrupts(), false);
      mailbox.words(controlOut).length = 0;
      assert.equal(port.wait(1000), stop);
      assert.deepEqual(mailbox.words(controlOut), [shutdownAck]);
    });

    test('ECHO_REQUEST is answered where it came from, and is no doorbell', async () => {
      const port = await start(target, mailbox);
      machine.idle = sleepOn(mailbox);
      mailbox.push(echoRequest, controlIn);
      assert.equal(port.wait(1000), none);
      assert.deepEqual(mailbox.words(controlOut), [echoReply]);
      assert.deepEqual(mailbox.words(doorbellsOut), []);
    });

    test('a core that is started again has forgotten the SHUTDOWN, and one that an earlier run left', async () => {
      const before = await start(target, mailbox);
      machine.idle = sleepOn(mailbox);
      mailbox.push(shutdown, controlIn);
      assert.equal(before.wait(1000), stop);
      const port = await start(target, mailbox, () => { mailbox.push(shutdown, controlIn); });
      machine.idle = sleepOn(mailbox);
      assert.equal(port.wait(1000), none);
      assert.deepEqual(mailbox.words(controlOut), []);
      port.ring(0);
      assert.equal(mailbox.words(doorbellsOut).length, 1);
    });
  });
}

test('stm32h747-m4: a ring that found the semaphore taken is repeated until it is free, and the sleep is short meanwhile', async () => {
  const port = await start('stm32h747-m4', hsem);
  const slept: number[] = [];
  machine.idle = (limit) => {
    slept.push(limit);
    return 0;
  };
  port.ring(0);
  hsem.peerAcknowledges();
  port.wait(100000);
  assert.equal(hsem.peerHears(), false, 'a ring that came through is not repeated');
  // The other core, 3, holds it.
  hardware.hsemHolder.id = 3;
  port.ring(0);
  [100000, 400].forEach((limit) => port.wait(limit));
  assert.equal(hsem.peerHears(), false);
  hardware.hsemHolder.id = 0;
  port.wait(100000);
  assert.equal(hsem.peerHears(), true);
  hsem.peerAcknowledges();
  port.wait(100000);
  assert.equal(hsem.peerHears(), false, 'one ring was owed');
  assert.deepEqual(slept, [100000, 1000, 400, 100000, 100000]);
});

for (const [target, rung] of [['mps2-an521-m33', true], ['vexpress-r5', true], ['mps3-an524-m33', false]] as const) {
  test(`${target}: a byte on the serial line wakes the backends, alone and beside a doorbell`, async () => {
    const mailbox = mailboxes[target];
    const port = await start(target, mailbox);
    machine.idle = () => serial;
    assert.equal(port.wait(1000), backend);
    if (rung) {
      machine.idle = () => serial + line;
      mailbox?.peerRings();
      assert.equal(port.wait(1000), backend + doorbell);
    }
  });
}

test('mps3-an524-m33: nothing rings, and no sleep is longer than a millisecond', async () => {
  const port = await start('mps3-an524-m33', undefined);
  const slept: number[] = [];
  machine.idle = (limit) => {
    slept.push(limit);
    return 0;
  };
  port.ring(0);
  assert.deepEqual([0, 999, 1000, 1001, 100000].map((limit) => port.wait(limit)), [none, none, none, none, none]);
  assert.deepEqual(slept, [0, 999, 1000, 1000, 1000]);
});
