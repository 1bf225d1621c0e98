// Bits of the device status field (virtio 1.4, Device Status Field).

export const enum Status {
  Acknowledge = 1,
  Driver = 2,
  DriverOk = 4,
  FeaturesOk = 8,
  Suspend = 16,
  NeedsReset = 64,
  Failed = 128,
}
