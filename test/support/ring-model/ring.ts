// The device's side of a virtqueue, either format, as the specification describes it: plain, allocating, and without the
// firmware's ideas. It says what a pass over the queue takes, gives back, writes and tells.
import type { BrokenRule, ModelChain, ModelQueue } from './chain.js';
import { LIMITS, packedList, splitChain } from './chain.js';
import type { ModelMemory, Stretch } from './memory.js';

/** What the device does with a chain at once; undefined = it keeps it; 'back' = it puts it back, and takes no more. */
export type Answer = { readonly written: number; readonly whole: boolean } | 'back' | undefined;

export interface Pass {
  readonly chains: readonly ModelChain[];
  /** The rule the driver broke; the queue stops. */
  readonly broken: BrokenRule | undefined;
  /** The driver wants to be told of what was given back. */
  readonly notify: boolean;
  /** The queue is at rest: the device has asked for a notification of the next chain. */
  readonly rests: boolean;
}

export abstract class ModelRing {
  /** Chains given back, but not yet shown to the driver. */
  private hidden = 0;
  /** All of the writable part of the chain given back last was written, and the driver has not been shown it. */
  private wholeBefore = false;

  constructor(
    readonly memory: ModelMemory,
    readonly queue: ModelQueue,
  ) {}

  /** The next chain made available, or the rule it breaks, or nothing. */
  protected abstract look(): ModelChain | BrokenRule | undefined;
  /** The chain looked at last is the device's now. */
  protected abstract accept(chain: ModelChain): void;
  /** What the driver says is available, looked at once at a pass's start and again at its end; a rule it breaks. */
  protected abstract refresh(): BrokenRule | undefined;
  /** Writes the used entry of `chain`, in place of the one before when it `replaces` that, and moves on over the chain. */
  protected abstract write(chain: ModelChain, written: number, replaces: boolean): void;
  /** Makes all entries written visible at once. */
  protected abstract show(): void;
  /** Whether the driver wants to hear of what has been shown since the last time. */
  protected abstract wantsNotification(): boolean;
  /** The words that say whether the device wants notifications; only the device writes them. */
  abstract ownWords(): Stretch;
  /** True when these words ask for a notification of the next chain. */
  abstract asksForNext(): boolean;
  /** Where the device looks for the next chain: index (split), or index with the wrap counter in bit 15 (packed). */
  abstract position(): number;

  /**
   * The device gives a chain back with `written` bytes at the start of its writable part; `whole`: that is all of it. With
   * IN_ORDER one entry stands for as many chains as the specification allows.
   */
  complete(chain: ModelChain, written: number, whole: boolean): void {
    this.write(chain, written, this.queue.inOrder && this.wholeBefore);
    this.wholeBefore = whole;
    this.hidden += 1;
  }

  /** One pass over the queue; `serve` says what the device does with a chain, `then` runs when it has done it. */
  pass(serve: (chain: ModelChain) => Answer, then: () => void = () => undefined): Pass {
    const chains: ModelChain[] = [];
    let broken = this.refresh();
    if (broken !== undefined) {
      return { chains, broken, notify: false, rests: false };
    }
    let back = false;
    let emptied = false;
    while (chains.length < LIMITS.chainsPerPass && !back && !emptied && broken === undefined) {
      const found = this.look();
      if (found === undefined) {
        emptied = true;
      } else if (typeof found === 'string') {
        broken = found;
      } else {
        chains.push(found);
        const answer = serve(found);
        back = answer === 'back';
        if (answer !== 'back') {
          this.accept(found);
          if (answer !== undefined) {
            this.complete(found, answer.written, answer.whole);
          }
        }
        then();
      }
    }
    const notify = this.hidden > 0 && this.publish();
    // A device that left chains in the ring looks again by itself; only one that took all waits for a notification.
    if (emptied) {
      broken = this.refresh();
    }
    return { chains, broken, notify, rests: emptied && broken === undefined };
  }

  /** Shows the driver what was given back; returns whether it wants to be told. */
  private publish(): boolean {
    this.hidden = 0;
    this.wholeBefore = false;
    this.show();
    return this.wantsNotification();
  }
}

/** Split Virtqueues. Available ring: flags, idx, ring[N], used_event. Used ring: flags, idx, ring[N] of id and len, avail_event. */
class SplitRing extends ModelRing {
  private shown: number;
  /** Where the next used entry goes. */
  private used: number;
  /** The used index as the driver sees it, and as it saw it the last time. */
  private visible: number;
  private old: number;
  /** The entry written last. */
  private place = 0;

  constructor(
    memory: ModelMemory,
    queue: ModelQueue,
    private next: number,
  ) {
    super(memory, queue);
    this.shown = next;
    this.used = next;
    this.visible = next;
    this.old = next;
  }

  protected refresh(): BrokenRule | undefined {
    const idx = this.memory.read16(this.queue.driver, 2);
    const ahead = (idx - this.next + 65536) % 65536;
    // Chains the driver has not seen used take their place in the ring, too.
    const inFlight = (idx - this.visible + 65536) % 65536;
    if (ahead > this.queue.size || inFlight > this.queue.size) {
      return 'R-331';
    }
    this.shown = idx;
    return undefined;
  }

  protected look(): ModelChain | BrokenRule | undefined {
    if (this.next === this.shown) {
      return undefined;
    }
    const head = this.memory.read16(this.queue.driver, 4 + 2 * (this.next % this.queue.size));
    return splitChain(this.memory, this.queue, head);
  }

  protected accept(): void {
    this.next = (this.next + 1) % 65536;
  }

