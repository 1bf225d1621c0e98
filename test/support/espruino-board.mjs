// A thread that is an Espruino board: its globals over a memory that the test shares, an MHU and the NVIC's pending bits.
//
// workerData: `script` is what the board runs; `shared` the window at `windowAddress`; `bells` the two status registers of the MHU
// of mps2-an521, CPU 0's and CPU 1's. With `probe`, an expression, its value is posted; else the script serves until it throws.
import vm from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';

const { script, shared, bells, windowAddress, probe } = workerData;
const mhu = { address: 0x50003000, stride: 0x10, stat: 0, set: 4, clear: 8 };
const nvic = { pending: 0xe000e200, clear: 0xe000e280, line: 6 };
const status = new Int32Array(bells);
const printed = [];

/** Stretches of memory by address. Arrays of the board's own get their address when it is asked for. */
const regions = [{ address: windowAddress, buffer: shared, at: 0, bytes: shared.byteLength }];
let nextAddress = 0x20000000;

class Area {
  constructor(buffer, at, bytes) {
    Object.assign(this, { buffer, at, bytes });
  }
}
class AreaBuffer extends Area {}

function memoryArea(address, bytes) {
  const found = regions.find((region) => address >= region.address && address + bytes <= region.address + region.bytes);
  if (found === undefined || bytes <= 0) {
    throw new Error(`access outside of memory: ${bytes} bytes at ${address.toString(16)}`);
  }
  return new Area(found.buffer, found.at + address - found.address, bytes);
}

/** A typed array's constructor that takes the buffer of an area. */
const arrayOver = (Type) =>
  function (from, offset, length) {
    return from instanceof AreaBuffer ? new Type(from.buffer, from.at, from.bytes / Type.BYTES_PER_ELEMENT) : new Type(from, offset, length);
  };

function getAddressOf(array) {
  regions.push({ address: nextAddress, buffer: array.buffer, at: array.byteOffset, bytes: array.byteLength });
  nextAddress += array.byteLength + 4096;
  return nextAddress - array.byteLength - 4096;
}

/** The CPU whose MHU register an address is, and the register; undefined for other addresses. */
function mhuRegister(address) {
  const offset = address - mhu.address;
  return offset >= 0 && offset < 2 * mhu.stride ? { cpu: offset < mhu.stride ? 0 : 1, register: offset % mhu.stride } : undefined;
}

function peek32(address) {
  const bell = mhuRegister(address);
  if (bell !== undefined) {
    return Atomics.load(status, bell.cpu);
  }
  if (address === nvic.pending) {
    // The line is the level of CPU 1's status. A poll that finds nothing gives the other thread a moment.
    Atomics.wait(status, 1, 0, 2);
    return Atomics.load(status, 1) === 0 ? 0 : 1 << nvic.line;
  }
  const { buffer, at } = memoryArea(address, 4);
  return new DataView(buffer, at, 4).getUint32(0, true);
}

function poke32(address, value) {
  const bell = mhuRegister(address);
  if (bell !== undefined) {
    if (bell.register === mhu.set) {
      Atomics.or(status, bell.cpu, value);
      Atomics.notify(status, bell.cpu);
    } else if (bell.register === mhu.clear) {
      Atomics.and(status, bell.cpu, ~value);
    }
    return;
  }
  if (address !== nvic.clear) {
    const { buffer, at } = memoryArea(address, 4);
    new DataView(buffer, at, 4).setUint32(0, value >>> 0, true);
  }
}

let random = 1;
const E = {
  memoryArea,
  toArrayBuffer: (area) => new AreaBuffer(area.buffer, area.at, area.bytes),
  getAddressOf,
  mapInPlace: (from, to, value) => from.forEach((element, index) => (to[index] = value(element, index))),
  hwRand: () => (random = (Math.imul(random, 1103515245) + 12345) | 0) >> 8,
  nativeCall: (address, signature, code) => {
    // At an odd address, so Thumb: DMB SY, then BX LR.
    if (address !== 1 || signature !== 'void()' || Buffer.from(code, 'latin1').toString('hex') !== 'bff35f8f7047') {
      throw new Error('nativeCall of other code than a barrier');
    }
    return () => undefined;
  },
  getConsole: () => 'USB',
};
const context = vm.createContext({
  E, peek32, poke32, getTime: () => 1.6e9 + performance.now() / 1000, print: (text) => printed.push(text), atob: (text) => Buffer.from(text, 'base64').toString('latin1'),
  USB: { write: (bytes) => printed.push(Buffer.from(bytes).toString('latin1')) }, Uint8Array: arrayOver(Uint8Array), Uint16Array: arrayOver(Uint16Array), printed,
});
context.global = context;
try {
  vm.runInContext(script, context);
  parentPort.postMessage({ value: probe === undefined ? undefined : vm.runInContext(probe, context), printed });
} catch (error) {
  parentPort.postMessage({ error: String(error), printed });
}
