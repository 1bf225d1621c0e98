// Requests a second under the real drivers of a stock Linux, next to QEMU's own devices in the same guest.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { progress } from '../emulator/scene.js';
import { buildInitramfs, startGuest } from '../guest/guest.js';
import { qemuOptions, type OfferedDevice } from '../host-process/vhost-user-runner.js';
import { UserError } from '../user-error.js';
import { DeviceProcess } from './device-process.js';
import { prepare } from './prepare.js';
import { seed, slotOf } from './rows.js';

/** One kind of device at one queue depth. */
export interface DriverRate {
  readonly device: 'rng' | 'blk';
  readonly depth: number;
  readonly requestsPerSecond: number;
  /** Doorbells of the driver for each of them. */
  readonly kicksPerRequest: number;
  /** QEMU's own device, by the same program in the same guest. */
  readonly referencePerSecond: number;
}

export interface DriverRates {
  readonly kernel: string;
  readonly rates: readonly DriverRate[];
}

const depths = [1, 32];
/** What is read at a time: as much as virtio_rng asks for, and a page. */
const bytesOf = { rng: 64, blk: 4096 };
const secondsEach = 3;
/** The guard against a hang, in seconds. */
const quietSeconds = 120;

/** A measurement: on a device of its own, so that the kicks its process counts are this one's. */
interface Phase {
  readonly device: 'rng' | 'blk';
  readonly depth: number;
  /** Undefined: QEMU's own device. */
  readonly served?: OfferedDevice;
}

const served = { rng: { number: 1, deviceId: 4, queues: 1, queueSize: 64 }, blk: { number: 2, deviceId: 2, queues: 1, queueSize: 256 } };

/** Every kind and depth, ours and then QEMU's, in the order of the PCI slots. */
export const phases: readonly Phase[] = (['rng', 'blk'] as const).flatMap((device) =>
  depths.flatMap((depth) => [{ device, depth, served: served[device] }, { device, depth }]));

const nameOf = (index: number): string => `rate${index}`;

/** QEMU's options for its own device: it gives the bytes of its own generator, or has a disk of the same size in a file. */
function ownDevice(kind: 'rng' | 'blk', name: string, slot: string, image: string): string[] {
  return kind === 'rng'
    ? ['-object', `rng-builtin,id=${name}`, '-device', `virtio-rng-pci,rng=${name},addr=0x${slot}`]
    : ['-drive', `if=none,id=${name},format=raw,file=${image}`, '-device', `virtio-blk-pci,drive=${name},num-queues=1,queue-size=256,addr=0x${slot}`];
}

/** What the guest does: one line "@rate INDEX REQUESTS MICROSECONDS" for each phase. */
export function ratesScript(): string {
  const lines = phases.map(({ device, depth }, index) => {
    const place = `/sys/bus/pci/devices/0000:00:${slotOf(index)}.0/virtio*`;
    const generators = phases.slice(0, index).filter((phase) => phase.device === 'rng').length;
    const [before, file] =
      device === 'rng' ? [`echo virtio_rng.${generators} >/sys/class/misc/hw_random/rng_current`, '/dev/hwrng'] : [`disk=$(basename ${place}/block/*)`, '/dev/$disk'];
    return `${before}\necho "@rate ${index} $(guest-tool rate ${file} ${depth} ${secondsEach} ${bytesOf[device]} | tail -n 1)"`;
  });
  return `${lines.join('\n')}\n`;
}

/** Requests and microseconds of a line of the guest; undefined for other lines. */
export function rateOf(line: string): { readonly index: number; readonly requests: number; readonly microseconds: number } | undefined {
  const [index, requests, microseconds] = (/^@rate (\d+) (\d+) (\d+)$/.exec(line) ?? []).slice(1).map(Number);
  return index === undefined || requests === undefined || microseconds === undefined ? undefined : { index, requests, microseconds };
}

/** Boots one guest and measures; takes about a minute. Throws a UserError when something for it is missing or the guest does not come to its end. */
export async function driverRates(): Promise<DriverRates> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-rates-'));
  try {
    const prepared = await prepare(folder, false);
    const image = (index: number): string => path.join(folder, `${nameOf(index)}.disk`);
    const processes = phases.map(({ served: device }, index) =>
      device === undefined ? undefined : new DeviceProcess({ runner: prepared.runner, bundle: prepared.bundle, device, socket: path.join(folder, nameOf(index)), seed }));
    const found = new Map<number, { requests: number; microseconds: number }>();
    try {
      await Promise.all(processes.map((process) => process?.start()));
      phases.forEach(({ served: device }, index) => {
        if (device === undefined) {
          writeFileSync(image(index), Buffer.alloc(32768 * 512, 0x5a));
        }
      });
      const initramfs = await buildInitramfs(
        { kernel: prepared.kernel, modules: ['virtio_pci', 'virtio-rng', 'virtio_blk'], script: ratesScript(), programs: prepared.programs, outFile: path.join(folder, 'initramfs') },
        progress,
      );
      progress(`booting Linux ${prepared.kernel.version}`);
      const guest = startGuest({
        kernel: prepared.kernel,
        initramfs,
        kernelLog: path.join(folder, 'log'),
        mebibytes: 384,
        devices: phases.flatMap(({ device, served: ours }, index) =>
          ours === undefined ? ownDevice(device, nameOf(index), slotOf(index), image(index)) : qemuOptions(ours, path.join(folder, nameOf(index)), nameOf(index), [`addr=0x${slotOf(index)}`])),
        quietSeconds,
        onLine: (line) => {
          const rate = rateOf(line);
          if (rate !== undefined) {
            progress(`${found.size + 1} of ${phases.length} measured`);
            found.set(rate.index, rate);
          }
        },
      });
      const end = await guest.ended;
      if (found.size !== phases.length) {
        throw new UserError(`the guest ended after ${found.size} of ${phases.length} measurements: ${end.words || end.lines.slice(-1).join('')}`);
      }
    } finally {
      await Promise.all(processes.map((process) => process?.end('SIGTERM')));
    }
    const perSecond = (index: number): number => {
      const { requests, microseconds } = found.get(index) ?? { requests: 0, microseconds: 1 };
      return (requests / microseconds) * 1e6;
    };
    const rates = phases.flatMap(({ device, depth, served: ours }, index): DriverRate[] =>
      ours === undefined
        ? []
        : [{
            device,
            depth,
            requestsPerSecond: Math.round(perSecond(index)),
            kicksPerRequest: (processes[index]?.kicks() ?? NaN) / (found.get(index)?.requests ?? NaN),
            referencePerSecond: Math.round(perSecond(index + 1)),
          }]);
    return { kernel: prepared.kernel.version, rates };
  } finally {
    progress('');
    rmSync(folder, { recursive: true, force: true });
  }
}
