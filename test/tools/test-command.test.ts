// The summary of `vmsg test`: a failure anywhere is seen, and nothing that did not run passes.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { failures, progressLine, runSteps, runTests, testFiles, type Outcome } from '../../tools/commands/test.js';
import { workspace } from './workspace.js';

async function summary(...outcomes: readonly Outcome[]): Promise<{ status: number; text: string; lines: string[] }> {
  let text = '';
  const steps = outcomes.map((outcome, index) => ({ name: `step${index}`, what: 'a step', run: () => Promise.resolve(outcome) }));
  const status = await runSteps(steps, (more) => {
    text += more;
  });
  return { status, text, lines: text.trimEnd().split('\n') };
}

const good: Outcome = { passed: 3, failed: 0, skipped: 0, output: 'not shown' };
const bad: Outcome = { passed: 2, failed: 1, skipped: 1, output: 'what went wrong' };

test('all good: status 0, and the last line is the sum', async () => {
  const { status, text, lines } = await summary(good, good);
  assert.equal(status, 0);
  assert.equal(lines.at(-1), '6 passed, 0 failed, 0 skipped');
  assert.doesNotMatch(text, /not shown/);
});

test('a step that fails shows its output, and the others still run', async () => {
  const { status, text, lines } = await summary(bad, good);
  assert.equal(status, 1);
  assert.match(text, /what went wrong/);
  assert.match(text, /step0 {2}FAILED/);
  assert.match(text, /step1 {2}passed/);
  assert.equal(lines.at(-1), '5 passed, 1 failed, 1 skipped');
});

test('a step that could not run is named with its reason, and the whole does not pass', async () => {
  const { status, text, lines } = await summary(good, { passed: 0, failed: 0, skipped: 1, notRun: 'no emulator' });
  assert.equal(status, 1);
  assert.match(text, /step1 {2}not run: no emulator/);
  assert.equal(lines.at(-1), '3 passed, 0 failed, 1 skipped');
});

test('a step that wants a tool which not every machine has is counted as not run, and the whole may pass without it', async () => {
  const missing: Outcome = { passed: 0, failed: 0, skipped: 1, notRun: 'no such engine', optional: true };
  const { status, text, lines } = await summary(good, missing);
  assert.equal(status, 0);
  assert.match(text, /step1 {2}not run: no such engine/);
  assert.equal(lines.at(-1), '3 passed, 0 failed, 1 skipped');
  assert.equal((await summary(missing)).status, 1);
});

test('the runner counts passed, failed and skipped tests', async () => {
  const folder = workspace({ 'a.test.ts': "import test from 'node:test';\ntest('a', () => undefined);\ntest('b', () => { throw new Error('planted'); });\ntest.skip('c', () => undefined);\n" });
  // The runner marks its children with this variable, and then they do not start runners of their own.
  delete process.env['NODE_TEST_CONTEXT'];
  const { passed, failed, skipped, output } = await runTests([path.join(folder, 'a.test.ts')], ['--import', 'tsx']);
  assert.deepEqual([passed, failed, skipped], [1, 1, 1]);
  assert.match(output ?? '', /planted/);
});

test('a test file that does not load is a failure', async () => {
  const folder = workspace({ 'a.test.ts': "import './nowhere.js';\n" });
  delete process.env['NODE_TEST_CONTEXT'];
  const { passed, failed } = await runTests([path.join(folder, 'a.test.ts')], ['--import', 'tsx']);
  assert.deepEqual([passed, failed], [0, 1]);
});

test('no test files at all is not a pass', async () => {
  assert.equal((await runTests([], [])).notRun, 'there are no test files');
});

test('the unit tests are all test files but those of the emulator', () => {
  const files = testFiles('test', path.join('test', 'emulator'));
  assert.ok(files.includes(path.join('test', 'tools', 'test-command.test.ts')));
  assert.ok(files.every((file) => !file.startsWith(path.join('test', 'emulator'))));
  assert.ok(testFiles(path.join('test', 'emulator')).length > 0);
});

test('only the part about failures is shown', () => {
  assert.equal(failures('✔ a\n✖ failing tests:\nb'), '✖ failing tests:\nb');
  assert.equal(failures('it crashed'), 'it crashed');
});

test('a long step shows how far it is: the last line it wrote', () => {
  assert.equal(progressLine(3, '✔ R-001 first\n  ✔ R-002 second\n\n'), '  3 min: ✔ R-002 second');
  assert.equal(progressLine(1, ''), '  1 min: ');
  assert.equal(progressLine(12, 'x'.repeat(500)).length, 120);
});
