// `vmsg serve`: a device side as a Linux process, for any driver side that maps the same files.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Log } from '../../firmware/wire/log.js';
import { profiles, type Profile } from '../../firmware/wire/profile.js';
import { appFile, packagedApps } from '../apps.js';
import { bundle } from '../bundle/bundle.js';
import { latencySvg, latencyText, measureLatency } from '../host-process/latency.js';
import { buildRunner, firstLayoutWindow, parseLayout, parseMemory, runnerArguments, startRunner, type RunnerOptions, type SharedLayout } from '../host-process/runner.js';
import { progress } from '../emulator/scene.js';
import { TraceFile } from '../host-process/trace-file.js';
import { UserError } from '../user-error.js';

const profileNames = profiles.map(({ name }) => name);

export const help = `vmsg serve --layout FILE:OFFSET --memory FILE[:BASE] [options]
  Serves an app's devices from a Linux process to a driver side that maps the same files, for instance a virtual machine
  whose RAM is a shared file. Nothing needs privileges. SIGINT, SIGTERM and SIGHUP end it cleanly.
  --layout FILE:OFFSET  where bus 0 publishes its layout, at a multiple of 16; repeat it for bus 1. The file is there before, with room
                        for 128 bytes and two queues of 64-byte elements: 2176 bytes for the 16 elements that apps have by default
  --memory FILE[:BASE]  memory that rings and buffers may lie in; BASE = the driver's address of the file's first byte
                        (DMA address; guest-physical without an IOMMU), default 0; may be repeated. The file is there before, as
                        long as it will be; it is mapped in windows of 128 MiB, of which there are 15 less one for each layout
  --app NAME|FILE       ${packagedApps().join(', ')}, or a TypeScript file; default entropy
  --profile P           wire profile of every bus (${profileNames.join(', ')}); default the app's own
  --doorbell KIND       how the sides wake each other, default poll:1000
       poll[:US]        look every US microseconds, ring nothing
       fifo:IN,OUT      named pipes, made when missing: this side reads IN and writes OUT, the other one the reverse; a byte is a
                        ring, and a full pipe one that is still to be heard
       unix:PATH        listen on a UNIX socket; a byte is a ring; the peer may vanish and connect again
       connect:PATH     connect to such a socket, again and again
       eventfd:IN,OUT   numbers of inherited descriptors
       ivshmem:PATH     client of an ivshmem server (vmsg ivshmem-server); rings vector 0 of every peer
  --trace FILE          writes every message: the published layout, then each queue element with its time, header and bytes
  --seed N              random bytes from a seeded generator, for tests
  --latency FILE.svg    instead of serving, measures the app entropy on this machine with a driver side of its own: polling, a pipe
                        and an eventfd in one run. Prints histograms (message round trip, doorbell to used buffer) and messages
                        per second, and draws them into the file. Both sides are interpreted: figures of this machine only
  Standard input is the serial line of the app's console, where it has one on serialLine(); nothing is read before a driver waits for it.
  Prints one line each: 'published layout N at FILE:OFFSET', then as it happens 'bus N: READY', 'bus N: RUN',
  'bus N: driver shut down', 'bus N: driver lost', 'device N: DRIVER_OK', 'device N: reset', 'queue N: ring error' (N counts
  the virtqueues of all devices from 0), and 'stopped' when the layouts have been taken back. The first start compiles the runner
  into build/ of the folder it runs in, and says so on stderr.
  Exit status: 0 = ended by a signal, 1 = a mistake or a failure, in one sentence on stderr.`;

/** What a log line of the firmware means to users; undefined for other lines. */
export function sentence(code: number, value: number, layouts: readonly SharedLayout[]): string | undefined {
  switch (code) {
    case Log.Published:
      return `published layout ${value} at ${layouts[value]?.file}:${layouts[value]?.offset}`;
    case Log.Ready:
      return `bus ${value}: READY`;
    case Log.Run:
      return `bus ${value}: RUN`;
    case Log.DriverShutdown:
      return `bus ${value}: driver shut down`;
    case Log.DriverLost:
      return `bus ${value}: driver lost`;
    case Log.RingError:
      return `queue ${value}: ring error`;
    case Log.Reset:
      return `device ${value}: reset`;
    case Log.DriverOk:
      return `device ${value}: DRIVER_OK`;
    default:
      return undefined;
  }
}

