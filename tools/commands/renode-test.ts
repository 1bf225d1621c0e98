// `vmsg renode-test`: builds the images of the scenes in renode/ and runs their robot suites on the Renode that its user has.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readBoard } from '../image/board.js';
import { run } from '../image/build-files.js';
import { bundle } from '../bundle/bundle.js';
import { buildImage } from '../image/image.js';
import { findRenode, type Renode } from '../emulator/renode.js';
import { packaged, progress } from '../emulator/scene.js';
import { note, type Seen } from '../support/record.js';
import { knownTargets } from '../targets.js';
import { UserError } from '../user-error.js';

/** A scene is a suite in renode/; the board of its target names it. */
const scenes = knownTargets().flatMap((target) => {
  const { renode } = readBoard(target);
  return renode === undefined ? [] : [{ name: renode, target }];
});

export const help = `vmsg renode-test [scene ...]
  Runs the robot suites of renode/, or of the named scenes, on emulated SoCs: ${scenes.map(({ name }) => name).join(', ')}.
  Renode 1.16 or later is found by RENODE (its folder or its program) or by PATH. Without it nothing is run, and the status is 2.`;

/** What the suites came to. */
export interface RenodeOutcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Scenes whose tests all passed. */
  readonly scenes: readonly string[];
  readonly output: string;
}

/** What runs in every scene: an app on the coprocessor, a program of test/emulator/programs on the driver's core. */
const programs = [
  { name: 'entropy', app: ['firmware', 'apps', 'entropy.ts'] },
  { name: 'wrap-around', app: ['firmware', 'apps', 'entropy.ts'] },
  { name: 'hot-removal', app: ['test', 'emulator', 'apps', 'guest.ts'] },
  { name: 'silent-peer', app: ['firmware', 'apps', 'entropy.ts'] },
  { name: 'recovery', app: ['test', 'emulator', 'apps', 'echo.ts'] },
] as const;

/** The counts of a robot run from its robot_output.xml; undefined when it has none. */
export function robotCounts(xml: string): { passed: number; failed: number; skipped: number } | undefined {
  const [, stat] = /<total>[\s\S]*?<stat ([^>]*)>All Tests<\/stat>/.exec(xml) ?? [];
  const count = (name: string): number | undefined => {
    const [, digits] = new RegExp(`\\b${name}="(\\d+)"`).exec(stat ?? '') ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  const [passed, failed] = [count('pass'), count('fail')];
  return passed === undefined || failed === undefined ? undefined : { passed, failed, skipped: count('skip') ?? 0 };
}

/** The scenes of a robot_output.xml whose suites have tests, all of which passed. */
export function passedScenes(xml: string): string[] {
  return [...xml.matchAll(/<suite id="([^"]*)"[^>]* source="[^"]*?([\w-]+)\.robot"/g)].flatMap(([, id, scene = '']) => {
    const whole = new RegExp(`<stat pass="[1-9]\\d*" fail="0" skip="0" id="${id ?? ''}"`);
    return whole.test(xml) ? [scene] : [];
  });
}

/** The named scenes, or all when none is named. */
function chosenScenes(names: readonly string[]): typeof scenes {
  const unknown = names.find((name) => !scenes.some((scene) => scene.name === name));
  if (unknown !== undefined) {
    throw new UserError(`Unknown scene '${unknown}'; known scenes: ${scenes.map(({ name }) => name).join(', ')}.`);
  }
  return scenes.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Builds the scenes' images into `folder`/SCENE-PROGRAM. */
export async function buildScenes(folder: string, names: readonly string[] = [], log: (line: string) => void = () => undefined): Promise<void> {
  for (const { name, target } of chosenScenes(names)) {
    for (const { name: program, app } of programs) {
      const outDir = path.join(folder, `${name}-${program}`);
      mkdirSync(outDir, { recursive: true });
      const bundles = { device: path.join(outDir, 'device.js'), driver: path.join(outDir, 'driver.js') };
      log(`building the images of ${name} with ${program}`);
      await bundle({ target, entry: packaged(...app), role: 'device', outFile: bundles.device });
      await bundle({ target, entry: packaged('test', 'emulator', 'programs', `${program}.ts`), role: 'driver', outFile: bundles.driver });
      await buildImage({ target, engine: 'duktape', bundles, outDir, seededRandom: true, log });
    }
  }
}

/** Runs the scenes' suites on the images that `buildScenes` made in `folder`. */
export async function runSuites(renode: Renode, folder: string, names: readonly string[] = []): Promise<RenodeOutcome> {
  const suites = chosenScenes(names).map(({ name }) => packaged('renode', `${name}.robot`));
  const results = path.join(folder, 'results');
  rmSync(results, { recursive: true, force: true });
  const { status, output } = await run(renode.test, ['--variable', `IMAGES:${folder}`, '-r', results, ...suites]);
  const file = path.join(results, 'robot_output.xml');
  const xml = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const counts = robotCounts(xml);
  // A run that ends badly without naming a failed test, or that ran none, did not get as far as counting.
  const failed = counts?.failed ?? 0;
  const uncounted = failed === 0 && (status !== 0 || counts === undefined || counts.passed === 0) ? 1 : 0;
  return { passed: counts?.passed ?? 0, failed: failed + uncounted, skipped: counts?.skipped ?? 0, scenes: passedScenes(xml), output };
}

/** Builds and runs the named scenes, or all of them; notes the targets that ran. */
export async function runRenodeTests(renode: Renode, names: readonly string[] = [], log: (line: string) => void = () => undefined): Promise<RenodeOutcome> {
  const folder = path.resolve('build', 'renode');
  await buildScenes(folder, names, log);
  log(`running the suites on Renode ${renode.version}`);
  const outcome = await runSuites(renode, folder, names);
  const ranOn = `Renode ${renode.version.split('.').slice(0, 3).join('.')}`;
  const ran = scenes.filter(({ name }) => outcome.scenes.includes(name));
  note(...ran.map(({ name, target }): Seen => ({ target, engine: 'duktape', ranOn, test: `renode/${name}.robot` })));
  return outcome;
}

/** Runs the command; returns the exit status: 2 when nothing was run for want of Renode. */
export async function renodeTest(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const renode = await findRenode();
  if (renode === undefined) {
    process.stdout.write('not run: Renode not found\n');
    return 2;
  }
  const { passed, failed, skipped, output } = await runRenodeTests(renode, positionals, progress);
  progress('');
  process.stdout.write(`${output.trimEnd()}\n\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 ? 1 : 0;
}
