// What a mailbox driver needs from a machine: the types of the `#registers` module, 32-bit registers in 16-bit halves.

/** The exports of a register module. `block` is the number of a register block in board.json, `offset` a multiple of 4 in bytes. */
export interface Registers {
  /** Reads a 32-bit register with one access; returns its bits 15..0 and keeps bits 31..16 for `registerHigh`. */
  registerRead(block: number, offset: number): number;
  /** Bits 31..16 of the last register read. */
  registerHigh(): number;
  /** Writes a 32-bit register with one access. */
  registerWrite(block: number, offset: number, low: number, high: number): void;
}
