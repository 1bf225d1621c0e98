// Six devices in one image: what `vmsg sim --app demo` shows in use.
import { block, bus, console, echo, entropy, gpio, loopBack, network, ramDisk, rtc } from '../main.js';

export default bus({
  profile: 'A',
  devices: [
    entropy({ number: 1 }),
    console({ number: 2, ports: [{ backend: echo() }] }),
    block({ number: 3, backend: ramDisk({ sectors: 32 }), id: 'demo-disk' }),
    network({ number: 4, backend: loopBack(), frames: 2 }),
    gpio({ number: 5, lines: 2, names: ['led', 'button'] }),
    rtc({ number: 6, clocks: [{ type: 'utc', startSeconds: 1700000000 }] }),
  ],
});
