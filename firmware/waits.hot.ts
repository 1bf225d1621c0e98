// Looks after everything that waits with a time limit: resets, suspensions, stops, removals, bus events.
import { clock } from '#port';
import { Capacity } from './capacity.js';
import { ageBus } from './bus/bus-events.hot.js';
import { drain, endQuarantine, finishRemoval } from './bus/hotplug.hot.js';
import { deviceCount, devicePresence, deviceStatus, deviceType, Presence } from './transport/device.hot.js';
import { isDrained } from './transport/drain.hot.js';
import { busyHandlers } from './transport/handlers.hot.js';
import { finishReset, finishSuspend, giveUpSuspend } from './transport/status.hot.js';
import { deviceWait, endWait, sinceLastLook, Wait, waitLeft } from './transport/wait.hot.js';

/** Once per pass while something waits. @rare */
export function serveWaits(): void {
  const elapsed = sinceLastLook(clock());
  for (let device = 0; device < deviceCount; device++) {
    if (deviceWait[device] !== Wait.None) {
      waitLeft[device] = waitLeft[device] - (elapsed < waitLeft[device] ? elapsed : waitLeft[device]);
      look(device, waitLeft[device] === 0);
    }
  }
  for (let bus = 0; bus < Capacity.Buses; bus++) {
    ageBus(bus, elapsed);
  }
}

/** `over`: the time limit has been reached. */
function look(device: number, over: boolean): void {
  switch (deviceWait[device]) {
    case Wait.Reset:
      // Whatever the backend still does is abandoned: its completions carry an old epoch.
      if (over || !busyHandlers[deviceType[device]](device)) {
        finishReset(device);
      }
      break;
    case Wait.Suspend:
      if (isDrained(device)) {
        finishSuspend(device);
      } else if (over) {
        giveUpSuspend(device);
      }
      break;
    case Wait.Stop:
      if (over || isDrained(device)) {
        endWait(device);
      }
      break;
    case Wait.Drain:
      // The answer to a reset goes first; requests behind it are answered before the next event is sent.
      if (devicePresence[device] === Presence.Present && (over || isDrained(device))) {
        finishRemoval(device);
      }
      break;
    case Wait.Leave:
      // Status 0 is the driver's way to say that it is done with the device.
      if (over || deviceStatus[device] === 0) {
        drain(device);
      }
      break;
    case Wait.Ask:
      if (deviceStatus[device] === 0) {
        drain(device);
      } else if (over) {
        endWait(device);
      }
      break;
    default:
      if (over) {
        endQuarantine(device);
      }
  }
}
