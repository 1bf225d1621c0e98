// `vmsg vhost-user`: an app's devices as Linux processes behind a virtual machine, whose own drivers use them.
import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Log } from '../../firmware/wire/log.js';
import { appFile, packagedApps } from '../apps.js';
import { bundle } from '../bundle/bundle.js';
import { sharedMachine } from '../guest/guest.js';
import type { RunnerEnd, RunningSide } from '../host-process/runner.js';
import { UserError } from '../user-error.js';
import { buildVhostUserRunner, frontSide, logged, offeredDevices, qemuListens, qemuOptions, requestNames, serveDevice, type OfferedDevice } from '../host-process/vhost-user-runner.js';

export const help = `vmsg vhost-user --socket PATH [options]
  Serves an app's devices to a virtual machine over vhost-user: an ordinary Linux in an ordinary QEMU drives them with its own
  virtio drivers. The bundle is the one of a coprocessor, in the same engine. Each device is a process of its own.
  --socket PATH    where QEMU connects, or listens, as its command line says; with more than one device PATH.N for device number N
  --app NAME|FILE  ${packagedApps().join(', ')}, or a TypeScript file; default entropy
  --device N       serves the device with this number only; may be repeated. Default: all that QEMU can use
  --seed N         random bytes from a seeded generator, for tests
  Standard input is the serial line of the app's console, where it has one on serialLine().
  Prints QEMU's command line, ready to paste, and then what happens: 'device N: connected', 'device N: DRIVER_OK',
  'device N: reset', 'device N: refused REQUEST: why', 'device N: ring error', 'device N: disconnected'. A virtual machine may come and go.
  Exit status: 0 = ended by SIGINT, SIGTERM or SIGHUP, 1 = a mistake or a failure, in one sentence on stderr.`;

/** Why the firmware refused a request: `Refusal` of firmware/wire/vhost-user.ts in words. */
const reasons: readonly string[] = [
  '',
  'wrong version or reply bit in its flags',
  'wrong size of its payload',
  'not a request that was offered',
  'wrong number of file descriptors',
  'no such virtqueue',
  'a virtqueue cannot have so many entries',
  'feature bits that were not offered, or a change of them while rings run',
  'the device does not agree to these features',
  'a ring is outside the memory regions, or misaligned',
  'no memory region, or more than eight',
  'a memory region is not whole pages, wraps around, or lies beyond 512 GiB',
  'more guest memory than the windows hold',
  'the memory of a region cannot be mapped',
  'the ring has no such index',
  'outside the configuration space, or not to be written',
  'the ring must be stopped for this',
  'a ring without a kick descriptor would have to be polled',
  'memory for chains in flight with another size or content than it was given',
];

/** Why a connection ended, where it is not the front side that closed it, by the value of its log line. */
const departures: readonly string[] = ['', ': guest memory was cut short', ': answers were not read'];

/** What a log line of the firmware means for the user; undefined for lines that are not for users. */
export function sentence(code: number, value: number): string | undefined {
  switch (code) {
    case Log.VhostConnected:
      return 'connected';
    case Log.VhostGone:
      return `disconnected${departures[value] ?? ''}`;
    case Log.VhostRefused:
      return `refused ${requestNames[Math.floor(value / 32)] ?? `request ${Math.floor(value / 32)}`}: ${reasons[value % 32] ?? `reason ${value % 32}`}`;
    case Log.RingError:
      return 'ring error';
    case Log.Reset:
      return 'reset';
    case Log.DriverOk:
      return 'DRIVER_OK';
    default:
      return undefined;
  }
}

