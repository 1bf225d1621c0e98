// A folder for one test inside the package, so that what is written there resolves #port as the firmware does.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { bundle, type BundleResult } from '../../tools/bundle/bundle.js';
import { packageRoot } from '../../tools/targets.js';

/** Where the fixtures lie. */
export const fixtures = path.join(packageRoot, 'test', 'tools', 'fixtures');

const made: string[] = [];

after(() => {
  made.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});

/** Writes files by name into a new folder, which goes when the test file ends; returns the folder. */
export function workspace(files: Readonly<Record<string, string>>): string {
  const parent = path.join(packageRoot, 'build', 'test-tools');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'w-'));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** A firmware whose `run` calls `work` of work.hot.ts, bundled for the scene's target. */
export function bundleHot(hot: string, more: Readonly<Record<string, string>> = {}, minify = true): Promise<BundleResult> {
  const folder = workspace({
    'app.ts': 'export default { count: 3 };\n',
    'main.ts': "import { log } from '#port';\nimport { work } from './work.hot.js';\nexport function run(app: { count: number }): void {\n  for (let i = 0; i < app.count; i++) {\n    log(i, work(i, app.count));\n    log(1, work(app.count, i));\n  }\n}\n",
    'work.hot.ts': hot,
    ...more,
  });
  return bundle({ target: 'mps2-an521-m33', role: 'device', entry: path.join(folder, 'app.ts'), firmware: path.join(folder, 'main.ts'), outFile: path.join(folder, 'device.js'), minify });
}
