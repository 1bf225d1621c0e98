// The ways in which a bus announces buffers (section 9): what both ends are configured for, and which cases tell them apart.
import type { Way } from '../../support/driver/out-of-band.js';
import type { Mode } from './suite.js';
import { casesOf, modes } from './suite.js';
import type { Case } from './vocabulary.js';

export interface NotifiedBus {
  readonly way: Way;
  /** False: the driver side rings nothing and the device side polls. */
  readonly rings: boolean;
}

/** Microseconds between two looks of a device side that nobody rings. */
export const POLL = 2000;

/** What a bus may be configured for beside messages with doorbells, which is where every case runs. */
export const notifiedBuses: { readonly [name: string]: NotifiedBus } = {
  'messages, polled': { way: { kind: 'messages' }, rings: false },
  doorbell: { way: { kind: 'doorbell' }, rings: true },
  'direct words': { way: { kind: 'words', words: 1, bitsPerDevice: 4 }, rings: true },
  'direct words with masks': { way: { kind: 'words', words: 1, bitsPerDevice: 4, masked: true }, rings: true },
  'cascaded words': { way: { kind: 'words', words: 3, bitsPerDevice: 8 }, rings: true },
  'cascaded words with masks': { way: { kind: 'words', words: 3, bitsPerDevice: 8, masked: true }, rings: true },
};

/** The bus of that name; '' = messages with doorbells. */
export function notifiedBus(name: string | undefined): NotifiedBus {
  return name === undefined ? { way: { kind: 'messages' }, rings: true } : notifiedBuses[name];
}

/** What cases need and such a bus cannot have: a ring names no queue, and of one word the first bits are the message queue's. */
export function lackedBy(name: string | undefined): readonly string[] {
  const { way } = notifiedBus(name);
  return way.kind === 'doorbell' ? ['named queues'] : way.words === 1 ? ['device 0'] : [];
}

/** Each of these ways in each profile. What strict generations add has nothing to do with it. */
export function notifiedModes(): Mode[] {
  let all: Mode[] = [];
  modes.forEach(({ profile, strict }) => {
    if (profile === 'A' || !strict) {
      all = all.concat(Object.keys(notifiedBuses).map((notifications) => ({ profile, strict, notifications })));
    }
  });
  return all;
}

/** Whether a case of the subset is about notifications: available buffers are announced, or used ones or changes heard of. */
export function isNotified(one: Case): boolean {
  return one.subset === true && one.steps.some((step) => step.do === 'kick' || step.do === 'command' || (step.do === 'event' && step.message !== 'EVENT_DEVICE'));
}

/** The cases, by index, that run on a bus of such a mode. */
export function notifiedCasesOf(cases: readonly Case[], mode: Mode): number[] {
  const lacks = lackedBy(mode.notifications);
  return casesOf(cases, mode).filter((index) => {
    const needs = cases[index].needs;
    return isNotified(cases[index]) && (needs === undefined || !needs.some((need) => lacks.indexOf(need) >= 0));
  });
}
