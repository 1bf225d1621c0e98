#!/usr/bin/env node
// The `vmsg` command: starts tools/cli.ts, which is TypeScript, through tsx.
let register;
try {
  ({ register } = await import('tsx/esm/api'));
} catch {
  process.stderr.write('vmsg: the npm packages are not installed: run npm ci in the project first.\n');
  process.exit(1);
}
register();
const { main } = await import('./cli.ts');
process.exitCode = await main(process.argv.slice(2));
