// Block device (id 2): checks requests and hands them to the backend of each device, which may answer at once or later.
import { windowWords } from '#port';
import { Capacity } from '../capacity.js';
import { privateWindow } from '../memory/private.hot.js';
import { headerAt, putStatusLast, readHeader } from '../serving/request.hot.js';
import { dropKept, finishKept, isKept, keep, Keep, keptRows, notesAt, recall } from '../serving/keep.hot.js';
import { configChanged } from '../transport/config-change.hot.js';
import { configByte, setConfigByte, setConfigWord } from '../transport/config-space.hot.js';
import { configWrite } from '../transport/config.hot.js';
import { hasFeature } from '../transport/device.hot.js';
import { readableBytes, writableBytes } from '../virtqueue/chain.hot.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { finish, take, untake } from '../virtqueue/queue.hot.js';
import { queueDevice } from '../virtqueue/queue-table.hot.js';

/** Request types. */
export const enum Block {
  In = 0,
  Out = 1,
  Flush = 4,
  GetId = 8,
  Discard = 11,
  WriteZeroes = 13,
}

/** What a backend answers. The first three are statuses of the specification. */
export const enum BlockStatus {
  Ok = 0,
  IoError = 1,
  Unsupported = 2,
  /** The backend calls `blockDone` when it is finished. */
  Later = -1,
}

/** Sizes of a request, bytes. */
export const enum BlockBytes {
  /** The header, and so the position of written data in the readable part. */
  Header = 16,
  Segment = 16,
  Id = 20,
  SectorShift = 9,
  SectorMask = 511,
}

const enum Config {
  Capacity = 0,
  CapacityBytes = 8,
  Cylinders = 16,
  Heads = 18,
  TrackSectors = 19,
  Writeback = 32,
  MostDiscard = 36,
  MostZeroed = 48,
  MostCylinders = 65535,
}

const enum FeatureBit {
  Flush = 9,
  ConfigWce = 11,
}

/** What a device offers beside reading: bits of `blockOffers`. */
export const enum Offer {
  ReadOnly = 1,
  Flush = 2,
  Discard = 4,
  WriteZeroes = 8,
}

/** Notes of a kept request. */
const enum Note {
  Type = 0,
  Sector = 1,
  Sectors = 3,
  Unmap = 5,
}

/** Per device: sectors of 512 bytes (at most 2^27 - 1, 64 GiB), `Offer` bits, row of its backend, byte offset of its id in the private window. */
export const blockCapacity = new Int32Array(Capacity.Devices);
export const blockOffers = new Uint8Array(Capacity.Devices);
export const blockBackend = new Uint8Array(Capacity.Devices);
export const blockIdAt = new Int32Array(Capacity.Devices);
/** 1 = a write is finished only when it is stable (BLK-9). Follows from features and `writeback`. */
const stable = new Uint8Array(Capacity.Devices);

/**
 * Moves `sectors` sectors from sector `sector` on, all inside the disk, between the medium and the current chain: read with
 * `writeChain(0, ...)`, write with `readChain(BlockBytes.Header, ...)`. Returns a BlockStatus.
 */
export type BlockMove = (device: number, sector: number, sectors: number) => number;
/** Sets sectors to zero; `unmap` 1 = the backend may release them (BLK-7). */
export type BlockZero = (device: number, sector: number, sectors: number, unmap: number) => number;
/** Makes all finished writes stable. */
export type BlockFlush = (device: number) => number;
export type BlockHook = (device: number) => void;

/* eslint-disable no-restricted-syntax -- tables of functions: in C they are arrays of function pointers, filled before serving */
export const blockReads: BlockMove[] = [];
export const blockWrites: BlockMove[] = [];
export const blockFlushes: BlockFlush[] = [];
export const blockDiscards: BlockMove[] = [];
export const blockZeroings: BlockZero[] = [];
export const blockResets: BlockHook[] = [];
export const blockWakes: BlockHook[] = [];
/* eslint-enable no-restricted-syntax */

