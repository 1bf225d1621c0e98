// The suite as a program of the application core, in one of several modes: see apps/notified.ts.
import { print, wait, windowWords } from '#driver-port';
import { main } from '../../emulator/programs/application-core.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { description } from '../apps/facts.js';
import { cases } from '../cases/index.js';
import { CHOICE } from '../runner/choice.js';
import { Runner } from '../runner/runner.js';
import { subjectFrom } from '../runner/subject.js';
import type { Mode } from '../runner/suite.js';
import { runSuite } from '../runner/suite.js';
import { notifiedBus } from '../runner/ways.js';
import { arena } from './suite.js';

/** Runs the cases of each mode that `chosen` has beside it. */
export function notifiedSuite(modes: readonly Mode[], chosen: readonly (readonly number[])[]): void {
  main((plain) => {
    const choice = windowWords[0][CHOICE / 2];
    const mode = modes[choice];
    const { way, rings } = notifiedBus(mode.notifications);
    let rung = false;
    const { words, addressLow, addressHigh, layout, ring, barrier, clock } = plain.machine;
    const bus = new AmpBus(
      {
        words,
        addressLow,
        addressHigh,
        layout,
        barrier,
        clock,
        ring: rings ? ring : () => undefined,
        wait: (microseconds) => {
          if (wait(microseconds) !== 0) {
            rung = true;
          }
        },
      },
      mode.profile,
    );
    const takeRing = (): boolean => {
      const was = rung;
      rung = false;
      return was;
    };
    const runner = new Runner(bus, subjectFrom(mode.profile, description(mode)), arena, undefined, { way, rung: takeRing });
    runner.start();
    runSuite(runner, cases, chosen[choice], print);
  });
}
