// The runner of target host-vhost-user: builds it, asks what an app can serve, serves one device, and words QEMU's options for it.
import path from 'node:path';
import { Log } from '../../firmware/wire/log.js';
import { buildImage } from '../image/image.js';
import { type ProcessInput, startProcess, type RunningSide } from './runner.js';
import { UserError } from '../user-error.js';

/** A device of an app's first bus. */
export interface OfferedDevice {
  readonly number: number;
  /** Virtio device id; 63 stands for any larger one, too. */
  readonly deviceId: number;
  readonly queues: number;
  /** The smallest of the queues' largest sizes. */
  readonly queueSize: number;
}

/** What stands for a device in QEMU. */
interface FrontSide {
  readonly name: string;
  /** QEMU's options behind the socket `chardev`, for a device with these queues; `more` are properties of QEMU's device. */
  readonly options: (chardev: string, device: OfferedDevice, more: readonly string[]) => string[];
  /** The QEMU it takes, where Debian 12's own (7.2) does not do. */
  readonly needs?: string;
}

const withChardev = (qemuDevice: string, own: (device: OfferedDevice) => readonly string[] = () => []): FrontSide['options'] => (chardev, device, more) =>
  ['-device', [qemuDevice, `chardev=${chardev}`, ...own(device), ...more].join(',')];

/** By virtio device id: what QEMU can put before a vhost-user device. */
const frontSides: Readonly<Record<number, FrontSide>> = {
  1: {
    name: 'network',
    // Without the ROM to boot from, which Debian has in a package of its own; without MSI-X, for without KVM QEMU 7.2 crashes with it.
    options: (chardev, _device, more) =>
      ['-netdev', `vhost-user,id=${chardev}-net,chardev=${chardev}`, '-device', ['virtio-net-pci', `netdev=${chardev}-net`, 'romfile=', 'vectors=0', ...more].join(',')],
  },
  2: { name: 'block', options: withChardev('vhost-user-blk-pci', ({ queues, queueSize }) => [`num-queues=${queues}`, `queue-size=${queueSize}`]) },
  4: { name: 'entropy', options: withChardev('vhost-user-rng-pci') },
  18: { name: 'input', options: withChardev('vhost-user-input-pci'), needs: 'QEMU 9.1 or later: earlier ones refuse it without KVM ("requires kvm")' },
  34: { name: 'i2c', options: withChardev('vhost-user-i2c-pci') },
  41: { name: 'gpio', options: withChardev('vhost-user-gpio-pci') },
};

/** Sizes of queues that QEMU does not let its user choose; a device with smaller ones cannot be used. */
const fixedQueueSize: Readonly<Record<number, number>> = { 1: 256, 4: 4, 18: 64, 34: 4, 41: 256 };

/** The front side's name and the QEMU it needs, or why QEMU has none for this device. */
export function frontSide(device: OfferedDevice): Pick<FrontSide, 'name' | 'needs'> | { readonly reason: string } {
  const found = frontSides[device.deviceId];
  const size = fixedQueueSize[device.deviceId] ?? 0;
  if (found === undefined) {
    return { reason: `QEMU has no vhost-user device for virtio device id ${device.deviceId}` };
  }
  return device.queueSize < size ? { reason: `QEMU wants queues of ${size} entries for ${found.name}, and the smallest here has ${device.queueSize}` } : found;
}

/** Virtio device ids for which QEMU connects again when the process was started anew: its other devices fail at their start with such a socket. */
const reconnecting: readonly number[] = [1, 2];

/** Whether QEMU listens for the device's process, so that one started anew finds it; else the process listens, and QEMU connects again. */
export function qemuListens({ deviceId }: OfferedDevice): boolean {
  return !reconnecting.includes(deviceId);
}

