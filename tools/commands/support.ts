// `vmsg support`: which target was built and run with which engine, as tests have seen it.
import { parseArgs } from 'node:util';
import { knownTargets } from '../targets.js';
import { keepNotes, recorded, supportTable } from '../support/record.js';

export const help = `vmsg support [--record]
  Prints what each target's image was last seen to run on with each engine, by emulator; 'built': it was built and read back, never run; '-': neither.
  --record   first takes over what test runs on this machine have seen since (build/support) into docs/support.json`;

/** Runs the command; returns the exit status. */
export async function support(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { record: { type: 'boolean', default: false } } });
  if (values.record) {
    keepNotes();
  }
  process.stdout.write(supportTable(recorded(), knownTargets()));
  return Promise.resolve(0);
}
