// `vmsg conformance` without running cases: which tests count as proof, what is unproven, the report, mistakes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { reportInput } from '../../tools/commands/conformance.js';
import { numbersOf, testsIn } from '../../tools/conformance/named-tests.js';
import { makeReport, unproven, type ReportInput } from '../../tools/conformance/report.js';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

test('the numbers at the beginning of a name count, others do not', () => {
  assert.deepEqual(numbersOf('R-001 R-002 a frame'), ['R-001', 'R-002']);
  assert.deepEqual(numbersOf('a frame of R-001'), []);
  assert.deepEqual(numbersOf('R-0012 a frame'), []);
  assert.deepEqual(numbersOf('R-001'), []);
});

test('tests are found by name: plain, summed, with substitutions, and made by a function of the file', () => {
  const text = `
    import test from 'node:test';
    function makes(name: string, bytes: number) { test(name + ', split', () => bytes); }
    function alsoMakes(name: string) { test(\`\${name} in a table\`, () => undefined); }
    function other(name: string) { console.log(name); }
    test('R-001 plain', () => undefined);
    test('R-002 R-003 ' + 5, () => undefined);
    test(\`R-004 \${5} bytes\`, () => undefined);
    void (async (t) => t);
    makes('R-005 made ' + 3, 3);
    alsoMakes('R-006 made');
    other('R-007 not a test');
    test('no number', () => undefined);`;
  assert.deepEqual(testsIn(text, 'x').flatMap((one) => one.requirements), ['R-001', 'R-002', 'R-003', 'R-004', 'R-005', 'R-006']);
});

test('a skipped or postponed test is no proof', () => {
  const text = `
    test.skip('R-001 a', () => undefined);
    test.todo('R-002 b');
    test('R-003 c', { skip: true }, () => undefined);
    test('R-004 d', { todo: 'later' }, () => undefined);`;
  assert.deepEqual(testsIn(text, 'x'), []);
});

const input: ReportInput = {
  requirements: [
    { id: 'R-001', section: '1 One', profiles: 'ABC', text: 'By case.' },
    { id: 'R-002', section: '1 One', profiles: 'ABC', text: 'By test.' },
    { id: 'R-003', section: '2 Two', profiles: 'BC', text: 'By a case of A | only.' },
    { id: 'R-004', section: '2 Two', profiles: 'ABC', text: 'Never.', notApplicable: 'no such thing here' },
    { id: 'R-005', section: '2 Two', profiles: 'ABC', text: 'Not at all.' },
  ],
  cases: [
    { proves: ['R-001'], title: 'one', subset: true, steps: [] },
    { proves: ['R-003'], title: 'two', profiles: 'A', steps: [] },
    { proves: ['R-001'], title: 'three', profiles: 'B', steps: [] },
  ],
  tests: [{ file: 'firmware/bus/header', name: 'R-002 x', requirements: ['R-002'] }],
  profiles: ['A', 'B'],
};

test('a requirement without a case in one of its profiles and without a named test is unproven', () => {
  assert.deepEqual(unproven(input).map(({ id }) => id), ['R-003', 'R-005']);
  assert.deepEqual(unproven({ ...input, profiles: ['C'] }).map(({ id }) => id), ['R-003', 'R-005']);
  assert.deepEqual(unproven({ ...input, tests: [] }).map(({ id }) => id), ['R-002', 'R-003', 'R-005']);
});

test('the report has a row for every requirement and every case', () => {
  const lines = makeReport(input).split('\n');
  [
    '| R-001 | By case. | ABC | 1*, 3 (B) | - |',
    '| R-002 | By test. | ABC | - | bus/header |',
    '| R-003 | By a case of A \\| only. | BC | - | - |',
    '| R-004 | Never. | ABC | not applicable: no such thing here | - |',
    '| R-005 | Not at all. | ABC | - | - |',
    '| 1* | one | R-001 | AB |',
    '| 3 | three | R-001 | B |',
    '* 5 requirements, 1 of them not applicable; wire profiles served: A, B',
    '## 2 Two',
  ].forEach((line) => assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`));
});

test('every requirement has a case in one of its profiles, a named test, or a reason why it does not apply', () => {
  assert.deepEqual(unproven(reportInput()).map(({ id }) => id), []);
});

test('docs/conformance.md is what the requirements, cases and test names of today say: renew it by vmsg conformance --report', () => {
  assert.equal(readFileSync(path.join(root, 'docs', 'conformance.md'), 'utf8'), makeReport(reportInput()));
});

function vmsg(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['tools/vmsg.mjs', 'conformance', ...args], { cwd: root }, (error, out, stderr) => {
      resolve({ status: error === null ? 0 : ((error.code as unknown as number) ?? -1), out, error: stderr });
    });
  });
}

test('mistakes end in one sentence', async () => {
  const sentence = async (pattern: RegExp, ...args: string[]): Promise<void> => {
    const { status, error } = await vmsg(...args);
    assert.equal(status, 1);
    assert.match(error, pattern);
    assert.equal(error.trim().split('\n').length, 1);
  };
  await sentence(/Unknown profile 'D'; known: A, B, C\./, '--profile', 'D');
  await sentence(/Unknown place 'moon'; known: sources, bundle, soc\./, '--where', 'moon');
  await sentence(/No case has 'R-999'/, '--only', 'R-999');
  await sentence(/--report tells of all profiles and places/, '--report', '--profile', 'A');
});

test('cases chosen by requirement run on the sources', async () => {
  const { status, out } = await vmsg('--where', 'sources', '--only', 'R-104');
  assert.equal(status, 0);
  assert.equal(out, 'sources, profile A: 1 passed, 0 failed\nsources, profile B: 1 passed, 0 failed\nsources, profile C: 1 passed, 0 failed\n');
});
