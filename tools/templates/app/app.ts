// What the image serves: random bytes, a console that echoes, and a disk of 4 KiB in memory.
import { block, bus, console, echo, entropy, ramDisk } from 'virtio-msg-device';

export default bus({
  profile: 'A',
  devices: [
    entropy({ number: 1 }),
    console({ number: 2, ports: [{ backend: echo() }] }),
    block({ number: 3, backend: ramDisk({ sectors: 8 }), id: 'app-disk' }),
  ],
});