/** For backends that cannot do what is asked; the device does not offer it either. */
export function cannotMove(_device: number, _sector: number, _sectors: number): number {
  return BlockStatus.Unsupported;
}

export function cannotZero(_device: number, _sector: number, _sectors: number, _unmap: number): number {
  return BlockStatus.Unsupported;
}

/** For backends whose writes are stable at once. */
export function alwaysStable(_device: number): number {
  return BlockStatus.Ok;
}

/** The request being worked on; a backend finds its kept row in `blockRow` and notes nothing else. */
let type = 0;
let sector = 0;
let sectors = 0;
let unmap = 0;
/** Row of the request in the kept chains of its device, for backends that answer later. */
export let blockRow = 0;

/** True, with `sector` and `sectors` set, when `count` sectors from the 64-bit number at word `at` on lie inside the disk (BLK-4). */
function inside(device: number, at: number, count: number): boolean {
  const words = windowWords[privateWindow];
  if ((words[at + 3] | words[at + 2] | (words[at + 1] & 63488)) !== 0) {
    return false;
  }
  sector = words[at + 1] * 65536 + words[at];
  sectors = count;
  return count <= blockCapacity[device] && sector <= blockCapacity[device] - count;
}

/** Reads and checks the segment of DISCARD and WRITE_ZEROES: exactly one, as the configuration says (BLK-13). */
function parseSegment(device: number, knownFlags: number): number {
  const at = headerAt + (BlockBytes.Header >> 1);
  if (
    readableBytes !== BlockBytes.Header + BlockBytes.Segment ||
    readChain(BlockBytes.Header, privateWindow, at * 2, BlockBytes.Segment) !== BlockBytes.Segment
  ) {
    return BlockStatus.IoError;
  }
  const words = windowWords[privateWindow];
  if (words[at + 7] !== 0 || (words[at + 6] & ~knownFlags) !== 0) {
    return BlockStatus.Unsupported;
  }
  unmap = words[at + 6];
  if (words[at + 5] >= 2048 || !inside(device, at, words[at + 5] * 65536 + words[at + 4])) {
    return BlockStatus.IoError;
  }
  return BlockStatus.Ok;
}

/** Reads the header of the current chain and checks the request. Returns BlockStatus.Ok when the backend can have it. */
function parse(device: number): number {
  type = Block.Flush;
  sectors = 0;
  if (readHeader(BlockBytes.Header) < BlockBytes.Header) {
    return BlockStatus.IoError;
  }
  const words = windowWords[privateWindow];
  const offers = blockOffers[device];
  if (words[headerAt + 1] !== 0) {
    return BlockStatus.Unsupported;
  }
  type = words[headerAt];
  switch (type) {
    case Block.In: {
      const bytes = writableBytes - 1;
      if ((bytes & BlockBytes.SectorMask) !== 0 || readableBytes !== BlockBytes.Header) {
        return BlockStatus.IoError;
      }
      return inside(device, headerAt + 4, bytes >> BlockBytes.SectorShift) ? BlockStatus.Ok : BlockStatus.IoError;
    }
    case Block.Out: {
      const bytes = readableBytes - BlockBytes.Header;
      if ((offers & Offer.ReadOnly) !== 0 || (bytes & BlockBytes.SectorMask) !== 0 || writableBytes !== 1) {
        return BlockStatus.IoError;
      }
      return inside(device, headerAt + 4, bytes >> BlockBytes.SectorShift) ? BlockStatus.Ok : BlockStatus.IoError;
    }
    case Block.Flush:
      return (offers & Offer.Flush) !== 0 ? BlockStatus.Ok : BlockStatus.Unsupported;
    case Block.GetId:
      return writableBytes - 1 >= BlockBytes.Id ? BlockStatus.Ok : BlockStatus.IoError;
    case Block.Discard:
      if ((offers & Offer.Discard) === 0) {
        return refusedWrite(offers);
      }
      // UNMAP has no meaning here and is refused (BLK-6).
      return parseSegment(device, 0);
    case Block.WriteZeroes:
      if ((offers & Offer.WriteZeroes) === 0) {
        return refusedWrite(offers);
      }
      return parseSegment(device, 1);
    default:
      return BlockStatus.Unsupported;
  }
}

