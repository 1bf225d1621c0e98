// The apps a user may name: those of this package, or a TypeScript file of one's own.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { packaged } from './emulator/scene.js';
import { UserError } from './user-error.js';

/** Apps of this package, by name. */
export function packagedApps(): string[] {
  return readdirSync(packaged('firmware', 'apps'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.hot.ts'))
    .map((name) => path.basename(name, '.ts'));
}

/** The file of an app given by name or by file. */
export function appFile(app: string): string {
  const named = packaged('firmware', 'apps', `${app}.ts`);
  if (/^[\w-]+$/.test(app) && existsSync(named)) {
    return named;
  }
  if (!existsSync(app)) {
    throw new UserError(`There is no app '${app}': give a TypeScript file or one of ${packagedApps().join(', ')}.`);
  }
  return app;
}
