// How buffers are announced besides messages, and which bit of the AMP layout's notification words stands for what.

/** How a bus announces available and used buffers. */
export const enum Notification {
  /** EVENT_AVAIL and EVENT_USED in the message queues. */
  Messages = 0,
  /** The doorbell alone: it stands for every queue of the bus, in both directions. */
  Doorbell = 1,
  /** Bits of the layout's notification words, and a doorbell. */
  Words = 2,
}

/**
 * Bits of the notification words. That word 0 is direct, that higher words cascade and that bit 0 of word 0 belongs to the
 * message queue is known; the rest is inferred. With one word, device `number` has the bits from number * bitsPerDevice on, so
 * number 0 has none. With more, bit w of word 0 says "look at word w", and the bits of the devices begin in word 1, with
 * number 0. Of a device's bits, bit q stands for queue q, the last one for that queue and all behind it. A mask bit of 1 says
 * that its owner wants no doorbell for that bit.
 */
export const enum WordLayout {
  MessageQueueBit = 0,
  BitsPerWord = 64,
  /** 64 as a power of two. */
  WordShift = 6,
  /** A 64-bit word is four chunks of 16 bits, lowest first. */
  ChunksPerWord = 4,
  MostWords = 64,
}
