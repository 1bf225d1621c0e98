// What ringing the other side's doorbell amounts to, for every mailbox driver.

export const enum Ring {
  /** The mailbox refuses for now and nothing is pending: ring again at the next pass. */
  Later = -1,
  /** An earlier ring is still pending: the other side looks after it acknowledges, so it misses nothing. */
  Merged = 0,
  /** The other side's interrupt is raised. */
  Rang = 1,
}
