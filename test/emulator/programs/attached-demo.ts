// The scene with every device for a device side that is there already: a driver side that is a process of its own.
import { attach } from './application-core.js';
import { useDevices } from './use-devices.js';

attach(useDevices);
