// Describes a block device to the stack, and the backends that stand behind one.
import { windows } from '#port';
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { privateWindow } from '../memory/private.hot.js';
import { keepRoom, writeBytes } from '../serving/set-up.js';
import { nothingToDo } from '../transport/handlers.hot.js';
import type { BlockFlush, BlockHook, BlockMove, BlockZero } from './block.hot.js';
import {
  alwaysStable,
  blockBackend,
  BlockBytes,
  blockCapacity,
  blockConfigWritten,
  blockDiscards,
  blockFlushes,
  blockIdAt,
  blockOffers,
  blockReads,
  blockResets,
  blockWakes,
  blockWrites,
  blockZeroings,
  cannotMove,
  cannotZero,
  checkBlockFeatures,
  Offer,
  resetBlock,
  serveBlock,
  wakeBlock,
  writeBlockConfig,
} from './block.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { beginMove, beginZero, delayOf, dueWordsAt, resetDelayed, unevenOf, wakeDelayed } from './delayed-disk.hot.js';
import { discardMemoryDisk, diskAt, diskWindow, readMemoryDisk, writeMemoryDisk, zeroMemoryDisk } from './memory-disk.hot.js';
import { le16, le32, le64 } from './little-endian.js';
import { rowOf } from '../transport/type-rows.js';

/** The functions of a kind of disk, shared by all its instances; hot functions, see block.hot.ts for what each must do. */
export interface BlockBackendType {
  readonly read: BlockMove;
  /** Without it the device is read only. */
  readonly write?: BlockMove;
  /** Without it finished writes are stable. */
  readonly flush?: BlockFlush;
  readonly writeZeroes?: BlockZero;
  readonly discard?: BlockMove;
  /** The driver reset the device: stop what is under way; the chains are gone already. */
  readonly reset?: BlockHook;
  /** Called like `wake` of a device type. */
  readonly wake?: BlockHook;
}

/** One disk. */
export interface BlockBackend {
  readonly type: BlockBackendType;
  /** Size in sectors of 512 bytes, 1 .. 2^27 - 1. */
  readonly sectors: number;
  /** True when WRITE_ZEROES with UNMAP may release sectors (BLK-8). */
  readonly mayUnmap?: boolean;
  /** Requests under way at once, 1..255, when `type` answers BlockStatus.Later; each with up to `segments` + 2 elements. */
  readonly requests?: number;
  /** Data elements of one request, 1..62; 62 by default, 16 when `requests` is set. */
  readonly segments?: number;
  /** Takes what the disk needs; called once, with the device's row. */
  readonly attach: (device: number) => void;
}

export interface BlockOptions {
  /** Device number on the bus. */
  readonly number: number;
  readonly backend: BlockBackend;
  /** Writes end in IOERR. */
  readonly readOnly?: boolean;
  /** Logical block size in bytes, a power of two 512..4096; 512 by default. The disk's size is a multiple of it. */
  readonly blockSize?: number;
  /** What GET_ID answers, at most 20 ASCII characters; "vmsg-disk" and the number by default. */
  readonly id?: string;
  /** Request queues, 1..16; more than one offers MQ. 1 by default. */
  readonly queues?: number;
  /** Largest size of each queue, from 4 on; 64 by default. A request has at most as many data elements, less 2 (SEG_MAX). */
  readonly queueSize?: number;
}

const enum Bit {
  SizeMax = 1,
  SegMax = 2,
  Geometry = 4,
  ReadOnly = 5,
  BlockSize = 6,
  Flush = 9,
  Topology = 10,
  ConfigWce = 11,
  Mq = 12,
  Discard = 13,
  WriteZeroes = 14,
}

const enum Limit {
  /** Most bytes of one data element that the device asks for. */
  SizeMax = 131072,
  Segments = 62,
  LaterSegments = 16,
  MostSectors = 134217727,
}

const blockType: DeviceType = {
  name: 'block',
  deviceId: 2,
  serve: serveBlock,
  reset: resetBlock,
  wake: wakeBlock,
  checkFeatures: checkBlockFeatures,
  writeConfig: writeBlockConfig,
  configWritten: blockConfigWritten,
};

const backendTypes: BlockBackendType[] = [];

