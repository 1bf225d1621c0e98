// The device that the conformance suite is run against here: it fills what the driver offers, and does on command what
// devices do by themselves.
import { windowWords } from '#port';
import { elementOffset, elements, elementWindow, readableElements, writableBytes } from '../../../firmware/virtqueue/chain.hot.js';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { finish, finishLater, take } from '../../../firmware/virtqueue/queue.hot.js';
import { queueDevice, queueEpoch, queueIndex } from '../../../firmware/virtqueue/queue-table.hot.js';
import { kick } from '../../../firmware/virtqueue/kicks.hot.js';
import { configByte, setConfigByte } from '../../../firmware/transport/config-space.hot.js';
import { configChanged } from '../../../firmware/transport/config-change.hot.js';
import { configWrite } from '../../../firmware/transport/config.hot.js';
import { plug, Removal, unplug } from '../../../firmware/bus/hotplug.hot.js';
import { wakeAfter } from '../../../firmware/serving/wake.hot.js';
import { needsReset } from '../../../firmware/transport/needs-reset.hot.js';

export const enum Specimen {
  /** What every written byte is. */
  Fill = 0x5a,
  /** Configuration space: the part a driver may write, whose last byte is the command; the counter; its size. */
  WritableAt = 8,
  CommandAt = 12,
  WritableEnd = 13,
  CounterAt = 13,
  ConfigBytes = 64,
  /** Held requests at most. */
  Held = 8,
  /** Number of the device that comes and goes. */
  GuestNumber = 12,
  /** Microseconds that a slow reset takes. */
  SlowReset = 300000,
}

/** Commands of the configuration space. */
export const enum ConfigCommand {
  AskForReset = 1,
  /** DRIVER_OK is answered with DEVICE_NEEDS_RESET the next time. */
  RefuseStart = 2,
}

/** Commands of queue 1. */
export const enum QueueCommand {
  /** The counter goes up: one byte changes. */
  ChangeByte = 128,
  /** Forty-eight bytes change: more than fit into a message of 64 bytes. */
  ChangeMuch = 129,
  /** Queue 0 takes requests and keeps them. */
  Hold = 130,
  /** What is kept is completed, as its backend would do it. */
  Release = 131,
  /** The counter goes up twice, at once. */
  ChangeTwice = 132,
  /** An error that only a reset can mend. */
  Break = 133,
  /** The next reset takes time. */
  SlowReset = 134,
  /** The guest comes; it goes. */
  Plug = 135,
  Unplug = 136,
}

let holding = false;
let startRefused = false;
const heldHandle = new Int32Array(Specimen.Held);
const heldBytes = new Int32Array(Specimen.Held);
const heldEpoch = new Int32Array(Specimen.Held);
let held = 0;

/** Row of queue 0. */
let fillQueue = 0;
/** Row of the guest. */
let guest = 0;
/** The next reset is a slow one; a reset is under way. */
let slow = false;
let resetting = false;

export function attachGuest(device: number, _firstQueue: number): void {
  guest = device;
}

export function attachSpecimen(_device: number, firstQueue: number): void {
  fillQueue = firstQueue;
  holding = false;
  startRefused = false;
  held = 0;
  slow = false;
  resetting = false;
}

/** Queue 1 takes commands, the others fill. */
export function serveSpecimen(queue: number): void {
  if (queueIndex[queue] === 1) {
    serveCommands(queue);
  } else {
    serveFill(queue);
  }
}

function serveFill(queue: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    const bytes = fillChain(0, writableBytes, Specimen.Fill);
    if (holding && held < Specimen.Held) {
      heldHandle[held] = handle;
      heldBytes[held] = bytes;
      heldEpoch[held] = queueEpoch[queue];
      held += 1;
    } else {
      finish(queue, handle, bytes);
    }
    handle = take(queue);
  }
}

function serveCommands(queue: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    let command = 0;
    if (elements !== 0 && readableElements !== 0) {
      command = windowWords[elementWindow[0]][elementOffset[0] >> 1] & 255;
    }
    finish(queue, handle, 0);
    obey(queueDevice[queue], command);
    handle = take(queue);
  }
}

function obey(device: number, command: number): void {
  switch (command) {
    case QueueCommand.ChangeByte:
      count(device);
      configChanged(device, Specimen.CounterAt, 1);
      break;
    case QueueCommand.ChangeTwice:
      count(device);
      configChanged(device, Specimen.CounterAt, 1);
      count(device);
      configChanged(device, Specimen.CounterAt, 1);
      break;
    case QueueCommand.ChangeMuch:
      count(device);
      configChanged(device, Specimen.CounterAt, Specimen.ConfigBytes - Specimen.CounterAt);
      break;
    case QueueCommand.Hold:
      holding = true;
      break;
    case QueueCommand.Release:
      release();
      break;
    case QueueCommand.Break:
      needsReset(device);
      break;
    case QueueCommand.SlowReset:
      slow = true;
      break;
    case QueueCommand.Plug:
      plug(guest, Specimen.GuestNumber);
      break;
    case QueueCommand.Unplug:
      unplug(guest, Removal.Now);
      break;
    default:
      break;
  }
}

function count(device: number): void {
  setConfigByte(device, Specimen.CounterAt, (configByte(device, Specimen.CounterAt) + 1) & 255);
}

/** Completions with an epoch of an earlier life of the queue come to nothing. */
function release(): void {
  holding = false;
  for (let at = 0; at < held; at++) {
    finishLater(fillQueue, heldHandle[at], heldBytes[at], heldEpoch[at]);
  }
  held = 0;
  kick(fillQueue);
}

/** A reset ends the holding; what is held stays in the backend's hands, as with a real one. */
export function resetSpecimen(device: number): void {
  holding = false;
  startRefused = false;
  if (slow) {
    slow = false;
    resetting = true;
    wakeAfter(device, Specimen.SlowReset);
  }
}

export function busySpecimen(_device: number): boolean {
  return resetting;
}

export function wakeSpecimen(_device: number): void {
  resetting = false;
}

export function writeSpecimen(_device: number, offset: number, length: number): boolean {
  return offset >= Specimen.WritableAt && offset + length <= Specimen.WritableEnd;
}

export function writtenSpecimen(device: number, offset: number, length: number): void {
  if (offset + length > Specimen.CommandAt) {
    const command = configWrite[Specimen.CommandAt - offset];
    setConfigByte(device, Specimen.CommandAt, 0);
    if (command === ConfigCommand.AskForReset) {
      needsReset(device);
    } else if (command === ConfigCommand.RefuseStart) {
      startRefused = true;
    }
  }
}

export function startSpecimen(_device: number): boolean {
  return !startRefused;
}
