// The table of what ran: made of tests' notes alone, and shown by the README as it is.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { commandsIn, refreshed } from '../../tools/commands/refresh-docs.js';
import { note, recorded, type Seen, supportTable, withNotes } from '../../tools/support/record.js';
import { readBoard } from '../../tools/image/board.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';

const built: Seen = { target: 'a', engine: 'duktape', test: 'x' };
const ran: Seen = { target: 'b', engine: 'jerryscript', ranOn: 'QEMU 1.2.3', test: 'x' };

test('the best that was seen of a target and an engine is its cell', () => {
  const table = supportTable([built, { ...built, ranOn: 'QEMU 1.2.3' }, { ...built, target: 'b' }], ['a', 'b', 'c']);
  assert.deepEqual(table.split('\n').map((line) => line.split(/ {2,}/)), [
    ['target', 'duktape', 'jerryscript', 'espruino'], ['a', 'QEMU 1.2.3', '-', '-'], ['b', 'built', '-', '-'], ['c', '-', '-', '-'], [''],
  ]);
});

test('a note replaces what was known of its kind, leaves the rest, and a target that is gone goes', () => {
  const later = { ...ran, ranOn: 'QEMU 9.9.9' };
  assert.deepEqual(withNotes([ran, built, { ...built, target: 'gone' }], [later], ['a', 'b']), [built, later]);
});

test('what ran on one emulator stays when another one is noted, and both are in the cell', () => {
  const other = { ...ran, ranOn: 'Renode 1.2.3' };
  const both = withNotes([ran], [other], ['b']);
  assert.deepEqual(both, [ran, other]);
  assert.match(supportTable(both, ['b']), /^b +- +QEMU 1\.2\.3; Renode 1\.2\.3 +-$/m);
});

test('what a test has seen and the record does not say fails that test', () => {
  assert.throws(() => { note({ target: 'nothing', engine: 'espruino', test: 'test/tools/support.test.ts' }); }, /docs\/support\.json does not say: run vmsg support --record/);
});

test('every record names a test that notes it', () => {
  assert.ok(recorded().length > 0);
  for (const { target, test: file } of recorded()) {
    // A suite of Renode's is the target's own, and vmsg renode-test notes for it.
    const [, scene] = /^renode\/(.*)\.robot$/.exec(file) ?? [];
    assert.ok(scene === undefined || readBoard(target).renode === scene, `${target}: ${file}`);
    const noting = scene === undefined ? file : 'tools/commands/renode-test.ts';
    assert.ok([file, noting].every((name) => existsSync(path.join(packageRoot, name))) && readFileSync(path.join(packageRoot, noting), 'utf8').includes('note('), `${target}: ${file}`);
  }
});

test('the README shows the table of the record', () => {
  const readme = readFileSync(path.join(packageRoot, 'README.md'), 'utf8');
  assert.ok(commandsIn(readme).includes('support'));
  const shown = (text: string): string | undefined => /<!-- output: vmsg support -->\n```\n([^]*?)```/.exec(text)?.[1];
  assert.equal(shown(readme), shown(refreshed(readme, () => supportTable(recorded(), knownTargets()))), 'run vmsg refresh-docs README.md');
});
