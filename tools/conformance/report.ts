// The conformance report: requirement by requirement, proven by which cases and which named tests, or why not applicable.
import type { Requirement } from '../../test/conformance/requirements.js';
import type { Case, Profile } from '../../test/conformance/runner/vocabulary.js';
import { isNotified } from '../../test/conformance/runner/ways.js';
import type { NamedTest } from './named-tests.js';

export interface ReportInput {
  readonly requirements: readonly Requirement[];
  readonly cases: readonly Case[];
  readonly tests: readonly NamedTest[];
  /** Profiles that the stack serves, so that cases run in them. */
  readonly profiles: readonly Profile[];
}

/** The profiles in which a case runs. */
export function profilesOf(one: Case, served: readonly Profile[]): string {
  return served.filter((profile) => one.profiles === undefined || one.profiles.includes(profile)).join('');
}

/** A table cell must not end early. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** `*` = also on the emulated SoC, `**` = there in every way to announce buffers. */
function stars(one: Case): string {
  return one.subset !== true ? '' : isNotified(one) ? '**' : '*';
}

/** The cases that prove `id`: their numbers with stars, with the profiles when not all that bind it. */
function casesFor(requirement: Requirement, { cases, profiles }: ReportInput): string {
  const bound = profiles.filter((profile) => requirement.profiles.includes(profile)).join('');
  return cases
    .map((one, index) => ({ one, number: index + 1, run: [...profilesOf(one, profiles)].filter((profile) => bound.includes(profile)).join('') }))
    .filter(({ one, run }) => one.proves.includes(requirement.id) && run !== '')
    .map(({ one, number, run }) => `${number}${stars(one)}${run === bound ? '' : ` (${run})`}`)
    .join(', ');
}

/** Files with tests named for `id`. */
function filesFor(id: string, tests: readonly NamedTest[]): string {
  return [...new Set(tests.filter((test) => test.requirements.includes(id)).map(({ file }) => file.replace(/^firmware\//, '')))].join(', ');
}

/** Requirements that apply and that neither a case in one of their profiles nor a named test proves. */
export function unproven(input: ReportInput): Requirement[] {
  return input.requirements.filter((one) => one.notApplicable === undefined && casesFor(one, input) === '' && filesFor(one.id, input.tests) === '');
}

/** The whole report as Markdown; the same input gives the same text. */
export function makeReport(input: ReportInput): string {
  const { requirements, cases, tests, profiles } = input;
  const applicable = requirements.filter(({ notApplicable }) => notApplicable === undefined);
  const byCase = applicable.filter((one) => casesFor(one, input) !== '').length;
  const byTest = applicable.filter((one) => filesFor(one.id, tests) !== '').length;
  const lines = [
    '# Conformance report',
    '',
    'Written by `npx vmsg conformance --report`, which fails when a case fails or a requirement has no proof. Do not edit.',
    '',
    `* ${requirements.length} requirements, ${requirements.length - applicable.length} of them not applicable; wire profiles served: ${profiles.join(', ')}`,
    `* ${cases.length} cases on the wire prove ${byCase} requirements`,
    `* named tests in the sources stand behind ${byTest} requirements`,
    '',
    'A case runs against the TypeScript sources and against the minified bundle in the Duktape host process over a',
    'shared-memory file; those with a star run on the emulated mps2-an521-m33 as well, those with two stars there in every way',
    'to announce buffers: messages with doorbells and polled, a doorbell that names no queue, notification words direct and',
    'cascaded, without masks and with them. Letters behind a case: it runs in',
    'these profiles only. Named tests are unit tests of this package whose names begin with the requirement\'s number; `npm',
    'test` runs them on the sources. Files are below `test/`, those without another folder below `test/firmware/`.',
    '',
  ];
  let section = '';
  for (const one of requirements) {
    if (one.section !== section) {
      section = one.section;
      lines.push(`## ${section}`, '', '| No. | Requirement | Profiles | Cases | Named tests |', '|---|---|---|---|---|');
    }
    const [proof, files] = one.notApplicable === undefined ? [casesFor(one, input), filesFor(one.id, tests)] : [`not applicable: ${one.notApplicable}`, ''];
    lines.push(`| ${one.id} | ${cell(one.text)} | ${one.profiles} | ${cell(proof) || '-'} | ${cell(files) || '-'} |`);
    const next = requirements[requirements.indexOf(one) + 1];
    if (next?.section !== section) {
      lines.push('');
    }
  }
  lines.push('## Cases', '', '| Case | What it shows | Proves | Profiles |', '|---|---|---|---|');
  cases.forEach((one, index) => {
    lines.push(`| ${index + 1}${stars(one)} | ${cell(one.title)} | ${one.proves.join(' ')} | ${profilesOf(one, profiles) || `none here (${one.profiles})`} |`);
  });
  return `${lines.join('\n')}\n`;
}
