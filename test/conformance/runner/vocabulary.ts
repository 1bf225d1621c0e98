// The words a conformance case is written in. A case is data: it says what the driver sends, what must come back and what
// must not, and the runner does it.

export type Profile = 'A' | 'B' | 'C';

/** The profiles this stack serves. */
export const profiles: readonly Profile[] = ['A', 'B', 'C'];

/**
 * A number, or a fact about the device under test by name, with an optional `+n` or `-n`: 'configSize', 'queueSize+1'.
 * The facts are listed in subject.ts.
 */
export type Value = number | string;

/** Bytes that the device under test holds in its configuration space from `config` on. */
export interface KnownBytes {
  readonly config: Value;
  readonly length: Value;
}

/** In an answer: any value but this one. */
export interface Not {
  readonly not: Value | KnownBytes;
}

/** A field of a message: a number, or its bytes, or (for what repeats) its entries. */
export type FieldValue = Value | readonly Value[] | KnownBytes | Not;

/** The fields of a message by the names the specification gives them. In a request what is left out is 0, in an answer it is not looked at. */
export interface Fields {
  readonly [name: string]: FieldValue;
}

/** How a message differs from a well-formed one, or to whom it goes. */
export interface How {
  /** Device number; the device under test by default, 0 for bus messages. */
  readonly device?: Value;
  readonly token?: number;
  /** The whole `type` byte. */
  readonly type?: number;
  readonly id?: number;
  /** msg_size in the header. */
  readonly size?: Value;
  /** Payload bytes left off at the end. */
  readonly cut?: number;
  /** Payload bytes added at the end. */
  readonly tail?: readonly number[];
  /** What every byte of the slot behind the message holds; otherwise what an earlier message left there. */
  readonly behind?: number;
  /** Profile B's reserved header field. */
  readonly reserved?: number;
}

/** One element of a buffer: bytes the device reads, or how many it may write. */
export interface Element {
  readonly read?: readonly number[];
  readonly write?: number;
}

/** How a queue is set up. What is left out comes from the device under test and the runner's memory. */
export interface RingOptions {
  readonly size?: Value;
  /** Which of the runner's places in memory the ring takes, 0..7; the queue index by default. */
  readonly place?: number;
}

export type Step =
  /** Sends and expects exactly one answer with these fields. */
  | { readonly do: 'ask'; readonly message: string; readonly fields: Fields; readonly answer: Fields; readonly how: How }
  /** Sends and waits for nothing. */
  | { readonly do: 'send'; readonly message: string; readonly fields: Fields; readonly how: How }
  /** The next answer (of that device, when `how` names one). */
  | { readonly do: 'answer'; readonly message: string; readonly fields: Fields; readonly how: How }
  /** An event of the device under test (or the one `how` names) comes. */
  | { readonly do: 'event'; readonly message: string; readonly fields: Fields; readonly how: How }
  /** Nothing comes: no answer, no event. */
  | { readonly do: 'silence' }
  /** What has come and comes soon of this event is of no interest. */
  | { readonly do: 'ignore'; readonly message: string }
  /** Asks again and again until the answer has these fields. */
  | { readonly do: 'becomes'; readonly message: string; readonly fields: Fields; readonly answer: Fields; readonly how: How }
  /** Sends and keeps the answer's payload under a name; the second time it must be the same. */
  | { readonly do: 'same'; readonly message: string; readonly fields: Fields; readonly name: string; readonly how: How }
  /** Reset, then ACKNOWLEDGE, DRIVER, features, FEATURES_OK, queues, DRIVER_OK, as far as `to` says. */
  | { readonly do: 'bringUp'; readonly to: Stage; readonly device: Value; readonly features: readonly number[]; readonly queues: readonly number[] }
  /** Makes a ring in memory; the device is not told. */
  | { readonly do: 'ring'; readonly queue: number; readonly options: RingOptions }
  /** SET_VQUEUE with the ring's size and areas (enabling it where the profile says so), with changes. */
  | { readonly do: 'setQueue'; readonly queue: number; readonly changes: Fields; readonly device: Value }
  /** Buffers into the available ring; each list of elements is one buffer. */
  | { readonly do: 'offer'; readonly queue: number; readonly buffers: readonly (readonly Element[])[] }
  /** A head index into the available ring that no buffer has, or an available index that lies. */
  | { readonly do: 'lie'; readonly queue: number; readonly what: Lie }
  | { readonly do: 'kick'; readonly queue: number; readonly device: Value }
  /** The next used buffer: the oldest one offered and not yet back, with that many bytes written, each of value `fill` (-1 = not looked at). */
  | { readonly do: 'used'; readonly queue: number; readonly written: number; readonly fill: Value }
  /** Nothing (more) is used. */
  | { readonly do: 'unused'; readonly queue: number }
  /** Used entries, used index and buffers do not change any more from here to the end of the case; nor, with `flags`, the rest of the used area. */
  | { readonly do: 'freeze'; readonly queue: number; readonly flags: boolean }
  /** The driver writes fields of its own queue head and rings. */
  | { readonly do: 'head'; readonly change: HeadChange }
  /** The device's queue head comes to have this status, and both indices 0 where `fresh`. */
  | { readonly do: 'deviceHead'; readonly status: HeadStatus; readonly fresh: boolean }
  /** The handshake from the beginning. */
  | { readonly do: 'connect' }
  /** Sends as many frames as the device leaves room for without taking any answer out of its queue; then takes them all. */
  | { readonly do: 'flood'; readonly message: string; readonly count: number; readonly device: Value }
  /** Has the device under test do something by itself (the subject's commands). */
  | { readonly do: 'command'; readonly name: string; readonly device: Value };

