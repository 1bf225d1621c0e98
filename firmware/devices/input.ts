// Describes an input device to the stack: what it is, which events it has, and a backend that reports them.
import { allocate } from '../memory/private.js';
import { setPrivateByte } from '../memory/private.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { tapKey } from './input-tap.hot.js';
import {
  answerBytes,
  answerCount,
  answerFrom,
  answerSelect,
  answerSubsel,
  droppedEvents,
  eventsAt,
  firstAnswer,
  ignoreStatus,
  InputTable,
  lookForEvents,
  resetInput,
  serveInput,
  showInputConfig,
  startInput,
  statusAt,
  takeStatus,
  wakeInput,
  writeInputConfig,
} from './input.hot.js';
import { rowsBefore } from './rows.js';

/** Where events come from. Functions of the hot subset, shared by all devices with this backend. */
export interface InputBackend {
  /** Called when the driver starts, when the time asked for with `wakeAfter` has come, and when a peripheral's interrupt fired: calls `report` (input.hot.ts). */
  readonly look: (device: number) => void;
  /** A status event of the driver, a lamp for instance: type, code and the value's halves in four words from `at` of the private window on. */
  readonly status?: (device: number, at: number) => void;
}

/** An absolute axis. */
export interface InputAxis {
  /** Its code, 0..63. */
  readonly code: number;
  /** min, max, fuzz, flat, res: 32-bit numbers, -2^31..2^31-1. */
  readonly range: readonly [number, number, number, number, number];
}

export interface InputOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** Name and serial number, up to 128 characters of 7 bits. */
  readonly name: string;
  readonly serial?: string;
  /** bustype, vendor, product, version, 16 bits each. */
  readonly ids?: readonly [number, number, number, number];
  /** Property bits, 0..1023. */
  readonly properties?: readonly number[];
  /** Event types with their codes, 0..1023; EV_KEY with KEY_A by default. Axes add EV_ABS (3) themselves. */
  readonly events?: readonly { readonly type: number; readonly codes: readonly number[] }[];
  readonly axes?: readonly InputAxis[];
  /** `tappedKey` by default. */
  readonly backend?: InputBackend;
}

/** Taps the key A once a second: for trying out drivers. */
export const tappedKey: InputBackend = { look: tapKey };

const inputType: DeviceType = {
  name: 'input',
  deviceId: 18,
  serve: serveInput,
  reset: resetInput,
  start: startInput,
  wake: wakeInput,
  writeConfig: writeInputConfig,
  configWritten: showInputConfig,
  inOrder: true,
};

/** Values of `select` (virtio 1.4, Input Device). */
const select = { name: 0x01, serial: 0x02, ids: 0x03, properties: 0x10, events: 0x11, axis: 0x12 };
const evAbs = 3;

interface Answer {
  readonly select: number;
  readonly subsel: number;
  readonly bytes: readonly number[];
}

/** A bitmap with these bits, as short as it can be. */
function bitmap(bits: readonly number[]): number[] {
  const bytes: number[] = [];
  bits.forEach((bit) => {
    while (bytes.length <= bit >> 3) {
      bytes.push(0);
    }
    bytes[bit >> 3] |= 1 << (bit & 7);
  });
  return bytes;
}

function text(characters: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < characters.length; at++) {
    bytes.push(characters.charCodeAt(at));
  }
  return bytes;
}

/** `value` in `count` bytes, lowest first. */
function littleEndian(value: number, count: number): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < count; at++) {
    bytes.push((value >> (8 * at)) & 255);
  }
  return bytes;
}

/** Everything the configuration space can be asked for. */
function answersOf(options: InputOptions): Answer[] {
  const axes = options.axes === undefined ? [] : options.axes;
  const events = options.events === undefined ? [{ type: 1, codes: [30] }] : options.events;
  const all: Answer[] = [{ select: select.name, subsel: 0, bytes: text(options.name) }];
  if (options.serial !== undefined) {
    all.push({ select: select.serial, subsel: 0, bytes: text(options.serial) });
  }
  if (options.ids !== undefined) {
    all.push({ select: select.ids, subsel: 0, bytes: options.ids.reduce((bytes: number[], id) => bytes.concat(littleEndian(id, 2)), []) });
  }
  if (options.properties !== undefined) {
    all.push({ select: select.properties, subsel: 0, bytes: bitmap(options.properties) });
  }
  const allEvents = axes.length === 0 ? events : events.concat([{ type: evAbs, codes: axes.map((axis) => axis.code) }]);
  allEvents.forEach(({ type, codes }) => all.push({ select: select.events, subsel: type, bytes: bitmap(codes) }));
  axes.forEach(({ code, range }) => {
    all.push({ select: select.axis, subsel: code, bytes: range.reduce((bytes: number[], value) => bytes.concat(littleEndian(value, 4)), []) });
  });
  return all;
}

/** Puts the answers into the tables. */
function storeAnswers(device: number, all: readonly Answer[]): void {
  const first = rowsBefore(device, inputType.deviceId, answerCount);
  if (first + all.length > InputTable.Answers) {
    throw new Error('the image holds ' + InputTable.Answers + ' answers of input devices in all');
  }
  firstAnswer[device] = first;
  answerCount[device] = all.length;
  all.forEach((answer, number) => {
    const from = allocate(Math.max(answer.bytes.length, 1));
    answerSelect[first + number] = answer.select;
    answerSubsel[first + number] = answer.subsel;
    answerBytes[first + number] = answer.bytes.length;
    answerFrom[first + number] = from;
    answer.bytes.forEach((byte, at) => {
      setPrivateByte(from + at, byte);
    });
  });
}

/**
 * An input device (virtio device id 18). The type has no features: what it can report stands in its configuration space. Throws an
 * Error with one sentence for descriptions it cannot have.
 */
export function input(options: InputOptions): DeviceModel {
  const backend = options.backend === undefined ? tappedKey : options.backend;
  const all = answersOf(options);
  if (!all.every((answer) => answer.bytes.length <= 128 && answer.subsel >= 0 && answer.subsel <= 255)) {
    throw new Error('input device ' + options.number + ': names have 128 characters, bits lie in 0 to 1023, types and axes in 0 to 255 at most');
  }
  const config: number[] = [];
  while (config.length < 136) {
    config.push(0);
  }
  return {
    type: inputType,
    number: options.number,
    queueSizes: [64, 64],
    features: [],
    config,
    attach: (device) => {
      storeAnswers(device, all);
      eventsAt[device] = allocate(InputTable.Events * 8) / 2;
      statusAt[device] = allocate(8) / 2;
      droppedEvents[device] = 0;
      lookForEvents[device] = backend.look;
      takeStatus[device] = backend.status === undefined ? ignoreStatus : backend.status;
      resetInput(device);
    },
  };
}
