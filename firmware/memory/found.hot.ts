// What `#descriptors` answers: the numbers that the rings, the TypeScript and the C of it agree on.

/**
 * A descriptor read by `splitDescriptor` or `packedDescriptor`: its flags, and from bit 2 on the window (0..15) of its bytes. Whatever is
 * `ByTable` or more needs another look, so that one comparison lets all others pass.
 */
export const enum Found {
  Next = 1,
  Write = 2,
  WindowShift = 2,
  /** This bit: the descriptor was the first of an indirect table, to which the one in the ring refers; or see `packedDescriptor`. */
  ByTable = 64,
  /** It breaks a rule; more than any other answer but the next one. */
  Broken = 128,
  /** Packed rings: it is not available. */
  Nothing = 129,
}

/** Entries of `descriptorOther`. */
export const enum Other {
  /** Split: the next descriptor; packed: the buffer id, that of the ring's descriptor. */
  NextOrId = 0,
  /** The indirect table found last: its window, first word and number of descriptors. */
  TableWindow = 1,
  TableAt = 2,
  TableEntries = 3,
}

/** Entries of `translation`. */
export const enum Translation {
  /** Windows known. */
  Windows = 0,
  /** The bus whose driver side's addresses are translated, as its bit. */
  Bus = 1,
}

/** What is in a descriptor of either format; split: word 6 flags, 7 next; packed: 6 buffer id, 7 flags. */
export const enum Descriptor {
  Next = 1,
  Write = 2,
  Indirect = 4,
  NextAndWrite = 3,
  /** Packed: AVAIL and USED. */
  AvailableAndUsed = 0x8080,
  Words = 8,
  Bytes = 16,
  /** Most descriptors of a table: no more than one chain may have. */
  TableEntries = 256,
}
