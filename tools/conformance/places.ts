// The places where the conformance suite runs against this package's own stack: its sources, its bundle, an emulated SoC.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Mode } from '../../test/conformance/runner/suite.js';
import { modeName } from '../../test/conformance/runner/suite.js';
import { CHOICE } from '../../test/conformance/runner/choice.js';
import type { RunResult } from '../emulator/emulator.js';
import { buildScene, lastStep, packaged, progress, runScene } from '../emulator/scene.js';
import { readBoard } from '../image/board.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

export type Place = 'sources' | 'bundle' | 'soc';

const SOC = 'mps2-an521-m33';

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

/** Writes a source file of `text` for a target's build and returns it. */
function entry(target: string, name: string, text: string): string {
  const folder = path.resolve('build', target);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** A file of the suite, as an import names it. */
function from(...parts: string[]): string {
  return JSON.stringify(packaged('test', 'conformance', ...parts));
}

/** Throws a UserError unless the suite came to its end. */
function mustEnd(result: RunResult, target: string, mode: Mode): void {
  if (result.hung || result.status !== 0) {
    const reasons = [...result.driver, ...result.device].filter((text) => /^!|^error:|^fatal:/.test(text));
    const reason = result.hung ? `it hung for ${LIMIT_SECONDS} s` : reasons.length === 0 ? `status ${result.status}` : reasons.join('; ');
    throw new UserError(`The suite on ${target}, ${modeName(mode)}, did not come to its end: ${reason} (${lastStep(result.driver)}).`);
  }
}

/** Bundles the suite's bus and the suite itself and runs both. */
async function runBundle(place: 'bundle' | 'soc', mode: Mode, chosen: readonly number[], line: (text: string) => void): Promise<void> {
  const target = place === 'bundle' ? 'host' : SOC;
  const name = `conformance-${mode.profile.toLowerCase()}${mode.strict ? '-strict' : ''}`;
  const app = entry(target, `${name}-app.ts`, `import { specimenApp } from ${from('apps', 'specimen.js')};\n\nexport default specimenApp(${JSON.stringify(mode)});\n`);
  const program = entry(target, `${name}-suite.ts`, `import { suite } from ${from('programs', 'suite.js')};\n\nsuite(${JSON.stringify(mode)}, [${chosen.join(', ')}]);\n`);
  const memory = path.resolve('build', target, `${name}.memory`);
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
  mustEnd(result, target, mode);
}

/**
 * Builds one image for all `modes` of the emulated SoC. The returned function runs the cases chosen for mode number `at`, like
 * `runPlace`: the emulator writes that number into the shared memory, where both cores find it.
 */
export async function buildNotified(modes: readonly Mode[], chosen: readonly (readonly number[])[]): Promise<(at: number, line: (text: string) => void) => Promise<void>> {
  const app = entry(SOC, 'conformance-notified-app.ts', `import { notifiedSpecimen } from ${from('apps', 'notified.js')};\n\nexport default notifiedSpecimen(${JSON.stringify(modes)});\n`);
  const program = entry(SOC, 'conformance-notified-suite.ts', `import { notifiedSuite } from ${from('programs', 'notified.js')};\n\nnotifiedSuite(${JSON.stringify(modes)}, ${JSON.stringify(chosen)});\n`);
  const scene = await buildScene({ target: SOC, app, program, onStep: progress });
  const window = readBoard(SOC).windows[0]?.cpuAddress;
  return async (at, line) => {
    const result = await scene.run({ limitSeconds: LIMIT_SECONDS, onDriverLine: line, poke: { address: Number(window) + CHOICE, value: at } });
    mustEnd(result, SOC, modes[at] as Mode);
  };
}