/** Enters a type's functions into the tables. */
function enterBackend(type: BlockBackendType): void {
  blockReads.push(type.read);
  blockWrites.push(type.write === undefined ? cannotMove : type.write);
  blockFlushes.push(type.flush === undefined ? alwaysStable : type.flush);
  blockDiscards.push(type.discard === undefined ? cannotMove : type.discard);
  blockZeroings.push(type.writeZeroes === undefined ? cannotZero : type.writeZeroes);
  blockResets.push(type.reset === undefined ? nothingToDo : type.reset);
  blockWakes.push(type.wake === undefined ? nothingToDo : type.wake);
}

/** Cylinders, heads and sectors for those who still ask: 16 heads and 63 sectors, less for a disk smaller than a cylinder. */
function geometry(sectors: number): number[] {
  const whole = Math.floor(sectors / 1008);
  return whole > 0 ? le16(Math.min(whole, 65535)).concat([16, 63]) : le16(Math.min(sectors, 65535)).concat([1, 1]);
}

function refuse(options: BlockOptions, reason: string): never {
  throw new Error('block device ' + options.number + ': ' + reason);
}

/**
 * A block device (virtio device id 2). Offered always: SIZE_MAX, SEG_MAX, GEOMETRY, BLK_SIZE, FLUSH, TOPOLOGY; RO when the
 * disk cannot be written; else CONFIG_WCE, and DISCARD and WRITE_ZEROES where the backend has them, one segment a request; MQ with
 * more than one queue. Not offered: LIFETIME and SECURE_ERASE, which no backend here can do honestly; ZONED, for
 * shingled disks and zoned flash of a size that a coprocessor does not have. Throws an Error with one sentence for wrong options.
 */
export function block(options: BlockOptions): DeviceModel {
  const { backend } = options;
  const blockSize = options.blockSize === undefined ? 512 : options.blockSize;
  const queues = options.queues === undefined ? 1 : options.queues;
  const queueSize = options.queueSize === undefined ? 64 : options.queueSize;
  const id = options.id === undefined ? 'vmsg-disk' + options.number : options.id;
  const readOnly = options.readOnly === true || backend.type.write === undefined;
  const perBlock = blockSize / 512;
  const later = backend.requests !== undefined;
  const kept = backend.segments === undefined ? (later ? Limit.LaterSegments : Limit.Segments) : backend.segments;
  // Drivers build requests of that many segments whatever their queue holds, and a chain is never longer than its queue.
  const segments = Math.min(kept, queueSize - 2);
  if ([512, 1024, 2048, 4096].indexOf(blockSize) < 0) {
    refuse(options, 'a block size is 512, 1024, 2048 or 4096 bytes');
  }
  if (!(backend.sectors >= 1 && backend.sectors <= Limit.MostSectors && backend.sectors % perBlock === 0)) {
    refuse(options, 'its size is 1 to 2^27 - 1 sectors and a multiple of the block size');
  }
  if (!(queues >= 1 && queues <= 16 && queues % 1 === 0)) {
    refuse(options, 'a block device has 1 to 16 queues');
  }
  if (!(queueSize >= 4)) {
    refuse(options, 'a queue has at least 4 entries: one for each of header, data and status');
  }
  if (!(kept >= 1 && kept <= Limit.Segments && kept % 1 === 0)) {
    refuse(options, 'a request has 1 to 62 data segments');
  }
  if (!(id.length <= 20 && /^[\x20-\x7e]*$/.test(id))) {
    refuse(options, 'an id has at most 20 ASCII characters');
  }
  const discards = !readOnly && backend.type.discard !== undefined;
  const zeroes = !readOnly && backend.type.writeZeroes !== undefined;
  const features: number[] = [Bit.SizeMax, Bit.SegMax, Bit.Geometry, Bit.BlockSize, Bit.Flush, Bit.Topology];
  features.push(readOnly ? Bit.ReadOnly : Bit.ConfigWce);
  if (queues > 1) {
    features.push(Bit.Mq);
  }
  if (discards) {
    features.push(Bit.Discard);
  }
  if (zeroes) {
    features.push(Bit.WriteZeroes);
  }
  const queueSizes: number[] = [];
  const queueFeatures: number[] = [];
  for (let queue = 0; queue < queues; queue++) {
    queueSizes.push(queueSize);
    queueFeatures.push(queue === 0 ? -1 : Bit.Mq);
  }
  const config = le64(backend.sectors).concat(
    le32(Limit.SizeMax),
    le32(segments),
    geometry(backend.sectors),
    le32(blockSize),
    // Physical blocks are logical ones, aligned; writes of a block are fine, those of 4 KiB are best.
    [0, 0],
    le16(1),
    le32(4096 / blockSize),
    [1, 0],
    le16(queues),
    le32(discards ? backend.sectors : 0),
    le32(discards ? 1 : 0),
    le32(discards ? perBlock : 0),
    le32(zeroes ? backend.sectors : 0),
    le32(zeroes ? 1 : 0),
    [zeroes && backend.mayUnmap === true ? 1 : 0, 0, 0, 0],
  );
  return {
    type: blockType,
    number: options.number,
    queueSizes,
    queueFeatures,
    features,
    config,
    attach(device: number): void {
      blockBackend[device] = rowOf(backendTypes, backend.type, enterBackend);
      blockCapacity[device] = backend.sectors;
      blockOffers[device] =
        (readOnly ? Offer.ReadOnly : 0) | Offer.Flush | (discards ? Offer.Discard : 0) | (zeroes ? Offer.WriteZeroes : 0);
      blockIdAt[device] = allocate(BlockBytes.Id);
      writeBytes(blockIdAt[device], id, BlockBytes.Id);
      if (backend.requests !== undefined) {
        keepRoom(device, backend.requests, Math.min(segments + 2, Capacity.ChainElements));
      }
      backend.attach(device);
    },
  };
}

