// The default image with profile B: what selecting another profile costs.
import { bus, entropy } from 'virtio-msg-device';

export default bus({ profile: 'B', devices: [entropy({ number: 1 })] });
