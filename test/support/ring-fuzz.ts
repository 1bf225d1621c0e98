// A driver that lies in every field, step by step: each step writes chains as the grammar of the rings has them, changes a
// field or some, and has one pass served. Firmware and model must agree on what comes of it (ring-rig.ts).
import { windows, windowWords } from '../../hal/fake/port.js';
import type { Deed, RigOptions } from './ring-rig.js';
import { ARENA, ARENAS, arenaAddress, Finding, inArena, RingRig, SHARED } from './ring-rig.js';
import { addressOf, readWord, write32, writeWord } from './driver/ring-memory.js';
import type { Place } from './driver/ring-memory.js';

/** Steps after which everything begins anew, from numbers that depend on the seed and the step only: where a repetition may begin. */
export const EPISODE = 1000;

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const AVAILABLE = 0x80;
const USED = 0x8000;
const TABLE_ENTRIES = 128;

/** Random numbers that begin with a seed: xorshift of 32 bits. */
class Dice {
  private state: number;

  constructor(seed: number) {
    // Some rounds, so that seeds next to each other do not begin alike; never 0.
    this.state = (seed * 0x9e3779b1) | 0 || 1;
    for (let round = 0; round < 8; round++) {
      this.next();
    }
  }

  /** 0 .. 2^32-1 */
  next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }

  /** 0 .. limit-1 */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in `times` times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) {
      throw new Error('nothing to pick from');
    }
    return item;
  }
}

/** What came of the steps, by outcome: that the fuzzer gets everywhere is proven by these. */
export interface Tally {
  steps: number;
  chains: number;
  notified: number;
  tangled: number;
  lives: number;
  staleCompletions: number;
  /** Steps that ended with a ring error, by the rule broken. */
  broken: Record<string, number>;
}

export function emptyTally(): Tally {
  return { steps: 0, chains: 0, notified: 0, tangled: 0, lives: 0, staleCompletions: 0, broken: {} };
}

const DEEDS: readonly Deed[] = ['all', 'all', 'all', 'echo', 'echo', 'nothing', 'one', 'half', 'keep', 'keep', 'back'];

/**
 * Makes the firmware's views of the windows reach into the guard zones behind them: a write past the end, which a typed array
 * would pass over in silence, leaves its trace there.
 */
export function reachIntoGuards(): void {
  const table = windowWords as Uint16Array[];
  windowWords.forEach((words, window) => {
    table[window] = new Uint16Array(words.buffer, words.byteOffset, (words.buffer.byteLength - words.byteOffset) / 2);
  });
}

/** One episode; `run` does its steps. */
class Episode {
  private readonly dice: Dice;
  private readonly rig = new RingRig();
  /** Descriptors written in this step: their table and entry. */
  private written: { table: Place; entry: number }[] = [];
  private wildLeft = 0;

  constructor(
    seed: number,
    episode: number,
    private readonly tally: Tally,
  ) {
    this.dice = new Dice(seed + episode * 0x10001);
    this.live();
  }

  private options(): RigOptions {
    const { dice } = this;
    const packed = dice.once(2);
    const size = packed && dice.once(2) ? 1 + dice.below(dice.pick([4, 16, 256])) : 2 ** dice.below(9);
    return {
      packed,
      size,
      indirect: !dice.once(4),
      eventIdx: dice.once(2),
      inOrder: dice.once(3),
      windows: [dice.pick(SHARED), dice.pick(SHARED), dice.pick(SHARED)],
      start: packed ? dice.below(size) + 0x8000 * dice.below(2) : dice.pick([0, 65535 - dice.below(10), dice.below(65536)]),
    };
  }

  /** A new life after a reset, which now and then has to show that it serves. */
  private live(): void {
    const { rig, dice } = this;
    this.tally.lives += 1;
    if (dice.once(12)) {
      rig.beginWild(this.options(), [0, 1, 2].map(() => this.alignedAddress()));
      this.wildLeft = 1 + dice.below(30);
    } else {
      rig.begin(this.options());
      if (dice.once(6)) {
        this.expectServes();
      }
    }
    if (rig.kept.length > 200) {
      rig.kept.splice(0, 150);
    }
  }

  private expectServes(): void {
    const { queue } = this.rig;
    const element = { offset: ARENA.buffers, bytes: 8, writable: true, place: inArena(0, 0) };
    const head = queue.add([element]);
    queue.publish();
    const served = this.rig.pass(() => 'all');
    const used = queue.take();
    if (served.chains !== 1 || used === undefined || used.head !== head || used.written !== 8) {
      throw new Finding('a reset device does not serve');
    }
    this.rig.expectOtherServes();
  }