/** How far a device is brought up. */
export type Stage = 'reset' | 'driver' | 'features' | 'queues' | 'running';

export type HeadStatus = 'INIT' | 'READY' | 'RUN' | 'SHUTDOWN' | 'DEAD';

/** Fields of a queue head of the AMP carrier. */
export interface HeadChange {
  readonly status?: HeadStatus;
  readonly tail?: number;
  readonly head?: number;
  readonly magic?: number;
}

/** How a ring lies: a head index, an available index, or a buffer at an address below 2^53. */
export interface Lie {
  readonly head?: number;
  readonly index?: number;
  readonly address?: Value;
}

export interface Case {
  /** The requirements that a device which passes has shown. */
  readonly proves: readonly string[];
  readonly title: string;
  /** Wire profiles, letters of 'ABC'; all by default. */
  readonly profiles?: string;
  /** What the device under test must have, names of subject.ts; without it the case is not run. */
  readonly needs?: readonly string[];
  /** Part of the representative subset that also runs on the emulated SoC. */
  readonly subset?: boolean;
  readonly steps: readonly Step[];
}

const noFields: Fields = {};
const noHow: How = {};

export function ask(message: string, fields: Fields = noFields, answer: Fields = noFields, how: How = noHow): Step {
  return { do: 'ask', message, fields, answer, how };
}

export function send(message: string, fields: Fields = noFields, how: How = noHow): Step {
  return { do: 'send', message, fields, how };
}

export function answer(message: string, fields: Fields = noFields, how: How = noHow): Step {
  return { do: 'answer', message, fields, how };
}

export function event(message: string, fields: Fields = noFields, how: How = noHow): Step {
  return { do: 'event', message, fields, how };
}

export function becomes(message: string, fields: Fields, answer: Fields, how: How = noHow): Step {
  return { do: 'becomes', message, fields, answer, how };
}

export function silence(): Step {
  return { do: 'silence' };
}

export function ignore(message: string): Step {
  return { do: 'ignore', message };
}

export function same(message: string, fields: Fields = noFields, name = message, how: How = noHow): Step {
  return { do: 'same', message, fields, name, how };
}

/** `features`: driver's bits of block 0 and 1 besides VERSION_1. `queues`: set up with rings of the subject's size. */
export function bringUp(to: Stage, queues: readonly number[] = [], features: readonly number[] = [0, 0], device: Value = 'device'): Step {
  return { do: 'bringUp', to, device, features, queues };
}

export function ring(queue: number, options: RingOptions = {}): Step {
  return { do: 'ring', queue, options };
}

export function setQueue(queue: number, changes: Fields = noFields, device: Value = 'device'): Step {
  return { do: 'setQueue', queue, changes, device };
}

export function offer(queue: number, buffers: readonly (readonly Element[])[]): Step {
  return { do: 'offer', queue, buffers };
}

export function lie(queue: number, what: Lie): Step {
  return { do: 'lie', queue, what };
}

export function kick(queue: number, device: Value = 'device'): Step {
  return { do: 'kick', queue, device };
}

export function used(queue: number, written: number, fill: Value = -1): Step {
  return { do: 'used', queue, written, fill };
}

export function unused(queue: number): Step {
  return { do: 'unused', queue };
}

/** Nothing in the device's area or in buffers changes any more. */
export function freeze(queue: number): Step {
  return { do: 'freeze', queue, flags: true };
}

/** The same for a ring that the device may still look at: its notification suppression may change. */
export function freezeUsed(queue: number): Step {
  return { do: 'freeze', queue, flags: false };
}

export function head(change: HeadChange): Step {
  return { do: 'head', change };
}

export function deviceHead(status: HeadStatus, fresh = false): Step {
  return { do: 'deviceHead', status, fresh };
}

export function connect(): Step {
  return { do: 'connect' };
}

export function flood(message: string, count: number, device: Value = 'device'): Step {
  return { do: 'flood', message, count, device };
}

export function command(name: string, device: Value = 'device'): Step {
  return { do: 'command', name, device };
}

/** SET_DEVICE_STATUS, and what the answer says the status is then; by default what was written. */
export function setStatus(written: number, becomes = written): Step {
  return ask('SET_DEVICE_STATUS', { status: written }, { status: becomes });
}

/** Steps and groups of steps, one after the other. */
export function inTurn(parts: readonly (Step | readonly Step[])[]): Step[] {
  let steps: Step[] = [];
  parts.forEach((part) => {
    steps = steps.concat(part);
  });
  return steps;
}

/** A device answers as ever: what a discarded frame must leave behind. */
export function alive(status = 0, device: Value = 'device'): Step {
  return ask('GET_DEVICE_STATUS', {}, { status }, { device });
}
