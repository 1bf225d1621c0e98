// Runs tests of the firmware on a flattened, minified bundle: node --conditions=fake --import tsx --import .../register.mjs --test FILE
//
// FLATTENED_BUNDLE names the bundle that bundle-for-tests.ts made. What a file below test/ imports from firmware/ and hal/fake/
// comes from it.
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import vm from 'node:vm';

const file = process.env.FLATTENED_BUNDLE;
globalThis.offerModules = (modules) => {
  globalThis.flattenedModules = modules;
};
vm.runInThisContext(readFileSync(file, 'utf8'), { filename: file });
register('./hooks.mjs', import.meta.url, { data: Object.keys(globalThis.flattenedModules) });