/** A type of a feature that is not offered (BLK-5); on a read-only device it is a write first (BLK-3). */
function refusedWrite(offers: number): number {
  return (offers & Offer.ReadOnly) !== 0 ? BlockStatus.IoError : BlockStatus.Unsupported;
}

/** Has the backend carry the request out. */
function perform(device: number): number {
  const backend = blockBackend[device];
  switch (type) {
    case Block.In:
      return blockReads[backend](device, sector, sectors);
    case Block.Out:
      return stabilize(device, blockWrites[backend](device, sector, sectors));
    case Block.Discard:
      return stabilize(device, blockDiscards[backend](device, sector, sectors));
    case Block.WriteZeroes:
      return stabilize(device, blockZeroings[backend](device, sector, sectors, unmap));
    case Block.GetId:
      writeChain(0, privateWindow, blockIdAt[device], BlockBytes.Id);
      return BlockStatus.Ok;
    default:
      return blockFlushes[backend](device);
  }
}

/** A write has ended with `status`: a flush follows when it has to be stable (BLK-9). */
function stabilize(device: number, status: number): number {
  if (status !== BlockStatus.Ok || stable[device] === 0) {
    return status;
  }
  return blockFlushes[blockBackend[device]](device);
}

/** Bytes at the start of the writable part that a request of type `type` with `status` has filled. */
function filled(status: number): number {
  if (status !== BlockStatus.Ok) {
    return 0;
  }
  if (type === Block.In) {
    return sectors << BlockBytes.SectorShift;
  }
  return type === Block.GetId ? BlockBytes.Id : 0;
}

/** Serves a request queue. */
export function serveBlock(queue: number): void {
  const device = queueDevice[queue];
  let handle = take(queue);
  while (handle >= 0) {
    if (writableBytes === 0) {
      // No place for a status: nothing is carried out (DT-G4).
      finish(queue, handle, 0);
    } else {
      const status = parse(device);
      if (status !== BlockStatus.Ok || keptRows[device] === 0) {
        const result = status === BlockStatus.Ok ? perform(device) : status;
        finish(queue, handle, putStatusLast(filled(result), result));
      } else if (!beginLater(device, queue, handle)) {
        untake(queue);
        return;
      }
    }
    handle = take(queue);
  }
}

/** Hands a request to a backend that may answer later. False = no row is free: the request waits in its queue. */
function beginLater(device: number, queue: number, handle: number): boolean {
  const row = keep(device, queue, handle);
  if (row === Keep.Full) {
    return false;
  }
  if (row === Keep.TooLong) {
    finish(queue, handle, putStatusLast(0, BlockStatus.IoError));
    return true;
  }
  const words = windowWords[privateWindow];
  const at = notesAt(device, row);
  words[at + Note.Type] = type;
  words[at + Note.Sector] = sector & 65535;
  words[at + Note.Sector + 1] = sector >> 16;
  words[at + Note.Sectors] = sectors & 65535;
  words[at + Note.Sectors + 1] = sectors >> 16;
  words[at + Note.Unmap] = unmap;
  blockRow = row;
  const status = perform(device);
  if (status !== BlockStatus.Later) {
    finishKept(device, row, putStatusLast(filled(status), status));
  }
  return true;
}

/** Makes the kept request in `row` the current one, for a backend that moves its data now. False = it was reset away: forget it. */
export function recallBlock(device: number, row: number): boolean {
  if (!recall(device, row)) {
    return false;
  }
  const words = windowWords[privateWindow];
  const at = notesAt(device, row);
  type = words[at + Note.Type];
  sector = words[at + Note.Sector + 1] * 65536 + words[at + Note.Sector];
  sectors = words[at + Note.Sectors + 1] * 65536 + words[at + Note.Sectors];
  unmap = words[at + Note.Unmap];
  blockRow = row;
  return true;
}