  run(): void {
    const { rig, dice } = this;
    if (this.wildLeft > 0) {
      this.wildLeft -= 1;
      this.change();
      rig.wildPass();
      if (this.wildLeft === 0) {
        this.live();
      }
      return;
    }
    if (rig.over || rig.broken || dice.once(200)) {
      if (!rig.over && dice.once(3)) {
        const { packed, size } = this.options();
        const fit = packed === rig.options.packed ? size : 2 ** dice.below(9);
        rig.resetQueue(fit, rig.options.packed ? dice.below(fit) : dice.pick([0, 65530]));
      } else {
        this.live();
      }
      if (this.wildLeft > 0) {
        return;
      }
    }
    this.produce();
    const changes = dice.once(4) ? 0 : 1 + dice.below(3) * dice.below(2);
    for (let turn = 0; turn < changes; turn++) {
      this.change();
    }
    this.giveBack();
    this.count();
  }

  /** The pass, with a change of the memory in its midst now and then. */
  private count(): void {
    const { rig, dice, tally } = this;
    const deeds = [dice.pick(DEEDS), dice.pick(DEEDS), dice.pick(DEEDS)];
    const meanwhile = dice.once(6) ? { after: 1 + dice.below(2), window: dice.pick(SHARED), at: this.arenaByte(), value: this.word() } : undefined;
    const served = rig.pass(
      (chain) => deeds[chain % deeds.length] ?? 'all',
      (chain, memory) => {
        if (meanwhile !== undefined && chain === meanwhile.after) {
          memory[meanwhile.window]?.set([meanwhile.value & 255, meanwhile.value >> 8], (ARENAS[meanwhile.window] ?? 0) + meanwhile.at);
        }
      },
    );
    tally.chains += served.chains;
    tally.notified += served.notified ? 1 : 0;
    tally.tangled += served.tangled ? 1 : 0;
    if (served.broken !== undefined) {
      tally.broken[served.broken] = (tally.broken[served.broken] ?? 0) + 1;
    }
  }

  private giveBack(): void {
    const { rig, dice } = this;
    if (rig.kept.length === 0 || !dice.once(3)) {
      return;
    }
    const [oldest] = rig.held();
    const kept = dice.pick(rig.kept);
    const stale = !rig.held().includes(kept);
    const chosen = !stale && rig.options.inOrder && oldest !== undefined ? oldest : kept;
    this.tally.staleCompletions += stale ? 1 : 0;
    const writable = chosen.chain.elements.reduce((sum, { bytes, writable: write }) => sum + (write ? bytes : 0), 0);
    rig.giveBack(chosen, dice.pick([0, 1, writable, writable >> 1].filter((written) => written <= writable)));
  }

  /** Writes chains where the device looks next, as a driver that keeps the rules does, mostly. */
  private produce(): void {
    const { rig, dice } = this;
    const { packed, size } = rig.options;
    this.written = [];
    const count = dice.once(40) ? Math.min(size, 70) : 1 + dice.below(Math.min(size, 4));
    let position = rig.position();
    for (let chain = 0; chain < count; chain++) {
      position = packed ? this.packedList(position) : this.splitChain(position);
    }
    if (!packed) {
      writeWord(this.area(1), 2, position);
    }
  }

  /** The place of area 0, 1 or 2. */
  private area(number: 0 | 1 | 2): Place {
    const offset = [ARENA.descriptors, ARENA.driver, ARENA.device][number] ?? NaN;
    return inArena(this.rig.options.windows[number], offset);
  }

  /** Elements of a chain: flags and lengths, readable ones first. */
  private shape(most: number): { flags: number; bytes: number }[] {
    const { dice } = this;
    const count = 1 + dice.below(Math.max(1, Math.min(most, dice.once(30) ? 90 : 5)));
    const readable = dice.below(count + 1);
    return Array.from({ length: count }, (_, at) => ({ flags: at < readable ? 0 : WRITE, bytes: dice.once(12) ? 0 : dice.below(48) }));
  }

  private put(table: Place, entry: number, address: readonly number[], bytes: number, flags: number, other: number): void {
    const at = entry * 16;
    write32(table, at, address[0] ?? 0);
    write32(table, at + 4, address[1] ?? 0);
    write32(table, at + 8, bytes);
    writeWord(table, at + (this.rig.options.packed ? 14 : 12), flags);
    writeWord(table, at + (this.rig.options.packed ? 12 : 14), other);
    this.written.push({ table, entry });
  }

