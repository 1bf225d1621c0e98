// Describes an SCMI device to the stack: the handler of its commands, and whether that sends notifications.
import { allocate } from '../memory/private.js';
import { outboxRoom } from '../serving/set-up.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { handleBase } from './scmi-base.hot.js';
import { answerMessageAt, commandAt, handleCommand, resetScmi, ScmiTable, serveScmi } from './scmi.hot.js';

/** What carries out commands. Functions of the hot subset, shared by all devices with this backend. */
export interface ScmiBackend {
  /**
   * Carries out the command whose header lies at word `commandAt[device]` of the private window, with `parameterBytes` bytes
   * of parameters behind it. Writes return values at word `answerMessageAt[device] + 2` on, the status first (SUCCESS
   * stands there already; `setScmiStatus`). Returns their bytes, status included: 4 .. 124.
   */
  readonly handle: (device: number, parameterBytes: number) => number;
  /** True when it sends notifications or delayed responses (`notificationAt`, `notify` in scmi.hot.ts): feature P2A_CHANNELS is offered (SCMI-1). */
  readonly notifies?: boolean;
}

export interface ScmiOptions {
  /** Device number on the bus. */
  readonly number: number;
  /** `baseProtocol` by default. */
  readonly backend?: ScmiBackend;
}

/** The base protocol alone: says who it is and controls nothing. */
export const baseProtocol: ScmiBackend = { handle: handleBase };

/** Feature P2A_CHANNELS. SHARED_MEMORY (1) is not offered: handlers here keep no statistics regions. */
const p2aChannels = 0;

const scmiType: DeviceType = { name: 'scmi', deviceId: 32, serve: serveScmi, reset: resetScmi, inOrder: true };

/** Notifications that wait for buffers. */
const waiting = 8;

/**
 * An SCMI device (virtio device id 32). Offered: P2A_CHANNELS, when the backend notifies. Not offered: SHARED_MEMORY, since handlers
 * here keep no statistics regions.
 */
export function scmi(options: ScmiOptions): DeviceModel {
  const backend = options.backend === undefined ? baseProtocol : options.backend;
  const notifies = backend.notifies === true;
  return {
    type: scmiType,
    number: options.number,
    queueSizes: notifies ? [64, 64] : [64],
    queueFeatures: notifies ? [-1, p2aChannels] : [-1],
    features: notifies ? [p2aChannels] : [],
    config: [],
    attach: (device) => {
      commandAt[device] = allocate(ScmiTable.MessageBytes) / 2;
      answerMessageAt[device] = allocate(ScmiTable.MessageBytes) / 2;
      outboxRoom(device, waiting, ScmiTable.MessageBytes / 2 + 1);
      handleCommand[device] = backend.handle;
    },
  };
}
