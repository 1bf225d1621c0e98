// The firmware and the model of ring-model/ side by side: the same memory before every pass, the same answers of the device,
// and afterwards the same chains, the same bytes, the same events. What differs is a finding.
import { fake, fill, windows, windowWords } from '../../hal/fake/port.js';
import { receive } from '../../firmware/bus/bus.hot.js';
import type { DeviceModel } from '../../firmware/devices/device-model.js';
import { nextEvent } from '../../firmware/transport/events.hot.js';
import { elementBytes, elementOffset, elements, elementWindow, readableElements, writableBytes } from '../../firmware/virtqueue/chain.hot.js';
import { fillChain, readChain, writeChain } from '../../firmware/virtqueue/cursor.hot.js';
import { nextAvailable, nextUsed, publishedUsed, queueEpoch } from '../../firmware/virtqueue/queue-table.hot.js';
import { closeQueue, finish, finishLater, take, untake } from '../../firmware/virtqueue/queue.hot.js';
import { serveKicked } from '../../firmware/virtqueue/schedule.hot.js';
import { BareBus } from './bare-bus.js';
import { encode, le32, le64 } from './driver/message.js';
import { PackedQueue } from './driver/packed-queue.js';
import type { Place } from './driver/ring-memory.js';
import { addressOf } from './driver/ring-memory.js';
import { SplitQueue } from './driver/split-queue.js';
import { hostMachine } from './host-driver.js';
import { inWindow, otherModel, RING_FEATURES } from './lab.js';
import type { ModelChain, ModelElement, ModelQueue } from './ring-model/chain.js';
import { bytesOf, LIMITS } from './ring-model/chain.js';
import type { ModelWindow, Stretch } from './ring-model/memory.js';
import { ModelMemory, overlap } from './ring-model/memory.js';
import type { Answer, ModelRing } from './ring-model/ring.js';
import { modelRing } from './ring-model/ring.js';

/** What the device does with a chain. Bytes are written from the start of the writable part on. */
export type Deed = 'all' | 'nothing' | 'one' | 'half' | 'echo' | 'keep' | 'back';

export interface RigOptions {
  readonly packed: boolean;
  readonly size: number;
  readonly indirect: boolean;
  readonly eventIdx: boolean;
  readonly inOrder: boolean;
  /** Windows of descriptor, driver and device area; their places in the arena are fixed. */
  readonly windows: readonly [number, number, number];
  /** Position at which the ring begins, as model and tables have it. */
  readonly start: number;
}

/** Where rings, tables and buffers lie in an arena; one arena in each shared window. */
export const ARENA = { descriptors: 0, driver: 0x1000, device: 0x1400, tables: 0x2000, buffers: 0x2800, bytes: 0x3000 };
/** First byte of each window's arena: in the middle, at the window's end, nowhere (private), at the window's start. */
export const ARENAS: readonly number[] = [0x10000, 0x10000 - ARENA.bytes, -1, 0];
/** The windows that have arenas. */
export const SHARED: readonly number[] = [0, 1, 3];
export const MOST_DESCRIPTORS = 256;

const REQUEST = 0x8000;
const ANSWER = 0xa000;
const PRIVATE = 2;
/** The other device's ring and buffer, which nothing here points at. */
const OTHER_RING = 0xf8000;
const OTHER_BUFFER = 0xf9000;
const CONFIG_EVENT = 128;
/** Longest echo and longest part: what is written is bounded, what may be written is not. */
const MOST_BYTES = 4096;

/** A difference between firmware and model, or a rule that did not hold. */
export class Finding extends Error {
  override name = 'Finding';
}

function expect(condition: boolean, what: string): void {
  if (!condition) {
    throw new Finding(what);
  }
}

interface Kept {
  readonly chain: ModelChain;
  readonly life: number;
  handle: number;
  epoch: number;
}

/** What the device is to do with the chains of the pass being served, in order. */
interface Plan {
  readonly chain: ModelChain;
  readonly deed: Deed;
  readonly written: number;
  readonly value: number;
  readonly kept: Kept | undefined;
}

