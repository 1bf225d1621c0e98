// Brings the entropy device up and resets it, and asks it for nothing.
import { main } from './application-core.js';
import { DriverDevice } from '../../support/driver/device.js';

main((bus) => {
  bus.connect();
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  device.start();
  device.setStatus(0);
  bus.shutdown();
});
