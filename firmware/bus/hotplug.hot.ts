// Devices that come and go while the bus runs: numbers, the four classes of removal, quarantine.
import { Budget, Capacity } from '../capacity.js';
import {
  configGeneration,
  configShown,
  deviceBus,
  deviceCount,
  deviceLeaves,
  deviceNumber,
  devicePresence,
  Presence,
} from '../transport/device.hot.js';
import { holdQueues } from '../transport/drain.hot.js';
import { listDevice, unlistDevice } from '../transport/presence.hot.js';
import { clearStatus, endReset } from '../transport/status.hot.js';
import { deviceWait, endWait, startWait, Wait } from '../transport/wait.hot.js';
import { BusState, isStateDue, tellState } from './bus-events.hot.js';

/** How a device goes. */
export const enum Removal {
  /** Class A, "already gone": at once, nothing more is written into its rings. */
  Gone = 0,
  /** Class B, "removing now": no new buffers, those in flight are given back first. */
  Now = 1,
  /** Class C, "removing soon": the driver is told and may reset the device; after a while it goes like class B. */
  Soon = 2,
  /** Class D, "eject asked": it goes when the driver resets it, and stays when the driver does not. */
  Ask = 3,
}

/** States of EVENT_DEVICE that both ends agreed on for classes C and D, 0 = none: such a removal then is one of class B. */
export const leaveState = new Uint16Array(Capacity.Buses);
export const askState = new Uint16Array(Capacity.Buses);

/** True when no device of `bus` has `number`, and none had it a moment ago. */
function isFree(bus: number, number: number, except: number): boolean {
  for (let device = 0; device < deviceCount; device++) {
    if (
      device !== except &&
      deviceBus[device] === bus &&
      deviceNumber[device] === number &&
      devicePresence[device] !== Presence.Absent
    ) {
      return false;
    }
  }
  return true;
}

/**
 * Makes an absent device usable under `number` (0..65535) and tells the driver. Returns false when the device is
 * there, was removed a moment ago, or the number is not free.
 */
export function plug(device: number, number: number): boolean {
  if (devicePresence[device] !== Presence.Absent || isStateDue(device) || !isFree(deviceBus[device], number, device)) {
    return false;
  }
  deviceNumber[device] = number;
  configGeneration[device * 2] = 0;
  configGeneration[device * 2 + 1] = 0;
  configShown[device] = 1;
  listDevice(device);
  tellState(device, BusState.Added);
  return true;
}

/**
 * Has the device go in the way `removal` says; a device that is on its way already may be hurried, and does not turn round.
 * Returns false when it is not there, and for Soon and Ask while it drains for a suspension, which takes 2 s at most.
 */
export function unplug(device: number, removal: number): boolean {
  if (devicePresence[device] === Presence.Absent || devicePresence[device] === Presence.Gone) {
    return false;
  }
  const bus = deviceBus[device];
  if (removal === Removal.Gone && devicePresence[device] === Presence.Present) {
    finishRemoval(device);
  } else if (removal === Removal.Soon && leaveState[bus] !== 0) {
    return tell(device, leaveState[bus], Wait.Leave);
  } else if (removal === Removal.Ask && askState[bus] !== 0) {
    return tell(device, askState[bus], Wait.Ask);
  } else {
    drain(device);
  }
  return true;
}

/** Tells the driver `state` and gives it time to let go (`reason`), unless what the device waits for already decides that. */
function tell(device: number, state: number, reason: number): boolean {
  const now = deviceWait[device];
  if (now === Wait.Suspend) {
    return false;
  }
  if (now === Wait.Drain || now === Wait.Leave) {
    return true;
  }
  tellState(device, state);
  if (now === Wait.Reset) {
    // The driver has let go; the device goes when the reset is complete.
    deviceLeaves[device] = 1;
  } else {
    startWait(device, reason, Budget.LeaveLimit);
  }
  return true;
}

/** No new buffers from now on; the removal is complete when those in flight are back, or after a while (waits.hot.ts). */
export function drain(device: number): void {
  if (deviceWait[device] === Wait.Drain) {
    // Asking again gives no more time.
    return;
  }
  if (devicePresence[device] === Presence.Busy) {
    // The driver waits for the end of a reset, so nothing is in flight: the answer it waits for goes first.
    endReset(device);
  }
  holdQueues(device);
  startWait(device, Wait.Drain, Budget.DrainLimit);
}

/** The device stops, leaves the list, and only then the driver hears of it. */
export function finishRemoval(device: number): void {
  clearStatus(device);
  unlistDevice(device, Presence.Gone);
  startWait(device, Wait.Quarantine, Budget.Quarantine);
  tellState(device, BusState.Removed);
}

/** The number's quarantine has ended: the device may come back, and nobody answers for it. */
export function endQuarantine(device: number): void {
  endWait(device);
  devicePresence[device] = Presence.Absent;
}
