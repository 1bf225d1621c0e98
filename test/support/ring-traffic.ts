// A driver that keeps the rules, step by step, on a rig of firmware and model: what it offers, it gets back once, whatever the
// device does in between and however often either side resets.
import assert from 'node:assert/strict';
import type { Element } from './driver/ring-memory.js';
import { PackedQueue } from './driver/packed-queue.js';
import type { Deed, RigOptions, RingRig } from './ring-rig.js';
import { ARENA, inArena, SHARED } from './ring-rig.js';

/** An element by numbers that are brought into range: any window, any place in its buffers. */
export interface Shape {
  readonly window: number;
  readonly offset: number;
  readonly bytes: number;
}

export type Step =
  | { readonly kind: 'offer'; readonly readable: readonly Shape[]; readonly writable: readonly Shape[]; readonly table: boolean; readonly direct: number }
  | { readonly kind: 'pass'; readonly deeds: readonly Deed[] }
  | { readonly kind: 'give back'; readonly which: number; readonly part: number }
  | { readonly kind: 'wish'; readonly flag: number; readonly after: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'reset queue'; readonly size: number; readonly start: number }
  | { readonly kind: 'reset device'; readonly options: RigOptions };

/** Descriptors of one table and tables in one arena. */
const TABLE_ENTRIES = 8;
const TABLES = (ARENA.buffers - ARENA.tables) / (TABLE_ENTRIES * 16);

export class Traffic {
  /** Chains the driver has offered: their heads, in order, and the table each of them uses. */
  private readonly offered: { head: number; table: number; writable: number }[] = [];
  /** Where the driver has not looked yet: what the device has given back. */
  private readonly tables: boolean[] = new Array<boolean>(TABLES * SHARED.length).fill(false);
  taken = 0;

  constructor(
    readonly rig: RingRig,
    options: RigOptions,
  ) {
    rig.begin(options);
  }

  private forget(): void {
    this.offered.length = 0;
    this.tables.fill(false);
  }

  run(step: Step): void {
    const { rig } = this;
    switch (step.kind) {
      case 'offer':
        this.offer(step);
        break;
      case 'pass':
        rig.queue.publish();
        rig.pass((chain) => step.deeds[chain % step.deeds.length] ?? 'all');
        assert.equal(rig.broken, false, 'a driver that keeps the rules');
        break;
      case 'give back': {
        const held = rig.options.inOrder ? rig.held().slice(0, 1) : rig.held();
        const kept = held[step.which % Math.max(held.length, 1)];
        if (kept !== undefined) {
          const writable = kept.chain.elements.filter((element) => element.writable).reduce((sum, { bytes }) => sum + bytes, 0);
          rig.giveBack(kept, Math.floor((writable * (step.part % 5)) / 4));
        }
        break;
      }
      case 'wish':
        if (rig.options.eventIdx && step.flag > 1) {
          rig.queue.notifyAfter(step.after % rig.options.size);
        } else {
          rig.queue.suppress(step.flag & 1);
        }
        break;
      case 'take':
        this.take();
        break;
      case 'reset queue':
        rig.resetQueue(step.size, step.start);
        this.forget();
        break;
      case 'reset device':
        rig.begin(step.options);
        this.forget();
        break;
    }
  }

  private offer({ readable, writable, table, direct }: Extract<Step, { kind: 'offer' }>): void {
    const { queue, options } = this.rig;
    const element = (shape: Shape, isWritable: boolean): Element => {
      const length = ARENA.bytes - ARENA.buffers;
      const bytes = shape.bytes % 65;
      const offset = ARENA.buffers + (shape.offset % (length - bytes + 1));
      return { offset, bytes, writable: isWritable, place: inArena(SHARED[shape.window % SHARED.length] ?? 0, 0) };
    };
    const elements = readable.map((shape) => element(shape, false)).concat(writable.map((shape) => element(shape, true)));
    const free = options.indirect && table && elements.length <= TABLE_ENTRIES ? this.tables.indexOf(false) : -1;
    const plain = free < 0 ? elements.length : queue instanceof PackedQueue ? 0 : direct % elements.length;
    // No chain is longer than its queue, however it is written down.
    if (elements.length > options.size || plain + (free < 0 ? 0 : 1) > queue.room()) {
      return;
    }
    const place = free < 0 ? undefined : inArena(SHARED[free % SHARED.length] ?? 0, ARENA.tables + Math.floor(free / SHARED.length) * TABLE_ENTRIES * 16);
    const head = queue instanceof PackedQueue ? queue.add(elements, place) : queue.add(elements, place, plain);
    if (free >= 0) {
      this.tables[free] = true;
    }
    this.offered.push({ head, table: free, writable: elements.reduce((sum, { bytes, writable: write }) => sum + (write ? bytes : 0), 0) });
  }

  /** The driver takes what it finds used. */
  take(): void {
    const { queue, options } = this.rig;
    for (let used = queue.take(); used !== undefined; used = queue.take()) {
      const { head, written } = used;
      const at = this.offered.findIndex((one) => one.head === head);
      const [chain] = this.offered.splice(at, 1);
      assert.ok(at >= 0 && chain !== undefined, 'chain ' + head + ' was given back and is not the device\'s');
      assert.ok(!options.inOrder || at === 0, 'in order');
      assert.ok(written <= chain.writable);
      if (chain.table >= 0) {
        this.tables[chain.table] = false;
      }
      this.taken += 1;
    }
  }

  /** The device gives back all it has; the driver finds every chain it has offered. */
  finish(): void {
    for (let turn = 0; turn < 20 && (this.offered.length > 0 || turn === 0); turn++) {
      this.run({ kind: 'pass', deeds: ['all'] });
      while (this.rig.held().length > 0) {
        this.run({ kind: 'give back', which: 0, part: 4 });
      }
      this.run({ kind: 'pass', deeds: ['all'] });
      this.take();
    }
    assert.deepEqual(this.offered, [], 'chains the device never gave back');
    this.rig.compareAll();
    this.rig.expectOtherServes();
  }
}
