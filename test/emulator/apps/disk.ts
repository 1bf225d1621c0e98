// One disk of 8 KiB in memory whose queue holds 32 requests of three elements: what `vmsg bench` writes to.
import { block, bus, ramDisk } from '../../../firmware/main.js';

export default bus({ profile: 'A', devices: [block({ number: 1, backend: ramDisk({ sectors: 16 }), queueSize: 128 })] });
