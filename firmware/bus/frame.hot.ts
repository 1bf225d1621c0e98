// The message being handled: where its payload and the payload of its answer lie, and the counters of discarded messages.
//
// A frame is read and answered in place, in the carrier's memory. The driver side can change it meanwhile, so every
// field is read exactly once.
import { log } from '#port';
import { Discard } from '../wire/discard.js';
import { Log } from '../wire/log.js';

/** Window of request and answer. */
export let frameWindow = 0;
/** Word index of the request's payload. */
export let requestAt = 0;
/** Bytes of the request's payload. */
export let requestBytes = 0;
/** Word index of the answer's payload; the whole answer slot has been filled with zeros. */
export let answerAt = 0;
/** Most bytes the answer's payload may have. */
export let answerRoom = 0;

export function setFrame(window: number, request: number, bytes: number, answer: number, room: number): void {
  frameWindow = window;
  requestAt = request;
  requestBytes = bytes;
  answerAt = answer;
  answerRoom = room;
}

/** Messages dropped since start, by reason of wire/discard.ts, modulo 2^27. */
export const discarded = new Int32Array(Discard.Reasons);

export const enum Answer {
  /** Nothing is sent back. */
  None = -1,
  /** The answer is sent later, and the device takes nothing until then. */
  Later = -2,
  /** The message cannot be taken now: the carrier keeps it and those behind it. */
  NotTaken = -3,
}

/** Counts a dropped message; returns Answer.None. */
export function discard(reason: number): number {
  discarded[reason] = (discarded[reason] + 1) & 0x7ffffff;
  return Answer.None;
}

/** Tells the port every counter that is not 0. @rare */
export function logDiscarded(): void {
  for (let reason = 0; reason < Discard.Reasons; reason++) {
    if (discarded[reason] !== 0) {
      log(Log.Discarded + reason, discarded[reason]);
    }
  }
}

/** The 32-bit number high:low when it is below 2^27, else -1 (R-027: no sum of such numbers can wrap). */
export function wide(low: number, high: number): number {
  return high < 2048 ? high * 65536 + low : -1;
}
