// Devices with the queue sizes that QEMU wants of vhost-user devices: what `vmsg stock-linux-test` has Linux drive.
import { block, bus, delayedDisk, entropy, gpio, i2c, input, loopBack, network, ramDisk } from '../main.js';
import { answerLamp, stepGuest } from './guest.hot.js';

export default bus({
  profile: 'A',
  ringFeatures: [28, 29, 34, 35, 40],
  devices: [
    entropy({ number: 1 }),
    block({ number: 2, backend: ramDisk({ sectors: 32768 }), id: 'guest-disk', queueSize: 256 }),
    block({ number: 3, backend: ramDisk({ sectors: 32768 }), id: 'guest-disk-2-queues', queueSize: 128, queues: 2 }),
    block({ number: 4, backend: delayedDisk({ sectors: 16384, microseconds: 500, requests: 16, uneven: true }), id: 'guest-disk-slow', queueSize: 128 }),
    block({ number: 5, backend: ramDisk({ sectors: 16384 }), id: 'guest-disk-16', queueSize: 16 }),
    network({ number: 6, backend: loopBack(), frames: 64, queueSize: 256 }),
    gpio({ number: 7, lines: 8, names: ['led', 'button'], queueSize: 256 }),
    i2c({ number: 8 }),
    input({
      number: 9,
      name: 'guest-keys',
      serial: 'guest-1',
      ids: [6, 0x1af4, 9, 1],
      events: [{ type: 1, codes: [30, 48] }, { type: 2, codes: [0] }, { type: 17, codes: [0] }],
      backend: { look: stepGuest, status: answerLamp },
    }),
  ],
});
