// Writes messages as test/traces has them: the published layout, then every queue element with a heading and its bytes.
import { appendFileSync, closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import type { HeaderLayout } from '../../firmware/wire/profile.js';
import type { SharedLayout } from './runner.js';
import { messageName } from '../emulator/trace.js';
import { UserError } from '../user-error.js';

/** Bytes of the layout that are shown: the header and the device's queue head. */
const layoutBytes = 80;
const elementsField = 10;
const clockRange = 2 ** 27;

/** Rows of 16 bytes, each with its offset. */
function rows(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const digits = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, '0'));
    lines.push(`  ${at.toString(16).padStart(4, '0')}  ${digits.join(' ')}\n`);
  }
  return lines.join('');
}

function readLayout({ file, offset }: SharedLayout): Buffer {
  const bytes = Buffer.alloc(layoutBytes);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, bytes, 0, layoutBytes, offset);
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}

/** A trace file that grows with every line of a traced runner. */
export class TraceFile {
  private readonly elements: number[] = [];
  /** Next slot of each bus and direction. */
  private readonly slots = new Map<string, number>();
  private first: number | undefined;
  private last = 0;
  private wraps = 0;

  /** `firstWindow`: the window of bus 0's layout; the others follow. */
  constructor(readonly file: string, private readonly layouts: readonly SharedLayout[], private readonly firstWindow: number, private readonly header: HeaderLayout) {
    try {
      writeFileSync(file, '');
    } catch (error) {
      throw new UserError(`The trace cannot be written: ${(error as Error).message}.`);
    }
  }

  private append(text: string): void {
    appendFileSync(this.file, text);
  }

  /** Seconds since the first line; the runner's clock has 27 bits of microseconds. */
  private seconds(clock: number): string {
    if (this.first === undefined) {
      this.first = clock;
    } else if (clock < this.last) {
      this.wraps++;
    }
    this.last = clock;
    return ((clock - this.first + this.wraps * clockRange) / 1e6).toFixed(6);
  }

  /** The layout of `bus` was published. */
  published(bus: number, clock: number): void {
    const layout = this.layouts[bus] as SharedLayout;
    const bytes = readLayout(layout);
    this.elements[bus] = bytes.readUInt16LE(elementsField);
    this.seconds(clock);
    this.append(`# layout published at ${layout.file}:${layout.offset} (first ${layoutBytes} bytes)\n${rows(bytes)}`);
  }

  /** Something happened on `bus`; indices begin at 0 again with a handshake. */
  note(bus: number, clock: number, text: string): void {
    this.slots.delete(`>${bus}`);
    this.slots.delete(`<${bus}`);
    this.append(`# t=${this.seconds(clock)} ${text}\n`);
  }

  /** Takes a line of the runner; returns true when it was a traced element. */
  take(line: string): boolean {
    const [, direction, clock, window, digits] = /^([<>]) (\d+) (\d+) ([0-9a-f]+)$/.exec(line) ?? [];
    if (direction === undefined || digits === undefined) {
      return false;
    }
    const bus = Number(window) - this.firstWindow;
    const key = `${direction}${bus}`;
    const slot = this.slots.get(key) ?? 0;
    this.slots.set(key, (slot + 1) % (this.elements[bus] ?? 1));
    const bytes = Buffer.from(digits, 'hex');
    const [type, id] = [bytes.readUInt8(0), bytes.readUInt8(1)];
    const word = (at: number): number => bytes.readUInt16LE(at * 2);
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    const name = `${(type & 2) !== 0 ? 'BUS_' : ''}${messageName(type, id)}${(type & 1) !== 0 ? '.resp' : ''}`;
    this.append(
      `${direction === '>' ? 'DRV>DEV' : 'DEV>DRV'} t=${this.seconds(Number(clock))} slot=${slot}${bus === 0 ? '' : ` bus=${bus}`} type=${hex(type)} id=${hex(id)} ` +
        `dev=${word(this.header.numberWord)} token=${word(this.header.tokenWord)} size=${word(this.header.sizeWord)} ${name}\n${rows(bytes)}`,
    );
    return true;
  }
}
