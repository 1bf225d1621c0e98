// Every device type in one image: what `vmsg sim --app demo` shows in use.
import { block, bus, can, console, echo, entropy, gpio, i2c, input, loopBack, network, ramDisk, rtc, scmi, spi } from '../main.js';

export default bus({
  profile: 'A',
  devices: [
    entropy({ number: 1 }),
    console({ number: 2, ports: [{ backend: echo() }] }),
    block({ number: 3, backend: ramDisk({ sectors: 32 }), id: 'demo-disk' }),
    network({ number: 4, backend: loopBack(), frames: 2 }),
    gpio({ number: 5, lines: 2, names: ['led', 'button'] }),
    rtc({ number: 6, clocks: [{ type: 'utc', startSeconds: 1700000000 }] }),
    i2c({ number: 7 }),
    spi({ number: 8 }),
    can({ number: 9 }),
    input({ number: 10, name: 'demo-key' }),
    scmi({ number: 11 }),
  ],
});