/** The devices to serve: those asked for, or all that QEMU has a front side for. `skipped` says why one is not served. */
export function chosenDevices(offered: readonly OfferedDevice[], asked: readonly number[], skipped: (device: OfferedDevice, reason: string) => void): OfferedDevice[] {
  const known = offered.map(({ number }) => number).join(', ');
  const missing = asked.find((number) => !offered.some((device) => device.number === number));
  if (missing !== undefined) {
    throw new UserError(`The app has no device ${missing}; its devices: ${known}.`);
  }
  const chosen = offered.filter((device) => asked.length === 0 || asked.includes(device.number)).filter((device) => {
    const front = frontSide(device);
    if ('name' in front) {
      return true;
    }
    if (asked.length > 0) {
      throw new UserError(`Device ${device.number} cannot be served: ${front.reason}.`);
    }
    skipped(device, front.reason);
    return false;
  });
  if (chosen.length === 0) {
    throw new UserError(`QEMU can use none of the app's devices: ${known}.`);
  }
  return chosen;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** QEMU's command line for these devices, over several lines. */
export function commandLine(devices: readonly { readonly device: OfferedDevice; readonly socket: string }[]): string {
  const options = [...sharedMachine(512), ...devices.flatMap(({ device, socket }) => qemuOptions(device, socket))];
  const pairs = options.flatMap((option, at) => (at % 2 === 0 ? [`${option} ${quoted(options[at + 1] ?? '')}`] : []));
  return ['qemu-system-x86_64', ...pairs, '-nographic -kernel KERNEL -initrd INITRD -append console=ttyS0'].join(' \\\n  ');
}

function numbers(values: readonly string[] | undefined, option: string): number[] {
  return (values ?? []).map((text) => {
    if (!/^\d{1,9}$/.test(text)) {
      throw new UserError(`${option} wants a number, not '${text}'.`);
    }
    return Number(text);
  });
}

/** Waits for the sockets, or for the first process that ends; true when all sockets are there. */
async function listening(sockets: readonly string[], ended: Promise<unknown>): Promise<boolean> {
  let over = false;
  void ended.then(() => (over = true));
  while (!over && !sockets.every((socket) => lstatSync(socket, { throwIfNoEntry: false })?.isSocket() === true)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return !over;
}

/** Runs the command; returns the exit status. */
export async function vhostUser(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      socket: { type: 'string' },
      app: { type: 'string', default: 'entropy' },
      device: { type: 'string', multiple: true },
      seed: { type: 'string' },
    },
  });
  const asked = numbers(values.device, '--device');
  const [seed] = numbers(values.seed === undefined ? [] : [values.seed], '--seed');
  const { socket } = values;
  if (socket === undefined) {
    throw new UserError('vhost-user wants --socket PATH.');
  }
  const entry = appFile(values.app);
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-vhost-user-'));
  try {
    const runner = await buildVhostUserRunner();
    const { file } = await bundle({ target: 'host-vhost-user', role: 'device', entry, outFile: path.join(folder, 'device.js') });
    const say = (device: OfferedDevice, text: string): void => {
      process.stdout.write(`device ${device.number}: ${text}\n`);
    };
    const devices = chosenDevices(await offeredDevices(runner, file), asked, (device, reason) => say(device, `not served: ${reason}`));
    const served = devices.map((device) => ({ device, socket: devices.length === 1 ? socket : `${socket}.${device.number}` }));
    const sides = served.map(({ device, socket: own }) =>
      serveDevice(runner, file, { device, socket: own, ...(seed === undefined ? {} : { seed }) }, (line) => {
        const { code, value } = logged(line) ?? { code: -1, value: 0 };
        const text = sentence(code, value);
        if (text !== undefined) {
          say(device, text);
        }
      }, 'inherit'));
    return await attend(sides, async (ended) => {
      if (await listening(served.filter(({ device }) => !qemuListens(device)).map((one) => one.socket), ended)) {
        served.forEach(({ device }) => {
          const front = frontSide(device);
          if ('needs' in front) {
            say(device, `needs ${front.needs}`);
          }
        });
        process.stdout.write(`${commandLine(served)}\n`);
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs until a signal ends the processes, or one of them fails; `ready` is called at once, with the end of the first one. */
async function attend(sides: readonly RunningSide[], ready: (ended: Promise<RunnerEnd>) => Promise<void>): Promise<number> {
  const stop = (): void => sides.forEach(({ child }) => child.kill('SIGTERM'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, stop));
  const first = Promise.race(sides.map(({ ended }) => ended));
  await ready(first);
  await first;
  stop();
  const ends = await Promise.all(sides.map(({ ended }) => ended));
  signals.forEach((signal) => process.off(signal, stop));
  const failed = ends.find(({ status }) => status !== 0);
  if (failed !== undefined) {
    throw new UserError(failed.words === '' ? 'A device process was killed.' : failed.words.replace(/^vmsg-host-vhost-user: |^(error|fatal): (Error: )?/, '').replace(/\.?$/, '.'));
  }
  process.stdout.write('stopped\n');
  return 0;
}
