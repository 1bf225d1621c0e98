// What the vhost-user carrier needs from a machine: the types of the `#vhost-user` module. A machine that is a Linux process has it.
//
// A message of the front side lies, as it came, at the start of the message window; descriptors that came with it are known
// by their place (0, 1, ...). What is kept of them is kept under the number of a virtqueue or of a memory window.

/** Byte offsets in the message window, and how much the machine takes. */
export const enum MessageWindow {
  /** The front side's message, header included. */
  Incoming = 0,
  /** Where the answer is made. */
  Outgoing = 1024,
  /** Frames of the device core. */
  Request = 2048,
  /** What the front side was shown of the device's configuration last. */
  Shown = 2560,
  Answer = 3072,
  /** Behind these bytes lies the memory for chains in flight, where there is some. */
  Bytes = 4096,
  /** Longest message, header included; of a longer one only the first bytes arrive. */
  Longest = 1024,
}

/** What the machine takes besides. */
export const enum MachineLimit {
  /** Virtqueues. */
  Rings = 64,
  /** Descriptors of one message; more than that are counted as one more and closed. */
  Descriptors = 8,
  /** Bytes of a page, and of guest memory's smallest part. */
  Page = 4096,
  /** Memory for chains in flight: rows of 32 bytes, one for each entry of each virtqueue and one more for the virtqueue; those of a page as a shift. */
  InflightRows = 4096,
  RowsOfPageShift = 7,
}

/** State of the connection. */
export const enum Connection {
  None = 0,
  Open = 1,
  /** It was open and is no more; everything kept for it has been closed, memory stays mapped until `unmap`. */
  Lost = 2,
  /** The same, since the file behind guest memory was cut short, or since answers were left unread until none could be sent. */
  LostMemory = 3,
  LostUnread = 4,
}

/** The exports of a `#vhost-user` module. */
export interface VhostUserMachine {
  /** Window of messages. */
  readonly messageWindow: number;
  /** The windows for guest memory: the first one, how many, and the pages each can hold. */
  readonly firstGuestWindow: number;
  readonly guestWindows: number;
  readonly guestWindowPages: number;
  /** Number of the device that this process serves, 0..65535, or -1: none was chosen. */
  servedDevice(): number;
  /** Half `half` (0..3, lowest first) of the feature bits that the device is not to offer. */
  withheld(half: number): number;
  /** State of the connection; Lost and what follows it are told once. */
  connection(): number;
  /** Bytes of the message that waits, 0 = none; as many as its header claims, though no more than Longest have arrived. Below 12 the header is not whole. */
  messageBytes(): number;
  /** Descriptors that came with it, 0..9; 9 = more than can be kept. */
  messageDescriptors(): number;
  /** The message has been handled: closes the descriptors nobody kept and receives the next one. */
  endMessage(): void;
  /** Sends `bytes` bytes from Outgoing; a front side that does not take them loses its connection. */
  reply(bytes: number): void;
  /** Ends the connection. */
  disconnect(): void;
  /** Makes a file of `pages` pages of zeros, whose descriptor goes with the next `reply`; false when that cannot be. */
  share(pages: number): boolean;
  /**
   * Maps `pages` pages (1..guestWindowPages) of the file behind `descriptor`, from page `filePage` (0..2^27-1) on, into `window`, of the
   * message window behind its messages; false when that cannot be.
   */
  map(window: number, descriptor: number, filePage: number, pages: number): boolean;
  /** Takes a window's memory away. */
  unmap(window: number): void;
  /** Keeps `descriptor` (-1 = none) for `ring`: what the front side kicks, what it wants to be called by, where it hears of errors. */
  keepKick(ring: number, descriptor: number): void;
  keepCall(ring: number, descriptor: number): void;
  keepError(ring: number, descriptor: number): void;
  /** The next ring that was kicked, or -1. */
  nextKick(): number;
  /** Signals the driver of `ring`; nothing without a descriptor. */
  call(ring: number): void;
  /** Signals an error of `ring`; nothing without a descriptor. */
  signalError(ring: number): void;
  /** Kicks received and calls made since start, modulo 2^27. */
  kickCount(): number;
  callCount(): number;
}
