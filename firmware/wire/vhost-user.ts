// Numbers of the vhost-user protocol (QEMU's public specification "Vhost-user Protocol", message and header fields).

/** Words of a message: request 0-1, flags 2-3, payload size 4-5, payload from 6 on. */
export const enum Message {
  HeaderBytes = 12,
  PayloadWord = 6,
  Version = 1,
  VersionMask = 3,
  Reply = 4,
  NeedReply = 8,
  /** Most payload: the region table, or a configuration access. */
  ConfigHeaderBytes = 12,
  ConfigBytes = 256,
  /** A ring's descriptor: which ring, and the bit that says there is none. */
  RingMask = 255,
  NoDescriptor = 256,
  /** Memory regions of one table, words of one and of what lies before the first. */
  Regions = 8,
  RegionWords = 16,
  TableWords = 4,
  /** A description of memory for chains in flight, as specified and as a C compiler of a 64-bit machine pads it. */
  InflightBytes = 20,
  InflightPaddedBytes = 24,
}

/** Requests of the front side. */
export const enum VhostRequest {
  GetFeatures = 1,
  SetFeatures = 2,
  SetOwner = 3,
  ResetOwner = 4,
  SetMemTable = 5,
  SetVringNum = 8,
  SetVringAddr = 9,
  SetVringBase = 10,
  GetVringBase = 11,
  SetVringKick = 12,
  SetVringCall = 13,
  SetVringErr = 14,
  GetProtocolFeatures = 15,
  SetProtocolFeatures = 16,
  GetQueueNum = 17,
  SetVringEnable = 18,
  GetConfig = 24,
  SetConfig = 25,
  GetInflightFd = 31,
  SetInflightFd = 32,
  ResetDevice = 34,
  SetStatus = 39,
  GetStatus = 40,
}

/** The bits of a 64-bit mask that matter here, each as a bit of one of its four halves. */
export const enum VhostFeature {
  /** VHOST_USER_F_PROTOCOL_FEATURES, bit 30. */
  ProtocolFeaturesHalf = 1,
  ProtocolFeatures = 1 << 14,
  /** ACCESS_PLATFORM, bit 33, would need an IOTLB, NOTIFICATION_DATA, bit 38, has no place in a kick: neither is offered. */
  NotOfferedHalf = 2,
  NotOffered = (1 << 1) | (1 << 6),
}

/** Protocol features, as bits of the two lower halves. */
export const enum ProtocolFeature {
  Mq = 1 << 0,
  ReplyAck = 1 << 3,
  Config = 1 << 9,
  InflightShmfd = 1 << 12,
  ResetDevice = 1 << 13,
  /** In the second half: bit 16. */
  Status = 1 << 0,
  OfferedLow = Mq | ReplyAck | Config | InflightShmfd | ResetDevice,
  OfferedHigh = Status,
}

/** Why a message was refused: with the request times 32 the value of Log.VhostRefused. */
export const enum Refusal {
  None = 0,
  /** Version or reply bit in the flags. */
  Flags = 1,
  /** Payload size. */
  Size = 2,
  /** A request that is unknown or whose protocol feature was not offered. */
  Request = 3,
  /** Number of file descriptors. */
  Descriptors = 4,
  /** Index of a virtqueue. */
  Ring = 5,
  /** Number of entries. */
  Entries = 6,
  /** Feature bits that were not offered, or a change of them while rings run. */
  Features = 7,
  /** The device refused the features at FEATURES_OK: VERSION_1 is missing, or its own check. */
  NotAgreed = 8,
  /** An address of a ring outside the regions, or misaligned. */
  Address = 9,
  /** More memory regions than eight, or none. */
  Regions = 10,
  /** A region that is not whole pages, wraps around, or lies beyond 512 GiB. */
  RegionShape = 11,
  /** More guest memory than the windows hold. */
  RegionSpace = 12,
  /** A region's descriptor cannot be mapped. */
  RegionMap = 13,
  /** An index for SET_VRING_BASE that the ring cannot have. */
  Base = 14,
  /** An access outside the configuration space, or rejected by the device. */
  Config = 15,
  /** The ring must be stopped for this. */
  Running = 16,
  /** A kick without a descriptor: the ring would have to be polled. */
  Polling = 17,
  /** Memory for chains in flight that is not of the size or content this side gives it. */
  Inflight = 18,
}
