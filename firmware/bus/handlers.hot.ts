// What differs between carriers: tables of functions, index = bus. Filled at start-up by bus/add-bus.ts and the carriers.

/** The driver side proposes `revision` with the carrier's own `option`; returns false to refuse (see bus/revision.hot.ts). */
export type RevisionHandler = (bus: number, revision: number, option: number) => boolean;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const revisionHandlers: RevisionHandler[] = [];
/* eslint-enable no-restricted-syntax */

/** For carriers that agree to every revision this side knows. */
export function anyRevision(_bus: number, _revision: number, _option: number): boolean {
  return true;
}
