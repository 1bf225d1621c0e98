// Codes the firmware gives to `port.log`: what happened, with one number each. Tools turn them into sentences.

export const enum Log {
  /** The target's own start-up line: instructions per timer tick, or 0. */
  Tick = 0,
  /** The layout was published; value: bus. */
  Published = 1,
  /** Own queue status became READY; value: bus. */
  Ready = 2,
  /** Own queue status became RUN; value: bus. */
  Run = 3,
  /** The driver side shut down; value: bus. */
  DriverShutdown = 4,
  /** The driver side came back without shutting down, or its indices make no sense; value: bus. */
  DriverLost = 5,
  /** A ring broke a rule; value: queue number in this image. */
  RingError = 6,
  /** A device was reset by its driver; value: device number. */
  Reset = 7,
  /** A device reached DRIVER_OK; value: device number. */
  DriverOk = 8,
  /** A bus allows messages larger than its profile recommends; value: bytes. */
  LargeMessages = 9,
  /** Start-up is over; value: bytes of the private window that are in use. */
  PrivateMemory = 10,
  /** The driver side has not answered a PING; value: bus. */
  PingLost = 11,
  /**
   * 32 + a reason of wire/discard.ts; value: messages dropped for it since start. Comes for every reason that occurred when a
   * driver side goes.
   */
  Discarded = 32,
  /** A vhost-user front side connected; value: 0. */
  VhostConnected = 64,
  /** Its connection is over; value: 0, 1 = the file behind guest memory was cut short, 2 = answers were left unread until none could be sent. */
  VhostGone = 65,
  /** A message was refused; value: request times 32 plus a Refusal of wire/vhost-user.ts. */
  VhostRefused = 66,
  /** Kicks received and calls made since start, modulo 2^27. */
  VhostKicks = 67,
  VhostCalls = 68,
  /** At start-up, for each device of the first bus; value: its number times 64 plus its virtio device id, 63 for larger ids. */
  VhostDevice = 69,
  /** The same device's virtqueues; value: how many times 65536 plus the smallest of their largest sizes. */
  VhostQueues = 70,
  /** A ring was stopped; value: its index times 65536 plus where it goes on, as in SET_VRING_BASE. */
  VhostStopped = 71,
  /**
   * Behind VhostStopped, each with the ring's index times 65536: where the next chain would have been taken; then what stands in
   * memory: split, the index of the available and of the used ring; packed, the flags of the descriptors to be taken and given
   * back next.
   */
  VhostTaken = 72,
  VhostAvailable = 73,
  VhostUsed = 74,
  /** A message was handled; value: the request. */
  VhostMessage = 75,
}
