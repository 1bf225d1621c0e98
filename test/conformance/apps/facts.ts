// The bus that the conformance suite is run against here, as facts: for the application that makes it, and for the runner.
import type { Description } from '../runner/subject.js';
import type { Mode } from '../runner/suite.js';
import { lackedBy } from '../runner/ways.js';
import { ConfigCommand, QueueCommand, Specimen } from './specimen.hot.js';

export const DEVICE_ID = 65000;
export const VENDOR_ID = 0x12345678;
export const QUEUE_SIZES = [16, 8, 4];
export const NUMBER = 1;
/** Numbers of the entropy devices beside the specimen. */
export const OTHERS = [0, 2, 9];
/** Bit 1 needs bit 0; queue 2 exists with bit 2. */
export const FEATURES = [0, 1, 2];
/** INDIRECT_DESC, EVENT_IDX, RING_RESET, SUSPEND. */
export const RING_FEATURES = [28, 29, 40, 43];
/** In window 0 of every target, out of the way of layouts and rings. */
export const REGION = { id: 3, window: 0, offset: 0x80000, bytes: 0x1000 };
const REGION_ADDRESS = 0x80080000;

/** 'CONFORM' and a zero, the writable part, the counter, and a pattern. */
export function initialConfig(): number[] {
  const bytes = [0x43, 0x4f, 0x4e, 0x46, 0x4f, 0x52, 0x4d, 0x00, 1, 2, 3, 4, 0, 0, 0, 0];
  while (bytes.length < Specimen.ConfigBytes) {
    bytes.push((bytes.length * 7 + 3) & 255);
  }
  return bytes;
}

export function hasDevice0(mode: Mode): boolean {
  return lackedBy(mode.notifications).indexOf('device 0') < 0;
}

/** What the runner is told; a foreign device comes with a description of its own, or with none. */
export function description(mode: Mode): Description {
  return {
    specimen: true,
    devices: hasDevice0(mode) ? [0, 1, 2, 9] : [1, 2, 9],
    device: NUMBER,
    other: 2,
    absent: 7,
    deviceId: DEVICE_ID,
    vendorId: VENDOR_ID,
    blocks: 2,
    features0: 0x30000007,
    features1: 0x901,
    config: initialConfig(),
    queueCount: QUEUE_SIZES.length,
    queueSize: QUEUE_SIZES[0],
    queueSize1: QUEUE_SIZES[1],
    strict: mode.strict,
    writableAt: Specimen.WritableAt,
    writableBytes: Specimen.CommandAt - Specimen.WritableAt,
    serves: true,
    fill: Specimen.Fill,
    named: lackedBy(mode.notifications).indexOf('named queues') < 0,
    dependent: 1,
    conditionalQueue: 2,
    conditionalFeature: 2,
    regionId: REGION.id,
    regionLength: REGION.bytes,
    regionAddress: REGION_ADDRESS,
    commandAt: Specimen.CommandAt,
    commands: {
      'ask for reset': ConfigCommand.AskForReset,
      'refuse start': ConfigCommand.RefuseStart,
      'change byte': QueueCommand.ChangeByte,
      'change much': QueueCommand.ChangeMuch,
      'change twice': QueueCommand.ChangeTwice,
      hold: QueueCommand.Hold,
      release: QueueCommand.Release,
      'break': QueueCommand.Break,
      'slow reset': QueueCommand.SlowReset,
      plug: QueueCommand.Plug,
      unplug: QueueCommand.Unplug,
    },
  };
}
