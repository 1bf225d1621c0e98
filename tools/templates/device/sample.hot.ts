// What runs for every request. Hot subset: integers and typed arrays only, no objects, strings or closures.
import {
  clearResponse, finish, headerAt, privateWindow, putResponse, queueDevice, readHeader, responseAt, take, windowWords,
} from 'virtio-msg-device/device';

const enum Sample { Devices = 64, RequestBytes = 4, AnswerBytes = 4, Read = 1, Write = 2, Ok = 0, Unsupported = 1 }

/** The value that the driver may read and write, 0..65535; index = device row. */
const valueOf = new Uint16Array(Sample.Devices);

/** A request is a 16-bit command and a 16-bit value, the answer a 16-bit status and the value. */
export function serveSample(queue: number): void {
  const memory = windowWords[privateWindow];
  const device = queueDevice[queue];
  let handle = take(queue);
  while (handle >= 0) {
    const bytes = readHeader(Sample.RequestBytes);
    clearResponse(Sample.AnswerBytes);
    memory[responseAt] = Sample.Unsupported;
    if (bytes === Sample.RequestBytes && memory[headerAt] === Sample.Write) {
      valueOf[device] = memory[headerAt + 1];
    }
    if (bytes === Sample.RequestBytes && (memory[headerAt] === Sample.Read || memory[headerAt] === Sample.Write)) {
      memory[responseAt] = Sample.Ok;
      memory[responseAt + 1] = valueOf[device];
    }
    finish(queue, handle, putResponse(Sample.AnswerBytes));
    handle = take(queue);
  }
}

/** The driver reset the device, or went away. */
export function resetSample(device: number): void {
  valueOf[device] = 0;
}