  private buffer(): number[] {
    return arenaAddress(this.dice.pick(SHARED), ARENA.buffers + this.dice.below(ARENA.bytes - ARENA.buffers - 48));
  }

  /** Fills a table; returns its address and length. */
  private table(): { address: number[]; bytes: number } {
    const { dice } = this;
    const first = dice.below(TABLE_ENTRIES);
    const place = inArena(dice.pick(SHARED), ARENA.tables + first * 16);
    const elements = this.shape(Math.min(TABLE_ENTRIES - first, this.rig.options.packed ? 100 : this.rig.options.size));
    elements.forEach(({ flags, bytes }, entry) => {
      const last = entry + 1 === elements.length;
      const next = this.rig.options.packed || last ? 0 : NEXT;
      this.put(place, entry, this.buffer(), bytes, flags | next, entry + 1);
    });
    return { address: addressOf(place), bytes: elements.length * 16 };
  }

  /** A chain from the available position on; returns the next position. */
  private splitChain(position: number): number {
    const { dice } = this;
    const { size, indirect } = this.rig.options;
    const ring = this.area(0);
    const head = dice.below(size);
    writeWord(this.area(1), 4 + (position % size) * 2, head);
    const table = indirect && dice.once(3) ? this.table() : undefined;
    // With a table perhaps some plain descriptors before it, as far as the table leaves room.
    const plain = table === undefined ? this.shape(size) : this.shape(2).slice(0, Math.min(dice.below(2), size - table.bytes / 16, size - 1)).map(({ bytes }) => ({ flags: 0, bytes }));
    plain.forEach(({ flags, bytes }, at) => {
      const last = table === undefined && at + 1 === plain.length;
      this.put(ring, (head + at) % size, this.buffer(), bytes, flags | (last ? 0 : NEXT), (head + at + 1) % size);
    });
    if (table !== undefined) {
      this.put(ring, (head + plain.length) % size, table.address, table.bytes, INDIRECT | (dice.once(4) ? WRITE : 0), dice.below(65536));
    }
    return (position + 1) % 65536;
  }

  private packedList(position: number): number {
    const { dice } = this;
    const { size, indirect } = this.rig.options;
    const ring = this.area(0);
    const id = dice.below(dice.pick([size, 65536]));
    const table = indirect && dice.once(3) ? this.table() : undefined;
    const list = table === undefined ? this.shape(size) : [];
    let index = position & 0x7fff;
    let wrap = position >> 15;
    const entry = (address: readonly number[], bytes: number, flags: number): void => {
      this.put(ring, index, address, bytes, flags | (wrap === 1 ? AVAILABLE : USED), id);
      index += 1;
      if (index === size) {
        index = 0;
        wrap = 1 - wrap;
      }
    };
    list.forEach(({ flags, bytes }, at) => entry(this.buffer(), bytes, flags | (at + 1 < list.length ? NEXT : 0)));
    if (table !== undefined) {
      entry(table.address, table.bytes, INDIRECT | (dice.once(4) ? WRITE : 0));
    }
    return index | (wrap << 15);
  }

  /** A 16-bit value of the kind that breaks things. */
  private word(): number {
    const { dice, rig } = this;
    const { size } = rig.options;
    return dice.pick([0, 1, 2, 3, 4, 5, 7, size - 1, size, size + 1, 255, 256, 9999, 0x7fff, 0x8000, 0x8080, 40000, 0xfffe, 0xffff, dice.below(65536)]);
  }

  private length(): number {
    const { dice } = this;
    return dice.pick([0, 1, 8, 15, 16, 17, 24, 32, 48, 256 * 16, 257 * 16, 65535, 65536, 1048576, 0x7ffffff, 0x8000000, 0x80000000, 0xfffffff0, 0xffffffff, dice.next()]);
  }

  /** An address at or around the border of a window, or anywhere. */
  private address(): number[] {
    const { dice } = this;
    const window = dice.pick(SHARED);
    const arena = this.arenaByte();
    const edge = (windows[window]?.bytes ?? 0) - (ARENAS[window] ?? 0) - dice.below(40);
    return dice.pick([
      arenaAddress(window, arena),
      arenaAddress(window, ARENA.tables + dice.below(64)),
      arenaAddress(window, edge),
      arenaAddress(window, edge + 20),
      arenaAddress(window, -(ARENAS[window] ?? 0)),
      [0, 0],
      [0x7ffffff8, 0],
      [0xfffffff0, 0xffffffff],
      [dice.next(), 0],
      [dice.next(), dice.next()],
      [dice.next(), dice.pick([1, 3, 0x80000000])],
    ]);
  }

