// What a scene amounted to: what the device core's own log and the program's lines say about messages, devices and memory.
import { UserError } from '../user-error.js';
import type { DeviceLog } from './emulator.js';
import { figures, type SceneResult } from './scene.js';

/** Codes of firmware/wire/log.ts that the summary is made of. */
const log = { tick: 0, published: 1, ready: 2, run: 3, driverShutdown: 4, reset: 7, driverOk: 8 };

/** What the use of one device took on the device core, between DRIVER_OK and reset. */
export interface DeviceUse {
  readonly name: string;
  readonly requests: number;
  readonly instructions: number;
  readonly allocations: number;
  readonly collections: number;
}

/** Log code of the first counter of dropped messages, and what the counters count (firmware/wire/log.ts, wire/discard.ts). */
const firstDiscard = 32;
const discardReasons = [
  'shorter than a header',
  'longer than frame or bus allow',
  'bus message with a device number',
  'no such device',
  'answer nobody waits for',
  'unknown id',
  'payload too short',
  'misaligned GET_DEVICES',
  'EVENT_AVAIL for a queue that cannot run',
  'before an agreement',
];

/** Messages the coprocessor dropped, by reason, as its last driver's end showed them. */
export function discards(entries: readonly DeviceLog[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { code, value } of entries) {
    const reason = discardReasons[code - firstDiscard];
    if (reason !== undefined) {
      found.set(reason, value);
    }
  }
  return found;
}

/** What one run amounted to. A figure that the program on the application core does not give is 0: messages, their bytes, what one took. */
export interface SimSummary {
  readonly messages: number;
  readonly bytes: number;
  readonly instructionsPerMessage: number;
  readonly instructionsPerRequest: number;
  readonly allocationsWhileServing: number;
  readonly collectionsWhileServing: number;
  readonly wakes: number;
  /** Messages the coprocessor dropped without an answer, by reason. */
  readonly discarded: Readonly<Record<string, number>>;
  readonly heapPeak: number;
  readonly flash: number;
  readonly ram: number;
  readonly heap: number;
  readonly stack: number;
  readonly bundleBytes: number;
  /** Each device the program said it used; empty when it used one and said nothing. */
  readonly devices: readonly DeviceUse[];
}

/** Pairs what the program says about each device it used (`use-NAME`, its number) with the device core's own log. */
function usesOf(result: SceneResult, perTick: number): DeviceUse[] {
  const named = figures(result.driver);
  return [...named]
    .filter(([name]) => name.startsWith('use-'))
    .map(([figure, number]) => {
      const name = figure.slice('use-'.length);
      const start = result.log.find((entry) => entry.code === log.driverOk && entry.value === number);
      const end = result.log.find((entry) => entry.code === log.reset && entry.value === number && entry.busyTicks >= (start?.busyTicks ?? 0));
      const requests = named.get(`requests-${name}`);
      if (start === undefined || end === undefined || requests === undefined) {
        throw new UserError(`The scene does not show that the ${name} device was used and reset.`);
      }
      return {
        name,
        requests,
        instructions: (end.busyTicks - start.busyTicks) * perTick,
        allocations: end.allocations - start.allocations,
        collections: end.collections - start.collections,
      };
    });
}

function first(entries: readonly DeviceLog[], code: number, what: string): DeviceLog {
  const found = entries.find((entry) => entry.code === code);
  if (found === undefined) {
    throw new UserError(`The coprocessor's log does not show that it ${what}.`);
  }
  return found;
}

/** Checks that everything really happened and counts what it took; throws UserError naming what is missing. */
export function summarize(result: SceneResult): SimSummary {
  const perTick = first(result.log, log.tick, 'started').value;
  first(result.log, log.published, 'published the layout');
  first(result.log, log.ready, 'became READY');
  const run = first(result.log, log.run, 'became RUN');
  const started = first(result.log, log.driverOk, 'had a device reach DRIVER_OK');
  const reset = result.log.find((entry) => entry.code === log.reset && entry.busyTicks >= started.busyTicks);
  if (reset === undefined) {
    throw new UserError("The coprocessor's log does not show that it reset the device after use.");
  }
  const end = first(result.log, log.driverShutdown, 'saw the driver side shut down');
  const named = figures(result.driver);
  const sent = result.driver.filter((line) => line.startsWith('> '));
  // SET_DEVICE_STATUS with DRIVER_OK, behind the header's 8 bytes. A program need not show its messages.
  const setUp = 1 + sent.findIndex((line) => /^0008.{13}[4-7c-f]/.test(line.split(' ')[2] ?? ''));
  const devices = usesOf(result, perTick);
  const requests = named.get('requests') ?? devices[0]?.requests ?? 0;
  if (devices.length === 0 && requests === 0) {
    throw new UserError("The program on the application core made no request, or did not say so: figure('requests', number).");
  }
  const instructions = (from: DeviceLog, to: DeviceLog): number => (to.busyTicks - from.busyTicks) * perTick;
  const size = result.image.sizes.device;
  return {
    messages: named.get('messages') ?? 0,
    bytes: named.get('bytes') ?? 0,
    instructionsPerMessage: setUp === 0 ? 0 : Math.round(instructions(run, started) / setUp),
    instructionsPerRequest: requests === 0 ? 0 : Math.round(instructions(started, reset) / requests),
    allocationsWhileServing: end.allocations - run.allocations,
    collectionsWhileServing: end.collections - run.collections,
    wakes: end.wakes - run.wakes,
    discarded: Object.fromEntries(discards(result.log)),
    heapPeak: end.heapPeak,
    flash: size.flash,
    ram: size.ram,
    heap: size.heap,
    stack: size.stack,
    bundleBytes: result.bundleBytes,
    devices,
  };
}
