// Every conformance case against the sources, in every wire profile, under the 28-bit checker.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fake } from '../../hal/fake/port.js';
import { cases } from './cases/index.js';
import { casesOf, modeName, modes } from './runner/suite.js';
import { sourcesRunner } from './sources.js';

modes.forEach((mode) => {
  test(`conformance cases, ${modeName(mode)}`, async (t) => {
    const runner = sourcesRunner(mode);
    for (const index of casesOf(cases, mode)) {
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
});
