// Describes a GPIO device to the stack, with a backend for its lines.
import { allocate } from '../memory/private.js';
import { setPrivateByte } from '../memory/private.hot.js';
import { keepRoom } from '../serving/set-up.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import {
  firstLine,
  LineTable,
  lineCount,
  namesAt,
  namesBytes,
  pollEvery,
  readLine,
  resetGpio,
  serveGpio,
  setLineDirection,
  takeEdges,
  wakeGpio,
  writeLine,
} from './gpio.hot.js';
import { rowsBefore } from './rows.js';
import { clearWires, readWire, setWireDirection, takeWireEdges, writeWire } from './gpio-wires.hot.js';

/** What stands behind the lines. Functions of the hot subset, shared by all devices with this backend; `line` counts from 0. */
export interface GpioBackend {
  /** Called once per device at start-up. */
  readonly attach?: (device: number) => void;
  /** Makes the line none (0), output (1) driving `value`, or input (2); false when the line cannot. */
  readonly setDirection: (device: number, line: number, direction: number, value: number) => boolean;
  /** Level of the line, 0 or 1. */
  readonly read: (device: number, line: number) => number;
  /** Drives an output, 0 or 1. */
  readonly write: (device: number, line: number, value: number) => void;
  /** Edges since the last call: 1 rising, 2 falling, 3 both. */
  readonly takeEdges: (device: number, line: number) => number;
}

export interface GpioOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** Lines, 1..128. */
  readonly lines: number;
  /** Names of the first lines, 7-bit characters; '' = a line without one. */
  readonly names?: readonly string[];
  /** False leaves out interrupts (feature IRQ). */
  readonly interrupts?: boolean;
  /** Microseconds between two looks at the lines while an interrupt is enabled, up to 2^26; 0 = the backend's own interrupt wakes the device (hal/port.ts, Wake.Backend). 1000 by default. */
  readonly pollMicroseconds?: number;
  /** Largest size of both virtqueues, a power of two; 64 for requests and 128 for events by default. */
  readonly queueSize?: number;
  /** `wiredLines` by default. */
  readonly backend?: GpioBackend;
}

/** Lines 2n and 2n + 1 are wired to each other: for trying out drivers. */
export const wiredLines: GpioBackend = {
  attach: clearWires,
  setDirection: setWireDirection,
  read: readWire,
  write: writeWire,
  takeEdges: takeWireEdges,
};

const gpioType: DeviceType = { name: 'gpio', deviceId: 41, serve: serveGpio, reset: resetGpio, wake: wakeGpio };

/** Feature IRQ. */
const irq = 0;

/** Writes the names as GET_LINE_NAMES gives them: each with a zero behind it, in the order of the lines. */
function storeNames(device: number, names: readonly string[], lines: number): void {
  const bytes: number[] = [];
  for (let line = 0; line < lines; line++) {
    const name = line < names.length ? names[line] : '';
    for (let at = 0; at < name.length; at++) {
      bytes.push(name.charCodeAt(at));
    }
    bytes.push(0);
  }
  namesAt[device] = allocate(bytes.length);
  namesBytes[device] = bytes.length;
  bytes.forEach((byte, at) => {
    setPrivateByte(namesAt[device] + at, byte);
  });
}

/** Bytes of all names with their zeros; 0 when no line has one. */
function sizeOfNames(names: readonly string[], lines: number): number {
  return names.length === 0 ? 0 : names.join('').length + lines;
}

/**
 * A GPIO device (virtio device id 41). Offered: IRQ, the type's only feature, unless `interrupts` is false. Throws an Error with
 * one sentence for lines or names it cannot have.
 */
export function gpio(options: GpioOptions): DeviceModel {
  const { lines } = options;
  const names = options.names === undefined ? [] : options.names;
  const backend = options.backend === undefined ? wiredLines : options.backend;
  const interrupts = options.interrupts !== false;
  const queueSizes = options.queueSize === undefined ? [64, 128] : [options.queueSize, options.queueSize];
  if (!(lines >= 1 && lines <= 128 && lines % 1 === 0) || names.length > lines) {
    throw new Error('gpio device ' + options.number + ': it has 1 to 128 lines, and not more names than lines');
  }
  if (!names.every((name) => /^[\x20-\x7e]*$/.test(name))) {
    throw new Error('gpio device ' + options.number + ': names of lines are made of 7-bit characters');
  }
  const size = sizeOfNames(names, lines);
  return {
    type: gpioType,
    number: options.number,
    queueSizes: interrupts ? queueSizes : queueSizes.slice(0, 1),
    queueFeatures: interrupts ? [-1, irq] : [-1],
    features: interrupts ? [irq] : [],
    config: [lines, 0, 0, 0, size & 255, (size >> 8) & 255, 0, 0],
    attach: (device) => {
      firstLine[device] = rowsBefore(device, gpioType.deviceId, lineCount);
      lineCount[device] = lines;
      if (firstLine[device] + lines > LineTable.Lines) {
        throw new Error('gpio device ' + options.number + ': the image holds ' + LineTable.Lines + ' GPIO lines in all');
      }
      setLineDirection[device] = backend.setDirection;
      readLine[device] = backend.read;
      writeLine[device] = backend.write;
      takeEdges[device] = backend.takeEdges;
      pollEvery[device] = options.pollMicroseconds === undefined ? 1000 : options.pollMicroseconds;
      namesBytes[device] = 0;
      if (size !== 0) {
        storeNames(device, names, lines);
      }
      if (interrupts) {
        // One buffer per line may wait (GPIO-6); drivers split it into two elements.
        keepRoom(device, lines, 4);
      }
      if (backend.attach !== undefined) {
        backend.attach(device);
      }
    },
  };
}
