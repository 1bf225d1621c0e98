// The driver's half of the AMP layout's notification words, as the published layout header describes them.
//
// Each side flips a bit of its tx words; the other one compares with its own rx words and flips them to acknowledge.
import type { DriverMachine } from './machine.js';

const WORD_BYTES = 8;

export class NotificationWords {
  /** Words of each kind; 0 = the layout has none. */
  readonly count: number;
  private readonly deviceAt: number;
  private readonly driverAt: number;

  /** For the layout that `machine` has published. */
  constructor(private readonly machine: DriverMachine) {
    const base = machine.layout;
    const field = (at: number): number => machine.words[(base + at) / 2];
    this.count = field(8) & 255;
    this.deviceAt = base + field(16) + field(18) * 65536;
    this.driverAt = base + field(40) + field(42) * 65536;
  }

  private bit(from: number, bit: number): number {
    return (this.machine.words[(from >> 1) + (bit >> 4)] >> (bit & 15)) & 1;
  }

  private flip(from: number, bit: number): void {
    const at = (from >> 1) + (bit >> 4);
    this.machine.words[at] = this.machine.words[at] ^ (1 << (bit & 15));
  }

  /** Bits that differ between the words at `sent` and at `taken`, ascending. */
  private different(sent: number, taken: number): number[] {
    const found: number[] = [];
    for (let bit = 0; bit < this.count * WORD_BYTES * 8; bit++) {
      if (this.bit(sent, bit) !== this.bit(taken, bit)) {
        found.push(bit);
      }
    }
    return found;
  }

  /** Bits the driver has sent and the device not acknowledged. */
  pendingAtDevice(): number[] {
    return this.different(this.driverAt, this.deviceAt + this.count * WORD_BYTES);
  }

  /** Bits the device has sent and the driver not acknowledged. */
  pending(): number[] {
    return this.different(this.deviceAt, this.driverAt + this.count * WORD_BYTES);
  }

  /** Flips `bits` of the driver's tx words, in that order; one that is pending already stays. */
  send(bits: readonly number[]): void {
    bits.forEach((bit) => {
      if (this.pendingAtDevice().indexOf(bit) < 0) {
        this.flip(this.driverAt, bit);
        this.machine.barrier();
      }
    });
  }

  /** Takes and acknowledges everything pending, or what is pending in word `word` alone. */
  take(word = -1): number[] {
    const found = this.pending().filter((bit) => word < 0 || Math.floor(bit / 64) === word);
    found.forEach((bit) => this.flip(this.driverAt + this.count * WORD_BYTES, bit));
    this.machine.barrier();
    return found;
  }

  /** Turns the driver's mask bit for `bit` over: 1 = no doorbell for it. */
  mask(bit: number): void {
    this.flip(this.driverAt + this.count * 2 * WORD_BYTES, bit);
  }
}
