// The fuzzer of test/support/ring-fuzz.ts under the 28-bit checker, where an index outside a table is an error; that it gets
// everywhere; and that it finds what is planted. Its million steps are a step of `npm test`, see tools/commands/test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../../hal/fake/port.js';
import type { FuzzFinding } from '../../support/ring-fuzz.js';
import { emptyTally, EPISODE, fuzz } from '../../support/ring-fuzz.js';
import { LIMITS } from '../../support/ring-model/chain.js';

const SEED = 20261125;

test('R-420 R-421 R-422 R-423 R-424 a driver that lies in every field: firmware and model agree, nothing outside the windows is touched', () => {
  const tally = emptyTally();
  assert.equal(fuzz(SEED, 0, 20000, tally), undefined);
  assert.equal(tally.steps, 20000);
  // Every rule of both formats has been broken, and what is legal was served.
  const rules = [331, 333, 334, 335, 336, 337, 339, 341, 346, 347, 348, 349, 386, 395, 404].map((rule) => 'R-' + rule);
  assert.deepEqual(rules.filter((rule) => tally.broken[rule] === undefined), []);
  assert.deepEqual(Object.keys(tally.broken).filter((rule) => !rules.includes(rule)), []);
  assert.ok(tally.chains > 10000 && tally.notified > 1000 && tally.staleCompletions > 500 && tally.tangled < 200, JSON.stringify(tally));
});

/** What the fuzzer finds in two episodes. */
function findingOf(progress: (step: number) => void = () => undefined): FuzzFinding | undefined {
  return fuzz(SEED, 0, 2 * EPISODE, emptyTally(), progress);
}

test('a difference between firmware and model is found, and found again from the start of its episode', () => {
  const before = { ...LIMITS };
  try {
    LIMITS.elements = 4;
    const found = findingOf();
    assert.ok(found !== undefined);
    assert.match(found.what, /EVENT_CONFIG|a chain the model does not have/);
    const first = Math.floor(found.step / EPISODE) * EPISODE;
    assert.deepEqual(fuzz(SEED, first, found.step - first + 1, emptyTally()), found);
  } finally {
    Object.assign(LIMITS, before);
  }
});

test('R-400 event flags that the driver changes while the device serves are not taken for the device\'s', () => {
  // Step 924 of this episode: the driver writes 3 over the used flags behind a chain, and the device leaves them as they are.
  assert.equal(fuzz(330405, 256 * EPISODE, EPISODE, emptyTally()), undefined);
});

test('a guard zone that changes, and a private window that changes, are found', () => {
  const words = fake.bytes[2];
  assert.ok(words !== undefined);
  const guard = new Uint8Array(words.buffer);
  const old = guard[5] ?? 0;
  try {
    assert.match(findingOf(() => (guard[5] = old ^ 1))?.what ?? '', /a guard zone has changed/);
  } finally {
    guard[5] = old;
  }
  const stop = { at: 1 };
  assert.match(
    findingOf(() => {
      stop.at -= 1;
      if (stop.at === 0) {
        // Behind the first look at the window: its mirror is taken when the episode begins.
        setPrivate(words);
      }
    })?.what ?? '',
    /the private window has changed/,
  );
});

/** Writes into the private window at the first cache call after now. */
function setPrivate(bytes: Uint8Array): void {
  const calls: typeof fake.cacheCalls = [];
  Object.defineProperty(fake, 'cacheCalls', {
    configurable: true,
    enumerable: true,
    get: () => {
      bytes[100] = 1;
      Object.defineProperty(fake, 'cacheCalls', { configurable: true, enumerable: true, writable: true, value: calls });
      return calls;
    },
    set: () => undefined,
  });
}
