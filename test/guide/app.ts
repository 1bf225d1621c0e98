// Two thermometers in one image.
import { bus } from 'virtio-msg-device';
import { thermometer } from './thermometer.js';

export default bus({ profile: 'A', devices: [thermometer({ number: 1 }), thermometer({ number: 2 })] });
