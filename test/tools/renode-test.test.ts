// Finding Renode and counting what its robot suites came to; the programs here only look like Renode.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { buildScenes, findRenode, robotCounts, runSuites } from '../../tools/commands/renode-test.js';
import { packageRoot } from '../../tools/targets.js';

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-renode-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder with programs of Renode's names: one says a version, the other one does what `suite` says. */
function pretend(name: string, version: string, suite = 'exit 0'): string {
  const place = path.join(folder, name);
  mkdirSync(place);
  writeFileSync(path.join(place, 'renode'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
  writeFileSync(path.join(place, 'renode-test'), `#!/bin/sh\n${suite}\n`, { mode: 0o755 });
  return place;
}

/** Robot's totals as it writes them. */
const totals = (pass: number, fail: number): string =>
  `<robot><statistics><total><stat pass="${pass}" fail="${fail}" skip="0">All Tests</stat></total><tag></tag><suite><stat pass="9" fail="9" skip="9">x</stat></suite></statistics></robot>`;

/** Keeps the arguments and writes totals into the folder behind -r. */
const writes = (place: string, xml: string, status: number): string =>
  `echo "$@" > '${place}'\nwhile [ "$1" != -r ]; do shift; done\nmkdir -p "$2"\necho '${xml}' > "$2/robot_output.xml"\nexit ${status}`;

test('Renode is found by RENODE, its folder or its program, before PATH', async () => {
  const [named, onPath] = [pretend('named', 'Renode v1.16.1.4523'), pretend('on-path', 'Renode v2.0.0')];
  for (const value of [named, path.join(named, 'renode'), path.join(named, 'renode-test')]) {
    assert.deepEqual(await findRenode({ RENODE: value, PATH: onPath }), { test: path.join(named, 'renode-test'), version: '1.16.1.4523' });
  }
  assert.deepEqual(await findRenode({ PATH: `/nowhere:${onPath}` }), { test: path.join(onPath, 'renode-test'), version: '2.0.0' });
  assert.equal(await findRenode({ PATH: '/nowhere' }), undefined);
});

test('a Renode that cannot be used is one sentence', async () => {
  await assert.rejects(findRenode({ RENODE: '/nowhere', PATH: '' }), /^UserError: RENODE is '\/nowhere', but there are no renode and renode-test\.$/);
  for (const [name, version] of [['old-minor', '1.15.3'], ['old-major', '0.99.0']] as const) {
    await assert.rejects(findRenode({ RENODE: pretend(name, `Renode, version ${version}`) }), new RegExp(`^UserError: Renode ${version} in .* is too old: the scenes need 1\\.16 or later\\.$`));
  }
  await assert.rejects(findRenode({ RENODE: pretend('mute', 'hello') }), /says no version\.$/);
});

test('without Renode the command says that nothing was run, and its status is neither success nor failure', async () => {
  const { status, out } = await new Promise<{ status: unknown; out: string }>((resolve) => {
    execFile(process.execPath, ['tools/vmsg.mjs', 'renode-test'], { cwd: packageRoot, env: { PATH: path.dirname(process.execPath) } }, (error, stdout) => {
      resolve({ status: error?.code ?? 0, out: stdout });
    });
  });
  assert.deepEqual({ status, out }, { status: 2, out: 'not run: Renode not found\n' });
});

test('the counts are those of all tests', () => {
  assert.deepEqual(robotCounts(totals(4, 1)), { passed: 4, failed: 1, skipped: 0 });
  assert.equal(robotCounts('<robot></robot>'), undefined);
});

test('only a run that counted its tests and passed them passes', async () => {
  const said = path.join(folder, 'arguments');
  const cases: readonly (readonly [string, string, number, number])[] = [
    ['good', writes(said, totals(2, 0), 0), 2, 0],
    ['bad', writes(said, totals(1, 1), 1), 1, 1],
    ['ends-badly', writes(said, totals(2, 0), 1), 2, 1],
    ['ran-none', writes(said, totals(0, 0), 0), 0, 1],
    ['counted-nothing', 'exit 0', 0, 1],
  ];
  for (const [name, suite, passed, failed] of cases) {
    const renode = await findRenode({ RENODE: pretend(name, '1.16.1', suite) });
    assert.ok(renode !== undefined);
    const outcome = await runSuites(renode, folder, ['zynqmp-r5']);
    assert.deepEqual([outcome.passed, outcome.failed], [passed, failed], name);
  }
  assert.equal(readFileSync(said, 'utf8').trim(), `--variable IMAGES:${folder} -r ${path.join(folder, 'results')} ${path.join(packageRoot, 'renode', 'zynqmp-r5.robot')}`);
});

test('a scene that is not there is one sentence that names those that are', async () => {
  await assert.rejects(runSuites({ test: '/nowhere', version: '1.16.1' }, folder, ['pdp11']), /^UserError: Unknown scene 'pdp11'; known scenes: zynqmp-r5, two-cores\.$/);
});

test('every suite starts programs whose images are built, from a scene with the folder\'s files', async () => {
  await buildScenes(folder, ['zynqmp-r5']);
  const keywords = readFileSync(path.join(packageRoot, 'renode', 'scene.resource'), 'utf8');
  const programs = [...keywords.matchAll(/^ {4}Start Scene With Program {2,}(\S+)$/gm)].map(([, name = '']) => name);
  assert.ok(programs.length >= 2);
  for (const program of programs) {
    for (const side of ['device', 'driver']) {
      assert.equal(readFileSync(path.join(folder, `zynqmp-r5-${program}`, `${side}.elf`)).readUInt32BE(0), 0x7f454c46);
    }
    const source = readFileSync(path.join(packageRoot, 'test', 'emulator', 'programs', `${program}.ts`), 'utf8') +
      ['application-core', 'read-entropy'].map((name) => readFileSync(path.join(packageRoot, 'test', 'emulator', 'programs', `${name}.ts`), 'utf8')).join('');
    const [, body = ''] = new RegExp(`Start Scene With Program +${program}\\n([\\s\\S]*?)(?:\\n\\n|$)`).exec(keywords) ?? [];
    for (const [, step = ''] of body.matchAll(/^ {4}Announce {2,}(.+?)(?: {2,}timeout=.*)?$/gm)) {
      assert.ok(source.includes(`step('${step}')`), step);
    }
  }
  for (const scene of ['zynqmp-r5', 'two-cores']) {
    const [suite, script] = ['robot', 'resc'].map((kind) => readFileSync(path.join(packageRoot, 'renode', `${scene}.${kind}`), 'utf8'));
    assert.match(suite ?? '', new RegExp(`^\\$\\{SCENE\\} +${scene}$`, 'm'));
    for (const [, file = ''] of (script ?? '').matchAll(/\$ORIGIN\/([\w-]+\.(?:repl|cs))/g)) {
      assert.ok(existsSync(path.join(packageRoot, 'renode', file)), file);
    }
  }
});
