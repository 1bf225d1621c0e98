// The devices that `vmsg linux-test` has a Linux machine use; its second console takes commands.
import type { ConsoleBackend, DeviceModel } from '../main.js';
import { allocate, block, bus, console, echo, entropy, gpio, network, networkSwitch, ramDisk, seededNotForCryptography } from '../main.js';
import { attachComing, attachGoing, emergencyCommand, Guest, outputCommand, placeCommand } from './linux-test.hot.js';

const commands: ConsoleBackend = {
  type: { output: outputCommand, emergency: emergencyCommand },
  attach: () => placeCommand(allocate(8)),
};

/** An entropy device that a command removes or brings. */
function guest(number: number, absent: boolean, attach: (device: number, firstQueue: number) => void): DeviceModel {
  const { type, queueSizes, features, config } = entropy({ number });
  return { type, number, queueSizes, features, config, absent, attach };
}

/** Both network devices are at one switch, so that a driver side can talk to itself through them. */
const joined = networkSwitch();

export default bus({
  profile: 'A',
  devices: [
    entropy({ number: 1, backend: seededNotForCryptography({ seed: 20251125 }) }),
    console({ number: 2, ports: [{ backend: echo() }] }),
    console({ number: 3, ports: [{ backend: commands }] }),
    block({ number: 4, backend: ramDisk({ sectors: 512 }), id: 'linux-test' }),
    network({ number: 5, backend: joined, linkStatus: false }),
    network({ number: 6, backend: joined, linkStatus: false }),
    gpio({ number: 7, lines: 2, names: ['out', 'in'] }),
    guest(Guest.Goes, false, attachGoing),
    guest(Guest.Comes, true, attachComing),
  ],
});
