// The image of the recovery test: one device that gives bytes back, some of them late.
import { bus } from 'virtio-msg-device';
import { serveEcho } from './echo.hot.js';

const echo = { name: 'echo', deviceId: 65001, serve: serveEcho };

export default bus({ profile: 'A', devices: [{ type: echo, number: 1, queueSizes: [16], features: [], config: [] }] });
