// The image of the notification tests: the conformance suite's specimen and an entropy device, with a short message queue.
import type { App, NotificationOptions } from 'virtio-msg-device';
import { bus, entropy } from 'virtio-msg-device';
import { specimen } from '../../conformance/apps/specimen.js';

/** `pollMicroseconds`: how often the device side looks by itself. */
export function notifiedApp(notifications: NotificationOptions, pollMicroseconds: number): App {
  return bus({ profile: 'A', elements: 4, notifications, pollMicroseconds, devices: [specimen(), entropy({ number: 2 })] });
}