/** Type, first sector, number of sectors and UNMAP flag of the current request, for backends. */
export function blockType(): number {
  return type;
}

export function blockSector(): number {
  return sector;
}

export function blockSectors(): number {
  return sectors;
}

export function blockUnmap(): number {
  return unmap;
}

/** A backend that answered Later has finished the kept request in `row` with `status` (not Later); its data has been moved. */
export function blockDone(device: number, row: number, status: number): void {
  if (!isKept(device, row)) {
    finishKept(device, row, 0);
    return;
  }
  if (recallBlock(device, row)) {
    let result = status;
    const isWrite = type === Block.Out || type === Block.Discard || type === Block.WriteZeroes;
    if (isWrite && status === BlockStatus.Ok && stable[device] === 1) {
      // The flush that belongs to it is what the backend answers next.
      windowWords[privateWindow][notesAt(device, row) + Note.Type] = Block.Flush;
      result = blockFlushes[blockBackend[device]](device);
    }
    if (result !== BlockStatus.Later) {
      finishKept(device, row, putStatusLast(filled(result), result));
    }
  }
}

/** Sets whether writes have to be stable before they are finished. */
function setStable(device: number): void {
  if (hasFeature(device, FeatureBit.ConfigWce)) {
    stable[device] = configByte(device, Config.Writeback) === 0 ? 1 : 0;
  } else {
    stable[device] = hasFeature(device, FeatureBit.Flush) ? 0 : 1;
  }
}

function setWriteback(device: number, value: number): void {
  if (configByte(device, Config.Writeback) !== value) {
    setConfigByte(device, Config.Writeback, value);
    configChanged(device, Config.Writeback, 1);
  }
}

/** FEATURES_OK: every subset is fine; `writeback` starts as it has to (BLK-2). */
export function checkBlockFeatures(device: number): boolean {
  if (hasFeature(device, FeatureBit.ConfigWce) && !hasFeature(device, FeatureBit.Flush)) {
    setWriteback(device, 0);
  }
  setStable(device);
  return true;
}

/** The driver may write `writeback`, 0 or 1, with CONFIG_WCE. */
export function writeBlockConfig(device: number, offset: number, length: number): boolean {
  return offset === Config.Writeback && length === 1 && configWrite[0] <= 1 && hasFeature(device, FeatureBit.ConfigWce);
}

export function blockConfigWritten(device: number, _offset: number, _length: number): void {
  setStable(device);
}

/** Sets the 32-bit field at byte `offset` to `sectors`. */
function setSectors(device: number, offset: number, count: number): void {
  setConfigWord(device, offset, count & 65535);
  setConfigWord(device, offset + 2, count >> 16);
}

/**
 * The backend's medium has `count` (1 .. 2^27 - 1) sectors from now on: the driver hears of it (BLK-10), requests beyond the end fail.
 * Requests that the backend has already are its own affair. `count` is a multiple of the device's block size, and fits the backend.
 */
export function blockResize(device: number, count: number): void {
  const offers = blockOffers[device];
  blockCapacity[device] = count;
  setSectors(device, Config.Capacity, count);
  const track = configByte(device, Config.Heads) * configByte(device, Config.TrackSectors);
  const cylinders = ((count - (count % track)) / track) | 0;
  setConfigWord(device, Config.Cylinders, cylinders < Config.MostCylinders ? cylinders : Config.MostCylinders);
  if ((offers & Offer.Discard) !== 0) {
    setSectors(device, Config.MostDiscard, count);
  }
  if ((offers & Offer.WriteZeroes) !== 0) {
    setSectors(device, Config.MostZeroed, count);
  }
  configChanged(device, Config.Capacity, Config.CapacityBytes);
}

export function resetBlock(device: number): void {
  dropKept(device);
  setWriteback(device, (blockOffers[device] & Offer.Flush) !== 0 ? 1 : 0);
  blockResets[blockBackend[device]](device);
}

export function wakeBlock(device: number): void {
  blockWakes[blockBackend[device]](device);
}
