// The codec table: header layouts and payload sets of the wire profiles, chosen per bus instance.
//
// Profile A is the v1 text, B the reviewed draft with 64-bit device numbers, C the 8-byte header with B's payloads.

/** Which payload set a bus speaks. */
export const enum PayloadSet {
  V1 = 1,
}

/** One row of the codec table. Word offsets count 16-bit words from the start of the message. */
export interface Profile {
  readonly name: 'A';
  /** Bytes of the header. */
  readonly headerBytes: number;
  /** Word of `dev_num`. */
  readonly numberWord: number;
  /** Words of `dev_num`. */
  readonly numberWords: number;
  readonly tokenWord: number;
  readonly sizeWord: number;
  readonly payloadSet: PayloadSet;
  /** Smallest maximum message size a bus may have. */
  readonly minimumSize: number;
  /** Largest maximum message size without a warning. */
  readonly recommendedSize: number;
}

export const profiles: readonly Profile[] = [
  {
    name: 'A',
    headerBytes: 8,
    numberWord: 1,
    numberWords: 1,
    tokenWord: 2,
    sizeWord: 3,
    payloadSet: PayloadSet.V1,
    minimumSize: 48,
    recommendedSize: 264,
  },
];
