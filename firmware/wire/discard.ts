// Why a received message was dropped without an answer: one counter per reason.

export const enum Discard {
  /** Frame shorter than a header, or msg_size below the header's size. */
  Short = 0,
  /** msg_size beyond the frame or the bus maximum. */
  Long = 1,
  /** Bus message with a device number. */
  BusNumber = 2,
  /** No device has that number. */
  NoDevice = 3,
  /** A response nobody waits for, or an event marked as response. */
  Response = 4,
  /** Unknown, reserved or device-only id. */
  UnknownId = 5,
  /** Payload shorter than its fields or its counts say. */
  Payload = 6,
  /** GET_DEVICES window that is not a multiple of 8. */
  Misaligned = 7,
  /** EVENT_AVAIL for a queue that cannot be served now. */
  NoQueue = 8,
  /** Transport message before both ends of the bus agreed on a revision. */
  NotAgreed = 9,
  Reasons = 10,
}
