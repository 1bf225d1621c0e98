// All conformance cases, in the order of the requirements' sections.
import type { Case } from '../runner/vocabulary.js';
import { busCases } from './bus.js';
import { configCases } from './config.js';
import { featureCases } from './features.js';
import { headerCases } from './header.js';
import { notificationCases } from './notifications.js';
import { queueCases } from './queues.js';
import { requestCases } from './requests.js';
import { statusCases } from './status.js';
import { survivalCases } from './survival.js';

export const cases: readonly Case[] = headerCases.concat(requestCases, featureCases, statusCases, configCases, queueCases, notificationCases, busCases, survivalCases);

/** The word at the head of every line that tells what became of a case. */
export const verdictWords = { passed: 'ok', failed: 'not ok', notRun: 'not run' };
