// The codec table: header layouts, transport payload sets and bus payload sets, and the wire profiles made of them.
//
// A is the v1 text; B the reviewed draft with a 16-byte header and 64-bit device numbers; C the 8-byte header with B's
// transport payloads. A bus instance gets its profile by configuration: the headers cannot be told apart on the wire.
// Word offsets count 16-bit words. "Inferred" marks what no draft says in so many words.

/** Where the header keeps its fields, in words from the start of the message; type and id are always word 0. */
export interface HeaderLayout {
  readonly bytes: number;
  readonly numberWord: number;
  readonly numberWords: number;
  readonly tokenWord: number;
  readonly sizeWord: number;
}

/** 8 bytes: type, id, dev_num, token, msg_size. */
const shortHeader: HeaderLayout = { bytes: 8, numberWord: 1, numberWords: 1, tokenWord: 2, sizeWord: 3 };
/** 16 bytes: type, id, token, msg_size, a reserved word, dev_num of 64 bits. msg_size before the reserved word: inferred. */
const longHeader: HeaderLayout = { bytes: 16, numberWord: 4, numberWords: 4, tokenWord: 1, sizeWord: 2 };

/** What a payload set or profile does in its own way; bits of `busRules`. */
export const enum Rule {
  /** GET_DEVICE_INFO has 44 bytes: a uuid (behind vendor_id: inferred), a count of feature blocks, admin fields of 32 bits. */
  LongInfo = 1,
  /** GET_SHM has 24 bytes: length and address of 64 bits behind a reserved word of 32 (its place: inferred). */
  LongRegions = 2,
  /** SET_VQUEUE has flags (`QueueFlag`), GET_VQUEUE says whether the queue is enabled. */
  QueueFlags = 4,
  /** The generation count matters only where STRICT_CONFIG_GENERATION is agreed. */
  Baseline = 8,
  /** In the baseline the count is sent as 0, not as it is. */
  HiddenCount = 16,
  /** An EVENT_CONFIG without data tells where the change begins. */
  EventOffset = 32,
  /** An EVENT_CONFIG without data tells how long the change is. */
  EventLength = 64,
  /** GET_DEVICES windows are whole bytes: offset and count are multiples of 8. */
  WholeBytes = 128,
  /** A reset may be complete later than its answer: the status then stays non-zero until it is. */
  LateReset = 256,
  /** Requests to a number that was removed are answered by a stub. */
  AnswersRemoved = 512,
}

/** `flags` of SET_VQUEUE, payload set T2. Value 2 for "keep" and the single bits 2 to 5 are inferred from their order in the draft. */
export const enum QueueFlag {
  /** The two low bits say what becomes of the queue. */
  Operation = 3,
  Disable = 0,
  Enable = 1,
  Keep = 2,
  /** Fields that are not to be applied. */
  IgnoreSize = 4,
  IgnoreDescriptors = 8,
  IgnoreDriver = 16,
  IgnoreDevice = 32,
  /** Bits with a meaning; any other is refused. */
  Defined = 63,
}

/** Transport feature bits. */
export const enum TransportFeature {
  /** VIRTIO_MSG_F_STRICT_CONFIG_GENERATION; bit 0 is inferred. */
  StrictConfigGeneration = 1,
}

/** Payloads of transport messages. */
export interface TransportPayloads {
  /** Bytes of the largest payload a device must be able to send or receive whole; no smaller message size makes sense. */
  readonly largest: number;
  readonly rules: number;
}

/** SET_VQUEUE is the largest. */
const firstPayloads: TransportPayloads = { largest: 40, rules: 0 };
/** GET_DEVICE_INFO is the largest. */
const secondPayloads: TransportPayloads = {
  largest: 44,
  rules: Rule.LongInfo | Rule.LongRegions | Rule.QueueFlags | Rule.Baseline | Rule.LateReset,
};

/** Payloads of bus messages, in words from the start of the payload. A device number there always comes first. */
export interface BusPayloads {
  /** Words of a device number. */
  readonly numberWords: number;
  /** GET_DEVICES: `count` of the request; `count`, `next_offset` and the bitmap of the answer. */
  readonly askedCountWord: number;
  readonly countWord: number;
  readonly nextWord: number;
  readonly bitmapWord: number;
  readonly rules: number;
}

const firstBusPayloads: BusPayloads = { numberWords: 1, askedCountWord: 1, countWord: 1, nextWord: 2, bitmapWord: 3, rules: Rule.WholeBytes };
/** Order and widths of all but the numbers, and that no padding lies before the bitmap: inferred. EVENT_DEVICE: the state stays le16. */
const secondBusPayloads: BusPayloads = { numberWords: 4, askedCountWord: 4, countWord: 8, nextWord: 4, bitmapWord: 9, rules: 0 };
/** The first set with next_offset before count in the answer. */
const thirdBusPayloads: BusPayloads = { numberWords: 1, askedCountWord: 1, countWord: 2, nextWord: 1, bitmapWord: 3, rules: Rule.WholeBytes };

/** One row of the codec table. */
export interface Profile {
  readonly name: ProfileName;
  readonly header: HeaderLayout;
  readonly transport: TransportPayloads;
  readonly bus: BusPayloads;
  /** Rules of the profile besides those of its payload sets. */
  readonly rules: number;
}

export type ProfileName = 'A' | 'B' | 'C';

export const profiles: readonly Profile[] = [
  { name: 'A', header: shortHeader, transport: firstPayloads, bus: firstBusPayloads, rules: Rule.EventOffset | Rule.AnswersRemoved },
  {
    name: 'B',
    header: longHeader,
    transport: secondPayloads,
    bus: secondBusPayloads,
    rules: Rule.HiddenCount | Rule.EventOffset | Rule.EventLength,
  },
  { name: 'C', header: shortHeader, transport: secondPayloads, bus: thirdBusPayloads, rules: 0 },
];

/** Largest maximum message size: msg_size has 16 bits. */
export const largestSize = 65535;

/** Smallest maximum message size a bus may have: 48, 60, 52 (R-040; 60 is inferred). */
export function minimumSize(profile: Profile): number {
  return profile.header.bytes + profile.transport.largest;
}

/** Largest maximum message size that a bus may have without a warning: 264, 272, 264 (R-042; 272 is inferred). */
export function recommendedSize(profile: Profile): number {
  return profile.header.bytes + 256;
}
