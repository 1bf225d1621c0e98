// A disk that is memory: RAM of the private window, or flash that the core sees as memory (read only).
import { fill } from '#port';
import { Capacity } from '../capacity.js';
import { readChain, writeChain } from '../virtqueue/cursor.hot.js';
import { BlockBytes, BlockStatus } from './block.hot.js';

/** Where each device's disk lies: window and byte offset of sector 0. */
export const diskWindow = new Uint8Array(Capacity.Devices);
export const diskAt = new Int32Array(Capacity.Devices);

export function readMemoryDisk(device: number, sector: number, sectors: number): number {
  const bytes = sectors << BlockBytes.SectorShift;
  const from = diskAt[device] + (sector << BlockBytes.SectorShift);
  return writeChain(0, diskWindow[device], from, bytes) === bytes ? BlockStatus.Ok : BlockStatus.IoError;
}

export function writeMemoryDisk(device: number, sector: number, sectors: number): number {
  const bytes = sectors << BlockBytes.SectorShift;
  const to = diskAt[device] + (sector << BlockBytes.SectorShift);
  return readChain(BlockBytes.Header, diskWindow[device], to, bytes) === bytes ? BlockStatus.Ok : BlockStatus.IoError;
}

export function zeroMemoryDisk(device: number, sector: number, sectors: number, _unmap: number): number {
  fill(diskWindow[device], diskAt[device] + (sector << BlockBytes.SectorShift), sectors << BlockBytes.SectorShift, 0);
  return BlockStatus.Ok;
}

/** Nothing is released, but what was discarded cannot be read again. */
export function discardMemoryDisk(device: number, sector: number, sectors: number): number {
  return zeroMemoryDisk(device, sector, sectors, 0);
}
