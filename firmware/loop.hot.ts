// The firmware's loop: wait for a doorbell, then one pass over messages, queues and events.
import { wait } from '#port';
import { Budget } from './capacity.js';
import { Wake } from '../hal/port.js';
import { pollInterval, receiveAll, sendAll } from '#carrier';
import { waits } from './transport/wait.hot.js';
import { serveWaits } from './waits.hot.js';
import { later } from './virtqueue/kicks.hot.js';
import { armedDevices, untilDue, wakeAll, wakeDue } from './serving/wake.hot.js';
import { serveKicked } from './virtqueue/schedule.hot.js';

/** One bounded pass; returns true when work is left for the next one. Requests come first, so they stay answerable. */
export function pass(): boolean {
  if (waits !== 0) {
    serveWaits();
  }
  const messagesLeft = receiveAll();
  if (armedDevices !== 0) {
    wakeDue();
  }
  const queuesLeft = serveKicked();
  sendAll();
  return messagesLeft || queuesLeft;
}

/** Runs until the port says stop. */
export function loop(): void {
  let busy = true;
  let running = true;
  while (running) {
    let limit = 0;
    if (!busy) {
      limit = later === 0 ? pollInterval() : Budget.BlockedPoll;
      if (armedDevices !== 0) {
        limit = untilDue(limit);
      }
    }
    const woken = wait(limit);
    running = (woken & Wake.Stop) === 0;
    if ((woken & Wake.Backend) !== 0) {
      wakeAll();
    }
    busy = pass();
  }
}
