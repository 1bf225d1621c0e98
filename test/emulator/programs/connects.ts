// A driver that only shakes hands and goes: what the device side takes to be there.
import { main, step } from './application-core.js';

main((bus) => {
  step('shake hands');
  bus.connect();
  bus.shutdown();
});
