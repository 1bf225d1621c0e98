// The module hooks that give tests the bundle's modules in place of the source files.
//
// A module's variables must be read anew at every use, and those of the bundle are properties with getters. So a test file
// is compiled to CommonJS, which reads imports as properties, and wrapped as the module that Node's loader wants.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
let bundled = new Set();

/** `names`: the bundle's modules, by their paths from the root without extension. */
export function initialize(names) {
  bundled = new Set(names);
}

/** A file's path from the root without extension; '' for what is no source file of this package. */
function nameOf(url) {
  return url.startsWith('file:') && url.endsWith('.ts') ? path.relative(root, fileURLToPath(url)).replace(/\.ts$/, '') : '';
}

export async function load(url, context, nextLoad) {
  const name = nameOf(url);
  return name.startsWith('test/') ? { format: 'module', shortCircuit: true, source: wrapped(await readFile(fileURLToPath(url), 'utf8'), name) } : nextLoad(url, context);
}

function wrapped(text, name) {
  const { outputText } = ts.transpileModule(text, { fileName: `${name}.ts`, compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true } });
  const required = [...new Set([...outputText.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1]))];
  const named = [...outputText.matchAll(/^exports\.(\w+) = /gm), ...outputText.matchAll(/^Object\.defineProperty\(exports, "(?!__esModule)(\w+)"/gm)];
  const exported = [...new Set(named.map((match) => match[1]))];
  const bundledName = (specifier) => {
    const found = specifier.startsWith('.') ? path.join(path.dirname(name), specifier).replace(/\.js$/, '') : '';
    return bundled.has(found) ? found : undefined;
  };
  // Of a bundled module only the const enums are the source file's: the compiler leaves none in a bundle.
  const imports = required.map((specifier, index) => `import * as required${index} from ${JSON.stringify(specifier)};\n`).join('');
  const table = required.map((specifier, index) => {
    const from = bundledName(specifier);
    const value = from === undefined ? `{ __esModule: true, ...required${index} }` : `bundledOver(required${index}, ${JSON.stringify(from)})`;
    return `${JSON.stringify(specifier)}: ${value},\n`;
  }).join('');
  return `${imports}const exports = {};
const bundledOver = (source, name) => {
  const bundled = globalThis.flattenedModules[name];
  const left = Object.keys(source).find((key) => typeof source[key] === 'function' && !(key in bundled));
  if (left !== undefined) {
    throw new Error('The bundle has no ' + left + ' of ' + name + '.');
  }
  return Object.defineProperties({ __esModule: true, ...source }, Object.getOwnPropertyDescriptors(bundled));
};
const required = {\n${table}};
const require = (specifier) => required[specifier];
${outputText}
${exported.map((exportedName, index) => `const exported${index} = exports.${exportedName};\nexport { exported${index} as ${exportedName} };\n`).join('')}`;
}
