// An SCMI handler with the base protocol alone: a platform that says who it is and has nothing to control.
import { windowWords } from '#port';
import { privateWindow } from '../memory/private.hot.js';
import { answerMessageAt, commandAt, ScmiStatus, setScmiStatus } from './scmi.hot.js';

/** Arm SCMI specification, Base protocol. */
const enum Base {
  Protocol = 0x10,
  Version = 0x0,
  Attributes = 0x1,
  MessageAttributes = 0x2,
  DiscoverVendor = 0x3,
  DiscoverSubVendor = 0x4,
  DiscoverImplementation = 0x5,
  DiscoverProtocols = 0x6,
  /** Version 2.0 of the protocol, in the upper half. */
  VersionMajor = 2,
  IdentifierBytes = 16,
}

/** Word of the return value behind the status. */
function valueAt(device: number): number {
  return answerMessageAt[device] + 4;
}

function putValue(device: number, low: number, high: number): number {
  const memory = windowWords[privateWindow];
  memory[valueAt(device)] = low;
  memory[valueAt(device) + 1] = high;
  return 8;
}

/** An identifier of up to four characters, filled up with zeros. */
function putIdentifier(device: number, low: number, high: number): number {
  const memory = windowWords[privateWindow];
  for (let word = 2; word < 8; word++) {
    memory[valueAt(device) + word] = 0;
  }
  putValue(device, low, high);
  return 4 + Base.IdentifierBytes;
}

function fail(device: number, status: number): number {
  setScmiStatus(device, status);
  return 4;
}

/** As `ScmiBackend.handle`. */
export function handleBase(device: number, parameterBytes: number): number {
  const memory = windowWords[privateWindow];
  const command = commandAt[device];
  // Message id in bits 7..0, protocol in bits 17..10.
  const message = memory[command] & 255;
  const protocol = (memory[command] >> 10) | ((memory[command + 1] & 3) << 6);
  if (protocol !== Base.Protocol) {
    return fail(device, ScmiStatus.NotSupported);
  }
  switch (message) {
    case Base.Version:
      return putValue(device, 0, Base.VersionMajor);
    case Base.Attributes:
      // No other protocols, no other agents.
      return putValue(device, 0, 0);
    case Base.MessageAttributes:
      if (parameterBytes < 4) {
        return fail(device, ScmiStatus.ProtocolError);
      }
      return memory[command + 3] === 0 && memory[command + 2] <= Base.DiscoverProtocols ? putValue(device, 0, 0) : fail(device, ScmiStatus.NotFound);
    case Base.DiscoverVendor:
      // "vmsg"
      return putIdentifier(device, 0x6d76, 0x6773);
    case Base.DiscoverSubVendor:
      return putIdentifier(device, 0, 0);
    case Base.DiscoverImplementation:
      return putValue(device, 1, 0);
    case Base.DiscoverProtocols:
      return parameterBytes < 4 ? fail(device, ScmiStatus.ProtocolError) : putValue(device, 0, 0);
    default:
      return fail(device, ScmiStatus.NotSupported);
  }
}