  protected write(chain: ModelChain, written: number, replaces: boolean): void {
    this.place = replaces ? this.place : this.used;
    const at = 4 + 8 * (this.place % this.queue.size);
    this.memory.write32(this.queue.device, at, chain.id);
    this.memory.write32(this.queue.device, at + 4, written);
    this.used = (this.used + 1) % 65536;
  }

  protected show(): void {
    this.old = this.visible;
    this.visible = this.used;
    this.memory.write16(this.queue.device, 2, this.visible);
  }

  protected wantsNotification(): boolean {
    if (!this.queue.eventIdx) {
      return (this.memory.read16(this.queue.driver, 0) & 1) === 0;
    }
    const usedEvent = this.memory.read16(this.queue.driver, 4 + 2 * this.queue.size);
    for (let index = this.old; index !== this.visible; index = (index + 1) % 65536) {
      if (index === usedEvent) {
        return true;
      }
    }
    return false;
  }

  position(): number {
    return this.next;
  }

  ownWords(): Stretch {
    const { window, offset } = this.queue.device;
    return this.queue.eventIdx ? { window, offset: offset + 4 + 8 * this.queue.size, bytes: 2 } : { window, offset, bytes: 2 };
  }

  asksForNext(): boolean {
    const value = this.memory.read16(this.ownWords(), 0);
    return this.queue.eventIdx ? value === this.next : value === 0;
  }
}

/** A place in a packed ring, which both sides go round: index and wrap counter. */
interface Position {
  readonly index: number;
  readonly wrap: number;
}

function same(one: Position, other: Position): boolean {
  return one.index === other.index && one.wrap === other.wrap;
}

/** Packed Virtqueues: a ring of descriptors that both sides write, two event structures of offset/wrap and flags. */
class PackedRing extends ModelRing {
  private next: Position;
  /** Where the next used descriptor goes. */
  private used: Position;
  /** Up to where the driver sees used descriptors, and saw them the last time. */
  private visible: Position;
  private old: Position;
  /** The used descriptor written last. */
  private place: Position;
  /** Flags of the first used descriptor the driver does not see yet: they show it and all behind it. */
  private firstFlags = 0;
  /** Slots taken and not yet shown as used, and those of them that have been given back. */
  private held = 0;
  private given = 0;

  constructor(memory: ModelMemory, queue: ModelQueue, start: number) {
    super(memory, queue);
    this.next = { index: start % 32768, wrap: start >> 15 };
    this.used = this.next;
    this.visible = this.next;
    this.old = this.next;
    this.place = this.next;
  }

  private after(position: Position, slots: number): Position {
    const index = position.index + slots;
    return index < this.queue.size ? { index, wrap: position.wrap } : { index: index - this.queue.size, wrap: 1 - position.wrap };
  }

  protected refresh(): BrokenRule | undefined {
    return undefined;
  }

  protected look(): ModelChain | BrokenRule | undefined {
    const { index, wrap } = this.next;
    const flags = this.memory.read16(this.queue.descriptors, 16 * index + 14);
    const available = (flags >> 7) & 1;
    const used = flags >> 15;
    if (this.held === this.queue.size || available !== wrap || used === wrap) {
      return undefined;
    }
    const list = packedList(this.memory, this.queue, index);
    // More than the ring has, with what the device still holds.
    return typeof list !== 'string' && this.held + list.slots > this.queue.size ? 'R-404' : list;
  }

  protected accept(chain: ModelChain): void {
    this.held += chain.slots;
    this.next = this.after(this.next, chain.slots);
  }

  protected write(chain: ModelChain, written: number, replaces: boolean): void {
    this.place = replaces ? this.place : this.used;
    const at = 16 * this.place.index;
    const flags = (this.place.wrap === 1 ? 0x8080 : 0) | (written > 0 ? 2 : 0);
    this.memory.write32(this.queue.descriptors, at + 8, written);
    this.memory.write16(this.queue.descriptors, at + 12, chain.id);
    if (same(this.place, this.visible)) {
      this.firstFlags = flags;
    } else {
      this.memory.write16(this.queue.descriptors, at + 14, flags);
    }
    this.used = this.after(this.used, chain.slots);
    this.given += chain.slots;
  }

  protected show(): void {
    this.memory.write16(this.queue.descriptors, 16 * this.visible.index + 14, this.firstFlags);
    this.old = this.visible;
    this.visible = this.used;
    this.held -= this.given;
    this.given = 0;
  }

  protected wantsNotification(): boolean {
    const offsetAndWrap = this.memory.read16(this.queue.driver, 0);
    const flags = this.memory.read16(this.queue.driver, 2) & 3;
    const event: Position = { index: offsetAndWrap & 0x7fff, wrap: offsetAndWrap >> 15 };
    if (flags !== 2 || !this.queue.eventIdx) {
      return flags !== 1;
    }
    if (event.index >= this.queue.size) {
      // Names no descriptor: this device tells rather than leaves the driver waiting.
      return true;
    }
    for (let here = this.old; !same(here, this.visible); here = this.after(here, 1)) {
      if (same(here, event)) {
        return true;
      }
    }
    return false;
  }

  position(): number {
    return this.next.index | (this.next.wrap << 15);
  }

  ownWords(): Stretch {
    return this.queue.device;
  }

  asksForNext(): boolean {
    const flags = this.memory.read16(this.queue.device, 2);
    return this.queue.eventIdx ? flags === 2 && this.memory.read16(this.queue.device, 0) === this.position() : flags === 0;
  }
}

/**
 * A ring at the start of its life, or in the middle of it: `start` is the index of the next chain (split) or the next
 * descriptor with its wrap counter in bit 15 (packed).
 */
export function modelRing(memory: ModelMemory, queue: ModelQueue, start: number): ModelRing {
  return queue.packed ? new PackedRing(memory, queue, start) : new SplitRing(memory, queue, start);
}
