// Places and publishes the AMP shared-memory layout v1 at start-up.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { barrier, fill, log, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { slotBytes } from '../bus/bus-table.hot.js';
import { parkAt } from '../bus/stray.hot.js';
import { coversRegion } from '../transport/shared-memory.hot.js';
import { Log } from '../wire/log.js';
import {
  deviceElementsAt,
  deviceHeadAt,
  driverElementsAt,
  driverHeadAt,
  elementCount,
  Layout,
  layoutWindow,
  Peer,
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

/**
 * Publishes the layout of `bus` at `place`; what lay there before is cleared, never trusted. The magic comes last. `parks`
 * says that a device of the bus may have requests wait, for which there is room behind the layout then.
 */
export function publishLayout(bus: number, place: LayoutPlace, window: WindowDescription, elements: number, parks: boolean): void {
  const bytes = layoutBytes(elements) + (parks ? parkBytes : 0);
  if (elements < 2 || elements > 4096) {
    throw new Error('bus ' + bus + ' has ' + elements + ' queue elements: 2 to 4096 are possible');
  }
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
  parkAt[bus] = base + layoutBytes(elements) / 2;
  slotBytes[bus] = Layout.ElementBytes;
  memory[base + 1] = Layout.HeaderBytes;
  memory[base + 2] = Layout.Version;
  memory[base + 5] = elements;
  memory[base + 6] = Layout.ElementBytes;
  const offset64 = (byte: number, value: number): void => {
    memory[base + byte / 2] = value & 65535;
    memory[base + byte / 2 + 1] = value >> 16;
  };
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
