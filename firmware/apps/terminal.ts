// A console on the core's own serial line, both ways: what is typed there is input of the driver's /dev/hvc0.
import { bus, console, serialLine } from '../main.js';

export default bus({
  profile: 'A',
  devices: [console({ number: 1, ports: [{ backend: serialLine() }] })],
});
