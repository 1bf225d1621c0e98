// The default image with profile C: what selecting another profile costs.
import { bus, entropy } from 'virtio-msg-device';

export default bus({ profile: 'C', devices: [entropy({ number: 1 })] });
