// The runner of target host-vhost-user: builds it, asks what an app can serve, serves one device, and words QEMU's options for it.
import path from 'node:path';
import { Log } from '../firmware/wire/log.js';
import { buildImage } from './image.js';
import { startProcess, type RunningSide } from './runner.js';
import { UserError } from './user-error.js';

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
  /** QEMU's options behind the socket `chardev`, for a device with these queues. */
  readonly options: (chardev: string, device: OfferedDevice) => string[];
}

const withChardev = (qemuDevice: string, more: (device: OfferedDevice) => string = () => ''): FrontSide['options'] => (chardev, device) =>
  ['-device', `${qemuDevice},chardev=${chardev}${more(device)}`];

/** By virtio device id: what Debian 12's QEMU (7.2) can put before a vhost-user device. */
const frontSides: Readonly<Record<number, FrontSide>> = {
  1: { name: 'network', options: (chardev) => ['-netdev', `vhost-user,id=${chardev}-net,chardev=${chardev}`, '-device', `virtio-net-pci,netdev=${chardev}-net`] },
  2: { name: 'block', options: withChardev('vhost-user-blk-pci', ({ queues, queueSize }) => `,num-queues=${queues},queue-size=${queueSize}`) },
  4: { name: 'entropy', options: withChardev('vhost-user-rng-pci') },
  18: { name: 'input', options: withChardev('vhost-user-input-pci') },
  34: { name: 'i2c', options: withChardev('vhost-user-i2c-pci') },
  41: { name: 'gpio', options: withChardev('vhost-user-gpio-pci') },
};

/** Sizes of queues that QEMU does not let its user choose; a device with smaller ones cannot be used. */
const fixedQueueSize: Readonly<Record<number, number>> = { 1: 256, 4: 4, 18: 64, 34: 4, 41: 256 };

/** The front side's name, or why QEMU has none for this device. */
export function frontSide(device: OfferedDevice): { readonly name: string } | { readonly reason: string } {
  const found = frontSides[device.deviceId];
  const size = fixedQueueSize[device.deviceId] ?? 0;
  if (found === undefined) {
    return { reason: `QEMU has no vhost-user device for virtio device id ${device.deviceId}` };
  }
  return device.queueSize < size ? { reason: `QEMU wants queues of ${size} entries for ${found.name}, and the smallest here has ${device.queueSize}` } : { name: found.name };
}

/**
 * QEMU's option for the socket behind a device. QEMU connects again when the process was started anew where it can: its other
 * devices do not wait for such a connection and fail at their start.
 */
export function socketOption(id: string, deviceId: number, socket: string): string[] {
  return ['-chardev', `socket,id=${id},path=${socket}${deviceId === 1 || deviceId === 2 ? ',reconnect=1' : ''}`];
}

/** QEMU's options for a device that has a front side and is served at `socket`. */
export function qemuOptions(device: OfferedDevice, socket: string): string[] {
  const chardev = `vmsg${device.number}`;
  return [...socketOption(chardev, device.deviceId, socket), ...(frontSides[device.deviceId]?.options(chardev, device) ?? [])];
}

/** Compiles the runner where that is still to be done; returns its path. */
export async function buildVhostUserRunner(log: (line: string) => void = () => undefined): Promise<string> {
  const { device } = await buildImage({ target: 'host-vhost-user', engine: 'duktape', bundles: { device: '' }, outDir: path.resolve('build', 'host-vhost-user'), log });
  return device;
}

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
  readonly device: number;
  readonly socket: string;
  readonly seed?: number;
}

/** Serves one device; every line the process writes goes to `onLine`. */
export function serveDevice(runner: string, bundle: string, { device, socket, seed }: ServeOptions, onLine: (line: string) => void): RunningSide {
  const seeded = seed === undefined ? [] : ['--seed', String(seed)];
  return startProcess(runner, ['--socket', socket, '--device', String(device), ...seeded, bundle], onLine);
}
