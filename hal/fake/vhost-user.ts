// The vhost-user machine of the host tests: messages come from a list, descriptors are numbers, everything kept is recorded.
import { Connection, MachineLimit, MessageWindow } from '../vhost-user.js';
import { fake } from './port.js';

/** The fake port's private window. */
export const messageWindow = 2;
/** Its shared windows stand for guest memory. */
export const firstGuestWindow = 0;
export const guestWindows = 2;
export const guestWindowPages = 256;

/** Where files for chains in flight are mapped, and how many bytes of them. */
const recordsAt = MessageWindow.Bytes;
const mostRecordPages = 32;

interface Waiting {
  readonly bytes: readonly number[];
  readonly descriptors: readonly number[];
}

interface Kept {
  kick: number;
  call: number;
  error: number;
}

const nothingKept = (): Kept => ({ kick: -1, call: -1, error: -1 });

/** What tests see and steer. */
export const fakeVhostUser = {
  state: Connection.None as number,
  waiting: [] as Waiting[],
  /** Bytes of each answer. */
  replies: [] as number[][],
  /** Windows mapped now: what `map` was told. */
  mapped: new Map<number, { descriptor: number; filePage: number; pages: number }>(),
  /** Files (descriptors) that cannot be mapped. */
  unmappable: new Set<number>(),
  kept: [] as Kept[],
  kicked: [] as number[],
  /** Rings called and rings whose error was told, in order. */
  called: [] as number[],
  errors: [] as number[],
  device: 1,
  withheld: [0, 0, 0, 0],
  /** Files for chains in flight by their descriptors; the one that goes with the next answer, and those that went with answers. */
  files: new Map<number, Uint8Array>(),
  shared: -1,
  given: [] as number[],
  /** The file mapped behind the messages, or -1. */
  recorded: -1,

  clear(): void {
    Object.assign(fakeVhostUser, { state: Connection.None, waiting: [], replies: [], kicked: [], called: [], errors: [], given: [], shared: -1, recorded: -1, device: 1, withheld: [0, 0, 0, 0] });
    fakeVhostUser.mapped.clear();
    fakeVhostUser.unmappable.clear();
    fakeVhostUser.files.clear();
    fakeVhostUser.kept = Array.from({ length: MachineLimit.Rings }, nothingKept);
  },

  /** A message arrives. */
  send(bytes: readonly number[], descriptors: readonly number[] = []): void {
    fakeVhostUser.waiting.push({ bytes, descriptors });
    if (fakeVhostUser.waiting.length === 1) {
      show();
    }
  },

  /** The front side goes away. */
  hangUp(state: number = Connection.Lost): void {
    fakeVhostUser.state = state;
    fakeVhostUser.waiting = [];
    fakeVhostUser.kept = Array.from({ length: MachineLimit.Rings }, nothingKept);
  },
};

fakeVhostUser.clear();

/** Puts the message that waits first into the window, as much of it as is taken. */
function show(): void {
  const first = fakeVhostUser.waiting[0];
  if (first !== undefined) {
    fake.bytes[messageWindow].set(first.bytes.slice(0, MessageWindow.Longest), MessageWindow.Incoming);
  }
}

export function servedDevice(): number {
  return fakeVhostUser.device;
}

export function withheld(half: number): number {
  return fakeVhostUser.withheld[half] as number;
}

export function connection(): number {
  const state = fakeVhostUser.state;
  if (state >= Connection.Lost) {
    fakeVhostUser.state = Connection.None;
  }
  return state;
}

export function messageBytes(): number {
  const first = fakeVhostUser.waiting[0];
  if (first === undefined) {
    return 0;
  }
  const size = first.bytes.slice(8, 12).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return Math.min(12 + size, MessageWindow.Longest + 1);
}

export function messageDescriptors(): number {
  return Math.min(fakeVhostUser.waiting[0]?.descriptors.length ?? 0, MachineLimit.Descriptors + 1);
}

export function endMessage(): void {
  fakeVhostUser.waiting.shift();
  show();
}

export function reply(bytes: number): void {
  fakeVhostUser.replies.push(Array.from(fake.bytes[messageWindow].subarray(MessageWindow.Outgoing, MessageWindow.Outgoing + bytes)));
  if (fakeVhostUser.shared >= 0) {
    fakeVhostUser.given.push(fakeVhostUser.shared);
    fakeVhostUser.shared = -1;
  }
}

export function disconnect(): void {
  fakeVhostUser.hangUp();
}

export function share(pages: number): boolean {
  fakeVhostUser.shared = 1000 + fakeVhostUser.files.size;
  fakeVhostUser.files.set(fakeVhostUser.shared, new Uint8Array(pages * MachineLimit.Page));
  return true;
}

/** The memory behind the messages: what is mapped there is a copy of its file, which `saveRecords` brings up to date. */
function recordsOf(file: Uint8Array): Uint8Array {
  return fake.bytes[messageWindow].subarray(recordsAt, recordsAt + file.length);
}

/** What the file for chains in flight holds now. */
export function saveRecords(): void {
  const file = fakeVhostUser.files.get(fakeVhostUser.recorded);
  file?.set(recordsOf(file));
}

function mapRecords(descriptor: number, filePage: number, pages: number): boolean {
  const file = fakeVhostUser.files.get(descriptor);
  if (file === undefined || pages < 1 || pages > mostRecordPages || (filePage + pages) * MachineLimit.Page > file.length) {
    return false;
  }
  fakeVhostUser.recorded = descriptor;
  recordsOf(file).set(file);
  return true;
}

export function map(window: number, descriptor: number, filePage: number, pages: number): boolean {
  const file = fakeVhostUser.waiting[0]?.descriptors[descriptor];
  if (file === undefined || fakeVhostUser.unmappable.has(file) || pages < 1 || pages > guestWindowPages) {
    return false;
  }
  if (window === messageWindow) {
    return mapRecords(file, filePage, pages);
  }
  fakeVhostUser.mapped.set(window, { descriptor: file, filePage, pages });
  return true;
}

export function unmap(window: number): void {
  if (window === messageWindow) {
    saveRecords();
    fakeVhostUser.recorded = -1;
  }
  fakeVhostUser.mapped.delete(window);
}

function descriptorAt(place: number): number {
  return place < 0 ? -1 : (fakeVhostUser.waiting[0]?.descriptors[place] ?? -1);
}

export function keepKick(ring: number, descriptor: number): void {
  fakeVhostUser.kept[ring].kick = descriptorAt(descriptor);
}

export function keepCall(ring: number, descriptor: number): void {
  fakeVhostUser.kept[ring].call = descriptorAt(descriptor);
}

export function keepError(ring: number, descriptor: number): void {
  fakeVhostUser.kept[ring].error = descriptorAt(descriptor);
}

export function nextKick(): number {
  return fakeVhostUser.kicked.shift() ?? -1;
}

export function call(ring: number): void {
  fakeVhostUser.called.push(ring);
}

export function signalError(ring: number): void {
  fakeVhostUser.errors.push(ring);
}

export function kickCount(): number {
  return 0;
}

export function callCount(): number {
  return fakeVhostUser.called.length;
}
