// What happens when a driver breaks a rule of the rings: its queue stops, its device asks for a reset.
import { log } from '#port';
import { Log } from '../wire/log.js';
import { askForReset } from '../transport/needs-reset.hot.js';
import { queueDevice, queueState, QueueState, Take } from './queue-table.hot.js';

/** Stops `queue` alone; returns Take.None. Never touches driver memory. */
export function ringError(queue: number): number {
  queueState[queue] = QueueState.Broken;
  log(Log.RingError, queue);
  askForReset(queueDevice[queue]);
  return Take.None;
}
