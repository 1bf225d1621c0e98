// Describes a console device to the stack, and the backends that stand behind its ports.
import { Capacity } from '../capacity.js';
import { allocate } from '../memory/private.js';
import { writeBytes } from '../serving/set-up.js';
import { deviceType } from '../transport/device.hot.js';
import type { ConsoleEmergency, ConsoleInput, ConsoleOutput } from './console.hot.js';
import {
  consoleConfigWritten,
  consoleEmergencies,
  consoleInputs,
  consoleOutputs,
  firstPort,
  inputAt,
  inputFirst,
  inputSize,
  inputWaiting,
  noInput,
  portBackend,
  portCols,
  portCount,
  portDevice,
  portIndex,
  portIsConsole,
  portNameAt,
  portNameBytes,
  portRows,
  PortState,
  portState,
  resetConsole,
  serveConsole,
  wakeConsole,
  writeConsoleConfig,
} from './console.hot.js';
import { emergencyLog, emergencyLoopBack, emergencySerial, inputSerial, logEnd, logSize, outputAt, outputLog, outputLoopBack, outputSerial, serialLost } from './console-backends.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { le16, le32 } from './little-endian.js';
import { rowOf } from '../transport/type-rows.js';

/** The functions of a kind of console backend: hot functions, see console.hot.ts for what each must do. */
export interface ConsoleBackendType {
  readonly output: ConsoleOutput;
  readonly emergency: ConsoleEmergency;
  /** Input that is fetched when there is room for it; a backend may give some by `consoleInput` at any time instead. */
  readonly input?: ConsoleInput;
}

/** What stands behind one port. */
export interface ConsoleBackend {
  readonly type: ConsoleBackendType;
  /** Takes what the backend needs; called once, with the port's row (`firstPort` of the device + its index). */
  readonly attach: (port: number) => void;
}

export interface ConsolePort {
  readonly backend: ConsoleBackend;
  /** Name of the port, at most 56 ASCII characters: /dev/virtio-ports/NAME in Linux. None by default. */
  readonly name?: string;
  /** True for a port that is to be a terminal; port 0 by default. */
  readonly console?: boolean;
  /** Bytes of its input FIFO, a power of two up to 32768; 256 by default. */
  readonly input?: number;
  /** True for a port that appears later, by `consolePlug`. */
  readonly absent?: boolean;
}

export interface ConsoleOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** One port: a plain console. More: MULTIPORT is offered too. */
  readonly ports: readonly ConsolePort[];
  /** Columns and rows of the terminal; offers SIZE. */
  readonly size?: readonly [number, number];
  /** Largest size of each queue; 64 by default. */
  readonly queueSize?: number;
}

const enum Bit {
  Size = 0,
  Multiport = 1,
  EmergencyWrite = 2,
}

const consoleType: DeviceType = {
  name: 'console',
  deviceId: 3,
  serve: serveConsole,
  reset: resetConsole,
  wake: wakeConsole,
  writeConfig: writeConsoleConfig,
  configWritten: consoleConfigWritten,
};

const backendTypes: ConsoleBackendType[] = [];

/** Port rows of the consoles before `device`. */
function portsBefore(device: number): number {
  let ports = 0;
  for (let other = 0; other < device; other++) {
    ports += deviceType[other] === deviceType[device] ? portCount[other] : 0;
  }
  return ports;
}

/** Enters a type's functions into the tables. */
function enterBackend(type: ConsoleBackendType): void {
  consoleOutputs.push(type.output);
  consoleEmergencies.push(type.emergency);
  consoleInputs.push(type.input === undefined ? noInput : type.input);
}

function isPowerOfTwo(bytes: number, most: number): boolean {
  return bytes >= 1 && bytes <= most && bytes % 1 === 0 && (bytes & (bytes - 1)) === 0;
}

