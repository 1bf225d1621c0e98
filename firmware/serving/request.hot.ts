// What every device type does with a request: read its header, answer at the end or at the start of the writable part.
//
// Positions are byte positions in the readable and in the writable part: the driver may split a header anywhere (DT-G1).
import { windowWords } from '#port';
import { privateWindow } from '../memory/private.hot.js';
import { writableBytes } from '../virtqueue/chain.hot.js';
import { fillChain, readChain, writeChain } from '../virtqueue/cursor.hot.js';

export const enum Header {
  /** Largest header and largest response, in bytes. */
  Bytes = 64,
  /** Most bytes set to zero for a request that failed: bounds its work. */
  MostZeros = 65536,
}

/** Word of the private window where `readHeader` leaves what it read. */
export let headerAt = 0;
/** Word of the private window where a device writes the response that `respond` sends: `Header.Bytes` of room. */
export let responseAt = 0;

/** Where the two areas lie; at start-up. */
export function setHeaderAreas(header: number, response: number): void {
  headerAt = header;
  responseAt = response;
}

/**
 * Copies the first `bytes` (1 .. Header.Bytes) bytes of the readable part to `windowWords[privateWindow][headerAt ...]`.
 * Returns how many there were; words behind them hold what an earlier request left.
 */
export function readHeader(bytes: number): number {
  return readChain(0, privateWindow, headerAt * 2, bytes);
}

/**
 * Puts `status` into the last writable byte, behind the `data` (0 .. writable bytes) bytes the device has written (DT-G2).
 * Bytes between them are set to zero, so that all can be counted. Returns the used length (DT-G3): the whole writable
 * part, or just `data` when too many zeros would be needed or there is no byte for the status (DT-G4).
 */
export function putStatusLast(data: number, status: number): number {
  const last = writableBytes - 1;
  if (last < 0) {
    return 0;
  }
  fillChain(last, 1, status);
  if (data === last) {
    return writableBytes;
  }
  if (data > last || last - data > Header.MostZeros) {
    return data > last ? last : data;
  }
  fillChain(data, last - data, 0);
  return writableBytes;
}

/** Sends the first `bytes` (0 .. Header.Bytes) bytes of the response area as the start of the writable part. Returns the used length: fewer when it is shorter. */
export function putResponse(bytes: number): number {
  return writeChain(0, privateWindow, responseAt * 2, bytes);
}

/** Sets the first `bytes` (0 .. Header.Bytes, even) bytes of the response area to zero. */
export function clearResponse(bytes: number): void {
  const memory = windowWords[privateWindow];
  const end = responseAt + (bytes >> 1);
  for (let at = responseAt; at < end; at++) {
    memory[at] = 0;
  }
}
