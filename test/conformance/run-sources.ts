// Runs the suite on the sources as a process of its own: arguments are the mode as JSON and the indices of the cases.
import { cases } from './cases/index.js';
import type { Mode } from './runner/suite.js';
import { runSuite } from './runner/suite.js';
import { sourcesRunner } from './sources.js';

const [mode, indices] = process.argv.slice(2);

runSuite(sourcesRunner(JSON.parse(mode ?? '') as Mode), cases, (indices ?? '').split(',').filter((text) => text !== '').map(Number), (line) => {
  process.stdout.write(`${line}\n`);
});
