// What the runner must know about the device under test; what a description leaves out is asked for on the wire.
import type { Profile } from './vocabulary.js';

/** Everything that cases may name as a fact. */
export interface Subject {
  readonly profile: Profile;
  /** Numbers of all devices of the bus, ascending. */
  devices: number[];
  /** The device under test; the lowest number by default. */
  device: number;
  /** A second device, -1 = none. */
  other: number;
  /** A number without device. */
  absent: number;
  deviceId: number;
  vendorId: number;
  /** Feature blocks, and the bits of block 0 and 1 offered. */
  blocks: number;
  features0: number;
  features1: number;
  /** Bytes of its configuration space. */
  config: number[];
  queueCount: number;
  /** Largest size of queue 0 and 1. */
  queueSize: number;
  queueSize1: number;
  /** An address at which the device may reach 8 KiB that nothing uses. */
  spare: number;
  /** It is the device of test/conformance/apps, with its numbers of devices, queues and features. */
  specimen: boolean;
  /** Bytes of the largest message. */
  largest: number;
  /** Whether the generation count is in force: always in A, by agreement in B and C. */
  strict: boolean;
  /** The count the device told last. */
  generation: number;
  /** First byte and number of configuration bytes that the driver may write; 0 = none known. */
  writableAt: number;
  writableBytes: number;
  /** Queue 0 gives every buffer back at once, in order, with all its writable bytes written. */
  serves: boolean;
  /** The value of those bytes; -1 = any. */
  fill: number;
  /** A notification says which queue it is about; a bare doorbell does not. */
  named: boolean;
  /** A feature bit of block 0 that needs another one which is offered as well; -1 = none. */
  dependent: number;
  /** A queue that exists only with feature bit `conditionalFeature` of block 0; -1 = none. */
  conditionalQueue: number;
  conditionalFeature: number;
  /** Id, length and address of a shared memory region; -1 = none. */
  regionId: number;
  regionLength: number;
  regionAddress: number;
  /** What the device can be told to do by itself. Codes below 128 are written to the configuration byte `commandAt`, others are the first byte of a request in queue 1. */
  commands: { readonly [name: string]: number };
  commandAt: number;
  /** The facts a description gave. */
  readonly described: readonly string[];
}

/** The part of a subject that a description gives; discovery fills in the rest. */
export type Description = { -readonly [Key in keyof Omit<Subject, 'profile' | 'described'>]?: Subject[Key] };

/** A subject about which nothing is known yet but what `description` says. */
export function subjectFrom(profile: Profile, description: Description): Subject {
  const known = description as { readonly [name: string]: unknown };
  const subject: Subject = {
    profile,
    devices: [],
    device: -1,
    other: -1,
    absent: -1,
    deviceId: 0,
    vendorId: 0,
    blocks: 0,
    features0: 0,
    features1: 0,
    config: [],
    queueCount: 0,
    queueSize: 0,
    queueSize1: 0,
    spare: 0,
    specimen: false,
    largest: 64,
    strict: profile === 'A',
    generation: 0,
    writableAt: 0,
    writableBytes: 0,
    serves: false,
    fill: -1,
    named: true,
    dependent: -1,
    conditionalQueue: -1,
    conditionalFeature: -1,
    regionId: -1,
    regionLength: 0,
    regionAddress: 0,
    commands: {},
    commandAt: 0,
    described: Object.keys(description),
  };
  const target = subject as unknown as { [name: string]: unknown };
  Object.keys(description).forEach((name) => {
    target[name] = known[name];
  });
  return subject;
}

/** Makes a description of what a JSON file holds; throws an Error with one sentence for a fact that does not exist or has another type. */
export function descriptionFrom(json: unknown): Description {
  if (typeof json !== 'object' || json === null) {
    throw new Error('it is no object with facts');
  }
  const given = json as { readonly [name: string]: unknown };
  const pattern = subjectFrom('A', {}) as unknown as { readonly [name: string]: unknown };
  Object.keys(given).forEach((name) => {
    if (name === 'profile' || name === 'described' || pattern[name] === undefined) {
      throw new Error('no fact is called ' + name);
    }
    const wanted = pattern[name];
    const list = wanted instanceof Array;
    if (list !== given[name] instanceof Array || typeof wanted !== typeof given[name]) {
      throw new Error('the fact ' + name + ' must be ' + (list ? 'a list of numbers' : 'a ' + typeof wanted));
    }
  });
  return given as Description;
}

/** Whether the device under test has what a case needs: a word of the table below. */
export function hasNeed(subject: Subject, need: string): boolean {
  if (need.indexOf('command:') === 0) {
    return subject.commands[need.substring(8)] !== undefined;
  }
  if (need.indexOf('offers:') === 0) {
    const bit = Number(need.substring(7));
    const block = bit < 32 ? subject.features0 : subject.features1;
    return Math.floor(block / Math.pow(2, bit % 32)) % 2 === 1;
  }
  switch (need) {
    case 'second device':
      return subject.other >= 0;
    case 'device 0':
      return subject.devices[0] === 0;
    case 'config':
      return subject.config.length >= 4;
    case 'long config':
      return subject.config.length > subject.largest - 20;
    case 'no config elsewhere':
      return subject.other >= 0 && subject.described.indexOf('other') >= 0;
    case 'writable config':
      return subject.writableBytes >= 4;
    case 'read-only config':
      return subject.writableAt > 0;
    case 'two queues':
      return subject.queueCount >= 2 && subject.queueSize1 >= 2;
    case 'serves':
      return subject.serves && subject.queueSize >= 8;
    case 'dependent feature':
      return subject.dependent >= 0;
    case 'conditional queue':
      return subject.conditionalQueue >= 0;
    case 'region':
      return subject.regionId >= 0;
    case 'strict':
      return subject.strict;
    case 'baseline':
      return !subject.strict;
    case 'named queues':
      return subject.named;
    case 'specimen':
      return subject.specimen;
    default:
      throw new Error('no need is called ' + need);
  }
}

/** The number that a fact's name stands for, -1..2^53. */
export function factOf(subject: Subject, text: string): number {
  const parts = /^(\w+?)(?:([+-])(\d+))?$/.exec(text);
  const facts = subject as unknown as { readonly [name: string]: unknown };
  const name = parts === null ? text : parts[1];
  const value = name === 'configSize' ? subject.config.length : facts[name];
  if (typeof value !== 'number') {
    throw new Error('no fact is called ' + text);
  }
  if (parts === null || parts[2] === undefined) {
    return value;
  }
  return parts[2] === '+' ? value + Number(parts[3]) : value - Number(parts[3]);
}