/** What a pass came to. */
export interface Served {
  readonly chains: number;
  readonly broken: string | undefined;
  readonly notified: boolean;
  /** The device has asked for a notification of the next chain. */
  readonly rests: boolean;
  /** Something the device writes was written by a buffer or read by a table: the order of these is nobody's business. */
  readonly tangled: boolean;
}

const NOTHING: Served = { chains: 0, broken: undefined, notified: false, rests: false, tangled: false };

export class RingRig {
  /** Row of the tested queue. */
  private row = -1;
  private readonly other: SplitQueue;
  /** The model's memory. */
  private readonly mirror: readonly Uint8Array[];
  private readonly memory: ModelMemory;
  private model!: ModelRing;
  private setUp!: ModelQueue;
  options!: RigOptions;
  queue!: SplitQueue | PackedQueue;
  /** The queue has stopped for a ring error. */
  broken = false;
  /** The device has asked for a reset and had none yet. */
  private needsReset = false;
  /** What is in the ring is nobody's business any more: only `begin` goes on. */
  over = false;
  /** Chains the device holds, those of earlier lives included. */
  kept: Kept[] = [];
  private life = 0;
  private plans: Plan[] = [];
  private planned = 0;
  /** How the chains of the pass being served differ from the model's, '' = not at all. */
  private failure = '';
  /** Runs behind the chain of that number, while the firmware serves. */
  private between: (chain: number) => void = () => undefined;
  /** The driver has changed the words that say whether the device wants notifications, while the firmware served. */
  private scribbled = false;

  constructor() {
    new BareBus([this.testedModel(), otherModel()], 64, 0x1af4, RING_FEATURES);
    // The bus has cleared what an earlier rig left.
    this.mirror = fake.bytes.map((bytes) => bytes.slice());
    this.memory = new ModelMemory(
      windows.map(({ driverAddress }, window): ModelWindow => ({
        base: driverAddress === '' ? undefined : BigInt(driverAddress),
        bytes: this.mirror[window] ?? new Uint8Array(),
      })),
    );
    this.other = new SplitQueue(hostMachine, OTHER_RING, 8);
    this.bringUp(2, 0, 1, 8, this.other.areas());
  }

  private testedModel(): DeviceModel {
    return {
      type: { name: 'rig', deviceId: 42, inOrder: true, serve: (queue) => (queue === this.row ? this.serve(queue) : undefined) },
      number: 1,
      queueSizes: [MOST_DESCRIPTORS],
      features: [],
      config: [],
      attach: (_device, firstQueue) => {
        this.row = firstQueue;
      },
    };
  }

  /** Hands a message to the bus; returns the first 32-bit word of the answer's payload. */
  private send(device: number, id: number, payload: readonly number[]): number {
    const memory = fake.bytes[0] ?? new Uint8Array();
    const frame = encode({ type: 0, id, device, token: 1, payload: Array.from(payload) });
    memory.set(frame, REQUEST);
    const bytes = receive(0, 0, REQUEST / 2, frame.length, ANSWER / 2);
    return bytes < 12 ? -1 : (windowWords[0]?.[ANSWER / 2 + 4] ?? NaN) + (windowWords[0]?.[ANSWER / 2 + 5] ?? NaN) * 65536;
  }

  /** Reset, features, queue 0, DRIVER_OK. */
  private bringUp(device: number, block0: number, block1: number, size: number, areas: readonly number[][]): void {
    [0, 1, 3].forEach((status) => this.send(device, 0x08, le32(status)));
    this.send(device, 0x04, le32(0).concat(le32(2), le32(block0), le32(block1)));
    expect(this.send(device, 0x08, le32(0x0b)) === 0x0b, 'FEATURES_OK refused');
    this.setQueue(device, size, areas);
    expect(this.send(device, 0x08, le32(0x0f)) === 0x0f, 'DRIVER_OK refused');
  }

