// What differs between carriers: tables of functions, index = bus. Filled at start-up by bus/add-bus.ts and the carriers.
import { Discard } from '../wire/discard.js';
import { discard } from './frame.hot.js';

/** The driver side proposes `revision` with the carrier's own `option`; returns false to refuse (see bus/revision.hot.ts). */
export type RevisionHandler = (bus: number, revision: number, option: number) => boolean;

/**
 * A message with an id of the carrier's own (0x80-0xFF) has come: payload and place for an answer as in bus/frame.hot.ts.
 * Returns the bytes of the answer's payload, Answer.None or what `discard` returns; for an event (0xC0-0xFF) nothing is sent.
 */
export type SpecificHandler = (bus: number, id: number) => number;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const revisionHandlers: RevisionHandler[] = [];
export const specificHandlers: SpecificHandler[] = [];
/* eslint-enable no-restricted-syntax */

/** For carriers that agree to every revision this side knows. */
export function anyRevision(_bus: number, _revision: number, _option: number): boolean {
  return true;
}

/** For carriers without messages of their own. */
export function noSpecificMessage(_bus: number, _id: number): number {
  return discard(Discard.UnknownId);
}
