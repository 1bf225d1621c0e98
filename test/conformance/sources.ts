// The suite's bus on the TypeScript sources: the firmware runs in this process, on the fake port, whenever the driver waits.
import { fake } from '../../hal/fake/port.js';
import { AmpBus } from '../support/driver/amp-bus.js';
import { forget } from '../support/fresh.js';
import { hostMachine, startFirmware } from '../support/host-driver.js';
import { description } from './apps/facts.js';
import { specimenApp } from './apps/specimen.js';
import { Runner } from './runner/runner.js';
import { subjectFrom } from './runner/subject.js';
import type { Mode } from './runner/suite.js';
import { notifiedBus } from './runner/ways.js';

/** Rings and buffers of the runner, behind both layouts of the fake port and before the specimen's region. */
const arena = { offset: 0x20000, bytes: 0x40000 };

/** A runner whose device has just started. `bus` may be one that spoils what it carries, for tests of the runner itself. */
export function sourcesRunner(mode: Mode, bus: AmpBus = new AmpBus(hostMachine)): Runner {
  forget();
  startFirmware(specimenApp(mode));
  let heard = 0;
  const rung = (): boolean => {
    const before = heard;
    heard = fake.rings[0] ?? NaN;
    return heard !== before;
  };
  const runner = new Runner(bus, subjectFrom(mode.profile, description(mode)), arena, undefined, { way: notifiedBus(mode.notifications).way, rung });
  runner.start();
  return runner;
}
