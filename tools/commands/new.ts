// `vmsg new`: writes a starting point, a device of one's own or an app, that builds and passes its test at once.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { knownTargets, packageRoot, shown } from '../targets.js';
import { UserError } from '../user-error.js';

export const help = `vmsg new device NAME [--target T] [--in FOLDER]
  Writes a device type of one's own, an app that serves it, and its test into FOLDER, default NAME.
vmsg new app NAME [--target T] [--in FOLDER]
  Writes an app with an entropy device, a console and a disk, and its test.
  NAME         small letters, digits and hyphens
  --target T   what \`npm run build\` builds for: ${knownTargets().join(', ')}; default mps2-an521-m33
  --in FOLDER  files that are there already are never written over`;

const kinds = ['device', 'app'] as const;

/** Names that mean something else where the device's name comes to stand. */
const taken = new Set([
  'app', 'assert', 'bench', 'bus', 'test', ...'break case catch class const continue debugger default delete do else enum export extends false'.split(' '),
  ...'finally for function if import in instanceof new null return super switch this throw true try typeof var void while with let yield'.split(' '),
]);

/** 'door-lock' as 'doorLock'. */
function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** A template's text or file name with the user's name for the template's, 'sample'. */
function renamed(text: string, name: string): string {
  const identifier = camel(name);
  return text
    .replace(/(?<=['/])sample(?=['.])|^sample(?=\.)/g, name)
    .replace(/\bsample/g, identifier)
    .replace(/Sample/g, identifier.charAt(0).toUpperCase() + identifier.slice(1));
}

/** The files of a starting point: name and text. */
export function startingPoint(kind: (typeof kinds)[number], name: string, target: string): (readonly [string, string])[] {
  const folder = path.join(packageRoot, 'tools', 'templates', kind);
  const sources = readdirSync(folder).sort().map((file) => [renamed(file, name), renamed(readFileSync(path.join(folder, file), 'utf8'), name)] as const);
  const own = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { name: string; version: string };
  const test = sources.map(([file]) => file).filter((file) => file.endsWith('.test.ts')).join(' ');
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      // The condition chooses the port of host tests.
      test: `node --conditions=fake --import tsx --test ${test}`,
      build: `vmsg build --target ${target} app.ts`,
      sim: 'vmsg sim --app app.ts',
    },
    dependencies: { [own.name]: own.version },
  };
  const compiler = { compilerOptions: { target: 'ES2022', module: 'ESNext', moduleResolution: 'bundler', customConditions: ['fake'], strict: true, noEmit: true } };
  return [...sources, ...Object.entries({ 'package.json': manifest, 'tsconfig.json': compiler }).map(([file, content]) => [file, `${JSON.stringify(content, null, 2)}\n`] as const)];
}

/** Runs the command; returns the exit status. */
export function newCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { target: { type: 'string', default: 'mps2-an521-m33' }, in: { type: 'string' } },
  });
  const [wanted, name] = positionals;
  const kind = kinds.find((known) => known === wanted);
  if (kind === undefined || name === undefined || positionals.length > 2) {
    throw new UserError(`new wants what to make and its name: vmsg new device NAME, or vmsg new app NAME.`);
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || taken.has(name)) {
    throw new UserError(`'${name}' cannot be the name of a new ${kind}: take small letters, digits and single hyphens, a letter first, and no word of the language.`);
  }
  if (!knownTargets().includes(values.target)) {
    throw new UserError(`Unknown target '${values.target}'; known targets: ${knownTargets().join(', ')}.`);
  }
  const folder = path.resolve(values.in ?? name);
  const files = startingPoint(kind, name, values.target);
  const there = files.map(([file]) => path.join(folder, file)).find((file) => existsSync(file));
  if (there !== undefined) {
    throw new UserError(`${shown(there)} is there already; choose another folder with --in.`);
  }
  mkdirSync(folder, { recursive: true });
  files.forEach(([file, text]) => {
    writeFileSync(path.join(folder, file), text);
    process.stdout.write(`${shown(path.join(folder, file))}\n`);
  });
  process.stdout.write(`Next: cd ${shown(folder)} && npm install && npm test && npm run sim && npm run build\n`);
  return Promise.resolve(0);
}
