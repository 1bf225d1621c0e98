// The open queue, the one being worked on: its row of the tables in variables.
//
// Every chain needs most of it, and an interpreter pays far less for a variable of its main function than for a table.
import { windowCached } from '#tables';
import { descriptorAt, descriptorWindow, deviceAt, deviceWindow, driverAt, driverWindow, queueRing, queueSize, Ring } from './queue-table.hot.js';

export let size = 0;
export let eventIdx = false;
export let inOrder = false;
export let indirectOffered = false;
/** The three areas: windows, first words, and whether the CPU caches them. `ring` is the descriptor area. */
export let ringWindow = 0;
export let ringAt = 0;
export let ringCached = false;
export let driverArea = 0;
export let driverAreaAt = 0;
export let driverCached = false;
export let deviceArea = 0;
export let deviceAreaAt = 0;
export let deviceCached = false;

/** Takes the queue's row from the tables. */
export function openAreas(queue: number): void {
  const ring = queueRing[queue];
  size = queueSize[queue];
  eventIdx = (ring & Ring.EventIdx) !== 0;
  inOrder = (ring & Ring.InOrder) !== 0;
  indirectOffered = (ring & Ring.Indirect) !== 0;
  ringWindow = descriptorWindow[queue];
  ringAt = descriptorAt[queue];
  ringCached = windowCached[ringWindow] === 1;
  driverArea = driverWindow[queue];
  driverAreaAt = driverAt[queue];
  driverCached = windowCached[driverArea] === 1;
  deviceArea = deviceWindow[queue];
  deviceAreaAt = deviceAt[queue];
  deviceCached = windowCached[deviceArea] === 1;
}
