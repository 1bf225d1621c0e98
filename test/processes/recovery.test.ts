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
const CONTROL_BYTES = 16;
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

async function recover(rounds: number, seed: number, bells: Bells): Promise<void> {
  const random = generator(seed);
  const files = new SharedFiles();
  writeFileSync(files.memory, Buffer.alloc(MEMORY_BYTES, PAINT));
  const stopAt = (point: number): void => writeAt(files.memory, 0, Uint8Array.of(point & 255, point >> 8));
  stopAt(0);
  let device = await files.device(APP, bells.device);
  await device.saw('~1 ');
  let driver = await files.driver(PROGRAM, bells.driver);
  await driver.saw('life');
  const points = Number(driver.lines.find((line) => line.startsWith('# points '))?.split(' ')[2]);
  assert.ok(points > 60, `a life has ${points} ordering points`);
  const victims = { device: 0, driver: 0 };
  for (let round = 0; round < rounds; round++) {
    const what = `round ${round} of seed ${seed}`;
    const held = random(4) !== 0;
    if (held) {
      const stops = driver.count('@ ');
      stopAt(1 + random(points));
      await driver.saw('@ ', stops + 1);
    } else {
      await delay(random(8));
    }
    const killDevice = random(2) === 0;
    const signal = random(2) === 0 ? 'SIGKILL' : 'SIGTERM';
    const victim: Side = killDevice ? device : driver;
    victim.kill(signal);
    const { status, words } = await victim.ended;
    assert.equal(words, '', what);
    assert.equal(status, signal === 'SIGKILL' ? -1 : killDevice ? 0 : 130, what);
    victims[killDevice ? 'device' : 'driver'] += 1;
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
  assert.ok(victims.device >= rounds / 4 && victims.driver >= rounds / 4);
  await driver.stop();
  assert.deepEqual(await device.stop(), { status: 0, words: '' });
  const painted = (from: number, to: number): boolean => readAt(files.memory, from, to - from).every((byte) => byte === PAINT);
  assert.ok(painted(CONTROL_BYTES, AREAS.start) && painted(AREAS.end, MEMORY_BYTES), 'nothing outside the areas was written');
  assert.ok(files.layoutBytes(-0x1000, 0x1000).every((byte) => byte === 0) && files.layoutBytes(128 + 2048, 0x8000).every((byte) => byte === 0));
}

test('R-280 70 kills with polling', () => recover(70, SEED, { device: 'poll:300', driver: 'poll:300' }));

test('R-280 70 kills with named pipes', () => {
  const [there, back] = ['there', 'back'].map((name) => path.join(freshFolder(), name));
  return recover(70, SEED + 1, { device: `fifo:${there},${back}`, driver: `fifo:${back},${there}` });
});

test('R-280 70 kills with a UNIX socket', () => {
  const socket = path.join(freshFolder(), 'bell');
  return recover(70, SEED + 2, { device: `unix:${socket}`, driver: `connect:${socket}` });
});
