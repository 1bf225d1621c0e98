// How much the image can hold: the sizes of every table, fixed when the bundle is built.

export const enum Capacity {
  /** Bus instances. */
  Buses = 2,
  /** Devices of all buses together, 64 at most; `vmsg build --devices N` builds for fewer. */
  Devices = 64,
  /** Device numbers per bus that are found by one table look-up; higher ones are searched for. */
  DirectNumbers = 64,
  /** Device types with handlers of their own. */
  DeviceTypes = 16,
  /** Virtqueues of all devices together; at most 128, since event lists hold queues and devices in one byte. `vmsg build --queues N`. */
  Queues = 128,
  /** Entries of one bus's event list: every queue, every device and every bus once. */
  Events = Queues + Devices + Buses,
  /** Requests of one bus that wait for a device whose reset takes time; with more the bus takes no message. */
  Parked = 8,
  /** 16-bit words of feature bits: two per feature block of each device. */
  FeatureWords = 8 * Devices,
  /** Feature bits that need another one, of all devices together. */
  Dependencies = 255,
  /** Ports of all consoles together. */
  ConsolePorts = 16,
  /** Shared memory regions of all devices together. */
  Regions = 16,
  /** Bytes of all configuration spaces together. */
  ConfigBytes = 4096,
  /** Bytes of one accepted SET_CONFIG. */
  ConfigWriteBytes = 256,
  /** Memory windows. */
  Windows = 16,
  /** Elements of one descriptor chain, both directions together. */
  ChainElements = 64,
}

/** How much one pass of the loop does before the other parts of the firmware have their turn. */
export const enum Budget {
  /** Messages taken from one bus. */
  Messages = 16,
  /** Queues served. */
  Queues = 16,
  /** Chains taken from one queue. */
  Chains = 64,
  /** Microseconds between two looks at a driver side that has not finished the handshake. */
  HandshakePoll = 5000,
  /** Microseconds between two looks at what no doorbell announces: room in the outgoing ring, a device without data. */
  BlockedPoll = 1000,
  /** Microseconds between two looks at what waits with a time limit. */
  WaitPoll = 10000,
  /** Microseconds between two messages of the bus itself whose effect is not seen, and until a PING counts as lost. */
  BusEventPause = 1000000,
  /** Microseconds for which the number of a removed device is not used again. */
  Quarantine = 30000000,
  /** Microseconds a device has to give its chains back before it is removed or suspended all the same. */
  DrainLimit = 2000000,
  /** Microseconds a driver has to let go of a device that is to be removed. */
  LeaveLimit = 5000000,
  /** Microseconds after which a reset is complete whatever a backend does; the known driver waits 10 s. */
  ResetLimit = 8000000,
  /** Microseconds between two looks at a running driver side that rings no doorbell (its SHUTDOWN comes without one). */
  RunningPoll = 100000,
}
