// A device comes, is used and goes while another one serves: with the app guest.
import { figure, machine, main, own, step, traceMessages } from './application-core.js';
import { Client } from '../../support/driver/client.js';
import { le16, read16 } from '../../support/driver/message.js';

const EVENT_DEVICE = 0x40;
const ADDED = 1;
const REMOVED = 2;

/** Numbers and commands of the app. */
const COMMANDS = { number: 1, deviceId: 65002, memory: own };
const STAYS = { number: 2, deviceId: 4, memory: own + 0x8000 };
const GUEST = { number: 3, deviceId: 4, memory: own + 0x10000 };
const COME = 0x2b;
const GO = 0x2d;

const BYTES = 32;

main((bus) => {
  function client({ number, deviceId, memory }: { number: number; deviceId: number; memory: number }): Client {
    return new Client(bus, machine, number, deviceId, 0, 1, memory);
  }

  function expectGuestListed(listed: boolean): void {
    const answer = bus.busRequest('GET_DEVICES', 2, le16(0).concat(le16(32)));
    if ((((answer[6 + (GUEST.number >> 3)] >> (GUEST.number & 7)) & 1) === 1) !== listed) {
      throw new Error('GET_DEVICES shows the guest ' + (listed ? 'too late' : 'for too long'));
    }
  }

  function expectEvent(state: number): void {
    const { payload } = bus.event('EVENT_DEVICE', EVENT_DEVICE, 0);
    if (read16(payload, 0) !== GUEST.number || read16(payload, 2) !== state) {
      throw new Error('EVENT_DEVICE says ' + payload.join(' '));
    }
  }

  let served = 0;

  function readFrom(entropy: Client): void {
    if (entropy.ask(0, [], BYTES).written !== BYTES) {
      throw new Error('device ' + entropy.device.number + ' gave too few bytes');
    }
    served++;
  }

  traceMessages(bus);
  step('find the shared-memory layout and shake hands');
  bus.connect();
  expectGuestListed(false);
  const commands = client(COMMANDS);
  const stays = client(STAYS);
  step('a device comes and is used');
  commands.ask(0, [COME], 0);
  expectEvent(ADDED);
  expectGuestListed(true);
  const guest = client(GUEST);
  readFrom(guest);
  readFrom(stays);
  step('it goes while another one serves');
  stays.offer(0, [], BYTES);
  commands.ask(0, [GO], 0);
  expectEvent(REMOVED);
  expectGuestListed(false);
  if (stays.reply(0).written !== BYTES) {
    throw new Error('the device that stays lost a request');
  }
  served++;
  readFrom(stays);
  step('what is said to it is answered, and starts nothing');
  if (guest.device.setStatus(1) !== 0) {
    throw new Error('the guest has a status although it is gone');
  }
  step('shut the bus down');
  bus.shutdown();
  figure('requests', served);
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
});
