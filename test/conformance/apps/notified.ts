// The suite's bus in one of several modes, chosen when the core starts: one image serves them all.
import { windowWords } from '#port';
import type { App } from 'virtio-msg-device';
import { CHOICE } from '../runner/choice.js';
import type { Mode } from '../runner/suite.js';
import { specimenApp } from './specimen.js';

export function notifiedSpecimen(modes: readonly Mode[]): App {
  return specimenApp(modes[windowWords[0][CHOICE / 2]]);
}
