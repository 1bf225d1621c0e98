// An I2C backend without hardware: a temperature sensor like an LM75 at address 0x48 and a memory of 256 bytes at 0x50.
import { Capacity } from '../capacity.js';
import { copyPrivate, privateByte, setPrivateByte } from '../memory/private.hot.js';
import { Transfer, transferAt } from '../serving/transfer.hot.js';

const enum Chip {
  Sensor = 0x48,
  Memory = 0x50,
  MemoryBytes = 256,
  /** The sensor's registers: temperature, configuration, hysteresis, limit. */
  Registers = 4,
}

/** The sensor's registers, 16 bits each, upper byte first on the bus; four per device row. */
const registers = new Uint16Array(Capacity.Devices * Chip.Registers);
const sensorPointer = new Uint8Array(Capacity.Devices);
const memoryPointer = new Uint8Array(Capacity.Devices);
/** Byte offset of the memory's bytes in the private window. */
const memoryAt = new Int32Array(Capacity.Devices);

/** Puts the chips of device row `device` in their state after power-up: 25.0 degrees, memory at `memory`. Start-up only. */
export function powerUpChips(device: number, memory: number): void {
  memoryAt[device] = memory;
  sensorPointer[device] = 0;
  memoryPointer[device] = 0;
  const at = device * Chip.Registers;
  registers[at] = 0x1900;
  registers[at + 1] = 0;
  registers[at + 2] = 0x4b00;
  registers[at + 3] = 0x5000;
}

/** Sets what the sensor measures, in steps of 1/256 degree, 0..32767. */
export function setTemperature(device: number, value: number): void {
  registers[device * Chip.Registers] = value;
}

/** As `I2cBackend.start`: one segment, done at once. No chip at the address: failed. */
export function startChips(device: number, address: number, read: number, bytes: number): number {
  if (address === Chip.Sensor) {
    return read === 1 ? readSensor(device, bytes) : writeSensor(device, bytes);
  }
  if (address === Chip.Memory) {
    return read === 1 ? readMemory(device, bytes) : writeMemory(device, bytes);
  }
  return Transfer.Failed;
}

/** Nothing ever takes its time. */
export function endChips(_device: number): number {
  return Transfer.Done;
}

function readSensor(device: number, bytes: number): number {
  const value = registers[device * Chip.Registers + sensorPointer[device]];
  // A register repeats while the bus goes on; two bytes are all there is to it.
  for (let at = 0; at < bytes && at < 2; at++) {
    setPrivateByte(transferAt[device] + at, (at & 1) === 0 ? value >> 8 : value & 255);
  }
  return bytes <= 2 ? Transfer.Done : Transfer.Failed;
}

function writeSensor(device: number, bytes: number): number {
  if (bytes > 3) {
    return Transfer.Failed;
  }
  if (bytes > 0) {
    sensorPointer[device] = privateByte(transferAt[device]) & 3;
  }
  // The temperature is read-only.
  if (bytes === 3 && sensorPointer[device] !== 0) {
    const at = device * Chip.Registers + sensorPointer[device];
    registers[at] = privateByte(transferAt[device] + 1) * 256 + privateByte(transferAt[device] + 2);
  }
  return Transfer.Done;
}

function readMemory(device: number, bytes: number): number {
  const from = memoryPointer[device];
  if (bytes > Chip.MemoryBytes - from) {
    return Transfer.Failed;
  }
  copyPrivate(transferAt[device], memoryAt[device] + from, bytes);
  memoryPointer[device] = (from + bytes) & 255;
  return Transfer.Done;
}

/** The first byte is the address in the memory, the others go there. */
function writeMemory(device: number, bytes: number): number {
  if (bytes > 0) {
    const to = privateByte(transferAt[device]);
    if (bytes - 1 > Chip.MemoryBytes - to) {
      return Transfer.Failed;
    }
    if (bytes > 1) {
      copyPrivate(memoryAt[device] + to, transferAt[device] + 1, bytes - 1);
    }
    memoryPointer[device] = (to + bytes - 1) & 255;
  }
  return Transfer.Done;
}
