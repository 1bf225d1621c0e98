// The driver's half of the AMP shared-memory carrier, layout v1: finds the layout, shakes hands, moves 64-byte elements.
import type { DriverMachine, MessageListener } from './machine.js';
import type { Message, Profile } from './message.js';
import { decode, encode, TYPE_BUS, TYPE_RESPONSE } from './message.js';

const LAYOUT_MAGIC = 0x4c4f;
const HEAD_MAGIC = 0x514f;
const INIT = 0;
const READY = 1;
const RUN = 2;
const SHUTDOWN = 3;

/** How long a step may take where nothing else is said, in microseconds of the machine's clock, and how long one wait lasts. */
const STEP_LIMIT = 5000000;
const ONE_WAIT = 10000;

export class AmpBus {
  /** Byte offsets of the regions, from the start of the shared memory. */
  deviceHead = 0;
  deviceElements = 0;
  driverHead = 0;
  driverElements = 0;
  driverWords = 0;
  wordBytes = 0;
  elements = 0;
  /** Own indices. */
  tail = 0;
  head = 0;
  /** Events received while waiting for answers, oldest first. */
  events: Message[] = [];
  /** How long a step may take, in microseconds of the machine's clock. */
  stepLimit = STEP_LIMIT;
  listener: MessageListener | undefined = undefined;
  /** Messages and message bytes, both directions. */
  messages = 0;
  bytes = 0;
  private token = 1;

  constructor(readonly machine: DriverMachine, readonly profile: Profile = 'A') {}

  word(byte: number): number {
    return this.machine.words[byte / 2];
  }

  setWord(byte: number, value: number): void {
    this.machine.words[byte / 2] = value;
  }

  /** Waits until `done` holds; throws an Error that names the step when it does not come. */
  until(step: string, done: () => boolean): void {
    const start = this.machine.clock();
    while (!done()) {
      if (((this.machine.clock() - start) & 0x7ffffff) >= this.stepLimit) {
        throw new Error('step did not come: ' + step);
      }
      this.machine.wait(ONE_WAIT);
    }
  }

  /** Reads and checks the published layout header. */
  findLayout(): void {
    const base = this.machine.layout;
    this.until('the device side publishes the shared-memory layout', () => this.word(base) === LAYOUT_MAGIC);
    this.machine.barrier();
    const fields: number[][] = [[2, 64], [4, 1], [12, 64], [14, 0]];
    fields.forEach((field) => {
      if (this.word(base + field[0]) !== field[1]) {
        throw new Error('layout header: field at ' + field[0] + ' is ' + this.word(base + field[0]) + ', not ' + field[1]);
      }
    });
    const offset = (at: number): number => base + this.word(base + at) + this.word(base + at + 2) * 65536;
    this.elements = this.word(base + 10);
    this.deviceHead = offset(24);
    this.deviceElements = offset(32);
    // Three regions of words when the first feature bit says that there are masks.
    this.wordBytes = (this.word(base + 8) & 255) * ((this.word(base + 6) & 1) === 0 ? 16 : 24);
    this.driverWords = offset(40);
    this.driverHead = offset(48);
    this.driverElements = offset(56);
  }

  status(): number {
    return this.word(this.deviceHead + 2) & 31;
  }

  setStatus(status: number): void {
    this.machine.barrier();
    this.setWord(this.driverHead + 2, status);
    this.machine.barrier();
  }

  /** INIT, READY, RUN as the known driver does it; the device's doorbell is rung so that it need not poll. */
  connect(): void {
    this.findLayout();
    for (let at = 0; at < 8; at += 2) {
      this.setWord(this.driverHead + at, 0);
    }
    for (let at = 0; at < this.elements * 64; at += 2) {
      this.setWord(this.driverElements + at, 0);
    }
    for (let at = 0; at < this.wordBytes; at += 2) {
      this.setWord(this.driverWords + at, 0);
    }
    this.tail = 0;
    this.head = 0;
    this.events = [];
    this.setWord(this.driverHead, HEAD_MAGIC);
    this.setStatus(INIT);
    this.machine.ring();
    this.until('the device side sets its queue magic', () => this.word(this.deviceHead) === HEAD_MAGIC);
    this.setStatus(READY);
    this.machine.ring();
    this.until('the device side becomes READY or RUN', () => this.status() === READY || this.status() === RUN);
    this.setStatus(RUN);
    this.machine.ring();
    this.until('the device side becomes RUN', () => this.status() === RUN);
  }

