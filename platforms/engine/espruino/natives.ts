// The natives in Espruino's own terms: windows are memory areas, registers are peeked and poked, interrupts are polled.
//
// For Cortex-M cores without a data cache, on which Espruino's firmware runs: it has no glue in C to add natives to. An address
// and a length make an area, so nothing here depends on how far into an array Espruino can look.
import type { Natives } from '../natives.js';

/** Descriptors are read by the firmware itself where there is no glue in C. */
type EspruinoNatives = Omit<Natives, 'tables' | 'splitDescriptor' | 'packedDescriptor'>;

/** What the natives need of board.json. */
export interface EspruinoBoard {
  /** Address 0: the window is an array of Espruino's, private to this core. */
  readonly windows: readonly { readonly name: string; readonly address: number; readonly bytes: number }[];
  /** Addresses of the register blocks. */
  readonly registers: readonly number[];
  /** Interrupt lines; the firmware of Espruino must leave them masked. */
  readonly interrupts: readonly number[];
}

/** A stretch of memory that Espruino shows as a string. */
interface Area {
  readonly area: never;
}

/** Espruino's typed array, whose methods ES5 does not know. */
interface Bytes {
  readonly length: number;
  set(from: Bytes): void;
  fill(value: number): void;
}

declare const E: {
  memoryArea(address: number, bytes: number): Area;
  toArrayBuffer(area: Area): ArrayBuffer;
  /** Where the bytes lie; 0 when they are not in one piece. */
  getAddressOf(array: Uint8Array, flat: boolean): number;
  /** Writes what `value` returns for each element into `to`. */
  mapInPlace(from: Bytes, to: Bytes, value: () => number): void;
  hwRand(): number;
  nativeCall(address: number, signature: string, code: string): () => void;
  /** Name of the console's device, a member of `global`; null without a console. */
  getConsole(): string | null;
};
declare function peek32(address: number): number;
declare function poke32(address: number, value: number): void;
/** Seconds, with a fraction. */
declare function getTime(): number;
declare function print(text: string): void;
declare function atob(text: string): string;
declare const global: { native: EspruinoNatives; [device: string]: { write(bytes: Bytes): void } | EspruinoNatives };

const enum Nvic {
  SetPending = 0xe000e200,
  ClearPending = 0xe000e280,
}

/** Thumb code at an odd address: DMB SY; BX LR. */
const barrierCode = 'v/Nfj3BH';

/** Places the object `native`; throws a sentence when this Espruino cannot reach the board's windows. */
export function placeNatives(board: EspruinoBoard): void {
  const buffers: ArrayBuffer[] = [];
  const addresses: number[] = [];
  board.windows.forEach((window) => {
    const buffer = window.address === 0 ? new ArrayBuffer(window.bytes) : E.toArrayBuffer(E.memoryArea(window.address, window.bytes));
    const all = new Uint8Array(buffer);
    if (all.length !== window.bytes) {
      throw 'Window ' + window.name + ' of ' + window.bytes + ' bytes is longer than an array of this Espruino can be.';
    }
    const address = window.address === 0 ? E.getAddressOf(all, true) : window.address;
    if (address === 0) {
      throw 'Window ' + window.name + ': Espruino has no ' + window.bytes + ' bytes left in one piece.';
    }
    buffers.push(buffer);
    addresses.push(address);
  });
  const bytesAt = (window: number, offset: number, length: number): Bytes =>
    new Uint8Array(E.toArrayBuffer(E.memoryArea(addresses[window] + offset, length))) as unknown as Bytes;
  let high = 0;
  global.native = {
    memory: (number) => buffers[number],
    copy: (toWindow, toOffset, fromWindow, fromOffset, length) => {
      if (length > 0) {
        bytesAt(toWindow, toOffset, length).set(bytesAt(fromWindow, fromOffset, length));
      }
    },
    fill: (window, offset, length, value) => {
      if (length > 0) {
        bytesAt(window, offset, length).fill(value);
      }
    },
    random: (window, offset, length) => {
      if (length > 0) {
        const bytes = bytesAt(window, offset, length);
        E.mapInPlace(bytes, bytes, () => E.hwRand() & 255);
      }
      return length;
    },
    seeded: (window, offset, length, stateWindow, stateOffset) => {
      const kept = addresses[stateWindow] + stateOffset;
      let state = peek32(kept) | 0;
      if (length > 0) {
        const bytes = bytesAt(window, offset, length);
        E.mapInPlace(bytes, bytes, () => {
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          return (state >>> 24) & 255;
        });
      }
      poke32(kept, state);
    },
    clean: () => undefined,
    invalidate: () => undefined,
    barrier: E.nativeCall(1, 'void()', atob(barrierCode)),
    idle: (limit) => {
      const until = getTime() + limit / 1000000;
      let pending = 0;
      do {
        for (let index = 0; index < board.interrupts.length; index++) {
          const line = board.interrupts[index];
          const word = (line >> 5) * 4;
          if (((peek32(Nvic.SetPending + word) >>> (line & 31)) & 1) !== 0) {
            poke32(Nvic.ClearPending + word, 1 << (line & 31));
            pending |= 1 << index;
          }
        }
      } while (pending === 0 && getTime() < until);
      return pending;
    },
    clock: () => Math.floor(getTime() * 1000000) % 134217728,
    log: (code, value) => print('~' + code + ' ' + value + ' ' + native.clock()),
    write: (window, offset, length) => {
      const device = E.getConsole();
      if (length > 0 && device !== null) {
        (global[device] as { write(bytes: Bytes): void }).write(bytesAt(window, offset, length));
      }
    },
    // What is typed on Espruino's console is Espruino's.
    read: () => 0,
    print: (text) => print(text),
    exit: (status) => {
      throw 'ended with status ' + status;
    },
    registerRead: (block, offset) => {
      const value = peek32(board.registers[block] + offset);
      high = value >>> 16;
      return value & 65535;
    },
    registerHigh: () => high,
    registerWrite: (block, offset, low, upper) => poke32(board.registers[block] + offset, (low & 65535) | (upper << 16)),
  };
  const native = global.native;
}
