// Commands of the app linux-test: bytes that the driver side writes to its second console make devices go, come and fail.
import { fill } from '#port';
import { plug, Removal, unplug } from '../bus/hotplug.hot.js';
import { privateByte, privateWindow } from '../memory/private.hot.js';
import { needsReset } from '../transport/needs-reset.hot.js';
import { readChain } from '../virtqueue/cursor.hot.js';

export const enum Guest {
  /** Number of the device that is there at the start, and goes. */
  Goes = 8,
  /** Number of the device that comes. */
  Comes = 9,
}

const enum Command {
  /** '-' the first guest goes, '+' the second one comes, '!' the second one asks for a reset. */
  Go = 0x2d,
  Come = 0x2b,
  Fail = 0x21,
}

/** Rows of the guests. */
let going = 0;
let coming = 0;

/** Byte offset in the private window of the byte that is looked at. */
let commandAt = 0;

export function attachGoing(device: number, _firstQueue: number): void {
  going = device;
}

export function attachComing(device: number, _firstQueue: number): void {
  coming = device;
}

export function placeCommand(offset: number): void {
  commandAt = offset;
}

/** Takes one byte and obeys it; other bytes mean nothing. */
export function outputCommand(_port: number, position: number, bytes: number): number {
  if (bytes === 0) {
    return 0;
  }
  readChain(position, privateWindow, commandAt, 1);
  obey(privateByte(commandAt));
  return 1;
}

export function emergencyCommand(_port: number, byte: number): void {
  fill(privateWindow, commandAt, 1, byte);
  obey(byte);
}

function obey(command: number): void {
  switch (command) {
    case Command.Go:
      unplug(going, Removal.Now);
      break;
    case Command.Come:
      plug(coming, Guest.Comes);
      break;
    case Command.Fail:
      needsReset(coming);
      break;
    default:
      break;
  }
}
