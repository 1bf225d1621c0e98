// `vmsg conformance`: holds this package's own stack, or somebody else's device, against the requirements, and reports.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from '../../test/conformance/cases/index.js';
import { requirements } from '../../test/conformance/requirements.js';
import { descriptionFrom } from '../../test/conformance/runner/subject.js';
import { casesOf, modeName, modes, type Mode } from '../../test/conformance/runner/suite.js';
import type { Case, Profile } from '../../test/conformance/runner/vocabulary.js';
import { profiles } from '../../test/conformance/runner/vocabulary.js';
import { notifiedCasesOf, notifiedModes } from '../../test/conformance/runner/ways.js';
import { runForeign } from '../conformance/foreign.js';
import { namedTests } from '../conformance/named-tests.js';
import { buildNotified, placeNames, places, runPlace, type Place } from '../conformance/places.js';
import { makeReport, unproven, type ReportInput } from '../conformance/report.js';
import { packaged, progress } from '../emulator/scene.js';
import { packageRoot, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg conformance [--profile P ...] [--where W ...] [--only TEXT] [--list] [--report [--out FILE]]
  Runs the conformance cases against this package's own stack; fails when a case fails.
  --profile P   ${profiles.join(', ')}; may be repeated; default all
  --where W     ${places.map((place) => `${place} (${placeNames[place]})`).join(',\n                ')}; default all
  --only TEXT   only cases whose title or requirements contain TEXT
  --list        lists the cases instead
  --report      runs everything, then writes the table of requirements; fails when one has no proof
  --out FILE    the report's file, default docs/conformance.md

vmsg conformance --memory FILE --profile P [--layout OFFSET] [--doorbell COMMAND] [--address A] [--arena OFFSET] [--quiet MS]
                 [--describe FILE] [--only TEXT]
  Runs the cases against somebody else's device behind the AMP shared-memory carrier (docs/conformance-suite.md).
  --memory FILE       file that the device maps; may be in /dev/shm
  --layout OFFSET     where in the file the device publishes its layout header, default 0
  --doorbell COMMAND  shell command that rings the device; without it the device has to poll
  --address A         address of the file's first byte as the device knows it, default 0
  --arena OFFSET      96 KiB that the suite may use for rings and buffers, default 0x20000
  --quiet MS          after how long a device that said nothing has nothing to say, default 20
  --describe FILE     JSON with facts about the device; what is left out is asked for on the wire`;

/** The case numbers of a report count from 1. */
function label(index: number): string {
  const one = cases[index] as Case;
  return `case ${index + 1}, ${one.title} (${one.proves.join(' ')})`;
}

/** What a run of the suite came to. */
interface Tally {
  passed: number;
  readonly failed: string[];
  readonly notRun: string[];
}

/** Reads the suite's lines, see runner/suite.ts; anything else is a program's own and passed over. */
function tallier(tally: Tally, what: string): (line: string) => void {
  return (line) => {
    const match = /^(ok|not ok|not run) (\d+)(?: (.*))?$/.exec(line.trimEnd());
    if (match === null) {
      return;
    }
    const [, word, number, reason = ''] = match;
    const index = Number(number);
    if (word === 'ok') {
      tally.passed++;
    } else {
      (word === 'not ok' ? tally.failed : tally.notRun).push(`${label(index)}: ${reason}`);
    }
    if (process.stdout.isTTY) {
      progress(`${what}: ${tally.passed + tally.failed.length + tally.notRun.length} cases`);
    }
  };
}

function write(text: string): void {
  progress('');
  process.stdout.write(`${text}\n`);
}

/** Prints what a run came to; returns true when nothing failed. */
function conclude(tally: Tally, what: string, expected: number): boolean {
  const { passed, failed, notRun } = tally;
  const lost = expected - passed - failed.length - notRun.length;
  write(`${what}: ${passed} passed, ${failed.length} failed${notRun.length === 0 ? '' : `, ${notRun.length} not run`}`);
  failed.forEach((line) => write(`  failed: ${line}`));
  notRun.forEach((line) => write(`  not run: ${line}`));
  if (lost !== 0) {
    write(`  failed: ${lost} cases came to no end`);
  }
  return failed.length === 0 && lost === 0;
}

/** Those of the cases with these indices whose title or requirements have the text. */
function withText(indices: readonly number[], only: string | undefined): number[] {
  return indices.filter((index) => {
    const one = cases[index] as Case;
    return only === undefined || one.title.includes(only) || one.proves.includes(only);
  });
}

/** The cases of a mode whose title or requirements have the text. */
function chosen(mode: Mode, only: string | undefined, subset: boolean): number[] {
  return withText(casesOf(cases, mode), only).filter((index) => !subset || cases[index]?.subset === true);
}

function list(): void {
  cases.forEach((one, index) => {
    process.stdout.write(`${String(index + 1).padStart(4)} ${(one.profiles ?? 'ABC').padEnd(3)} ${one.subset === true ? '*' : ' '} ${one.proves.join(' ')}: ${one.title}\n`);
  });
}

/** Everything the report is made from. */
export function reportInput(): ReportInput {
  return { requirements, cases, tests: namedTests(packaged('test')), profiles };
}

/** The modes that are tried at a place. What strict generations add to B and C is the same code as A's: the sources show it. */
function modesAt(place: Place, chosenProfiles: readonly Profile[]): Mode[] {
  return modes.filter(({ profile, strict }) => chosenProfiles.includes(profile) && (place === 'sources' || profile === 'A' || !strict));
}

/** Runs `indices` by `run` and prints what came of them; returns true when all passed. */
async function runMode(what: string, indices: readonly number[], run: (line: (text: string) => void) => Promise<void>): Promise<boolean> {
  const tally: Tally = { passed: 0, failed: [], notRun: [] };
  await run(tallier(tally, what));
  // The suite's own bus has everything that cases ask for: one that does not run there proves nothing.
  tally.failed.push(...tally.notRun.splice(0));
  return conclude(tally, what, indices.length);
}

/** Runs the cases about notifications on the emulated SoC in every way to announce buffers. */
async function runNotified(chosenProfiles: readonly Profile[], only: string | undefined): Promise<{ good: boolean; ran: number }> {
  const all = notifiedModes().filter(({ profile }) => chosenProfiles.includes(profile));
  const indices = all.map((mode) => withText(notifiedCasesOf(cases, mode), only));
  const ran = indices.reduce((sum, { length }) => sum + length, 0);
  let good = true;
  if (ran > 0) {
    const run = await buildNotified(all, indices);
    for (const [at, mode] of all.entries()) {
      const some = indices[at] as number[];
      if (some.length > 0) {
        good = (await runMode(`soc, ${modeName(mode)}`, some, (line) => run(at, line))) && good;
      }
    }
  }
  return { good, ran };
}

/** Runs cases at every chosen place; returns true when all is well. */
async function runAll(chosenPlaces: readonly Place[], chosenProfiles: readonly Profile[], only: string | undefined): Promise<boolean> {
  let good = true;
  let ran = 0;
  for (const place of chosenPlaces) {
    for (const mode of modesAt(place, chosenProfiles)) {
      const what = `${place}, ${modeName(mode)}`;
      const indices = chosen(mode, only, place === 'soc');
      if (indices.length > 0) {
        good = (await runMode(what, indices, (line) => runPlace(place, mode, indices, line))) && good;
        ran += indices.length;
      }
    }
    if (place === 'soc') {
      const notified = await runNotified(chosenProfiles, only);
      good = notified.good && good;
      ran += notified.ran;
    }
  }
  if (ran === 0) {
    throw new UserError(`No case has '${only ?? ''}' in its title or among its requirements.`);
  }
  return good;
}

/** Checks a list of names given on the command line. */
function known<Name extends string>(what: string, names: readonly string[] | undefined, all: readonly Name[]): readonly Name[] {
  const wrong = names?.find((name) => !all.some((one) => one === name));
  if (wrong !== undefined) {
    throw new UserError(`Unknown ${what} '${wrong}'; known: ${all.join(', ')}.`);
  }
  return names === undefined ? all : all.filter((one) => names.includes(one));
}

function count(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new UserError(`--${option} wants a number, decimal or with 0x, not '${text}'.`);
  }
  return value;
}

function readDescription(file: string | undefined): ReturnType<typeof descriptionFrom> {
  if (file === undefined) {
    return {};
  }
  try {
    return descriptionFrom(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UserError(`The description ${file} cannot be used: ${(error as Error).message}.`);
  }
}

/** Runs the command; returns the exit status. */
export async function conformance(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string', multiple: true },
      where: { type: 'string', multiple: true },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      out: { type: 'string' },
      memory: { type: 'string' },
      layout: { type: 'string', default: '0' },
      doorbell: { type: 'string' },
      address: { type: 'string', default: '0' },
      arena: { type: 'string', default: '0x20000' },
      quiet: { type: 'string', default: '20' },
      describe: { type: 'string' },
    },
  });
  const chosenProfiles = known<Profile>('profile', values.profile, values.memory === undefined ? profiles : ['A', 'B', 'C']);
  const chosenPlaces = known<Place>('place', values.where, places);
  if (values.list) {
    list();
    return 0;
  }
  if (values.memory !== undefined) {
    const [profile] = chosenProfiles;
    if (values.profile === undefined || chosenProfiles.length !== 1 || profile === undefined) {
      throw new UserError('A foreign device wants one --profile: it cannot be told from the bytes.');
    }
    const description = readDescription(values.describe);
    const mode: Mode = { profile, strict: description.strict ?? profile === 'A' };
    // Everything of the profile: the runner itself leaves out what the device has not.
    const indices = [...new Set(modes.filter((one) => one.profile === profile).flatMap((one) => chosen(one, values.only, false)))].sort((one, other) => one - other);
    const tally: Tally = { passed: 0, failed: [], notRun: [] };
    const what = `${values.memory}, ${modeName(mode)}`;
    runForeign(
      {
        file: values.memory,
        layout: count(values.layout, 'layout'),
        address: count(values.address, 'address'),
        doorbell: values.doorbell,
        arena: count(values.arena, 'arena'),
        quietMicroseconds: count(values.quiet, 'quiet') * 1000,
        profile,
        description,
      },
      indices,
      tallier(tally, what),
    );
    return conclude(tally, what, indices.length) && tally.passed > 0 ? 0 : 1;
  }
  if (!values.report) {
    return (await runAll(chosenPlaces, chosenProfiles, values.only)) ? 0 : 1;
  }
  if (values.profile !== undefined || values.where !== undefined || values.only !== undefined) {
    throw new UserError('--report tells of all profiles and places: leave --profile, --where and --only away.');
  }
  if (!existsSync(path.join(packageRoot, 'test', 'tools'))) {
    throw new UserError('The report counts the unit tests too, which are in the repository, not in the installed package.');
  }
  const input = reportInput();
  const open = unproven(input);
  const good = await runAll(places, profiles, undefined);
  open.forEach((one) => write(`  no proof: ${one.id} ${one.text}`));
  if (!good || open.length > 0) {
    write(`No report was written: ${good ? '' : 'cases failed, '}${open.length} requirements have no proof.`);
    return 1;
  }
  const file = values.out ?? packaged('docs', 'conformance.md');
  writeFileSync(file, makeReport(input));
  write(`${shown(path.resolve(file))}: ${requirements.length} requirements, each proven or reasoned`);
  return 0;
}
