// The transport messages of one device: finds the handler of each id.
import { Discard } from '../wire/discard.js';
import { MessageId } from '../wire/message.js';
import { discard } from '../bus/frame.hot.js';
import { getConfig, setConfig } from './config.hot.js';
import { getDeviceFeatures, setDriverFeatures } from './features.hot.js';
import { getDeviceInfo } from './info.hot.js';
import { eventAvail, getVqueue, resetVqueue, setVqueue } from './queues.hot.js';
import { getShm } from './shared-memory.hot.js';
import { getDeviceStatus, setDeviceStatus } from './status.hot.js';

/** Handles message `id` for `device`; returns the bytes of the answer's payload or Answer.None. */
export function transportMessage(device: number, id: number): number {
  switch (id) {
    case MessageId.GetDeviceInfo:
      return getDeviceInfo(device);
    case MessageId.GetDeviceFeatures:
      return getDeviceFeatures(device);
    case MessageId.SetDriverFeatures:
      return setDriverFeatures(device);
    case MessageId.GetConfig:
      return getConfig(device);
    case MessageId.SetConfig:
      return setConfig(device);
    case MessageId.GetDeviceStatus:
      return getDeviceStatus(device);
    case MessageId.SetDeviceStatus:
      return setDeviceStatus(device);
    case MessageId.GetVqueue:
      return getVqueue(device);
    case MessageId.SetVqueue:
      return setVqueue(device);
    case MessageId.ResetVqueue:
      return resetVqueue(device);
    case MessageId.GetShm:
      return getShm(device);
    case MessageId.EventAvail:
      return eventAvail(device);
    default:
      return discard(Discard.UnknownId);
  }
}
