// What the device side sends unasked: events of devices and of the bus, and answers that come late.
import { fill, windowWords } from '#port';
import { MessageId, MessageType } from '../wire/message.js';
import { deviceBus, deviceNumber, devicePresence, Presence } from '../transport/device.hot.js';
import { Entry, eventDevice, eventId, nextEvent, writeEventPayload } from '../transport/events.hot.js';
import { listDevice } from '../transport/presence.hot.js';
import { heldToken } from '../transport/status.hot.js';
import { writeBusMessage } from './bus-events.hot.js';
import { slotBytes, tokenWord } from './bus-table.hot.js';
import { header, numberField, openHeader, sizeField } from './header.hot.js';

/** Writes the oldest message that waits on `bus` into the slot at word `at` of `window`; returns its bytes, 0 = none waits. */
export function sendNext(bus: number, window: number, at: number): number {
  const entry = nextEvent(bus);
  if (entry < 0) {
    return 0;
  }
  fill(window, at * 2, slotBytes[bus], 0);
  const memory = windowWords[window];
  openHeader(bus);
  const payload = at + (header >> 1);
  let bytes = header;
  if (entry >= Entry.FirstBus) {
    bytes += writeBusMessage(bus, window, at, payload);
  } else {
    const device = eventDevice(entry);
    memory[at + numberField] = deviceNumber[device];
    if (entry >= Entry.FirstDevice && devicePresence[device] === Presence.Busy) {
      bytes += writeResetAnswer(device, window, at);
    } else {
      memory[at] = eventId(entry) << 8;
      bytes += writeEventPayload(entry, window, payload);
    }
  }
  memory[at + sizeField] = bytes;
  return bytes;
}

/** The answer to the SET_DEVICE_STATUS 0 whose reset has taken its time: status 0; requests reach the device again. @rare */
function writeResetAnswer(device: number, window: number, at: number): number {
  const memory = windowWords[window];
  memory[at] = MessageType.Response | (MessageId.SetDeviceStatus << 8);
  memory[at + tokenWord[deviceBus[device]]] = heldToken[device];
  listDevice(device);
  return 4;
}
