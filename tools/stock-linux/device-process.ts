// A device process of the test: started, killed and started anew, with what it logged since.
import { existsSync, rmSync } from 'node:fs';
import { Log } from '../../firmware/wire/log.js';
import type { RunningSide } from '../host-process/runner.js';
import { qemuListens, requestNames, serveDevice, type OfferedDevice } from '../host-process/vhost-user-runner.js';
import { sentence } from '../commands/vhost-user.js';

/** A log line of a runner (platforms/README.md). */
export interface Line {
  readonly code: number;
  readonly value: number;
  readonly allocations: number;
  readonly collections: number;
}

function parse(text: string): Line | undefined {
  const numbers = /^~(-?\d+ ){8}-?\d+$/.test(text) ? text.slice(1).split(' ').map(Number) : undefined;
  return numbers === undefined ? undefined : { code: numbers[0] as number, value: numbers[1] as number, allocations: numbers[5] as number, collections: numbers[6] as number };
}

export interface ProcessOptions {
  readonly runner: string;
  readonly bundle: string;
  readonly device: OfferedDevice;
  readonly socket: string;
  readonly seed: number;
  readonly without?: readonly number[];
}

export class DeviceProcess {
  private lines: Line[] = [];
  private running: RunningSide | undefined;

  constructor(private readonly options: ProcessOptions) {}

  /** Starts the process; resolves when QEMU can connect. Throws an Error with the process's last words when it ends at once. */
  async start(): Promise<void> {
    this.lines = [];
    const { runner, bundle, device, socket } = this.options;
    const running = serveDevice(runner, bundle, this.options, (text) => {
      const line = parse(text);
      if (line !== undefined) {
        this.lines.push(line);
      }
    });
    this.running = running;
    let words: string | undefined;
    void running.ended.then((end) => (words = end.words));
    // It names the app's devices before it listens or connects.
    while (!(qemuListens(device) ? this.lines.length > 0 : existsSync(socket)) && words === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (words !== undefined) {
      throw new Error(`device ${device.number} does not start: ${words}`);
    }
  }

  /** Ends the process by a signal and waits for its end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.running?.child.kill(signal);
    await this.running?.ended;
  }

  /** Kills the process without warning, and starts it anew behind the same socket. */
  async restart(): Promise<void> {
    await this.end('SIGKILL');
    // What the killed process left would look like the next one's.
    if (!qemuListens(this.options.device)) {
      rmSync(this.options.socket, { force: true });
    }
    await this.start();
  }

  private last(code: number): Line | undefined {
    return this.lines.filter((line) => line.code === code).pop();
  }

  /** Kicks since the process started, told when its last connection ended. */
  kicks(): number {
    return this.last(Log.VhostKicks)?.value ?? 0;
  }

  /** Kicks, calls and allocations while serving, for the table; throws an Error when something was allocated or refused. */
  account(): string {
    const from = this.lines.find(({ code }) => code === Log.DriverOk);
    const to = this.last(Log.VhostGone);
    if (from === undefined || to === undefined) {
      throw new Error('no driver came and went');
    }
    const allocations = to.allocations - from.allocations;
    const refused = this.lines.filter(({ code }) => code === Log.VhostRefused || code === Log.RingError);
    const figures = `${allocations} allocations, ${to.collections - from.collections} collections, ${this.last(Log.VhostKicks)?.value} kicks, ${this.last(Log.VhostCalls)?.value} calls`;
    if (allocations !== 0 || refused.length > 0) {
      throw new Error([figures, ...refused.map(({ code, value }) => sentence(code, value))].join('; '));
    }
    return figures;
  }

  /** The last things that happened, the last messages, and where the rings stood when they were stopped; for a report of a hang. */
  state(): string[] {
    return storyOf(this.lines);
  }
}

/** How many messages and other events a report shows. */
const shown = 12;

/** Words what a device process logged: its last messages and events, then each ring's last place, then kicks and calls. */
export function storyOf(lines: readonly Line[]): string[] {
  const last = (code: number): number | undefined => lines.filter((line) => line.code === code).pop()?.value;
  const happened = lines.flatMap(({ code, value }) => (code === Log.VhostMessage ? (requestNames[value] ?? `request ${value}`) : (sentence(code, value) ?? [])));
  const rings = new Map<number, string>();
  lines.forEach(({ code, value }) => {
    const [ring, place] = [Math.floor(value / 65536), value % 65536];
    const words: Readonly<Record<number, string | undefined>> = {
      [Log.VhostStopped]: `ring ${ring}: given back up to ${place}`,
      [Log.VhostTaken]: `${rings.get(ring)}, taken up to ${place}`,
      [Log.VhostAvailable]: `${rings.get(ring)}; in memory available ${place}`,
      [Log.VhostUsed]: `${rings.get(ring)}, used ${place}`,
    };
    if (words[code] !== undefined) {
      rings.set(ring, words[code]);
    }
  });
  return [happened.slice(-shown).join(', '), ...rings.values(), `${last(Log.VhostKicks) ?? 'no'} kicks, ${last(Log.VhostCalls) ?? 'no'} calls`];
}