  /** An address a set-up may name: aligned, near the start of an arena. */
  private alignedAddress(): number[] {
    return arenaAddress(this.dice.pick(SHARED), this.dice.below(64) * 16);
  }

  private arenaByte(): number {
    return this.dice.below(ARENA.bytes / 2) * 2;
  }

  /** Changes one field of a descriptor. */
  private changeDescriptor(table: Place, entry: number): void {
    const { dice } = this;
    const at = entry * 16;
    switch (dice.below(6)) {
      case 0: {
        const [low, high] = this.address();
        write32(table, at, (low ?? 0) >>> 0);
        write32(table, at + 4, (high ?? 0) >>> 0);
        break;
      }
      case 1:
        writeWord(table, at + dice.below(4) * 2, this.word());
        break;
      case 2:
        write32(table, at + 8, this.length());
        break;
      case 3:
        writeWord(table, at + 12, this.word());
        break;
      case 4:
        writeWord(table, at + 14, this.word());
        break;
      default: {
        // One bit of the flags.
        const flags = at + (this.rig.options.packed ? 14 : 12);
        writeWord(table, flags, readWord(table, flags) ^ dice.pick([NEXT, WRITE, INDIRECT, AVAILABLE, USED, 0x100]));
      }
    }
  }

  /** One mutation of what both sides share. */
  private change(): void {
    const { dice, rig } = this;
    const { size, packed } = rig.options;
    const chosen = this.written.length > 0 && dice.once(2) ? dice.pick(this.written) : { table: this.area(0), entry: dice.below(size) };
    switch (dice.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.changeDescriptor(chosen.table, chosen.entry);
        break;
      case 4: {
        // A descriptor over another one.
        const from = this.written.length > 0 ? dice.pick(this.written) : chosen;
        for (let byte = 0; byte < 16; byte += 2) {
          writeWord(chosen.table, chosen.entry * 16 + byte, readWord(from.table, from.entry * 16 + byte));
        }
        break;
      }
      case 5:
        if (packed) {
          writeWord(this.area(1), dice.below(2) * 2, dice.pick([0, 1, 2, 3, this.word(), rig.position()]));
        } else {
          // A head of those the device sees next.
          writeWord(this.area(1), 4 + ((rig.position() + dice.below(2)) % size) * 2, this.word());
        }
        break;
      case 6:
        if (!packed) {
          const jump = dice.pick([1, 2, size, size + 1, 9999, 32768, 40000, 65535, 65534]);
          writeWord(this.area(1), 2, dice.once(2) ? (rig.position() + jump) % 65536 : this.word());
        }
        break;
      case 7:
        if (!packed) {
          // Flags, or used_event.
          writeWord(this.area(1), dice.once(2) ? 0 : 4 + size * 2, dice.pick([0, 1, this.word(), rig.position()]));
        } else {
          writeWord(this.area(0), ((rig.position() & 0x7fff) % size) * 16 + 14, this.word());
        }
        break;
      case 8:
        // What belongs to the device.
        writeWord(this.area(2), dice.below(packed ? 2 : 3 + size * 4) * 2, this.word());
        break;
      default:
        writeWord(inArena(dice.pick(SHARED), this.arenaByte()), 0, this.word());
    }
  }

  /** What the failing step was about. */
  describe(): string {
    return JSON.stringify(this.rig.options);
  }

  /** At its end all of memory is what the model says. */
  end(): void {
    this.rig.compareAll();
  }
}

/** What a run found. */
export interface FuzzFinding {
  readonly step: number;
  readonly what: string;
  readonly options: string;
}

/**
 * Runs the steps `first` .. `first` + `steps` - 1 of `seed` (a run begins at a whole episode before `first`), and stops at the
 * first finding. `progress` is called before every episode with the number of its first step.
 */
export function fuzz(seed: number, first: number, steps: number, tally: Tally, progress: (step: number) => void = () => undefined): FuzzFinding | undefined {
  for (let episode = Math.floor(first / EPISODE); episode * EPISODE < first + steps; episode++) {
    progress(episode * EPISODE);
    let running: Episode | undefined;
    let step = episode * EPISODE;
    try {
      running = new Episode(seed, episode, tally);
      for (; step < (episode + 1) * EPISODE && step < first + steps; step++) {
        running.run();
        tally.steps += 1;
      }
      running.end();
    } catch (error) {
      const what = error instanceof Finding ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { step, what, options: running === undefined ? '' : running.describe() };
    }
  }
  return undefined;
}
