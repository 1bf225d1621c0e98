// Debian packages for guests, of either architecture or newer than the release: downloaded and unpacked into a cache folder; nothing is installed on this machine.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run, temporaryName, writeWhole, type Outcome } from '../image/build-files.js';
import { UserError } from '../user-error.js';
import type { Architecture } from './architecture.js';

/** Where unpacked packages stay, each in a folder of its name as apt has it (NAME:ARCHITECTURE). Who deletes a folder gets the package anew. */
function cacheFolder(): string {
  return path.resolve('build', 'cache', 'debian');
}

/** Names of the packages of an architecture that the cache has. */
export function packagesInCache({ debian }: Architecture): string[] {
  const folders = existsSync(cacheFolder()) ? readdirSync(cacheFolder()) : [];
  return folders.filter((folder) => folder.endsWith(`:${debian}`)).map((folder) => folder.slice(0, -debian.length - 1));
}

/** Says what takes time. */
export type OnStep = (line: string) => void;

async function program(command: string, args: readonly string[], folder?: string): Promise<Outcome> {
  try {
    return await run(command, args, folder);
  } catch {
    throw new UserError(`There is no ${command} here: Debian packages cannot be fetched.`);
  }
}

/** The last line that tells something, for one sentence. */
function lastWords(output: string): string {
  return output.trim().split('\n').pop()?.replace(/\.$/, '') ?? '';
}

/** Debian's name for the architecture of this machine. */
const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** The lists by which apt finds packages. */
export interface Lists {
  /** Options that name them; none for the system's. */
  readonly options: readonly string[];
  /** Whether anybody may renew them. */
  readonly own: boolean;
}

/** Lists in a folder of their own beside the cache; the system's stay as they are. */
function ownLists(name: string, more: readonly string[]): Lists {
  const [lists, cache] = ['lists', 'archives'].map((folder) => path.resolve('build', 'cache', name, folder)) as [string, string];
  [lists, path.join(cache, 'archives')].forEach((folder) => mkdirSync(path.join(folder, 'partial'), { recursive: true }));
  const options = [...more, `Dir::State::lists=${lists}`, `Dir::Cache=${cache}`, 'APT::Sandbox::User=root'];
  return { options: options.flatMap((option) => ['-o', option]), own: true };
}

/** The lists with the packages of an architecture in the release of this machine. */
export function listsOf({ debian }: Architecture): Lists {
  return debian === ownArchitecture
    ? { options: [], own: false }
    : ownLists(`debian-${debian}`, [`APT::Architecture=${debian}`, `APT::Architectures::=${debian}`]);
}

/** The lists of the backports to the release of this machine, from where apt has the release itself; apt checks their signature as any other. */
export async function backports(): Promise<Lists> {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')?.[1] ?? '';
  const { output } = await program('apt-get', ['update', '--print-uris']);
  const archive = new RegExp(`^'(\\S+)/dists/${release}/InRelease'`, 'm').exec(output)?.[1];
  if (archive === undefined) {
    throw new UserError('apt knows no archive of this machine\'s Debian release: its backports cannot be found.');
  }
  const name = `debian-${release}-backports`;
  const sources = path.resolve('build', 'cache', name, 'sources.list');
  const lists = ownLists(name, [`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=-']);
  writeWhole(sources, `deb ${archive} ${release}-backports main\n`);
  return lists;
}

/** Runs an apt command; when it fails and the lists may be renewed, renews them and tries once more. */
async function apt(command: string, args: readonly string[], { options, own }: Lists, folder?: string): Promise<string> {
  const first = await program(command, [...options, ...args], folder);
  if (first.status === 0) {
    return first.output;
  }
  if (own || process.getuid?.() === 0) {
    await program('apt-get', [...options, 'update']);
    const second = await program(command, [...options, ...args], folder);
    if (second.status === 0) {
      return second.output;
    }
  }
  throw new UserError(`${command} ${args.join(' ')} failed: ${lastWords(first.output)}.`);
}

/** Runs a program that works on a package; throws a UserError when it fails. */
async function mustDo(command: string, args: readonly string[], what: string): Promise<string> {
  const { status, output } = await program(command, args);
  if (status !== 0) {
    throw new UserError(`${command} cannot ${what}: ${lastWords(output)}.`);
  }
  return output.trim();
}

/** Downloads package `name`, as apt has it (NAME:ARCHITECTURE, perhaps =VERSION), into a folder that holds no other package; returns its file. */
export async function download(name: string, lists: Lists, folder: string, onStep: OnStep): Promise<string> {
  mkdirSync(folder, { recursive: true });
  onStep(`fetching the Debian package ${name}`);
  await apt('apt-get', ['download', name], lists, folder);
  const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
  if (file === undefined) {
    throw new UserError(`apt-get download ${name} left no package.`);
  }
  return path.join(folder, file);
}

export async function unpack(file: string, folder: string, onStep: OnStep): Promise<void> {
  onStep(`unpacking ${path.basename(file)}`);
  await mustDo('dpkg-deb', ['-x', file, folder], `unpack ${path.basename(file)}`);
}

/** A field of a package file, such as Version. */
export function packageField(file: string, field: string): Promise<string> {
  return mustDo('dpkg-deb', ['-f', file, field], `read ${path.basename(file)}`);
}

/** The folder `name` of the cache. Where it is not there yet, `fill` makes its files; `scratch` is gone afterwards. It appears whole or not at all. */
export async function cached(name: string, fill: (files: string, scratch: string) => Promise<void>): Promise<string> {
  const folder = path.join(cacheFolder(), name);
  if (existsSync(folder)) {
    return folder;
  }
  const scratch = temporaryName(folder);
  const files = path.join(scratch, 'files');
  mkdirSync(files, { recursive: true });
  try {
    await fill(files, scratch);
    // Another run may have been faster; what it left is as good.
    if (!existsSync(folder)) {
      renameSync(files, folder);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** The folder with the unpacked files of package `name`; fetches it where it is not in the cache. Throws a UserError when that cannot be. */
export function debianPackage(name: string, architecture: Architecture, onStep: OnStep): Promise<string> {
  const full = `${name}:${architecture.debian}`;
  return cached(full, async (files, scratch) => unpack(await download(full, listsOf(architecture), path.join(scratch, 'package'), onStep), files, onStep));
}

/** The name of the package that the package `meta` stands for and whose name begins with `start`. */
export async function dependencyOf(meta: string, start: string, architecture: Architecture): Promise<string> {
  const output = await apt('apt-cache', ['depends', `${meta}:${architecture.debian}`], listsOf(architecture));
  const name = [...output.matchAll(/Depends: (\S+)/g)].map((match) => match[1] ?? '').find((one) => one.startsWith(start));
  if (name === undefined) {
    throw new UserError(`The package ${meta} does not name a package ${start}...`);
  }
  return name;
}
