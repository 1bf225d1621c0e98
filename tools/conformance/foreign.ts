// Runs the suite against a device of somebody else: a shared-memory file, a doorbell command, and what is known about it.
import { AmpBus } from '../../test/support/driver/amp-bus.js';
import { cases } from '../../test/conformance/cases/index.js';
import { LEAST_ARENA } from '../../test/conformance/runner/rings.js';
import { Runner } from '../../test/conformance/runner/runner.js';
import type { Description } from '../../test/conformance/runner/subject.js';
import { subjectFrom } from '../../test/conformance/runner/subject.js';
import { runSuite } from '../../test/conformance/runner/suite.js';
import type { Profile } from '../../test/conformance/runner/vocabulary.js';
import { UserError } from '../user-error.js';
import { fileMachine, type FileMachineOptions } from './file-machine.js';

export interface ForeignOptions extends FileMachineOptions {
  /** Byte offset of the memory that the suite may use. */
  readonly arena: number;
  readonly quietMicroseconds: number;
  readonly profile: Profile;
  readonly description: Description;
}

/** Runs the cases with these indices; `line` gets the suite's lines. Throws UserError when there is no device to talk to. */
export function runForeign(options: ForeignOptions, chosen: readonly number[], line: (text: string) => void): void {
  if (options.arena % 4096 !== 0) {
    throw new UserError('The arena must begin at a multiple of 4096.');
  }
  const machine = fileMachine(options);
  try {
    if (options.arena + LEAST_ARENA > machine.words.length * 2) {
      throw new UserError(`The shared memory ends before the arena: it needs ${LEAST_ARENA} bytes from ${options.arena} on.`);
    }
    const bus = new AmpBus(machine);
    const runner = new Runner(bus, subjectFrom(options.profile, options.description), { offset: options.arena, bytes: LEAST_ARENA }, options.quietMicroseconds);
    try {
      runner.start();
    } catch (error) {
      throw error instanceof UserError ? error : new UserError(`The device does not get as far as the first case: ${(error as Error).message}.`);
    }
    runSuite(runner, cases, chosen, line);
    // As a driver that is unloaded: the device goes back to where it was.
    bus.shutdown();
  } finally {
    machine.close();
  }
}