const ramDiskType: BlockBackendType = {
  read: readMemoryDisk,
  write: writeMemoryDisk,
  discard: discardMemoryDisk,
  writeZeroes: zeroMemoryDisk,
};

/** Takes the memory of a RAM disk; it is zero at start-up. */
function takeDisk(device: number, sectors: number): void {
  diskWindow[device] = privateWindow;
  diskAt[device] = allocate(sectors * 512);
}

/** A disk of `sectors` sectors in the private window. Its content lives as long as the firmware runs: resets keep it. */
export function ramDisk(options: { readonly sectors: number }): BlockBackend {
  return { type: ramDiskType, sectors: options.sectors, attach: (device): void => takeDisk(device, options.sectors) };
}

const delayedDiskType: BlockBackendType = {
  read: beginMove,
  write: beginMove,
  discard: beginMove,
  writeZeroes: beginZero,
  reset: resetDelayed,
  wake: wakeDelayed,
};

/**
 * A RAM disk whose requests take `microseconds` (0 .. 2^26 - 1) each, up to `requests` (1..255, 8 by default) at once. With `uneven` many
 * take eight times as long (then up to 2^23 - 1), so that requests overtake each other.
 */
export function delayedDisk(options: { readonly sectors: number; readonly microseconds: number; readonly requests?: number; readonly uneven?: boolean }): BlockBackend {
  const requests = options.requests === undefined ? 8 : options.requests;
  return {
    type: delayedDiskType,
    sectors: options.sectors,
    requests,
    attach(device: number): void {
      takeDisk(device, options.sectors);
      delayOf[device] = options.microseconds;
      unevenOf[device] = options.uneven === true ? 1 : 0;
      dueWordsAt[device] = allocate(requests * 4) / 2;
    },
  };
}

const flashDiskType: BlockBackendType = { read: readMemoryDisk };

/**
 * A read-only disk in memory that the core sees: `sectors` sectors from byte `offset` of the board's window `window` on, such
 * as memory-mapped flash. Throws an Error with one sentence when it does not lie there.
 */
export function flashDisk(options: { readonly window: string; readonly offset: number; readonly sectors: number }): BlockBackend {
  const number = windows.map((window) => window.name).indexOf(options.window);
  if (number < 0) {
    throw new Error('the board has no window "' + options.window + '"');
  }
  if (!(options.offset >= 0 && options.offset % 1 === 0 && options.offset + options.sectors * 512 <= windows[number].bytes)) {
    throw new Error('the disk does not lie in window "' + options.window + '"');
  }
  return {
    type: flashDiskType,
    sectors: options.sectors,
    attach(device: number): void {
      diskWindow[device] = number;
      diskAt[device] = options.offset;
    },
  };
}
