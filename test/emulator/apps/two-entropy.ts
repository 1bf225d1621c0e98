// Two entropy devices: the soak uses one and sets the other one up and down.
import { bus, entropy } from 'virtio-msg-device';

export default bus({ profile: 'A', devices: [entropy({ number: 1 }), entropy({ number: 2 })] });