function addPort(device: number, index: number, port: ConsolePort, size: readonly [number, number]): void {
  const row = firstPort[device] + index;
  portDevice[row] = device;
  portIndex[row] = index;
  portState[row] = port.absent === true ? 0 : PortState.Exists;
  portBackend[row] = rowOf(backendTypes, port.backend.type, enterBackend);
  portIsConsole[row] = (port.console === undefined ? index === 0 : port.console) ? 1 : 0;
  portCols[row] = size[0];
  portRows[row] = size[1];
  const name = port.name === undefined ? '' : port.name;
  portNameBytes[row] = name.length;
  if (name.length > 0) {
    portNameAt[row] = allocate(name.length);
    writeBytes(portNameAt[row], name, name.length);
  }
  inputSize[row] = port.input === undefined ? 256 : port.input;
  inputAt[row] = allocate(inputSize[row]);
  inputFirst[row] = 0;
  inputWaiting[row] = 0;
  port.backend.attach(row);
}

/**
 * A console (virtio device id 3). Offered: EMERG_WRITE always, SIZE with `size`, MULTIPORT with more than one port: all the
 * features of the type. Throws an Error with one sentence for wrong options.
 */
export function console(options: ConsoleOptions): DeviceModel {
  const { ports } = options;
  const size = options.size === undefined ? ([80, 25] as const) : options.size;
  const queueSize = options.queueSize === undefined ? 64 : options.queueSize;
  const refuse = (reason: string): never => {
    throw new Error('console device ' + options.number + ': ' + reason);
  };
  if (!(ports.length >= 1 && ports.length <= Capacity.ConsolePorts)) {
    refuse('it has 1 to ' + Capacity.ConsolePorts + ' ports');
  }
  if (ports[0].absent === true) {
    refuse('port 0 is always there');
  }
  ports.forEach((port) => {
    if (port.name !== undefined && !(port.name.length <= 56 && /^[\x21-\x7e]+$/.test(port.name))) {
      refuse('a name has 1 to 56 ASCII characters without spaces');
    }
    if (port.input !== undefined && !isPowerOfTwo(port.input, 32768)) {
      refuse('an input FIFO has a power of two of bytes, up to 32768');
    }
  });
  const multiport = ports.length > 1;
  const features: number[] = [Bit.EmergencyWrite];
  if (options.size !== undefined) {
    features.push(Bit.Size);
  }
  if (multiport) {
    features.push(Bit.Multiport);
  }
  const queueSizes = [queueSize, queueSize];
  const queueFeatures = [-1, -1];
  for (let queue = 2; multiport && queue < 2 + ports.length * 2; queue++) {
    queueSizes.push(queueSize);
    queueFeatures.push(Bit.Multiport);
  }
  return {
    type: consoleType,
    number: options.number,
    queueSizes,
    queueFeatures,
    features,
    config: le16(size[0]).concat(le16(size[1]), le32(ports.length), le32(0)),
    attach(device: number): void {
      firstPort[device] = portsBefore(device);
      if (firstPort[device] + ports.length > Capacity.ConsolePorts) {
        refuse('the image holds ' + Capacity.ConsolePorts + ' console ports');
      }
      portCount[device] = ports.length;
      ports.forEach((port, index) => addPort(device, index, port, size));
    },
  };
}

const serialType: ConsoleBackendType = { output: outputSerial, emergency: emergencySerial, input: inputSerial };

/**
 * The core's own serial line: output by the port's `write`, input by its `read`, for one port of the image. Input is read while the
 * FIFO has room, so that a line with flow control loses nothing; `serialLost` counts when another one did.
 */
export function serialLine(): ConsoleBackend {
  return {
    type: serialType,
    attach(port: number): void {
      outputAt[port] = allocate(64);
      serialLost[port] = 0;
    },
  };
}

const logType: ConsoleBackendType = { output: outputLog, emergency: emergencyLog };

/** Keeps the last `bytes` (a power of two up to 32768) bytes of output in memory, for `readLog` or a debugger. */
export function logBuffer(options: { readonly bytes: number }): ConsoleBackend {
  if (!isPowerOfTwo(options.bytes, 32768)) {
    throw new Error('a log buffer has a power of two of bytes, up to 32768');
  }
  return {
    type: logType,
    attach(port: number): void {
      outputAt[port] = allocate(options.bytes);
      logSize[port] = options.bytes;
      logEnd[port] = 0;
    },
  };
}

const loopBackType: ConsoleBackendType = { output: outputLoopBack, emergency: emergencyLoopBack };

/** What goes out comes in again, in its order; output waits while the input FIFO is full. */
export function echo(): ConsoleBackend {
  return {
    type: loopBackType,
    attach(): void {
      return;
    },
  };
}
