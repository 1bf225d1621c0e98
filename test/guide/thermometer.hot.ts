// A thermometer, part one: what runs for every request and once a second. Hot subset: integers and typed arrays only.
import {
  cancelWake, configChanged, finish, privateWindow, putResponse, queueDevice, readHeader, headerAt, responseAt, setConfigWord, take,
  wakeAfter, windowWords,
} from 'virtio-msg-device/device';

const enum Thermometer { Devices = 64, Read = 1, Ok = 0, Unsupported = 1, Period = 1000000 }

/** What the sensor measures and what the driver was told last, in 1/256 degree; index = device row. */
const measured = new Uint16Array(Thermometer.Devices);
const told = new Uint16Array(Thermometer.Devices);

/** The sensor's driver puts a reading here, 0..65535. */
export function sense(device: number, value: number): void {
  measured[device] = value;
}

/** A request is a 16-bit command; the answer is a 16-bit status and the reading, 4 bytes. */
export function serveThermometer(queue: number): void {
  const memory = windowWords[privateWindow];
  let handle = take(queue);
  while (handle >= 0) {
    const known = readHeader(2) === 2 && memory[headerAt] === Thermometer.Read;
    memory[responseAt] = known ? Thermometer.Ok : Thermometer.Unsupported;
    memory[responseAt + 1] = known ? measured[queueDevice[queue]] : 0;
    finish(queue, handle, putResponse(4));
    handle = take(queue);
  }
}

/** Once a second from DRIVER_OK on: a reading that differs goes into the configuration space, and the driver hears of it. */
export function wakeThermometer(device: number): void {
  if (told[device] !== measured[device]) {
    told[device] = measured[device];
    setConfigWord(device, 0, told[device]);
    configChanged(device, 0, 2);
  }
  wakeAfter(device, Thermometer.Period);
}

export function startThermometer(device: number): boolean {
  wakeAfter(device, 0);
  return true;
}

export function resetThermometer(device: number): void {
  cancelWake(device);
}
