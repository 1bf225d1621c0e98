// `vmsg check-bundle`: lists what is wrong with bundles, as a compiler lists errors.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkFile, describe } from '../bundle/check-bundle.js';
import { shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg check-bundle [--language] FILE...
  Parses minified bundles: nothing in hot code may allocate, no number may need more than 28 bits, and the language
  must be the ES5 that every engine runs. Hot code is recognised by FILE.map; without it all functions count as hot.
  --language   checks the language only (for the application core's bundle, which may allocate)`;

/** Runs the command; returns the exit status. */
export async function checkBundle(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { language: { type: 'boolean', default: false } } });
  if (positionals.length === 0) {
    throw new UserError('check-bundle wants at least one file.');
  }
  let count = 0;
  for (const file of positionals) {
    const result = checkFile(file, { hot: !values.language });
    const lines = describe(file, result);
    count += lines.length;
    process.stderr.write(lines.map((line) => `${line}\n`).join(''));
    if (lines.length === 0) {
      process.stdout.write(`${shown(path.resolve(file))}: ${result.functions} functions, ${result.hotFunctions} of them hot: nothing found\n`);
    }
  }
  if (count > 0) {
    throw new UserError(`${count} ${count === 1 ? 'finding' : 'findings'}.`);
  }
  return 0;
}
