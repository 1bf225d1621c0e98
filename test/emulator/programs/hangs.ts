// A program that never ends: `vmsg sim` must end it and name the step.
import { main, step } from './application-core.js';

main((bus) => {
  step('wait for ever');
  while (bus.elements === 0) {
    bus.machine.barrier();
  }
});