  private setQueue(device: number, size: number, areas: readonly number[][]): void {
    const addresses = areas.reduce((bytes: number[], [low, high]) => bytes.concat(le64(low ?? 0, high ?? 0)), []);
    this.send(device, 0x0a, le32(0).concat(le32(0), le32(size), le32(0), addresses));
  }

  /** Resets the device and begins a life with `options`; chains the device still holds are of an earlier one from now on. */
  begin(options: RigOptions): void {
    if (this.over) {
      // What the passes without a model left in memory; it takes long, and no pass of theirs needs it.
      fake.bytes.forEach((bytes, window) => this.mirror[window]?.set(bytes));
    }
    this.life += 1;
    this.needsReset = false;
    this.prepare(options);
    const { indirect, eventIdx, packed, inOrder } = options;
    const block0 = (indirect ? 1 << 28 : 0) | (eventIdx ? 1 << 29 : 0);
    this.bringUp(1, block0, 1 | (packed ? 4 : 0) | (inOrder ? 8 : 0) | (1 << 8), options.size, this.queue.areas());
    this.startAt(options.start);
  }

  /** Resets the queue alone and sets it up again, with another size perhaps. */
  resetQueue(size: number, start: number): void {
    this.life += 1;
    this.send(1, 0x0b, le32(0));
    this.prepare({ ...this.options, size, start });
    this.setQueue(1, size, this.queue.areas());
    this.startAt(start);
  }

  /** Driver's half and model of a new life. */
  private prepare(options: RigOptions): void {
    const [descriptors, driver, device] = options.windows;
    const places = [inArena(descriptors, ARENA.descriptors), inArena(driver, ARENA.driver), inArena(device, ARENA.device)];
    const { packed, size, indirect, eventIdx, inOrder, start } = options;
    const Queue = packed ? PackedQueue : SplitQueue;
    this.queue = new Queue(hostMachine, 0, size, { eventIdx, inOrder, places });
    if (this.queue instanceof PackedQueue) {
      this.queue.startAt(start & 0x7fff, start >> 15);
    } else {
      this.queue.startAt(start);
    }
    const stretch = (window: number, offset: number, bytes: number): Stretch => ({ window, offset: (ARENAS[window] ?? 0) + offset, bytes });
    this.setUp = {
      packed,
      size,
      indirect,
      eventIdx,
      inOrder,
      descriptors: stretch(descriptors, ARENA.descriptors, size * 16),
      driver: stretch(driver, ARENA.driver, packed ? 4 : 6 + 2 * size),
      device: stretch(device, ARENA.device, packed ? 4 : 6 + 8 * size),
    };
    this.model = modelRing(this.memory, this.setUp, start);
    this.options = options;
    this.broken = false;
    this.over = false;
  }

  /** Lets the firmware's queue, set up a moment ago, go on from `start`. */
  private startAt(start: number): void {
    closeQueue();
    // DRIVER_OK has had the queue looked at soon; that look is the first pass, from `start` on.
    [nextAvailable, nextUsed, publishedUsed].forEach((table) => (table[this.row] = start));
    while (nextEvent(0) >= 0) {
      continue;
    }
  }

  /** Where the device looks for the next chain, as RigOptions.start has it. */
  position(): number {
    return this.model.position();
  }

  /**
   * Begins a life whose areas lie where `addresses` say, over each other perhaps: the model has no part in it, and only
   * `wildPass` may follow.
   */
  beginWild(options: RigOptions, addresses: readonly number[][]): void {
    this.begin(options);
    this.life += 1;
    this.send(1, 0x0b, le32(0));
    this.setQueue(1, options.size, addresses);
    this.over = true;
  }

  /** EVENT_AVAIL and one pass, of which only the rules for every driver are expected. */
  wildPass(): void {
    this.plans = [];
    this.planned = 0;
    fake.cacheCalls.length = 0;
    this.send(1, 0x41, le32(0).concat(le32(0)));
    serveKicked();
    raised(this.row);
    expect(this.planned <= LIMITS.chainsPerPass, 'a pass of ' + this.planned + ' chains');
    this.expectAlive();
  }

