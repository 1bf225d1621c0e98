// A device that takes requests and gives them back at once: what is left is the cost of the ring and of its validation.
import { finish, take, writableBytes } from 'virtio-msg-device/device';

/** Serves the request queue: everything writable counts as written, nothing is copied. */
export function serveSink(queue: number): void {
  let handle = 0;
  while (handle >= 0) {
    handle = take(queue);
    if (handle >= 0) {
      finish(queue, handle, writableBytes);
    }
  }
}
