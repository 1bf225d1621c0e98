// How a driver side announces available buffers and hears of used ones, in every way that a bus may be configured for.
import type { AmpBus } from './amp-bus.js';
import type { Message } from './message.js';
import { encode, EVENT_AVAIL, EVENT_USED, le32, read32 } from './message.js';
import { NotificationWords } from './notification-words.js';

/** As the device side's NotificationOptions. */
export interface Way {
  readonly kind: 'messages' | 'doorbell' | 'words';
  /** Notification words, and bits of a device among them. */
  readonly words?: number;
  readonly bitsPerDevice?: number;
  /** Mask words follow; none of their bits is set here. */
  readonly masked?: boolean;
}

/** A queue of which the driver side heard; -1 = it was not said which. */
export interface Heard {
  readonly device: number;
  readonly queue: number;
}

export class Notifier {
  private readonly words: NotificationWords;
  private readonly bits: number;

  /** The bus is connected, so its layout is there. */
  constructor(private readonly bus: AmpBus, private readonly way: Way) {
    this.words = new NotificationWords(bus.machine);
    this.bits = way.bitsPerDevice === undefined ? 1 : way.bitsPerDevice;
  }

  /** Says that `queue` of `device` has available buffers, without a ring of the doorbell. False = there is no room for the message. */
  put(device: number, queue: number): boolean {
    if (this.way.kind === 'messages') {
      return this.bus.put(encode({ type: 0, id: EVENT_AVAIL, device, token: 0, payload: le32(queue).concat(le32(0)) }, this.bus.profile));
    }
    if (this.way.kind === 'words') {
      const bit = device * this.bits + Math.min(queue, this.bits - 1);
      // The word before the bit of word 0 that points to it.
      this.words.send(this.words.count === 1 ? [bit] : [bit + 64, 1 + Math.floor(bit / 64)]);
    }
    return true;
  }

  /** What an event of the device side says about used buffers. */
  heardFrom(event: Message): Heard[] {
    return event.id === EVENT_USED ? [{ device: event.device, queue: read32(event.payload, 0) }] : [];
  }

  /** What the words say about used buffers; the last bit of a device stands for its queue and all behind it. */
  heardFromWords(): Heard[] {
    if (this.way.kind !== 'words') {
      return [];
    }
    // Bit 0 of word 0 is the message queue's. The others are devices' or, with more words, point to the words of devices.
    const first = this.words.take(0).filter((bit) => bit > 0);
    const single = this.words.count === 1;
    let found = single ? first : [];
    if (!single) {
      first.forEach((word) => {
        found = found.concat(this.words.take(word));
      });
    }
    return found.map((bit) => {
      const place = single ? bit : bit - 64;
      const queue = place % this.bits;
      return { device: Math.floor(place / this.bits), queue: queue === this.bits - 1 ? -1 : queue };
    });
  }
}
