// Feature bits that do not belong to a device type (virtio 1.4, Reserved Feature Bits).

/** Bit numbers. */
export const enum Feature {
  IndirectDesc = 28,
  EventIdx = 29,
  Version1 = 32,
  AccessPlatform = 33,
  RingPacked = 34,
  InOrder = 35,
  OrderPlatform = 36,
  NotificationData = 38,
  RingReset = 40,
  Suspend = 43,
}
