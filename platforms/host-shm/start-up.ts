// The windows and layout places the runner was started with, read from its start-up registers.
import type { LayoutPlace, WindowDescription } from '../../hal/port.js';
import { memory, registerHigh, registerRead } from '../engine/natives.js';
import { Block, Register } from './registers.hot.js';

/** What a window's last start-up register says. The driver does not reach a hidden one; a private one is the device's own memory. */
const enum WindowKind {
  Shared = 1,
  Private = 2,
}

/** A register as a number of at most 28 bits. */
function read(offset: number): number {
  const low = registerRead(Block.StartUp, offset);
  return registerHigh() * 65536 + low;
}

/** 16 bits as four hexadecimal digits. */
function digits(half: number): string {
  return (half + 65536).toString(16).substring(1);
}

/** A register as eight hexadecimal digits. */
function readDigits(offset: number): string {
  const low = registerRead(Block.StartUp, offset);
  return digits(registerHigh()) + digits(low);
}

function readWindow(number: number): WindowDescription {
  const at = Register.Window + number * Register.WindowStride;
  const kind = read(at + 12);
  return {
    name: kind === WindowKind.Private ? 'private' : 'window ' + number,
    driverAddress: kind !== WindowKind.Shared ? '' : '0x' + readDigits(at + 4) + readDigits(at),
    bytes: read(at + 8),
  };
}

function readLayout(number: number): LayoutPlace {
  const at = Register.Layout + number * Register.LayoutStride;
  return { window: read(at), offset: read(at + 4) };
}

/** `count` rows, each made by `row`. */
function list<T>(count: number, row: (number: number) => T): T[] {
  const rows: T[] = [];
  for (let number = 0; number < count; number++) {
    rows.push(row(number));
  }
  return rows;
}

export const windows: readonly WindowDescription[] = list(read(Register.Windows), readWindow);
export const layouts: readonly LayoutPlace[] = list(read(Register.Layouts), readLayout);
export const windowWords: readonly Uint16Array[] = list(windows.length, (number) => new Uint16Array(memory(number)));