/** QEMU's options for a device that has a front side and is served at `socket`. `chardev` names the socket, `more` are properties of QEMU's device. */
export function qemuOptions(device: OfferedDevice, socket: string, chardev = `vmsg${device.number}`, more: readonly string[] = []): string[] {
  const again = qemuListens(device) ? 'server=on' : 'reconnect=1';
  return ['-chardev', `socket,id=${chardev},path=${socket},${again}`, ...(frontSides[device.deviceId]?.options(chardev, device, more) ?? [])];
}

/** Compiles the runner where that is still to be done; returns its path. */
export async function buildVhostUserRunner(log: (line: string) => void = () => undefined): Promise<string> {
  const { device } = await buildImage({ target: 'host-vhost-user', engine: 'duktape', bundles: { device: '' }, outDir: path.resolve('build', 'host-vhost-user'), log });
  return device;
}

/** The requests of a front side by number, as the vhost-user specification calls them. */
export const requestNames: Readonly<Record<number, string>> = {
  1: 'GET_FEATURES', 2: 'SET_FEATURES', 3: 'SET_OWNER', 4: 'RESET_OWNER', 5: 'SET_MEM_TABLE', 8: 'SET_VRING_NUM', 9: 'SET_VRING_ADDR', 10: 'SET_VRING_BASE',
  11: 'GET_VRING_BASE', 12: 'SET_VRING_KICK', 13: 'SET_VRING_CALL', 14: 'SET_VRING_ERR', 15: 'GET_PROTOCOL_FEATURES', 16: 'SET_PROTOCOL_FEATURES',
  17: 'GET_QUEUE_NUM', 18: 'SET_VRING_ENABLE', 24: 'GET_CONFIG', 25: 'SET_CONFIG', 31: 'GET_INFLIGHT_FD', 32: 'SET_INFLIGHT_FD', 34: 'RESET_DEVICE', 39: 'SET_STATUS', 40: 'GET_STATUS',
};

/** Code and value of a log line; undefined for other lines. */
export function logged(line: string): { readonly code: number; readonly value: number } | undefined {
  const [, code, value] = (/^~(-?\d+) (-?\d+) /.exec(line) ?? []).map(Number);
  return code === undefined || value === undefined ? undefined : { code, value };
}

/** The devices of the app's first bus. Throws a UserError when the app does not start. */
export async function offeredDevices(runner: string, bundle: string): Promise<OfferedDevice[]> {
  const devices: OfferedDevice[] = [];
  // Without a device to serve it names all and ends before it listens anywhere.
  const { ended } = startProcess(runner, ['--socket', '-', bundle], (line) => {
    const { code, value } = logged(line) ?? { code: -1, value: 0 };
    if (code === Log.VhostDevice) {
      devices.push({ number: Math.floor(value / 64), deviceId: value % 64, queues: 0, queueSize: 0 });
    } else if (code === Log.VhostQueues) {
      devices.push({ ...(devices.pop() as OfferedDevice), queues: Math.floor(value / 65536), queueSize: value % 65536 });
    }
  });
  const { words } = await ended;
  if (devices.length === 0) {
    throw new UserError(`The app cannot be served: ${words.replace(/^(error|fatal): (Error: )?/, '').replace(/ \([^)]*\)$/, '')}.`);
  }
  return devices;
}

export interface ServeOptions {
  readonly device: OfferedDevice;
  readonly socket: string;
  readonly seed?: number;
  /** Feature bits that it does not offer. */
  readonly without?: readonly number[];
}

/** Serves one device; every line the process writes goes to `onLine`. */
export function serveDevice(runner: string, bundle: string, { device, socket, seed, without = [] }: ServeOptions, onLine: (line: string) => void, input: ProcessInput = 'ignore'): RunningSide {
  const options = [...(seed === undefined ? [] : ['--seed', String(seed)]), ...without.flatMap((bit) => ['--without', String(bit)])];
  return startProcess(runner, [qemuListens(device) ? '--connect' : '--socket', socket, '--device', String(device.number), ...options, bundle], onLine, [], input);
}
