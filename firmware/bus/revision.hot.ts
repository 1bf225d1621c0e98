// The agreement of both ends of a bus on revision, message size and transport features.
//
// How proposals travel is the carrier's business: it calls these functions. Nothing of an agreement appears in transport
// messages, and feature bits of the carrier itself stay in the carrier.
import { Rule, TransportFeature } from '../wire/profile.js';
import {
  busRules,
  countShown,
  maximumSize,
  ownFeatures,
  ownSize,
  revision,
  smallestSize,
  strictConfig,
  transportFeatures,
} from './bus-table.hot.js';
import { revisionHandlers } from './handlers.hot.js';

export const enum Revision {
  /** The newest revision this side knows; it serves every lower one too. */
  Newest = 1,
}

/**
 * The driver side proposes `proposed`, its largest message of `size` bytes (0..65535) and its transport feature bits (0..255).
 * Returns true when the proposal is accepted: revision, smaller size and common features are then in force until
 * `resetAgreement`. False refuses it and changes nothing: the revision is unknown, the size too small, the carrier's handler
 * says no, or an agreement exists already. `option` is handed to that handler as it is. @rare
 */
export function proposeRevision(bus: number, proposed: number, size: number, features: number, option: number): boolean {
  const common = size < ownSize[bus] ? size : ownSize[bus];
  if (
    revision[bus] !== 0 ||
    proposed < 1 ||
    proposed > Revision.Newest ||
    common < smallestSize[bus] ||
    !revisionHandlers[bus](bus, proposed, option)
  ) {
    return false;
  }
  revision[bus] = proposed;
  transportFeatures[bus] = features & ownFeatures[bus];
  const strict = (busRules[bus] & Rule.Baseline) === 0 || (transportFeatures[bus] & TransportFeature.StrictConfigGeneration) !== 0;
  strictConfig[bus] = strict ? 1 : 0;
  countShown[bus] = strict || (busRules[bus] & Rule.HiddenCount) === 0 ? 1 : 0;
  maximumSize[bus] = common;
  return true;
}

/** A reset of the bus: nothing is agreed any more, and transport messages are discarded until it is again. */
export function resetAgreement(bus: number): void {
  revision[bus] = 0;
  maximumSize[bus] = 0;
  transportFeatures[bus] = 0;
}
