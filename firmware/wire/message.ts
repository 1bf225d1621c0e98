// Message types and ids of virtio-msg (v1 text, "Message Types" and "Message IDs").

/** Bits of the header's `type` byte; bits 7..2 are reserved. */
export const enum MessageType {
  Response = 1,
  Bus = 2,
  /** The bits with a meaning. */
  Defined = 3,
}

/** Ids of transport messages. Bit 6 marks an event, bit 7 an implementation-defined id. */
export const enum MessageId {
  GetDeviceInfo = 0x02,
  GetDeviceFeatures = 0x03,
  SetDriverFeatures = 0x04,
  GetConfig = 0x05,
  SetConfig = 0x06,
  GetDeviceStatus = 0x07,
  SetDeviceStatus = 0x08,
  GetVqueue = 0x09,
  SetVqueue = 0x0a,
  ResetVqueue = 0x0b,
  GetShm = 0x0c,
  EventConfig = 0x40,
  EventAvail = 0x41,
  EventUsed = 0x42,
}

/** Ids of bus messages. */
export const enum BusMessageId {
  GetDevices = 0x02,
  Ping = 0x03,
  EventDevice = 0x40,
}

/** The bits that sort ids into requests, events and implementation-defined ids. */
export const enum IdClass {
  Event = 0x40,
  Implementation = 0x80,
}
