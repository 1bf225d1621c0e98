// Either side is killed at every ordering point of the handshake and of a transfer, and in between; service comes back.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freshFolder, MEMORY_BYTES, readAt, SharedFiles, type Side, writeAt } from '../support/processes.js';

const APP = 'test/emulator/apps/echo.ts';
const PROGRAM = 'recovery';
const SEED = 20_771;

/** The program's areas; everything else in the memory file keeps this paint. */
const AREAS = { start: 0x100000, end: 0x300000 };
const CONTROL = AREAS.start - 16;
const PAINT = 0xc3;

/** Numbers 0 .. below - 1 from a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

interface Bells {
  readonly device: string;
  readonly driver: string;
}

type Victim = 'device' | 'driver';

/** When a side is killed: held at an ordering point of the driver's life, or at any moment. */
interface Round {
  readonly point: number | undefined;
  readonly victim: Victim;
}

/** The doorbells share the ordering points: each has every third one, with either side as its victim. */
const SHARES = 3;
/** Kills of either side at any moment, with each doorbell: 200 rounds and more in all. */
const FREE = 12;

/** The rounds of a share, in an order that only the seed knows. */
function roundsOf(share: number, points: number, random: (below: number) => number): Round[] {
  const victims: readonly Victim[] = ['device', 'driver'];
  const all = Array.from({ length: points + FREE }, (_, at) => (at < points ? at + 1 : undefined))
    .filter((point) => point === undefined || point % SHARES === share)
    .flatMap((point) => victims.map((victim) => ({ point, victim })));
  for (let left = all.length; left > 1; left--) {
    const at = random(left);
    [all[left - 1], all[at]] = [all[at] as Round, all[left - 1] as Round];
  }
  return all;
}

async function recover(share: number, bells: Bells): Promise<void> {
  const random = generator(SEED + share);
  const files = new SharedFiles();
  writeFileSync(files.memory, Buffer.alloc(MEMORY_BYTES, PAINT));
  const stopAt = (point: number): void => writeAt(files.memory, CONTROL, Uint8Array.of(point & 255, point >> 8));
  stopAt(0);
  let device = await files.device(APP, bells.device);
  await device.saw('~1 ');
  let driver = await files.driver(PROGRAM, bells.driver);
  await driver.saw('life', 5);
  // Each message adds some: a life has more points where used buffers are told of in more messages. Every life has the fewest.
  const points = Math.min(...driver.lines.filter((line) => line.startsWith('# points ')).map((line) => Number(line.split(' ')[2])));
  const rounds = roundsOf(share, points, random);
  assert.ok(rounds.length * SHARES >= 200, `${rounds.length} rounds, since a life has ${points} ordering points`);
  for (const [round, { point, victim: name }] of rounds.entries()) {
    const what = `round ${round} of share ${share}: ${name} at ${point}`;
    if (point !== undefined) {
      const stops = driver.count('@ ');
      stopAt(point);
      await driver.saw('@ ', stops + 1);
    } else {
      await delay(random(8));
    }
    const killDevice = name === 'device';
    const signal = random(2) === 0 ? 'SIGKILL' : 'SIGTERM';
    const victim: Side = killDevice ? device : driver;
    victim.kill(signal);
    const { status, words } = await victim.ended;
    assert.equal(words, '', what);
    assert.equal(status, signal === 'SIGKILL' ? -1 : killDevice ? 0 : 130, what);
    let lives = driver.count('life');
    if (killDevice) {
      device = await files.device(APP, bells.device);
      await device.saw('~1 ');
    } else {
      driver = await files.driver(PROGRAM, bells.driver);
      lives = 0;
    }
    stopAt(0);
    // The life that was interrupted may just have ended; the next one began behind it.
    await driver.saw('life', lives + 2);
  }
  await driver.stop();
  assert.deepEqual(await device.stop(), { status: 0, words: '' });
  const painted = (from: number, to: number): boolean => readAt(files.memory, from, to - from).every((byte) => byte === PAINT);
  assert.ok(painted(0, CONTROL) && painted(AREAS.end, MEMORY_BYTES), 'nothing outside the areas was written');
  assert.ok(files.layoutBytes(-0x1000, 0x1000).every((byte) => byte === 0) && files.layoutBytes(128 + 2048, 0x8000).every((byte) => byte === 0));
}

test('R-280 either side is killed at every third ordering point, and in between, with polling', () => recover(0, { device: 'poll:300', driver: 'poll:300' }));

test('R-280 either side is killed at the next third of the points with named pipes', () => {
  const [there, back] = ['there', 'back'].map((name) => path.join(freshFolder(), name));
  return recover(1, { device: `fifo:${there},${back}`, driver: `fifo:${back},${there}` });
});

test('R-280 either side is killed at the last third of the points with a UNIX socket', () => {
  const socket = path.join(freshFolder(), 'bell');
  return recover(2, { device: `unix:${socket}`, driver: `connect:${socket}` });
});
