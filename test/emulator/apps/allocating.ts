// A device whose handler makes an array for every buffer: what `vmsg sim` must find, since lint does not look at a user's files.
import { bus } from 'virtio-msg-device';
import { finish, randomChain, take, writableBytes } from 'virtio-msg-device/device';

/** Serves as the entropy device does, but for the list. */
function serve(queue: number): void {
  for (let handle = take(queue); handle >= 0; handle = take(queue)) {
    const bytes = [writableBytes, 0].concat(handle)[0] as number;
    finish(queue, handle, randomChain(bytes));
  }
}

const type = { name: 'allocating', deviceId: 4, serve };

export default bus({ profile: 'A', devices: [{ type, number: 1, queueSizes: [64], features: [], config: [] }] });
