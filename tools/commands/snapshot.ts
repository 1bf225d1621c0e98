// `vmsg snapshot`: turns a bundle into a JerryScript snapshot, by the tool that belongs to the library of the image.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeWhole } from '../image/build-files.js';
import { makeSnapshot } from '../engines/jerryscript.js';
import { shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg snapshot [--out FILE] bundle.js
  Compiles a bundle to a static JerryScript snapshot, which runs in flash; vmsg build --engine jerryscript does the same by itself.
  --out FILE   default the bundle's name with .snapshot in place of .js
  FILE.strings is written beside it: the strings that the snapshot says by number, which the image must hold. docs/engines.md says
  how to link both. The tool jerry-snapshot is that of JERRY_SNAPSHOT, of JERRYSCRIPT_PREFIX/bin, or of the PATH. It must be of the
  library's version and built with the same options: the core refuses a snapshot that does not fit.`;

/** Runs the command; returns the exit status. */
export async function snapshot(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { out: { type: 'string' } } });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) {
    throw new UserError(`snapshot takes one bundle, not ${positionals.length}.`);
  }
  if (!existsSync(file)) {
    throw new UserError(`${file} does not exist.`);
  }
  const out = path.resolve(values.out ?? file.replace(/(\.js)?$/, '.snapshot'));
  const { code, strings } = makeSnapshot(readFileSync(file, 'utf8'), path.basename(file), path.dirname(out));
  for (const [name, content] of [[out, code], [`${out}.strings`, strings]] as const) {
    writeWhole(name, content);
    process.stdout.write(`${shown(name)}: ${content.length} bytes\n`);
  }
  return Promise.resolve(0);
}
