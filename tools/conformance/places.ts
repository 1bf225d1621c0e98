// The places where the conformance suite runs against this package's own stack: its sources, its bundle, an emulated SoC.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Mode } from '../../test/conformance/runner/suite.js';
import { modeName } from '../../test/conformance/runner/suite.js';
import { lastStep, packaged, progress, runScene } from '../emulator/scene.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

export type Place = 'sources' | 'bundle' | 'soc';

export const places: readonly Place[] = ['sources', 'bundle', 'soc'];

/** What the reader of a report is told about each place. */
export const placeNames: Readonly<Record<Place, string>> = {
  sources: 'the TypeScript sources on the fake port',
  bundle: 'the minified bundle in the Duktape host process, over a shared-memory file',
  soc: 'the minified bundle on core 1 of the emulated mps2-an521-m33',
};

/** A guard against a hang, in seconds. */
const LIMIT_SECONDS = 900;

/** Runs the cases with these indices; `line` gets the suite's lines. Throws UserError when the suite does not come to its end. */
export async function runPlace(place: Place, mode: Mode, chosen: readonly number[], line: (text: string) => void): Promise<void> {
  await (place === 'sources' ? runSources(mode, chosen, line) : runBundle(place, mode, chosen, line));
}

/** The sources need `#port` to be the fake one, which is a condition of the whole process. */
function runSources(mode: Mode, chosen: readonly number[], line: (text: string) => void): Promise<void> {
  const args = ['--conditions=fake', '--import', 'tsx', packaged('test', 'conformance', 'run-sources.ts'), JSON.stringify(mode), chosen.join(',')];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: packageRoot, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    const rest = lines(child.stdout, line);
    child.stderr.on('data', (data: Buffer) => {
      errors += data.toString();
    });
    child.on('error', reject);
    child.on('close', (status) => {
      rest();
      if (status === 0) {
        resolve();
      } else {
        reject(new UserError(`The suite on the sources, ${modeName(mode)}, ended with status ${status}: ${errors.trim().split('\n').pop() ?? ''}`));
      }
    });
  });
}

/** Hands whole lines on; the returned function hands on what is left. */
function lines(stream: NodeJS.ReadableStream, line: (text: string) => void): () => void {
  let rest = '';
  stream.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() ?? '';
    parts.forEach(line);
  });
  return () => {
    if (rest !== '') {
      line(rest);
    }
  };
}

/** Bundles the suite's bus and the suite itself and runs both. */
async function runBundle(place: 'bundle' | 'soc', mode: Mode, chosen: readonly number[], line: (text: string) => void): Promise<void> {
  const target = place === 'bundle' ? 'host' : 'mps2-an521-m33';
  const folder = path.resolve('build', target);
  mkdirSync(folder, { recursive: true });
  const name = `conformance-${mode.profile.toLowerCase()}${mode.strict ? '-strict' : ''}`;
  const entry = (role: string, text: string): string => {
    const file = path.join(folder, `${name}-${role}.ts`);
    writeFileSync(file, text);
    return file;
  };
  const from = (...parts: string[]): string => JSON.stringify(packaged('test', 'conformance', ...parts));
  const app = entry('app', `import { specimenApp } from ${from('apps', 'specimen.js')};\n\nexport default specimenApp(${JSON.stringify(mode)});\n`);
  const program = entry('suite', `import { suite } from ${from('programs', 'suite.js')};\n\nsuite(${JSON.stringify(mode)}, [${chosen.join(', ')}]);\n`);
  const memory = path.join(folder, `${name}.memory`);
  writeFileSync(memory, '');
  const result = await runScene({
    target,
    app,
    program,
    limitSeconds: LIMIT_SECONDS,
    onStep: progress,
    onDriverLine: line,
    ...(place === 'bundle' ? { memory } : {}),
  });
  if (result.hung || result.status !== 0) {
    const reasons = [...result.driver, ...result.device].filter((text) => /^!|^error:|^fatal:/.test(text));
    const reason = result.hung ? `it hung for ${LIMIT_SECONDS} s` : reasons.length === 0 ? `status ${result.status}` : reasons.join('; ');
    throw new UserError(`The suite on ${target}, ${modeName(mode)}, did not come to its end: ${reason} (${lastStep(result.driver)}).`);
  }
}
