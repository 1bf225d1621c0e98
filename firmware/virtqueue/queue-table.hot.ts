// The tables of all virtqueues: one row a queue, written when the driver sets it up.
import { Capacity } from '../capacity.js';

export const enum QueueState {
  Disabled = 0,
  Enabled = 1,
  /** A ring error stopped it; only a reset of the queue or device leaves this state. */
  Broken = 2,
  /** No chain is taken any more; those in flight may be given back (transport/drain.hot.ts). */
  Draining = 3,
}

export const enum Take {
  /** No chain now: the ring is empty or the pass has used up its budget. */
  None = -1,
  /** The driver broke a rule of the ring. */
  Error = -2,
}

/** What the driver negotiated for a queue. */
export const enum Ring {
  Packed = 1,
  Indirect = 2,
  EventIdx = 4,
  InOrder = 8,
}

/** What ending a pass found out. */
export const enum PassEnd {
  /** The driver wants to hear of the used buffers. */
  Notify = 1,
  /** More was made available while the pass ran. */
  More = 2,
  /** The driver broke a rule of the ring. */
  Error = 4,
}

export const enum QueueFeature {
  /** The queue exists whatever the driver accepts. */
  None = 255,
}

/** Device row and queue index of each queue. */
export const queueDevice = new Uint8Array(Capacity.Queues);
export const queueIndex = new Uint8Array(Capacity.Queues);
/** Largest size, a power of two. */
export const queueMaximum = new Uint16Array(Capacity.Queues);
/** Feature bit without which the queue does not exist, or QueueFeature.None. */
export const queueFeature = new Uint8Array(Capacity.Queues);
export const queueState = new Uint8Array(Capacity.Queues);
/** Size in force, 0 while disabled. */
export const queueSize = new Uint16Array(Capacity.Queues);
/** Bits of `Ring`. */
export const queueRing = new Uint8Array(Capacity.Queues);
/** Driver addresses as the driver set them: descriptor, driver and device area, four halves each, lowest first. */
export const queueAddress = new Uint16Array(Capacity.Queues * 12);
/** The three areas as windows and word indices. */
export const descriptorWindow = new Uint8Array(Capacity.Queues);
export const descriptorAt = new Int32Array(Capacity.Queues);
export const driverWindow = new Uint8Array(Capacity.Queues);
export const driverAt = new Int32Array(Capacity.Queues);
export const deviceWindow = new Uint8Array(Capacity.Queues);
export const deviceAt = new Int32Array(Capacity.Queues);
/** Changes whenever the queue is disabled, so that a late completion of an earlier life can be told. */
export const queueEpoch = new Uint16Array(Capacity.Queues);

// The open queue's positions live in split.hot.ts and packed.hot.ts; `closeQueue` brings them back here.

/**
 * Position of the next chain to take. Split: free-running index of the available ring. Packed: descriptor index, with the
 * wrap counter in bit 15.
 */
export const nextAvailable = new Uint16Array(Capacity.Queues);
/** Position of the next used entry to write, in the same form. Never read back from the ring. */
export const nextUsed = new Uint16Array(Capacity.Queues);
/** Position up to which the driver can see used entries. */
export const publishedUsed = new Uint16Array(Capacity.Queues);
