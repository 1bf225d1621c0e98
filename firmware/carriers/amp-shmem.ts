// Places and publishes the AMP shared-memory layout v1 at start-up.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { barrier, fill, layouts, log, windows, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { slotBytes } from '../bus/bus-table.hot.js';
import { parkAt } from '../bus/stray.hot.js';
import { Notification } from '../wire/notification.js';
import type { NotificationOptions } from '../bus/options.js';
import { coversRegion } from '../transport/shared-memory.hot.js';
import { Log } from '../wire/log.js';
import { deviceBitsShift, deviceWordsAt, driverWordsAt, notification, wordCount, wordsMasked, wordWindow } from './amp-notify.hot.js';
import {
  deviceElementsAt,
  deviceHeadAt,
  driverElementsAt,
  driverHeadAt,
  elementCount,
  Layout,
  layoutWindow,
  Peer,
  pollLimit,
  restart,
  setBusCount,
} from './amp-shmem.hot.js';

/** Byte offsets from the header: queue heads of 8 bytes behind it, then the device's and the driver's elements. */
const deviceHeadOffset = 64;
const driverHeadOffset = 72;
const elementsOffset = 128;

/** Bytes a layout with `elements` elements per direction takes. */
export function layoutBytes(elements: number): number {
  return elementsOffset + 2 * elements * Layout.ElementBytes;
}

/** Bytes behind the layout for requests that wait for a device (bus/stray.hot.ts). */
const parkBytes = Capacity.Parked * Layout.ElementBytes;

/** What a bus wants of its layout. */
export interface LayoutOptions {
  /** Queue elements per direction, 2..4096; one always stays empty. */
  readonly elements: number;
  /** A device of the bus may have requests wait, for which there is room behind the layout then. */
  readonly parks: boolean;
  readonly notifications: NotificationOptions;
  /** Longest time between two looks at the bus. */
  readonly pollMicroseconds: number;
}

/** Fills the tables of carriers/amp-notify.hot.ts; returns the bytes of one side's notification words. */
function placeWords(bus: number, window: number, from: number, notifications: NotificationOptions): number {
  const words = notifications.kind === 'words' ? notifications.words : 0;
  const masked = notifications.kind === 'words' && notifications.masked === true;
  const bytes = words * 8 * (masked ? 3 : 2);
  notification[bus] = { messages: Notification.Messages, doorbell: Notification.Doorbell, words: Notification.Words }[notifications.kind];
  wordCount[bus] = words;
  wordsMasked[bus] = masked ? 1 : 0;
  deviceBitsShift[bus] = notifications.kind === 'words' ? [1, 2, 4, 8, 16].indexOf(notifications.bitsPerDevice) : 0;
  wordWindow[bus] = window;
  deviceWordsAt[bus] = from / 2;
  driverWordsAt[bus] = (from + bytes) / 2;
  return bytes;
}

/**
 * Publishes the layout of `bus` at `place`; what lay there before is cleared, never trusted. The magic comes last. Behind the
 * elements lie the device's and the driver's notification words.
 */
export function publishLayout(bus: number, place: LayoutPlace, window: WindowDescription, options: LayoutOptions): void {
  const elements = options.elements;
  if (elements < 2 || elements > 4096) {
    throw new Error('bus ' + bus + ' has ' + elements + ' queue elements: 2 to 4096 are possible');
  }
  const wordsOffset = layoutBytes(elements);
  const wordBytes = placeWords(bus, place.window, place.offset + wordsOffset, options.notifications);
  const parkOffset = wordsOffset + 2 * wordBytes;
  const bytes = parkOffset + (options.parks ? parkBytes : 0);
  if (place.offset % 8 !== 0 || place.offset < 0 || place.offset + bytes > window.bytes) {
    throw new Error('the layout of bus ' + bus + ' does not fit window "' + window.name + '" at offset ' + place.offset);
  }
  if (coversRegion(place.window, place.offset, bytes)) {
    throw new Error('the layout of bus ' + bus + ' lies in a shared memory region of a device');
  }
  const memory = windowWords[place.window];
  const base = place.offset / 2;
  memory[base] = 0;
  barrier();
  // Elements before heads: a driver that still reads finds nothing old behind a tail that goes back.
  fill(place.window, place.offset + elementsOffset, bytes - elementsOffset, 0);
  barrier();
  fill(place.window, place.offset, elementsOffset, 0);
  layoutWindow[bus] = place.window;
  deviceHeadAt[bus] = base + deviceHeadOffset / 2;
  driverHeadAt[bus] = base + driverHeadOffset / 2;
  deviceElementsAt[bus] = base + elementsOffset / 2;
  driverElementsAt[bus] = base + elementsOffset / 2 + elements * Layout.ElementWords;
  elementCount[bus] = elements;
  parkAt[bus] = base + parkOffset / 2;
  slotBytes[bus] = Layout.ElementBytes;
  pollLimit[bus] = options.pollMicroseconds;
  memory[base + 1] = Layout.HeaderBytes;
  memory[base + 2] = Layout.Version;
  memory[base + 5] = elements;
  memory[base + 6] = Layout.ElementBytes;
  const offset64 = (byte: number, value: number): void => {
    memory[base + byte / 2] = value & 65535;
    memory[base + byte / 2 + 1] = value >> 16;
  };
  if (wordCount[bus] !== 0) {
    memory[base + 3] = wordsMasked[bus];
    memory[base + 4] = wordCount[bus] | (1 << (deviceBitsShift[bus] + 8));
    offset64(16, wordsOffset);
    offset64(40, wordsOffset + wordBytes);
  }
  offset64(24, deviceHeadOffset);
  offset64(32, elementsOffset);
  offset64(48, driverHeadOffset);
  offset64(56, elementsOffset + elements * Layout.ElementBytes);
  setBusCount(bus + 1);
  restart(bus);
  memory[deviceHeadAt[bus] + Layout.HeadMagicWord] = Layout.HeadMagic;
  barrier();
  memory[base] = Layout.Magic;
  log(Log.Published, bus);
}

/**
 * Takes the layout of `bus` at `place` back before its device side ends (host targets): a driver side that runs sees INIT,
 * one that starts finds no layout. Tail and head stay: a tail that went back would show a running driver old elements.
 */
export function retractLayout(bus: number, place: LayoutPlace): void {
  const memory = windowWords[place.window];
  memory[place.offset / 2] = 0;
  barrier();
  memory[deviceHeadAt[bus] + Layout.HeadStatusWord] = Peer.Init;
}

/** Largest message in bytes. */
export const messageBytes = Layout.ElementBytes;

/** No bus is open: a new start. */
export function closeCarrier(): void {
  setBusCount(0);
}

/** Publishes the layout of `bus` at the port's place for it; throws an Error with one sentence when there is none. */
export function openCarrier(bus: number, options: LayoutOptions): void {
  const place = layouts[bus];
  if (place === undefined) {
    throw new Error('bus ' + bus + ' has no layout place on this board');
  }
  publishLayout(bus, place, windows[place.window], options);
}

/** Takes the layout of `bus` back before its device side ends. */
export function retractCarrier(bus: number): void {
  retractLayout(bus, layouts[bus]);
}
