// Bundles the whole firmware with the port of the host tests, flattened and minified, for register.mjs.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, type BundleOptions } from '../../../tools/bundle/bundle.js';
import { packageRoot } from '../../../tools/targets.js';

/** Modules that tests take from the bundle: the firmware without its apps and without the carrier of another target, and the port. */
function modules(): string[] {
  const firmware = readdirSync(path.join(packageRoot, 'firmware'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('apps') && !file.includes('vhost-user'))
    .map((file) => `firmware/${file.split(path.sep).join('/')}`);
  return [...firmware.sort(), 'hal/fake/port.ts'].map((file) => file.replace(/\.ts$/, ''));
}

/** Writes the bundle into `folder`; returns its file. */
export async function bundleForTests(folder: string, engine: NonNullable<BundleOptions['engine']>): Promise<string> {
  const entry = path.join(folder, 'all-modules.ts');
  const outFile = path.join(folder, `${engine}.js`);
  const named = modules();
  const imports = named.map((name, index) => `import * as m${index} from ${JSON.stringify(path.join(packageRoot, `${name}.js`))};\n`).join('');
  writeFileSync(entry, `${imports}declare function offerModules(modules: object): void;\nofferModules({\n${named.map((name, index) => `  ${JSON.stringify(name)}: m${index},\n`).join('')}});\n`);
  await bundle({ target: 'fake', entry, role: 'driver', outFile, flatten: true, engine });
  return outFile;
}
