// The emulated boards: two cores over real mailbox registers, one core over modelled ones, and what ends a program.
import assert from 'node:assert/strict';
import test from 'node:test';
import { reasonWithoutEmulator } from '../../tools/emulator/qemu.js';
import { build, type Doorbell, logLine, mhu, ping, run, silent } from './machine.js';

/** Line 0 of the interrupt controller (register block 0) at core `core`; the interrupt handler has taken it already. */
const sgiEnd = (core: number): string => `
  function ring() { native.registerWrite(0, 0xf00, 0, 1 << ${core}); }
  function take() { return 1; }`;

const sgi: Doorbell = {
  device: sgiEnd(0),
  driver: `${sgiEnd(1)}
    function release() { native.registerWrite(1, 0x30, 1, 0); }`,
};

/** Line 0 at core `core`'s redistributor (of register block 0). */
const sgiV3End = (core: number): string => `
  function ring() { native.registerWrite(0, ${0x10200 + 0x20000 * core}, 1, 0); }
  function take() { return 1; }`;

const sgiV3: Doorbell = { device: sgiV3End(0), driver: `${sgiV3End(1)} function release() { ring(); }` };

const boards = [
  { target: 'mps2-an521-m33', doorbell: mhu(0x3800), instructionsPerTick: 50 },
  { target: 'mps2-an386-m4', doorbell: mhu(0), instructionsPerTick: 40 },
  { target: 'vexpress-r5', doorbell: sgi, instructionsPerTick: 1000 },
  { target: 'mps3-an536-r52', doorbell: sgiV3, instructionsPerTick: 20 },
];

for (const { target, doorbell, instructionsPerTick } of boards) {
  // A board that no QEMU to be had here has is counted as not run, with the reason.
  const skip = await reasonWithoutEmulator(target) ?? false;

  test(`${target}: doorbells go both ways a thousand times without an allocation, and two runs are the same`, { skip }, async () => {
    const scene = await build(target, ...ping(doorbell));
    const first = run(scene);
    assert.equal(first.status, 0, first.driver + first.device);
    for (const [text, from, to] of [[first.device, 10, 11], [first.driver, 20, 21]] as const) {
      const begin = logLine(text, from);
      const end = logLine(text, to);
      assert.equal(logLine(text, 0).value, instructionsPerTick);
      assert.equal(end.wakes - begin.wakes, 1000, 'a doorbell is one wake');
      assert.equal(end.allocations, begin.allocations);
      assert.equal(end.collections, begin.collections);
      assert.ok(end.busy > begin.busy);
    }
    assert.match(first.driver, /^# driver-stack-peak [1-9]\d{3}$/m);
    assert.match(first.driver, /^# device-stack-peak [1-9]\d{3}$/m);
    assert.deepEqual(run(scene), first);
  });

  test(`${target}: idle sleeps as long as it is told`, { skip }, async () => {
    const { driver, status } = run(await build(target, silent, `
      [0, 1, 250, 500000, 3000000].forEach(function (limit) {
        var start = native.clock();
        native.idle(limit);
        native.print(native.clock() - start - limit < 50 && native.clock() - start >= limit);
      });
      native.exit(0);`));
    assert.equal(status, 0);
    assert.deepEqual(driver.split('\n').slice(1, 6), ['true', 'true', 'true', 'true', 'true']);
  });

  test(`${target}: errors, a full heap, recursion and exit end the program with their status`, { skip }, async () => {
    const ends: readonly (readonly [string, number, RegExp])[] = [
      ['native.nothing();', 1, /^error: TypeError: .* \(driver\.js\)$/m],
      ['var a = []; while (true) a.push(new Uint8Array(1000));', 2, /^fatal: the driver's heap is full: \d+ of 1048576 bytes /m],
      ['native.fill(0, 16777216, 1, 0);', 3, /^fatal: a native was given a range outside its window$/m],
      ['function f() { return [1].map(f); } f();', 1, /^error: RangeError: /m],
      ['native.exit(42);', 42, /^# driver-stack-peak \d+$/m],
    ];
    for (const [driver, status, line] of ends) {
      const result = run(await build(target, silent, driver));
      assert.equal(result.status, status, driver);
      assert.match(result.driver, line);
    }
  });
}

// What is refused to core 0, whose image begins at `image`; offsets are from a register block. `status`: a write, refused by a
// region's permission, in the short and in the long format.
const refused = [
  { target: 'vexpress-r5', block: 1, from: 0x1c010000, image: 0x14200000, status: '0000080d' },
  { target: 'mps3-an536-r52', block: 0, from: 0xf0100000, image: 0x20200000, status: '00000a0c' },
] as const;

for (const { target, block, from, image, status: refusal } of refused) {
  test(`${target}: no core writes into its image, and a fault prints its registers and ends the program`, { skip: await reasonWithoutEmulator(target) ?? false }, async () => {
    const { driver, status } = run(await build(target, silent, `native.registerWrite(${block}, ${image - from | 0}, 0, 0);`));
    assert.equal(status, 3);
    assert.match(driver, new RegExp(`^fatal: the processor took a data abort dfsr=${refusal} dfar=${image.toString(16)} .*pc=${image.toString(16).slice(0, 3)}[0-9a-f]{5}$`, 'm'));
  });
}

test('mps2-an521-m33: a fault prints its registers and ends the program', async () => {
  const { driver, status } = run(await build('mps2-an521-m33', silent, 'native.registerRead(0, 0x0ff00000);'));
  assert.equal(status, 3);
  assert.match(driver, /^fatal: the processor took exception \d+ cfsr=[0-9a-f]{8} .*bfar=5ff03000 .*pc=[0-9a-f]{8}$/m);
});
