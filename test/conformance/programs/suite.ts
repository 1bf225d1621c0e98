// The suite as a program of the application core: beside the bundle in a host process, or on core 0 of an emulated SoC.
import { print } from '#driver-port';
import { main } from '../../emulator/programs/application-core.js';
import { description } from '../apps/facts.js';
import { cases } from '../cases/index.js';
import { Runner } from '../runner/runner.js';
import { subjectFrom } from '../runner/subject.js';
import type { Mode } from '../runner/suite.js';
import { runSuite } from '../runner/suite.js';

/** Rings and buffers of the runner: in window 0, behind the layout and before the specimen's region. */
export const arena = { offset: 0x20000, bytes: 0x40000 };

/** Runs the cases with these indices against the suite's own bus. */
export function suite(mode: Mode, chosen: readonly number[]): void {
  main((bus) => {
    const runner = new Runner(bus, subjectFrom(mode.profile, description(mode)), arena);
    runner.start();
    runSuite(runner, cases, chosen, print);
  });
}
