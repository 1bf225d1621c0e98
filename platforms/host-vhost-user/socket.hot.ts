// The registers under which the process shows its socket, guest memory and the rings' descriptors (machine.c has the table).
import { registerHigh, registerRead, registerWrite } from '#registers';

const enum Socket {
  Block = 0,
  Connection = 0x00,
  Bytes = 0x04,
  Descriptors = 0x08,
  End = 0x0c,
  Reply = 0x10,
  Disconnect = 0x14,
  Device = 0x18,
  Share = 0x1c,
  Withheld = 0x60,
  Window = 0x20,
  FilePage = 0x24,
  Pages = 0x28,
  Map = 0x2c,
  Unmap = 0x30,
  Ring = 0x40,
  Kick = 0x44,
  Call = 0x48,
  Error = 0x4c,
  Signal = 0x50,
  Kicked = 0x54,
  Kicks = 0x58,
  Calls = 0x5c,
}

/** As board.json lists the windows. */
export const messageWindow = 1;
export const firstGuestWindow = 2;
export const guestWindows = 14;
export const guestWindowPages = 32767;

export function connection(): number {
  return registerRead(Socket.Block, Socket.Connection);
}

export function servedDevice(): number {
  const number = registerRead(Socket.Block, Socket.Device);
  return registerHigh() === 0 ? number : -1;
}

export function withheld(half: number): number {
  const low = registerRead(Socket.Block, Socket.Withheld + ((half >> 1) << 2));
  return (half & 1) === 0 ? low : registerHigh();
}

export function messageBytes(): number {
  return registerRead(Socket.Block, Socket.Bytes);
}

export function messageDescriptors(): number {
  return registerRead(Socket.Block, Socket.Descriptors);
}

export function endMessage(): void {
  registerWrite(Socket.Block, Socket.End, 0, 0);
}

export function reply(bytes: number): void {
  registerWrite(Socket.Block, Socket.Reply, bytes, 0);
}

export function disconnect(): void {
  registerWrite(Socket.Block, Socket.Disconnect, 0, 0);
}

export function share(pages: number): boolean {
  registerWrite(Socket.Block, Socket.Share, pages, 0);
  return registerRead(Socket.Block, Socket.Share) !== 0;
}

export function map(window: number, descriptor: number, filePage: number, pages: number): boolean {
  registerWrite(Socket.Block, Socket.Window, window, 0);
  registerWrite(Socket.Block, Socket.FilePage, filePage & 65535, filePage >> 16);
  registerWrite(Socket.Block, Socket.Pages, pages, 0);
  registerWrite(Socket.Block, Socket.Map, descriptor, 0);
  return registerRead(Socket.Block, Socket.Map) !== 0;
}

export function unmap(window: number): void {
  registerWrite(Socket.Block, Socket.Window, window, 0);
  registerWrite(Socket.Block, Socket.Unmap, 0, 0);
}

function keep(ring: number, register: number, descriptor: number): void {
  registerWrite(Socket.Block, Socket.Ring, ring, 0);
  registerWrite(Socket.Block, register, descriptor + 1, 0);
}

export function keepKick(ring: number, descriptor: number): void {
  keep(ring, Socket.Kick, descriptor);
}

export function keepCall(ring: number, descriptor: number): void {
  keep(ring, Socket.Call, descriptor);
}

export function keepError(ring: number, descriptor: number): void {
  keep(ring, Socket.Error, descriptor);
}

export function nextKick(): number {
  return registerRead(Socket.Block, Socket.Kicked) - 1;
}

export function call(ring: number): void {
  registerWrite(Socket.Block, Socket.Ring, ring, 0);
  registerWrite(Socket.Block, Socket.Signal, 0, 0);
}

export function signalError(ring: number): void {
  registerWrite(Socket.Block, Socket.Ring, ring, 0);
  registerWrite(Socket.Block, Socket.Signal, 1, 0);
}

/** A 32-bit counter, modulo 2^27. */
function counter(register: number): number {
  const low = registerRead(Socket.Block, register);
  return ((registerHigh() & 2047) << 16) | low;
}

export function kickCount(): number {
  return counter(Socket.Kicks);
}

export function callCount(): number {
  return counter(Socket.Calls);
}