  /** The chains of this life that the device holds. */
  held(): Kept[] {
    return this.kept.filter(({ life }) => life === this.life);
  }

  /** Gives back a chain kept earlier; one of an earlier life must not be seen to be. */
  giveBack(kept: Kept, written: number): void {
    this.kept.splice(this.kept.indexOf(kept), 1);
    finishLater(this.row, kept.handle, written, kept.epoch);
    if (kept.life === this.life && !this.broken && !this.over) {
      this.copyArenas();
      this.model.complete(kept.chain, written, false);
    }
  }

  /**
   * EVENT_AVAIL and one pass. `choose` says what the device does with the chain of that number; `between` runs before the
   * chain of that number is taken, once for the firmware and once for the model, whose memory it is given.
   */
  pass(choose: (chain: number) => Deed, between: (chain: number, memory: readonly Uint8Array[]) => void = () => undefined): Served {
    expect(!this.over, 'the test goes on with a tangled ring');
    this.copyArenas();
    const served = this.broken ? NOTHING : this.modelPass(choose, between);
    this.between = (chain) => {
      const before = this.ownWords();
      between(chain, fake.bytes);
      this.scribbled = this.scribbled || this.ownWords() !== before;
    };
    this.scribbled = false;
    this.planned = 0;
    this.failure = '';
    fake.cacheCalls.length = 0;
    this.send(1, 0x41, le32(0).concat(le32(0)));
    serveKicked();
    const events = raised(this.row);
    expect(this.planned <= LIMITS.chainsPerPass, 'a pass of ' + this.planned + ' chains');
    if (served.tangled) {
      this.over = true;
      this.kept = this.kept.filter(({ handle }) => handle >= 0);
    } else {
      this.expectSame(served, events);
      this.broken = this.broken || served.broken !== undefined;
      this.needsReset = this.needsReset || this.broken;
    }
    this.expectAlive();
    return served;
  }

  /** The pass was what the model says, and so is every byte of the arenas; what is the device's own business is legal. */
  private expectSame(served: Served, events: { used: number; config: number }): void {
    expect(this.failure === '', this.failure);
    expect(this.planned === served.chains, this.planned + ' chains where the model has ' + served.chains);
    expect(events.used === (served.notified ? 1 : 0), events.used + ' EVENT_USED where the model has ' + String(served.notified));
    const asks = served.broken !== undefined && !this.needsReset;
    expect(events.config === (asks ? 1 : 0), events.config + ' EVENT_CONFIG, rule broken: ' + String(served.broken));
    const own = this.model.ownWords();
    this.memory.view(own).set((fake.bytes[own.window] ?? new Uint8Array()).subarray(own.offset, own.offset + own.bytes));
    if (!this.broken && served.broken === undefined) {
      const { packed, eventIdx } = this.options;
      const flags = this.memory.read16(this.setUp.device, packed ? 2 : 0);
      expect(!served.rests || this.model.asksForNext(), 'the queue rests without asking for a notification');
      // Without the driver's scribbles in it, a split ring's flags word stays 0 with EVENT_IDX; the bytes tell.
      expect(this.scribbled || (!packed && eventIdx) || flags <= (eventIdx ? 2 : 1), 'the device wrote the event flags ' + flags);
    }
    SHARED.forEach((window) => {
      const at = differsAt(arena(fake.bytes, window), arena(this.mirror, window));
      expect(at < 0, 'window ' + window + ' differs at byte ' + at + ' of its arena');
    });
  }

  /** The words that only the device writes, as they stand in the firmware's memory. */
  private ownWords(): string {
    const { window, offset, bytes } = this.model.ownWords();
    return String((fake.bytes[window] ?? new Uint8Array()).subarray(offset, offset + bytes));
  }

  /**
   * Whatever the driver did: memory outside the windows and what the device uses of the private one untouched, status readable,
   * the queue's error in it.
   */
  private expectAlive(): void {
    expect(fake.guardsIntact(), 'a guard zone has changed');
    this.expectPrivate(MOST_BYTES);
    const status = this.send(1, 0x07, []);
    expect(this.over ? status === 0x0f || status === 0x4f : status === (this.needsReset ? 0x4f : 0x0f), 'status ' + status);
  }

