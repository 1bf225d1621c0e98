// A data cache that is not coherent, for the fake port's cached window: the firmware sees its lines, the driver the memory
// behind them, and what is not cleaned or invalidated stays unseen. Lines may be fetched and evicted at any moment.
import assert from 'node:assert/strict';
import { fake } from '../../hal/fake/port.js';
import type { Place } from './driver/ring-memory.js';
import { CACHED, inWindow, windowBytes } from './lab.js';

export class CacheLines {
  /** What the driver reads and writes. */
  readonly memory: Uint8Array;
  private readonly words: Uint16Array;
  private readonly lines: Uint8Array;
  /** What each line held when it was fetched or written back last: a line that differs is dirty. */
  private readonly fetched: Uint8Array;
  private readonly restore: () => void;
  readonly calls: { kind: 'clean' | 'invalidate'; offset: number; length: number }[] = [];

  /** `onCall` runs before each cache call. */
  constructor(readonly lineBytes: number, onCall: () => void = () => undefined) {
    this.lines = windowBytes(CACHED);
    this.lines.fill(0);
    this.memory = new Uint8Array(this.lines.length);
    this.words = new Uint16Array(this.memory.buffer);
    this.fetched = new Uint8Array(this.lines.length);
    const record = {
      push: (call: { kind: 'clean' | 'invalidate'; offset: number; length: number }): void => {
        onCall();
        this.calls.push(call);
        this.maintain(call.kind, call.offset, call.length);
      },
    };
    Object.defineProperty(fake, 'cacheCalls', { configurable: true, enumerable: true, get: () => record, set: () => undefined });
    this.restore = () => {
      Object.defineProperty(fake, 'cacheCalls', { configurable: true, enumerable: true, writable: true, value: [] });
      this.lines.fill(0);
    };
  }

  /** The place `offset` bytes into the window as the driver reaches it. */
  place(offset: number): Place {
    return { ...inWindow(CACHED, offset), words: this.words };
  }

  private isDirty(line: number): boolean {
    for (let byte = line; byte < line + this.lineBytes; byte++) {
      if (this.lines[byte] !== this.fetched[byte]) {
        return true;
      }
    }
    return false;
  }

  private fetch(line: number): void {
    const now = this.memory.subarray(line, line + this.lineBytes);
    this.lines.set(now, line);
    this.fetched.set(now, line);
  }

  private writeBack(line: number): void {
    const now = this.lines.subarray(line, line + this.lineBytes);
    this.memory.set(now, line);
    this.fetched.set(now, line);
  }

  private maintain(kind: 'clean' | 'invalidate', offset: number, length: number): void {
    assert.ok(length > 0);
    for (let line = offset - (offset % this.lineBytes); line < offset + length; line += this.lineBytes) {
      if (kind === 'invalidate') {
        this.fetch(line);
      } else if (this.isDirty(line)) {
        this.writeBack(line);
      }
    }
  }

  /** The hardware fetches the line that holds byte `offset` anew, or evicts it when it is dirty. */
  disturb(offset: number): void {
    const line = offset - (offset % this.lineBytes);
    if (this.isDirty(line)) {
      this.writeBack(line);
    } else {
      this.fetch(line);
    }
  }

  /** Dirty bytes left anywhere: what the driver will never see. */
  dirtyLines(): number[] {
    const dirty: number[] = [];
    for (let line = 0; line < this.lines.length; line += this.lineBytes) {
      if (this.isDirty(line)) {
        dirty.push(line);
      }
    }
    return dirty;
  }

  /** Takes itself out again. */
  remove(): void {
    this.restore();
  }
}
