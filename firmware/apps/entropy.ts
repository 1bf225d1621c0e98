// The smallest useful image: one entropy device, which Linux shows as a hardware random number generator.
import { bus, entropy } from '../main.js';

export default bus({ profile: 'A', devices: [entropy({ number: 1 })] });
