// The scene with every device of firmware/apps/demo.ts: its driver side on the application core.
import { main } from './application-core.js';
import { useDevices } from './use-devices.js';

main(useDevices);
