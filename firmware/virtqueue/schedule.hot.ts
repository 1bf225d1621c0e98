// Gives each kicked queue its turn: the device type's serve function between the begin and the end of a pass.
import { Budget } from '../capacity.js';
import { deviceType, isRunning } from '../transport/device.hot.js';
import { serveHandlers } from '../transport/handlers.hot.js';
import { anyKicked, endWaiting, kick, kicked, nextKicked } from './kicks.hot.js';
import { queueDevice, queueState, QueueState } from './queue-table.hot.js';
import { beginQueue, endQueue } from './queue.hot.js';

/** Serves the queues waiting, at most Budget.Queues of them. Returns true when some still wait for their turn. */
export function serveKicked(): boolean {
  let turns = kicked < Budget.Queues ? kicked : Budget.Queues;
  endWaiting();
  while (turns > 0) {
    turns -= 1;
    serve(nextKicked());
  }
  return anyKicked();
}

function serve(queue: number): void {
  const device = queueDevice[queue];
  const state = queueState[queue];
  // A reset may have come between the kick and now.
  if ((state === QueueState.Enabled || state === QueueState.Draining) && isRunning(device)) {
    // Of a draining queue the driver is shown what the device gives back; nothing new is taken.
    if (beginQueue(queue, state === QueueState.Enabled ? Budget.Chains : 0)) {
      serveHandlers[deviceType[device]](queue);
      if (endQueue(queue)) {
        kick(queue);
      }
    }
  }
}
