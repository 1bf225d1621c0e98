// Network device (id 1): frames from the driver go to the backend, frames for the driver wait in slots of private memory.
import { clean, fill, windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { windowCached } from '#tables';
import { clearResponse, headerAt, responseAt } from '../serving/request.hot.js';
import { configChanged } from '../transport/config-change.hot.js';
import { configByte, setConfigByte, setConfigWord } from '../transport/config-space.hot.js';
import { firstQueue, hasFeature } from '../transport/device.hot.js';
import { elementBytes, elementOffset, elementWindow, readableBytes, readableElements, writableBytes } from '../virtqueue/chain.hot.js';
import { fillChain, readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { kick } from '../virtqueue/kicks.hot.js';
import { finish, finishLater, take, untake } from '../virtqueue/queue.hot.js';
import { queueDevice, queueEpoch, queueIndex } from '../virtqueue/queue-table.hot.js';

const enum FeatureBit {
  MergeableBuffers = 15,
  ControlReceive = 18,
  ControlMac = 23,
}

const enum Config {
  Mac = 0,
  MacBytes = 6,
  Status = 6,
  LinkUp = 1,
}

export const enum Net {
  /** Header before each frame, both directions; so the position of a transmitted frame in the readable part. */
  HeaderBytes = 12,
  /** Bytes of a slot before its frame: the frame's length. */
  SlotHeader = 8,
  /** Ethernet header, and with an 802.1Q tag. */
  EthernetBytes = 14,
  TaggedBytes = 18,
  /** Most receive buffers one frame is spread over. */
  Buffers = 32,
  /** Bytes in private memory per such buffer: handle and used length. */
  HeldBytes = 8,
  /** Addresses of the unicast and of the multicast filter table each. */
  FilterEntries = 16,
}

const enum Queue {
  Receive = 0,
  Transmit = 1,
  Control = 2,
}

/** Control queue: classes, commands, answers. */
const enum Control {
  Receive = 0,
  Promiscuous = 0,
  AllMulticast = 1,
  Mac = 1,
  TableSet = 0,
  AddressSet = 1,
  Ok = 0,
  Error = 1,
}

/** Bits of `filter`. */
const enum Filter {
  Promiscuous = 1,
  AllMulticast = 2,
  /** More addresses than the table holds: all of the kind pass. */
  TooManyUnicast = 4,
  TooManyMulticast = 8,
}

/** Per device: largest frame without its header, row of the backend, link (1 = up), frames dropped in either direction. */
export const netMtu = new Uint16Array(Capacity.Devices);
export const netBackend = new Uint8Array(Capacity.Devices);
export const netLinkUp = new Uint8Array(Capacity.Devices);
export const netDropped = new Int32Array(Capacity.Devices);
/** Slots for frames on their way to the driver: first byte in the private window, bytes of one, how many, oldest, in use. */
export const slotsAt = new Int32Array(Capacity.Devices);
export const slotBytes = new Uint16Array(Capacity.Devices);
export const slotCount = new Uint8Array(Capacity.Devices);
export const slotFirst = new Uint8Array(Capacity.Devices);
export const slotsUsed = new Uint8Array(Capacity.Devices);
/** Filter: bits, first word of the unicast and multicast tables in the private window, entries in each; the address at start-up. */
const filter = new Uint8Array(Capacity.Devices);
export const filterAt = new Int32Array(Capacity.Devices);
const unicastEntries = new Uint8Array(Capacity.Devices);
const multicastEntries = new Uint8Array(Capacity.Devices);
export const ownAddressAt = new Int32Array(Capacity.Devices);
/** A frame being spread over receive buffers: bytes placed, buffers held, the queue's life, where its buffers are noted. */
const placed = new Uint16Array(Capacity.Devices);
const held = new Uint8Array(Capacity.Devices);
const heldEpoch = new Uint16Array(Capacity.Devices);
export const heldAt = new Int32Array(Capacity.Devices);
/** Where the two bytes of `num_buffers` lie: window and offset. */
const countWindow = new Uint8Array(Capacity.Devices * 2);
const countOffset = new Int32Array(Capacity.Devices * 2);

/**
 * Sends the frame of `bytes` bytes that begins at position Net.HeaderBytes of the current chain's readable part. Returns false
 * when it has no room now: the frame stays the next one and is tried again.
 */
export type NetTransmit = (device: number, bytes: number) => boolean;

// eslint-disable-next-line no-restricted-syntax -- a table of functions: in C it is an array of function pointers, filled before serving
export const netTransmits: NetTransmit[] = [];

function drop(device: number): void {
  netDropped[device] = (netDropped[device] + 1) & 134217727;
}

/** Byte offset in the private window for the next frame to `device`, at least mtu + 18 bytes; -1 when all slots are in use. */
export function frameSlot(device: number): number {
  if (slotsUsed[device] === slotCount[device]) {
    return -1;
  }
  let slot = slotFirst[device] + slotsUsed[device];
  if (slot >= slotCount[device]) {
    slot -= slotCount[device];
  }
  return slotsAt[device] + slot * slotBytes[device] + Net.SlotHeader;
}

/** True when three words at `a` and at `b` of the private window are one address. */
function sameAddress(a: number, b: number): boolean {
  const words = windowWords[privateWindow];
  return words[a] === words[b] && words[a + 1] === words[b + 1] && words[a + 2] === words[b + 2];
}

/** True when the address at word `at` of the private window is the device's own. */
export function isOwnAddress(device: number, at: number): boolean {
  const words = windowWords[privateWindow];
  for (let half = 0; half < 3; half++) {
    if (words[at + half] !== (configByte(device, Config.Mac + half * 2) | (configByte(device, Config.Mac + half * 2 + 1) << 8))) {
      return false;
    }
  }
  return true;
}

/** True when the driver wants the frame whose destination stands at word `at` (NET-14). Without CTRL_RX it cannot say, and gets all. */
function isWanted(device: number, at: number): boolean {
  const words = windowWords[privateWindow];
  const bits = filter[device];
  if (!hasFeature(device, FeatureBit.ControlReceive) || (bits & Filter.Promiscuous) !== 0) {
    return true;
  }
  const multicast = (words[at] & 1) === 1;
  if (multicast) {
    const broadcast = (words[at] & words[at + 1] & words[at + 2]) === 65535;
    if (broadcast || (bits & (Filter.AllMulticast | Filter.TooManyMulticast)) !== 0) {
      return true;
    }
  } else if ((bits & Filter.TooManyUnicast) !== 0 || isOwnAddress(device, at)) {
    return true;
  }
  const first = filterAt[device] + (multicast ? Net.FilterEntries * 3 : 0);
  const entries = multicast ? multicastEntries[device] : unicastEntries[device];
  for (let entry = 0; entry < entries; entry++) {
    if (sameAddress(first + entry * 3, at)) {
      return true;
    }
  }
  return false;
}

/** A frame of `bytes` bytes stands at the offset `frameSlot` gave: the driver gets it, unless it is too long, unwanted, or the link is down. */
export function frameArrived(device: number, bytes: number): void {
  const at = frameSlot(device);
  const words = windowWords[privateWindow];
  // The type of an 802.1Q frame is 8100, in network order.
  const most = netMtu[device] + (words[(at + 12) >> 1] === 129 ? Net.TaggedBytes : Net.EthernetBytes);
  if (bytes < Net.EthernetBytes || bytes > most || netLinkUp[device] === 0 || !isWanted(device, at >> 1)) {
    drop(device);
    return;
  }
  words[(at - Net.SlotHeader) >> 1] = bytes;
  slotsUsed[device] = slotsUsed[device] + 1;
  kick(firstQueue[device] + Queue.Receive);
}

/** The oldest frame has been delivered or given up. */
function freeSlot(device: number): void {
  slotFirst[device] = slotFirst[device] + 1 === slotCount[device] ? 0 : slotFirst[device] + 1;
  slotsUsed[device] = slotsUsed[device] - 1;
}

/** Prepares the header: no offload, `num_buffers` buffers (NET-5, NET-7, NET-8). */
function prepareHeader(buffers: number): void {
  clearResponse(Net.HeaderBytes);
  windowWords[privateWindow][responseAt + 5] = buffers;
}

/** One buffer a frame; a buffer too small for it stays for the next frame (NET-5). */
function serveReceive(queue: number, device: number): void {
  prepareHeader(1);
  while (slotsUsed[device] !== 0) {
    const handle = take(queue);
    if (handle < 0) {
      return;
    }
    const slot = slotsAt[device] + slotFirst[device] * slotBytes[device];
    const bytes = windowWords[privateWindow][slot >> 1];
    if (writableBytes < Net.HeaderBytes + bytes) {
      untake(queue);
      drop(device);
    } else {
      writeChain(0, privateWindow, responseAt * 2, Net.HeaderBytes);
      writeChain(Net.HeaderBytes, privateWindow, slot + Net.SlotHeader, bytes);
      finish(queue, handle, Net.HeaderBytes + bytes);
    }
    freeSlot(device);
  }
}

/** Notes where byte `which` (0, 1) of `num_buffers` lies in the current chain, whose writable part holds a header. */
function noteCount(device: number, which: number): void {
  let skip = 10 + which;
  let element = readableElements;
  while (skip >= elementBytes[element]) {
    skip -= elementBytes[element];
    element += 1;
  }
  countWindow[device * 2 + which] = elementWindow[element];
  countOffset[device * 2 + which] = elementOffset[element] + skip;
}

function writeCount(device: number, which: number, value: number): void {
  const window = countWindow[device * 2 + which];
  const offset = countOffset[device * 2 + which];
  fill(window, offset, 1, value);
  if (windowCached[window] === 1) {
    clean(window, offset, 1);
  }
}

/** Gives the held buffers back, with what was written into each, or with 0 when the frame is given up. */
function releaseHeld(queue: number, device: number, delivered: boolean): void {
  const words = windowWords[privateWindow];
  for (let buffer = 0; buffer < held[device]; buffer++) {
    const at = (heldAt[device] + buffer * Net.HeldBytes) >> 1;
    finishLater(queue, words[at + 1] * 65536 + words[at], delivered ? words[at + 2] : 0, heldEpoch[device]);
  }
  held[device] = 0;
  placed[device] = 0;
}

/** Any number of buffers a frame, all shown together when the last one is filled (NET-6). */
function serveMergeable(queue: number, device: number): void {
  const words = windowWords[privateWindow];
  prepareHeader(0);
  if (heldEpoch[device] !== queueEpoch[queue]) {
    // What was held belongs to a queue that was reset.
    held[device] = 0;
    placed[device] = 0;
    heldEpoch[device] = queueEpoch[queue];
  }
  while (slotsUsed[device] !== 0) {
    const slot = slotsAt[device] + slotFirst[device] * slotBytes[device];
    const bytes = words[slot >> 1];
    if (held[device] === Net.Buffers) {
      // So many tiny buffers that the driver cannot mean it.
      releaseHeld(queue, device, false);
      drop(device);
      freeSlot(device);
    } else {
      const handle = take(queue);
      if (handle < 0) {
        return;
      }
      if (placed[device] === 0 && writableBytes < Net.HeaderBytes) {
        finish(queue, handle, 0);
      } else {
        place(device, handle, slot, bytes);
        if (placed[device] === Net.HeaderBytes + bytes) {
          writeCount(device, 0, held[device]);
          writeCount(device, 1, 0);
          releaseHeld(queue, device, true);
          freeSlot(device);
        }
      }
    }
  }
}

/** Puts what fits of header and frame into the current chain and holds it. */
function place(device: number, handle: number, slot: number, bytes: number): void {
  const words = windowWords[privateWindow];
  let written = 0;
  if (placed[device] === 0) {
    written = writeChain(0, privateWindow, responseAt * 2, Net.HeaderBytes);
    noteCount(device, 0);
    noteCount(device, 1);
    placed[device] = Net.HeaderBytes;
  }
  const done = placed[device] - Net.HeaderBytes;
  const moved = writeChain(written, privateWindow, slot + Net.SlotHeader + done, bytes - done);
  placed[device] = placed[device] + moved;
  const at = (heldAt[device] + held[device] * Net.HeldBytes) >> 1;
  words[at] = handle & 65535;
  words[at + 1] = handle >> 16;
  words[at + 2] = written + moved;
  held[device] = held[device] + 1;
}

/** Frames from the driver. A buffer without a frame, or with one too long, is given back and counted (NET-4). */
function serveTransmit(queue: number, device: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    const bytes = readableBytes - Net.HeaderBytes;
    if (bytes < Net.EthernetBytes || bytes > netMtu[device] + Net.TaggedBytes || netLinkUp[device] === 0) {
      drop(device);
    } else if (!netTransmits[netBackend[device]](device, bytes)) {
      untake(queue);
      return;
    }
    finish(queue, handle, 0);
    handle = take(queue);
  }
}

function serveControl(queue: number, device: number): void {
  let handle = take(queue);
  while (handle >= 0) {
    if (writableBytes === 0) {
      finish(queue, handle, 0);
    } else {
      finish(queue, handle, fillChain(0, 1, command(device) ? Control.Ok : Control.Error));
    }
    handle = take(queue);
  }
}

/** Carries a command out; false changes nothing (NET-16). */
function command(device: number): boolean {
  if (readableBytes < 2) {
    return false;
  }
  readChain(0, privateWindow, headerAt * 2, 10);
  const words = windowWords[privateWindow];
  const kind = words[headerAt] & 255;
  const code = words[headerAt] >> 8;
  if (kind === Control.Receive && hasFeature(device, FeatureBit.ControlReceive)) {
    const value = words[headerAt + 1] & 255;
    if (readableBytes !== 3 || value > 1 || code > Control.AllMulticast) {
      return false;
    }
    const bit = code === Control.Promiscuous ? Filter.Promiscuous : Filter.AllMulticast;
    filter[device] = value === 1 ? filter[device] | bit : filter[device] & ~bit;
    return true;
  }
  if (kind === Control.Mac && code === Control.TableSet && hasFeature(device, FeatureBit.ControlReceive)) {
    return setTables(device);
  }
  if (kind === Control.Mac && code === Control.AddressSet && hasFeature(device, FeatureBit.ControlMac) && readableBytes === 8) {
    setAddress(device, headerAt + 1);
    return true;
  }
  return false;
}

/** Sets the address from word `at` of the private window on. The driver's own doing: no configuration change. */
function setAddress(device: number, at: number): void {
  const words = windowWords[privateWindow];
  for (let half = 0; half < 3; half++) {
    setConfigWord(device, Config.Mac + half * 2, words[at + half]);
  }
}

/** TABLE_SET: two tables, each a 32-bit count and its addresses; both are checked before either changes. */
function setTables(device: number): boolean {
  const words = windowWords[privateWindow];
  // The first count stands in the bytes read already, if they are there.
  if (readableBytes < 10 || words[headerAt + 2] !== 0) {
    return false;
  }
  const unicast = words[headerAt + 1];
  const second = 6 + unicast * 6;
  if (readChain(second, privateWindow, headerAt * 2, 4) < 4 || words[headerAt + 1] !== 0) {
    return false;
  }
  const multicast = words[headerAt];
  if (readableBytes !== second + 4 + multicast * 6) {
    return false;
  }
  // A table with more than there is room for lets everything of its kind pass.
  const allUnicast = unicast > Net.FilterEntries;
  const allMulticast = multicast > Net.FilterEntries;
  unicastEntries[device] = allUnicast ? 0 : unicast;
  multicastEntries[device] = allMulticast ? 0 : multicast;
  filter[device] =
    (filter[device] & ~(Filter.TooManyUnicast | Filter.TooManyMulticast)) |
    (allUnicast ? Filter.TooManyUnicast : 0) |
    (allMulticast ? Filter.TooManyMulticast : 0);
  readChain(6, privateWindow, filterAt[device] * 2, unicastEntries[device] * 6);
  readChain(second + 4, privateWindow, (filterAt[device] + Net.FilterEntries * 3) * 2, multicastEntries[device] * 6);
  return true;
}

/** Serves any queue of a network device. */
export function serveNetwork(queue: number): void {
  const device = queueDevice[queue];
  switch (queueIndex[queue]) {
    case Queue.Receive:
      if (hasFeature(device, FeatureBit.MergeableBuffers)) {
        serveMergeable(queue, device);
      } else {
        serveReceive(queue, device);
      }
      break;
    case Queue.Transmit:
      serveTransmit(queue, device);
      break;
    default:
      serveControl(queue, device);
  }
}

/** Frames on their way are lost, the filter is empty (NET-14), the address is that of start-up again. */
export function resetNetwork(device: number): void {
  slotsUsed[device] = 0;
  held[device] = 0;
  placed[device] = 0;
  filter[device] = 0;
  unicastEntries[device] = 0;
  multicastEntries[device] = 0;
  if (!isOwnAddress(device, ownAddressAt[device] >> 1)) {
    setAddress(device, ownAddressAt[device] >> 1);
    configChanged(device, Config.Mac, Config.MacBytes);
  }
}

/** The link is up (1) or down (0): the driver hears of it (NET-11); while it is down frames are dropped. */
export function netLink(device: number, up: number): void {
  if (netLinkUp[device] !== up) {
    netLinkUp[device] = up;
    setConfigByte(device, Config.Status, up === 1 ? Config.LinkUp : 0);
    configChanged(device, Config.Status, 2);
  }
}
