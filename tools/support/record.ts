// Which target was built, and run, with which engine: what tests note when they have seen it, and the table made of that.
//
// Tests leave notes in build/support; `vmsg support --record` takes them over into docs/support.json, which is kept. A test that has
// seen more than the kept record says fails, so that the record cannot stay behind; only a note gets anything into it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleEngines, type BundleEngine, knownTargets, packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** What one test has seen. */
export interface Seen {
  readonly target: string;
  readonly engine: BundleEngine;
  /** What the image ran on, such as "QEMU 7.2.22"; absent: it was built and read back. */
  readonly ranOn?: string;
  /** The test's file, from the package's folder: a test, or a suite of Renode's. */
  readonly test: string;
}

const recordFile = path.join(packageRoot, 'docs', 'support.json');
const notesFolder = path.join(packageRoot, 'build', 'support');

/** What it ran on without the version: 'QEMU', 'Renode', 'a Linux process'; 'built' where it never ran. */
const emulatorOf = ({ ranOn = 'built' }: Seen): string => ranOn.replace(/ \d.*/, '');

const sameKind = (a: Seen, b: Seen): boolean => a.target === b.target && a.engine === b.engine && emulatorOf(a) === emulatorOf(b);

/** The kept record. */
export function recorded(): Seen[] {
  return JSON.parse(readFileSync(recordFile, 'utf8')) as Seen[];
}

/** Notes what a test has seen. Throws UserError when the kept record does not know it. */
export function note(...all: readonly Seen[]): void {
  mkdirSync(notesFolder, { recursive: true });
  for (const seen of all) {
    const name = [seen.target, seen.engine, emulatorOf(seen).replaceAll(' ', '-')].join('-');
    writeFileSync(path.join(notesFolder, `${name}.json`), JSON.stringify(seen));
  }
  const news = all.find((seen) => !recorded().some((known) => sameKind(known, seen)));
  if (news !== undefined) {
    const what = news.ranOn === undefined ? 'built' : `run on ${news.ranOn}`;
    throw new UserError(`${news.target} was ${what} with ${news.engine}, which docs/support.json does not say: run vmsg support --record.`);
  }
}

/** The record with the notes in it: a note replaces what was known of its kind; what no longer is a target goes. */
export function withNotes(record: readonly Seen[], notes: readonly Seen[], targets: readonly string[]): Seen[] {
  const place = (seen: Seen): string => [seen.target, String(bundleEngines.indexOf(seen.engine)), seen.ranOn === undefined ? 0 : emulatorOf(seen)].join(' ');
  return [...record.filter((known) => !notes.some((seen) => sameKind(known, seen))), ...notes]
    .filter(({ target }) => targets.includes(target))
    .sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** Takes the notes of this machine's test runs over into the kept record. */
export function keepNotes(): void {
  const files = existsSync(notesFolder) ? readdirSync(notesFolder) : [];
  const notes = files.map((file) => JSON.parse(readFileSync(path.join(notesFolder, file), 'utf8')) as Seen);
  const lines = withNotes(recorded(), notes, knownTargets()).map((seen) => `  ${JSON.stringify(seen)}`);
  writeFileSync(recordFile, `[\n${lines.join(',\n')}\n]\n`);
}

/** One line a target, one column an engine. */
export function supportTable(record: readonly Seen[], targets: readonly string[]): string {
  const cell = (target: string, engine: BundleEngine): string => {
    const seen = record.filter((known) => known.target === target && known.engine === engine);
    const ran = seen.flatMap(({ ranOn }) => ranOn ?? []);
    return ran.length > 0 ? ran.join('; ') : seen.length > 0 ? 'built' : '-';
  };
  const rows = [['target', ...bundleEngines], ...targets.map((target) => [target, ...bundleEngines.map((engine) => cell(target, engine))])];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}