/** What a trace keeps besides the messages. */
const notedCodes: readonly number[] = [Log.Ready, Log.Run, Log.DriverShutdown, Log.DriverLost];

/** Turns the runner's lines into the user's, and into the trace. */
function follow(layouts: readonly SharedLayout[], trace: TraceFile | undefined): (line: string) => void {
  return (line) => {
    const [, code, value, clock] = (/^~(-?\d+) (-?\d+) (\d+) /.exec(line) ?? []).map(Number);
    if (code === undefined || value === undefined || clock === undefined) {
      trace?.take(line);
      return;
    }
    const text = sentence(code, value, layouts);
    if (text === undefined) {
      return;
    }
    if (code === Log.Published) {
      trace?.published(value, clock);
    } else if (notedCodes.includes(code)) {
      trace?.note(value, clock, text);
    }
    process.stdout.write(`${text}\n`);
  };
}

function list(values: readonly string[] | undefined, option: string): readonly string[] {
  if (values === undefined) {
    throw new UserError(`serve wants ${option}; vmsg serve --help tells more.`);
  }
  return values;
}

/** Measures every doorbell and writes the picture; `words`: how many the command line has. */
async function latency(file: string, words: number): Promise<number> {
  if (words > 2) {
    throw new UserError('--latency makes its own memory and measures its own app: give no other option with it.');
  }
  const svg = (text: string): void => {
    try {
      writeFileSync(file, text);
    } catch (error) {
      throw new UserError(`The picture cannot be written: ${(error as Error).message}.`);
    }
  };
  svg('');
  const measured = await measureLatency(progress);
  progress('');
  svg(latencySvg(measured));
  process.stdout.write(`${latencyText(measured)}written: ${file}\n`);
  return 0;
}

/** Runs the command; returns the exit status. */
export async function serve(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      app: { type: 'string', default: 'entropy' },
      layout: { type: 'string', multiple: true },
      memory: { type: 'string', multiple: true },
      doorbell: { type: 'string', default: 'poll' },
      profile: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'string' },
      latency: { type: 'string' },
    },
  });
  if (values.latency !== undefined) {
    return latency(values.latency, args.length);
  }
  const { profile, seed } = values;
  if (profile !== undefined && !profileNames.some((name) => name === profile)) {
    throw new UserError(`Unknown profile '${profile}'; known profiles: ${profileNames.join(', ')}.`);
  }
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) {
    throw new UserError(`--seed wants a number, not '${seed}'.`);
  }
  const options: RunnerOptions = {
    side: 'device',
    layouts: list(values.layout, '--layout FILE:OFFSET').map(parseLayout),
    memory: list(values.memory, '--memory FILE[:BASE]').map(parseMemory),
    doorbell: values.doorbell,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
  // Mistakes in the options show before anything takes time.
  runnerArguments(options);
  const entry = appFile(values.app);
  const { header } = profiles.find(({ name }) => name === (profile ?? 'A')) as Profile;
  const trace = values.trace === undefined ? undefined : new TraceFile(values.trace, options.layouts, firstLayoutWindow(options), header);
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-serve-'));
  let child: ChildProcess | undefined;
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    if (child !== undefined) {
      child.kill('SIGTERM');
      return;
    }
    // Nothing is published yet, and what is being compiled appears only when it is complete.
    rmSync(folder, { recursive: true, force: true });
    process.stdout.write('stopped\n', () => process.exit(0));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, stop));
  try {
    const runner = await buildRunner((line) => process.stderr.write(`${line}\n`));
    const { file } = await bundle({
      target: 'host-shm', role: 'device', entry, outFile: path.join(folder, 'device.js'), trace: trace !== undefined, ...(profile === undefined ? {} : { profile }),
    });
    const side = startRunner(runner, file, options, follow(options.layouts, trace), 'inherit');
    child = side.child;
    const { status, words } = await side.ended;
    // A runner that the signal met before it could handle any had published nothing.
    if (status !== 0 && !(stopped && words === '')) {
      throw new UserError(words === '' ? 'The runner was killed.' : words.replace(/^vmsg-host-shm: |^(error|fatal): /, '').replace(/\.?$/, '.'));
    }
    process.stdout.write('stopped\n');
    return 0;
  } finally {
    signals.forEach((signal) => process.off(signal, stop));
    rmSync(folder, { recursive: true, force: true });
  }
}
