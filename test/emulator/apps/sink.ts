// The image of the ring benchmarks: one sink device that offers every ring feature.
import { bus } from 'virtio-msg-device';
import { serveSink } from './sink.hot.js';

const sink = { name: 'sink', deviceId: 65000, serve: serveSink };

export default bus({
  profile: 'A',
  ringFeatures: [28, 29, 34],
  devices: [{ type: sink, number: 1, queueSizes: [256], features: [], config: [] }],
});