  /** The first `bytes` bytes of the private window, where no address of the driver's leads, are as they were. */
  private expectPrivate(bytes: number): void {
    const [now, before] = [fake.bytes, this.mirror].map((memory) => (memory[PRIVATE] ?? new Uint8Array()).subarray(0, bytes));
    expect(differsAt(now ?? new Uint8Array(), before ?? new Uint8Array()) < 0, 'the private window has changed');
  }

  /**
   * Every byte outside the arenas, too, is what the model says, message slots and the other device's memory apart; of a tangled
   * ring's memory only the private window is anybody's business.
   */
  compareAll(): void {
    this.expectPrivate(Infinity);
    if (this.over) {
      return;
    }
    this.copyArenas();
    this.mirror.forEach((mirror, window) => {
      const bytes = fake.bytes[window] ?? new Uint8Array();
      const parts = window === 0 ? [[0, 0x8000], [0x10000, OTHER_RING]] : [[0, bytes.length]];
      parts.forEach(([from, to]) => {
        const at = differsAt(bytes.subarray(from, to), mirror.subarray(from, to));
        expect(at < 0, 'window ' + window + ' differs at byte ' + (at + (from ?? 0)));
      });
    });
  }

  /** The other device serves, whatever has become of the tested one. */
  expectOtherServes(): void {
    const head = this.other.add([{ offset: OTHER_BUFFER, bytes: 8, writable: true }]);
    this.other.publish();
    this.send(2, 0x41, le32(0).concat(le32(0)));
    while (serveKicked()) {
      continue;
    }
    const used = this.other.take();
    expect(used !== undefined && used.head === head && used.written === 8, 'the other device does not serve');
    raised(this.row);
  }

  private copyArenas(): void {
    SHARED.forEach((window) => arena(this.mirror, window).set(arena(fake.bytes, window)));
  }

  private modelPass(choose: (chain: number) => Deed, between: (chain: number, memory: readonly Uint8Array[]) => void): Served {
    this.plans = [];
    this.memory.found = [];
    const pass = this.model.pass(
      (chain) => this.plan(chain, choose(this.plans.length)),
      () => between(this.plans.length, this.mirror),
    );
    const { device, descriptors } = this.setUp;
    const written = this.setUp.packed ? [device, descriptors] : [device];
    const tangled = this.memory.found.some((found) => written.some((area) => overlap(found, area)));
    return { chains: pass.chains.length, broken: pass.broken, notified: pass.notify, rests: pass.rests, tangled };
  }

  /** Decides what happens to `chain`, lets it happen in the model's memory, and notes it for the firmware's device. */
  private plan(chain: ModelChain, wish: Deed): Answer {
    const readable = bytesOf(chain.elements, false);
    const writable = bytesOf(chain.elements, true);
    // A device that gives back in order keeps what comes behind a chain it keeps.
    const deed = this.options.inOrder && wish !== 'back' && this.held().length > 0 ? 'keep' : wish;
    const value = (this.plans.length * 37 + this.life + 1) & 255;
    const parts: Record<Deed, number> = {
      all: writable,
      nothing: 0,
      one: 1,
      half: writable >> 1,
      echo: Math.min(readable, 64),
      keep: 0,
      back: 0,
    };
    const written = Math.min(parts[deed], writable, MOST_BYTES);
    if (deed === 'echo') {
      scatter(this.memory, chain.elements, gather(this.memory, chain.elements, written));
    } else {
      scatter(this.memory, chain.elements, new Uint8Array(written).fill(value));
    }
    const kept = deed === 'keep' ? { chain, life: this.life, handle: -1, epoch: -1 } : undefined;
    if (kept !== undefined) {
      this.kept.push(kept);
    }
    this.plans.push({ chain, deed, written, value, kept });
    return deed === 'keep' ? undefined : deed === 'back' ? 'back' : { written, whole: written === writable };
  }

