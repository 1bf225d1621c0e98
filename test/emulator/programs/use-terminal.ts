// Reads what is typed on the serial line of firmware/apps/terminal.ts until a Ctrl-D (byte 4) comes; any driver side can do it.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import { Client } from '../../support/driver/client.js';
import { figure, machine, step, traceMessages } from './application-core.js';
import { checksum } from './use-devices.js';

const MEMORY = 0x100000;
const END = 4;
const RECEIVE = 0;
const TRANSMIT = 1;

export function useTerminal(bus: AmpBus): void {
  traceMessages(bus);
  step('find the shared-memory layout and shake hands');
  bus.connect();
  const client = new Client(bus, machine, 1, 3, 0, 2, MEMORY);
  figure('use-console', 1);
  const typed: number[] = [];
  let line = '';
  let ended = false;
  const take = (): void => {
    const { written, bytes } = client.reply(RECEIVE);
    bytes.slice(0, written).forEach((byte) => {
      if (byte === 10) {
        step('typed: ' + line);
      }
      line = byte === 10 ? '' : byte >= 32 && byte < 127 ? line + String.fromCharCode(byte) : line;
      ended = ended || byte === END;
      typed.push(byte);
    });
  };
  step('type, and end with Ctrl-D');
  client.ask(TRANSMIT, 'type\r\n'.split('').map((letter) => letter.charCodeAt(0)), 0);
  // A message for each key would hide what is typed, and people take their time: the clock never shows this limit.
  bus.listener = undefined;
  const { stepLimit } = bus;
  bus.stepLimit = 0x8000000;
  // One small buffer first, and none for a while: the device keeps what it has room for, the line the rest.
  client.offer(RECEIVE, [], 3);
  take();
  machine.wait(20000);
  if (!ended) {
    for (let count = 0; count < 8; count++) {
      client.offer(RECEIVE, [], 64);
    }
  }
  while (!ended) {
    take();
    client.offer(RECEIVE, [], 64);
  }
  bus.stepLimit = stepLimit;
  figure('requests-console', client.requests);
  figure('typed-bytes', typed.length);
  figure('typed-checksum', checksum(typed));
  client.close();
  step('shut the bus down');
  bus.shutdown();
  figure('messages', bus.messages);
  figure('bytes', bus.bytes);
}
