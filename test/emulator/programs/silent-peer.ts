// A driver's side that asks without reading: until both message queues are full, then it reads late, or shuts down and reads nothing.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { figure, machine, main, own, step } from './application-core.js';
import { Client } from '../../support/driver/client.js';
import { BUS_PING, decode, encode, le32, read32, TYPE_BUS, TYPE_RESPONSE } from '../../support/driver/message.js';

const ENTROPY = { number: 1, deviceId: 4, memory: own };
const BYTES = 32;
/** A queue that stays full for so many waits of so many microseconds is full: the device looks at least every 100 ms. */
const WAITS = 5;
const WAIT = 100000;

function entropy(bus: AmpBus): Client {
  return new Client(bus, machine, ENTROPY.number, ENTROPY.deviceId, 0, 1, ENTROPY.memory);
}

/** Sends a PING with each number from 0 on until no room comes any more; returns how many were sent. */
function askUntilFull(bus: AmpBus): number {
  let asked = 0;
  for (let waits = 0; waits < WAITS; ) {
    if (bus.put(encode({ type: TYPE_BUS, id: BUS_PING, device: 0, token: asked + 1, payload: le32(asked) }))) {
      asked++;
      waits = 0;
      machine.ring();
    } else {
      waits++;
      machine.wait(WAIT);
    }
  }
  // Of both queues one element always stays empty: one is full of answers, the other of questions that find no room for theirs.
  if (asked !== 2 * (bus.elements - 1)) {
    throw new Error(asked + ' questions were taken in, not ' + 2 * (bus.elements - 1));
  }
  return asked;
}

main((bus) => {
  let served = 0;
  const read = (client: Client): void => {
    const { written } = client.ask(0, [], BYTES);
    if (written !== BYTES) {
      throw new Error('the device gave ' + written + ' bytes');
    }
    served++;
  };
  step('find the shared-memory layout and shake hands');
  bus.connect();
  const first = entropy(bus);
  read(first);
  step('ask until both queues are full, then read');
  const asked = askUntilFull(bus);
  let answered = 0;
  bus.until('every answer', () => {
    for (let frame = bus.take(); frame !== undefined; frame = bus.take(), answered++) {
      const answer = decode(frame);
      if (answer.type !== (TYPE_BUS | TYPE_RESPONSE) || answer.id !== BUS_PING || answer.token !== answered + 1 || read32(answer.payload, 0) !== answered) {
        throw new Error('answer ' + answered + ' is ' + JSON.stringify(answer));
      }
    }
    return answered === asked;
  });
  read(first);
  step('ask until both queues are full, read nothing and shut the bus down');
  askUntilFull(bus);
  bus.shutdown();
  step('come back to a device in its reset state');
  bus.connect();
  const { device } = first;
  if (device.status() !== 0 || device.queue(0)[2] !== 0) {
    throw new Error('the device has status ' + device.status() + ' and a queue of ' + device.queue(0)[2]);
  }
  read(entropy(bus));
  step('shut the bus down');
  bus.shutdown();
  figure('requests', served);
});
