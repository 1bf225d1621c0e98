// The bootstrap on machines that lack something: what it installs, and what it says when it cannot.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { packageRoot } from '../../tools/targets.js';

interface Machine {
  nodeVersion: string;
  isRoot: boolean;
  modified: (file: string) => number | undefined;
  hasCommand: (command: string) => boolean;
  run: (command: string, args: readonly string[]) => { status: number; output: string };
  say: (line: string) => void;
}

const { BootstrapError, checkNode, debianPackages, installDebianPackages, installNpmPackages } = (await import(
  path.join(packageRoot, 'tools', 'bootstrap.mjs')
)) as {
  BootstrapError: new (message: string) => Error;
  checkNode: (machine: Machine, range: string) => void;
  debianPackages: readonly { name: string; file?: string; command?: string }[];
  installDebianPackages: (machine: Machine) => void;
  installNpmPackages: (machine: Machine, folder: string) => void;
};

/** A machine that has everything, and a record of what was run and said on it. */
function machine(changes: Partial<Machine> = {}): { machine: Machine; ran: string[]; said: string[] } {
  const ran: string[] = [];
  const said: string[] = [];
  return {
    machine: {
      nodeVersion: '20.19.0',
      isRoot: true,
      modified: () => 1,
      hasCommand: () => true,
      run: (command, args) => {
        ran.push([command, ...args].join(' '));
        return { status: 0, output: '' };
      },
      say: (line) => said.push(line),
      ...changes,
    },
    ran,
    said,
  };
}

function sentence(run: () => void): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof BootstrapError);
    return error.message;
  }
  return assert.fail('it went through');
}

test('a machine that has everything is left alone', () => {
  const { machine: complete, ran, said } = machine();
  checkNode(complete, '>=20.19');
  installNpmPackages(complete, '/p');
  installDebianPackages(complete);
  assert.deepEqual([ran, said], [[], []]);
});

for (const [version, fits] of [['18.20.4', false], ['20.9.0', false], ['20.19.0', true], ['22.1.0', true]] as const) {
  test(`Node ${version} ${fits ? 'fits' : 'is too old'}`, () => {
    const { machine: one } = machine({ nodeVersion: version });
    if (fits) {
      checkNode(one, '>=20.19');
    } else {
      assert.equal(sentence(() => checkNode(one, '>=20.19')), `This project needs Node 20.19 or newer, and this is Node ${version}.`);
    }
  });
}

test('npm packages are installed when there are none, and when the lock is newer', () => {
  for (const installed of [undefined, 5]) {
    const { machine: one, ran, said } = machine({ modified: (file) => (file.includes('node_modules') ? installed : 10) });
    installNpmPackages(one, '/p');
    assert.deepEqual(ran, ['npm ci --no-audit --no-fund']);
    assert.equal(said.length, 1);
  }
});

test('an npm ci that fails is shown', () => {
  const { machine: one } = machine({ modified: (file) => (file.includes('node_modules') ? undefined : 10), run: () => ({ status: 7, output: 'no network\n' }) });
  assert.equal(sentence(() => installNpmPackages(one, '/p')), 'no network\nnpm ci failed with status 7.');
});

test('root installs exactly the Debian packages that are missing', () => {
  let installed = false;
  const { machine: one, ran, said } = machine({
    hasCommand: (command) => installed || command !== 'qemu-system-arm',
    modified: (file) => (installed || !file.includes('duktape') ? 1 : undefined),
  });
  const { run } = one;
  one.run = (command, args) => {
    installed ||= args[0] === 'install';
    return run(command, args);
  };
  installDebianPackages(one);
  assert.deepEqual(ran, ['apt-get update', 'apt-get install -y --no-install-recommends duktape-dev qemu-system-arm']);
  assert.equal(said.length, 1);
});

test('without root the one exact command is printed', () => {
  const { machine: one, ran } = machine({ isRoot: false, hasCommand: (command) => command === 'apt-get', modified: () => undefined });
  const names = debianPackages.map(({ name }) => name).join(' ');
  assert.equal(sentence(() => installDebianPackages(one)), `Debian packages are missing; install them with: sudo apt-get install -y --no-install-recommends ${names}`);
  assert.deepEqual(ran, []);
});

test('without apt-get the missing packages are named', () => {
  const { machine: one } = machine({ hasCommand: (command) => command !== 'apt-get' && command !== 'gcc' });
  assert.match(sentence(() => installDebianPackages(one)), /there is no apt-get to install them: gcc\.$/);
});

test('an installation that does not bring what is missing is an error', () => {
  const { machine: one } = machine({ hasCommand: (command) => command !== 'gcc' });
  assert.match(sentence(() => installDebianPackages(one)), /still missing: gcc\.$/);
  const { machine: broken } = machine({ hasCommand: (command) => command !== 'gcc', run: () => ({ status: 100, output: 'E: no such package\n' }) });
  assert.match(sentence(() => installDebianPackages(broken)), /E: no such package\napt-get install failed with status 100\.$/);
});

test('as a program it hands the command on, with its exit status', () => {
  const { status, stderr } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'bootstrap.mjs'), 'fly'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  assert.equal(status, 1);
  assert.match(stderr, /Unknown command 'fly'/);
});
