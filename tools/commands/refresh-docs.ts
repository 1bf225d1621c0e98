// `vmsg refresh-docs`: runs the commands whose output stands in the documents and puts the new output there.
//
// A line `<!-- output: vmsg ARGUMENTS -->` stands above a fenced block. `<!-- output: vmsg ARGUMENTS (shortened) -->` keeps
// the first and the last lines of a long output.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { progress } from '../emulator/scene.js';
import { packageRoot, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg refresh-docs [FILE ...]
  Runs each command named in a line <!-- output: vmsg ... --> and replaces the fenced block below it by what it prints.
  FILE   default README.md and docs/*.md`;

/** Lines of a shortened output that stay at its start and at its end. */
const firstLines = 14;
const lastLines = 24;

const block = /(<!-- output: vmsg ([^\n]*?)( \(shortened\))? -->\n```\n)([^]*?)(```)/g;

/** One output as documents show it: without the progress of building, on request without its middle. */
export function asShown(output: string, shortened: boolean): string {
  const lines = output.trimEnd().split('\n').filter((line) => !/^(bundling|compile|link|starting) /.test(line));
  const long = shortened && lines.length > firstLines + lastLines + 1;
  return `${(long ? [...lines.slice(0, firstLines), '  ...', ...lines.slice(-lastLines)] : lines).join('\n')}\n`;
}

/** The arguments of the commands whose output `text` shows. */
export function commandsIn(text: string): string[] {
  return [...text.matchAll(block)].map((match) => match[2] as string);
}

/** `text` with the blocks replaced by what `run` prints for their arguments. */
export function refreshed(text: string, run: (commandLine: string) => string): string {
  return text.replace(block, (_all, head: string, commandLine: string, short: string | undefined, _old, tail: string) => head + asShown(run(commandLine), short !== undefined) + tail);
}

function runVmsg(commandLine: string): string {
  progress(`vmsg ${commandLine}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'vmsg.mjs'), ...commandLine.split(' ')], {
    cwd: packageRoot,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) {
    throw new UserError(`vmsg ${commandLine} failed, so its output was not taken: ${stderr.trim()}`);
  }
  return stdout;
}

/** Runs the command; returns the exit status. */
export async function refreshDocs(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const docs = path.join(packageRoot, 'docs');
  const files = positionals.length > 0 ? positionals : [path.join(packageRoot, 'README.md'), ...readdirSync(docs).filter((name) => name.endsWith('.md')).map((name) => path.join(docs, name))];
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const result = refreshed(text, runVmsg);
    progress('');
    if (result !== text) {
      writeFileSync(file, result);
      process.stdout.write(`${shown(file)}: refreshed\n`);
    }
  }
  return Promise.resolve(0);
}
