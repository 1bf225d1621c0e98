// Makes a bare machine ready (Node version, npm packages, Debian packages), then runs a vmsg command: node tools/bootstrap.mjs sim|test|bench [args].
// It runs before anything is installed, so it imports nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What the builds need beyond npm: a package is there when its command or its file is. */
export const debianPackages = [
  { name: 'duktape-dev', file: '/usr/share/duktape/duktape.c' },
  { name: 'gcc-arm-none-eabi', command: 'arm-none-eabi-gcc' },
  { name: 'libnewlib-arm-none-eabi', file: '/usr/lib/arm-none-eabi/newlib/nano.specs' },
  { name: 'qemu-system-arm', command: 'qemu-system-arm' },
  { name: 'qemu-system-x86', command: 'qemu-system-x86_64' },
  { name: 'gcc', command: 'gcc' },
  // gcc only recommends it, and --no-install-recommends is used.
  { name: 'libc6-dev', file: '/usr/include/stdio.h' },
  { name: 'make', command: 'make' },
  { name: 'xz-utils', command: 'xz' },
  { name: 'device-tree-compiler', command: 'dtc' },
];

/** A mistake of the user or of the machine: its message is printed, and nothing else. */
export class BootstrapError extends Error {}

/**
 * The machine as bootstrap sees it; tests hand in another one.
 * @typedef {object} Machine
 * @property {string} nodeVersion without the v
 * @property {boolean} isRoot
 * @property {(file: string) => number | undefined} modified time of a file, undefined when there is none
 * @property {(command: string) => boolean} hasCommand
 * @property {(command: string, args: readonly string[], env?: Record<string, string>) => {status: number, output: string}} run quietly
 * @property {(line: string) => void} say
 */

/** Refuses a Node that is older than package.json wants. @param {Machine} machine @param {string} range such as '>=20.19' */
export function checkNode(machine, range) {
  const wanted = range.replace(/^>=/, '');
  const [major, minor] = wanted.split('.').map(Number);
  const [haveMajor, haveMinor] = machine.nodeVersion.split('.').map(Number);
  if (haveMajor < major || (haveMajor === major && haveMinor < minor)) {
    throw new BootstrapError(`This project needs Node ${wanted} or newer, and this is Node ${machine.nodeVersion}.`);
  }
}

/** Installs the npm packages when there are none, or when the lock is newer. @param {Machine} machine @param {string} folder */
export function installNpmPackages(machine, folder) {
  const lock = machine.modified(path.join(folder, 'package-lock.json'));
  const installed = machine.modified(path.join(folder, 'node_modules', '.package-lock.json'));
  if (installed !== undefined && (lock === undefined || lock <= installed)) {
    return;
  }
  machine.say('Installing npm packages (npm ci) ...');
  const { status, output } = machine.run('npm', ['ci', '--no-audit', '--no-fund']);
  if (status !== 0) {
    throw new BootstrapError(`${output.trimEnd()}\nnpm ci failed with status ${status}.`);
  }
}

/** Installs the Debian packages that are missing, or says how. @param {Machine} machine */
export function installDebianPackages(machine) {
  const missing = () =>
    debianPackages.filter(({ file, command }) => (file !== undefined ? machine.modified(file) === undefined : !machine.hasCommand(command))).map(({ name }) => name);
  const names = missing();
  if (names.length === 0) {
    return;
  }
  if (!machine.hasCommand('apt-get')) {
    throw new BootstrapError(`What these Debian packages hold is missing, and there is no apt-get to install them: ${names.join(' ')}.`);
  }
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (!machine.isRoot) {
    throw new BootstrapError(`Debian packages are missing; install them with: sudo apt-get ${install.join(' ')}`);
  }
  machine.say(`Installing Debian packages, which takes some minutes: ${names.join(' ')} ...`);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  // A failed update is not the end: the lists may be good enough.
  const update = machine.run('apt-get', ['update'], quiet);
  const { status, output } = machine.run('apt-get', install, quiet);
  if (status !== 0) {
    throw new BootstrapError(`${update.status !== 0 ? update.output : ''}${output.trimEnd()}\napt-get install failed with status ${status}.`);
  }
  const still = missing();
  if (still.length > 0) {
    throw new BootstrapError(`apt-get installed the packages, but what they should hold is still missing: ${still.join(' ')}.`);
  }
}

/** Everything before the command. @param {Machine} machine @param {string} folder */
export function prepare(machine, folder) {
  checkNode(machine, JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).engines.node);
  installNpmPackages(machine, folder);
  installDebianPackages(machine);
}

/** @returns {Machine} */
function thisMachine() {
  return {
    nodeVersion: process.versions.node,
    isRoot: process.getuid?.() === 0,
    modified: (file) => (existsSync(file) ? statSync(file).mtimeMs : undefined),
    hasCommand: (command) => (process.env.PATH ?? '').split(path.delimiter).some((folder) => folder !== '' && existsSync(path.join(folder, command))),
    run: (command, args, env = {}) => {
      const { status, stdout, stderr, error } = spawnSync(command, args, {
        cwd: root,
        env: { ...process.env, ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 2 ** 26,
      });
      return { status: status ?? 1, output: error === undefined ? `${stdout}${stderr}` : error.message };
    },
    say: (line) => process.stdout.write(`${line}\n`),
  };
}

function main() {
  try {
    prepare(thisMachine(), root);
  } catch (error) {
    if (!(error instanceof BootstrapError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  const { status, signal } = spawnSync(process.execPath, [path.join(root, 'tools', 'vmsg.mjs'), ...process.argv.slice(2)], { stdio: 'inherit' });
  return signal === null ? (status ?? 1) : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main();
}
