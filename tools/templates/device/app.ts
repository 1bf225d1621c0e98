// What the image serves: one device, under the number 1.
import { bus } from 'virtio-msg-device';
import { sample } from './sample.js';

export default bus({ profile: 'A', devices: [sample({ number: 1 })] });