  /** Puts one frame (at most 64 bytes) into the next element; returns false when the device has left no room. */
  put(frame: readonly number[]): boolean {
    const next = (this.tail + 1) % this.elements;
    if (next === this.word(this.deviceHead + 6)) {
      return false;
    }
    const at = this.driverElements + this.tail * 64;
    // Like the known driver: only the message is copied, the rest of the element keeps what it held.
    for (let byte = 0; byte < frame.length; byte += 2) {
      const low = frame[byte];
      const high = byte + 1 < frame.length ? frame[byte + 1] : this.word(at + byte) >> 8;
      this.setWord(at + byte, low | (high << 8));
    }
    this.machine.barrier();
    this.tail = next;
    this.setWord(this.driverHead + 4, this.tail);
    return true;
  }

  /** True when the device has no room for another message. */
  full(): boolean {
    return (this.word(this.deviceHead + 4) + 1) % this.elements === this.head;
  }

  /** The next element the device has sent, 64 bytes, or undefined. */
  take(): number[] | undefined {
    if (this.head === this.word(this.deviceHead + 4)) {
      return undefined;
    }
    this.machine.barrier();
    const frame: number[] = [];
    const at = this.deviceElements + this.head * 64;
    for (let byte = 0; byte < 64; byte += 2) {
      const word = this.word(at + byte);
      frame.push(word & 255, word >> 8);
    }
    this.machine.barrier();
    this.head = (this.head + 1) % this.elements;
    this.setWord(this.driverHead + 6, this.head);
    return frame;
  }

  /** Sends any bytes as one frame and rings. */
  sendFrame(frame: readonly number[]): void {
    this.until('room in the outgoing message queue', () => this.put(frame));
    this.note('send', frame);
    this.machine.ring();
  }

  send(message: Message): void {
    this.sendFrame(encode(message, this.profile));
  }

  /** Takes everything the device has sent; answers are returned, events kept. */
  private collect(): Message[] {
    const answers: Message[] = [];
    for (let frame = this.take(); frame !== undefined; frame = this.take()) {
      const message = decode(frame, this.profile);
      this.note('receive', frame.slice(0, message.size));
      if ((message.type & TYPE_RESPONSE) !== 0) {
        answers.push(message);
      } else {
        this.events.push(message);
      }
    }
    return answers;
  }

  /** Sends a request and waits for its answer, checked as strictly as the newest known driver checks it. */
  request(name: string, type: number, id: number, device: number, payload: number[]): number[] {
    const token = this.token;
    this.token = this.token === 65535 ? 1 : this.token + 1;
    this.send({ type, id, device, token, payload });
    let answers: Message[] = [];
    this.until('answer to ' + name, () => {
      answers = this.collect();
      return answers.length !== 0;
    });
    const answer = answers[0];
    if (
      answers.length !== 1 ||
      answer.type !== (type | TYPE_RESPONSE) ||
      answer.id !== id ||
      answer.device !== device ||
      answer.token !== token
    ) {
      throw new Error('answer to ' + name + ' does not fit: ' + JSON.stringify(answers));
    }
    return answer.payload;
  }

  busRequest(name: string, id: number, payload: number[]): number[] {
    return this.request(name, TYPE_BUS, id, 0, payload);
  }

  /** Lets the device run once and returns what it sent without being asked: answers are errors here. */
  poll(): void {
    const answers = this.collect();
    if (answers.length !== 0) {
      throw new Error('answer to nothing: ' + JSON.stringify(answers));
    }
  }

  /** Waits for an event with this id from `device`, keeping others. */
  event(name: string, id: number, device: number): Message {
    let found: Message | undefined;
    this.until(name, () => {
      this.poll();
      for (let at = 0; at < this.events.length && found === undefined; at++) {
        if (this.events[at].id === id && this.events[at].device === device) {
          found = this.events.splice(at, 1)[0];
        }
      }
      return found !== undefined;
    });
    return found as Message;
  }

  /** What the known driver does at unload: no message, only its status. */
  shutdown(): void {
    this.setStatus(SHUTDOWN);
    this.machine.ring();
    this.until('the device side goes back to INIT', () => this.status() === INIT);
  }

  private note(direction: 'send' | 'receive', frame: readonly number[]): void {
    this.messages++;
    this.bytes += frame.length;
    if (this.listener !== undefined) {
      this.listener(direction, frame, this.machine.clock());
    }
  }
}
