// Two sides in two processes: bundles an app and a driver program for host-shm, shares files between them, gathers their lines.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { bundle } from '../../tools/bundle/bundle.js';
import { buildRunner, startRunner, type RunnerEnd, type RunnerOptions, type RunningSide, type SharedLayout } from '../../tools/host-process/runner.js';
import { packageRoot } from '../../tools/targets.js';

/** The shared memory of these tests as the driver addresses it, and the layout's place in a file of its own. */
export const BASE = 0x80000000n;
export const MEMORY_BYTES = 4 * 1024 * 1024;
export const LAYOUT_OFFSET = 0x1000;
const LAYOUT_FILE_BYTES = 0x10000;

/** A hang guard in milliseconds, far above what any step takes. */
const HANG = 120_000;

const folders: string[] = [];
const sides: Side[] = [];

// A test that failed leaves its processes behind.
after(() => sides.forEach((side) => side.kill('SIGKILL')));

process.on('exit', () => {
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});

/** A fresh folder, which goes when the test file is done. */
export function freshFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-processes-'));
  folders.push(folder);
  return folder;
}

const made = new Map<string, Promise<string>>();

function once(key: string, make: () => Promise<string>): Promise<string> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  return known;
}

/** The runner, compiled once. */
export function runner(): Promise<string> {
  return once('runner', () => buildRunner());
}

async function bundled(role: 'device' | 'driver', entry: string): Promise<string> {
  const outFile = path.join(freshFolder(), `${role}.js`);
  return (await bundle({ target: 'host-shm', role, entry: path.join(packageRoot, entry), outFile })).file;
}

/** The bundle of an app, by its path from the package's root. */
export function deviceBundle(app: string): Promise<string> {
  return once(app, () => bundled('device', app));
}

/** The bundle of a program of test/emulator/programs. */
export function driverBundle(program: string): Promise<string> {
  return once(program, () => bundled('driver', `test/emulator/programs/${program}.ts`));
}

/** One side as a process. */
export class Side {
  readonly lines: string[] = [];
  readonly ended: Promise<RunnerEnd>;
  private readonly child: RunningSide['child'];
  private watchers: (() => void)[] = [];
  private over = false;

  constructor(start: (onLine: (line: string) => void) => RunningSide) {
    const { child, ended } = start((line) => {
      this.lines.push(line);
      this.watchers.forEach((look) => look());
    });
    this.child = child;
    sides.push(this);
    const guard = setTimeout(() => child.kill('SIGKILL'), HANG);
    this.ended = ended.then((end) => {
      clearTimeout(guard);
      this.over = true;
      this.watchers.forEach((look) => look());
      return end;
    });
  }

  /** How many lines begin with `start`. */
  count(start: string): number {
    return this.lines.filter((line) => line.startsWith(start)).length;
  }

  /** Waits until `count` lines begin with `start`; fails when the process ends before. */
  async saw(start: string, count = 1): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.over || this.count(start) >= count) {
          this.watchers = this.watchers.filter((watcher) => watcher !== look);
          resolve();
        }
      };
      this.watchers.push(look);
      look();
    });
    assert.ok(this.count(start) >= count, `'${start}' came ${this.count(start)} times, not ${count}, in:\n${this.lines.join('\n')}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends the process with a signal it handles. */
  async stop(): Promise<RunnerEnd> {
    this.kill('SIGTERM');
    return this.ended;
  }
}

/** The files two sides share: driver memory, and a layout that no driver address leads to. */
export class SharedFiles {
  readonly folder = freshFolder();
  readonly memory = path.join(this.folder, 'memory');
  readonly layout: SharedLayout = { file: path.join(this.folder, 'layout'), offset: LAYOUT_OFFSET };

  constructor() {
    writeFileSync(this.memory, '');
    truncateSync(this.memory, MEMORY_BYTES);
    writeFileSync(this.layout.file, '');
    truncateSync(this.layout.file, LAYOUT_FILE_BYTES);
  }

  options(side: 'device' | 'driver', doorbell: string): RunnerOptions {
    return { side, memory: [{ file: this.memory, base: BASE }], layouts: [this.layout], doorbell };
  }

  /** Starts a side with an app, or with a program of test/emulator/programs. */
  async start(what: string, options: RunnerOptions): Promise<Side> {
    const [program, file] = [await runner(), await (options.side === 'device' ? deviceBundle(what) : driverBundle(what))];
    return new Side((onLine) => startRunner(program, file, options, onLine));
  }

  /** Starts the device's side with an app. */
  device(app: string, doorbell = 'poll'): Promise<Side> {
    return this.start(app, this.options('device', doorbell));
  }

  /** Starts the driver's side with a program. */
  driver(program: string, doorbell = 'poll'): Promise<Side> {
    return this.start(program, this.options('driver', doorbell));
  }

  /** Bytes of the layout's file, from the layout's start on. */
  layoutBytes(from: number, bytes: number): Buffer {
    return readAt(this.layout.file, LAYOUT_OFFSET + from, bytes);
  }
}

/** Bytes of a file. */
export function readAt(file: string, offset: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, buffer, 0, bytes, offset);
  } finally {
    closeSync(descriptor);
  }
  return buffer;
}

/** Overwrites bytes of a file that processes have mapped. */
export function writeAt(file: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(descriptor);
  }
}
