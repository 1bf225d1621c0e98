// Every conformance case against the sources, in every wire profile, under the 28-bit checker; those about notifications in every way to announce buffers, too.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fake } from '../../hal/fake/port.js';
import { cases } from './cases/index.js';
import type { Mode } from './runner/suite.js';
import { casesOf, modeName, modes } from './runner/suite.js';
import { notifiedCasesOf, notifiedModes } from './runner/ways.js';
import { sourcesRunner } from './sources.js';

function runsAll(mode: Mode, indices: readonly number[]): void {
  test(`conformance cases, ${modeName(mode)}`, async (t) => {
    const runner = sourcesRunner(mode);
    for (const index of indices) {
      const one = cases[index];
      assert.ok(one !== undefined);
      await t.test(`${one.proves.join(' ')} ${one.title}`, () => {
        const verdict = runner.run(one);
        assert.ok(verdict.run, `not run: ${verdict.reason}`);
        assert.ok(verdict.passed, verdict.reason);
        assert.ok(fake.guardsIntact());
      });
    }
  });
}

modes.forEach((mode) => runsAll(mode, casesOf(cases, mode)));
// Nobody rings for the sources: whatever is polled is looked at as often.
notifiedModes()
  .filter(({ notifications }) => notifications !== 'messages, polled')
  .forEach((mode) => runsAll(mode, notifiedCasesOf(cases, mode)));

test('each way to announce buffers has its cases, a bare doorbell all but those that name queues', () => {
  notifiedModes().forEach((mode) => {
    assert.ok(notifiedCasesOf(cases, mode).length >= 25, modeName(mode));
  });
});