  /** The device type's serve function. */
  private serve(queue: number): void {
    for (let handle = take(queue); handle >= 0; handle = take(queue)) {
      const plan = this.plans[this.planned];
      this.planned += 1;
      const difference = plan === undefined ? 'a chain the model does not have' : differs(plan.chain, handle, this.options.packed);
      if (plan === undefined || difference !== undefined) {
        this.failure = this.failure === '' ? 'chain ' + this.planned + ': ' + difference : this.failure;
        finish(queue, handle, fillChain(0, 64, this.planned));
        continue;
      }
      if (plan.kept !== undefined) {
        plan.kept.handle = handle;
        plan.kept.epoch = queueEpoch[queue] ?? NaN;
      } else if (plan.deed === 'echo') {
        readChain(0, PRIVATE, 0, plan.written);
        finish(queue, handle, writeChain(0, PRIVATE, 0, plan.written));
        fill(PRIVATE, 0, plan.written, 0);
      } else if (plan.deed !== 'back') {
        finish(queue, handle, fillChain(0, plan.written, plan.value));
      }
      this.between(this.planned);
      if (plan.deed === 'back') {
        untake(queue);
        return;
      }
    }
  }
}

/** The place `offset` bytes into the arena of `window`. */
export function inArena(window: number, offset: number): Place {
  return inWindow(window, (ARENAS[window] ?? NaN) + offset);
}

/** The driver's address of that place, lower and upper half. */
export function arenaAddress(window: number, offset: number): number[] {
  return addressOf(inArena(window, offset));
}

function arena(memory: readonly Uint8Array[], window: number): Uint8Array {
  const from = ARENAS[window] ?? NaN;
  return (memory[window] ?? new Uint8Array()).subarray(from, from + ARENA.bytes);
}

/** Index of the first byte that differs, -1 = none. */
function differsAt(one: Uint8Array, other: Uint8Array): number {
  return Buffer.compare(one, other) === 0 ? -1 : one.findIndex((byte, at) => byte !== other[at]);
}

/** Counts and takes the events raised. */
function raised(row: number): { used: number; config: number } {
  const count = { used: 0, config: 0 };
  for (let entry = nextEvent(0); entry >= 0; entry = nextEvent(0)) {
    count.used += entry === row ? 1 : 0;
    count.config += entry === CONFIG_EVENT ? 1 : 0;
  }
  return count;
}

/** How the chain in the firmware's tables differs from the model's. */
function differs(chain: ModelChain, handle: number, packed: boolean): string | undefined {
  if (handle !== (packed ? chain.slots * 65536 + chain.id : chain.id)) {
    return 'handle ' + handle + ' where the model has id ' + chain.id + ' and ' + chain.slots + ' slots';
  }
  if (elements !== chain.elements.length || readableElements !== chain.elements.filter((element) => !element.writable).length) {
    return elements + ' elements, ' + readableElements + ' of them readable, where the model has ' + chain.elements.length;
  }
  if (writableBytes !== bytesOf(chain.elements, true)) {
    return writableBytes + ' writable bytes';
  }
  const at = chain.elements.findIndex(
    (element, number) => elementWindow[number] !== element.window || elementOffset[number] !== element.offset || elementBytes[number] !== element.bytes,
  );
  return at < 0 ? undefined : 'element ' + at + ' is another one';
}

/** The first `bytes` bytes of the readable part. */
function gather(memory: ModelMemory, from: readonly ModelElement[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  from.filter(({ writable }) => !writable).forEach((element) => {
    const part = memory.view(element).subarray(0, bytes - at);
    all.set(part, at);
    at += part.length;
  });
  return all;
}

/** Writes `data` to the start of the writable part. */
function scatter(memory: ModelMemory, to: readonly ModelElement[], data: Uint8Array): void {
  let at = 0;
  to.filter(({ writable }) => writable).forEach((element) => {
    const part = data.subarray(at, at + element.bytes);
    memory.view(element).set(part);
    at += part.length;
  });
}
