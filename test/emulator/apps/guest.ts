// The image of the hot removal: an entropy device that stays, one that comes and goes, and the device that commands it.
import type { DeviceModel } from 'virtio-msg-device';
import { bus, entropy } from 'virtio-msg-device';
import { attachGuest, Guest, serveCommands } from './guest.hot.js';

const commands: DeviceModel = { type: { name: 'commands', deviceId: 65002, serve: serveCommands }, number: 1, queueSizes: [16], features: [], config: [] };

function guest(): DeviceModel {
  const { type, queueSizes, features, config } = entropy({ number: Guest.Number });
  return { type, queueSizes, features, config, number: Guest.Number, absent: true, attach: attachGuest };
}

export default bus({ profile: 'A', devices: [commands, entropy({ number: 2 }), guest()] });
