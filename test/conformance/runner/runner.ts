// Does what conformance cases say against a device behind the AMP shared-memory carrier, and says what became of each.
//
// Beside what a case asks for, every message that comes in is held against the rules that bind all of them; a message that
// breaks one fails the case, whatever the case is about.
import type { AmpBus } from '../../support/driver/amp-bus.js';
import type { Way } from '../../support/driver/out-of-band.js';
import { Notifier } from '../../support/driver/out-of-band.js';
import { discoverDevice, discoverDevices, readConfig } from './discovery.js';
import { equal, fail } from './failure.js';
import type { Received } from './incoming.js';
import { BUS, readMessage, RESPONSE, shown } from './incoming.js';
import type { Arena } from './rings.js';
import { Rings, spareOffset } from './rings.js';
import type { Subject } from './subject.js';
import { factOf, hasNeed } from './subject.js';
import type { Case, Fields, FieldValue, HeadChange, HeadStatus, How, KnownBytes, Lie, Not, RingOptions, Stage, Step, Value } from './vocabulary.js';
import type { Header } from './wire.js';
import { encodeHeader, fieldsOf, headerBytes, layoutOf, little } from './wire.js';

/** What became of a case. */
export interface Verdict {
  readonly passed: boolean;
  /** Why it failed, or why it was not run; '' when it passed. */
  readonly reason: string;
  readonly run: boolean;
}

const VERSION_1 = 1;
const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;

const headStatus: { readonly [name: string]: number } = { INIT: 0, READY: 1, RUN: 2, SHUTDOWN: 3, DEAD: 4 };

/** How often something is asked that is to become so. */
const PATIENCE = 500;

/** How long nothing must happen before the runner says that nothing happens, in microseconds, and in how many looks. */
const QUIET = 20000;
const LOOKS = 4;

/** How buffers are announced to the device, and heard of. */
export interface Announcing {
  readonly way: Way;
  /** Whether the device's doorbell has rung since the last call. */
  readonly rung: () => boolean;
}

const byMessages: Announcing = { way: { kind: 'messages' }, rung: () => false };

/** A request that was sent and has no answer yet. */
interface Asked {
  readonly name: string;
  readonly header: Header;
}

export class Runner {
  private answers: Received[] = [];
  private events: Received[] = [];
  private asked: Asked[] = [];
  private token = 1;
  /** Of the case that runs. */
  private rings: Rings;
  private kept: { [name: string]: readonly number[] } = {};
  private connected = false;
  /** Once connected, where buffers are announced out of band. */
  private notifier: Notifier | undefined = undefined;
  /** Status last answered to a write, by device number. */
  private lastStatus: { [device: number]: number } = {};
  private wroteConfig = false;
  /** A command may have changed the configuration: it is read anew before the next case. */
  private changedConfig = false;

  /** `quiet`: microseconds after which a device that said nothing has nothing to say. */
  constructor(
    private readonly bus: AmpBus,
    readonly subject: Subject,
    private readonly arena: Arena,
    private readonly quietTime = QUIET,
    private readonly announcing = byMessages,
  ) {
    const { addressLow, addressHigh } = bus.machine;
    subject.spare = addressLow + addressHigh * 4294967296 + spareOffset(arena);
    this.rings = new Rings(bus.machine, arena);
  }

  /** Handshake, then everything about the device that the description left open. Throws when the device cannot even do that. */
  start(): void {
    this.bus.connect();
    this.connected = true;
    if (this.announcing.way.kind !== 'messages') {
      this.notifier = new Notifier(this.bus, this.announcing.way);
    }
    const ask = (message: string, fields: Fields, expected: Fields): Received => this.exchange(message, fields, expected);
    discoverDevices(this.subject, ask);
    this.setStatus(this.subject.device, 0);
    discoverDevice(this.subject, ask);
  }

  /** Runs one case from a reset device; never throws. */
  run(test: Case): Verdict {
    const missing = (test.needs || []).filter((need) => !hasNeed(this.subject, need));
    if (test.profiles !== undefined && test.profiles.indexOf(this.subject.profile) < 0) {
      return { passed: false, run: false, reason: 'not for profile ' + this.subject.profile };
    }
    if (missing.length > 0) {
      return { passed: false, run: false, reason: 'the device has no ' + missing.join(', no ') };
    }
    let at = -1;
    try {
      this.prepare();
      for (at = 0; at < test.steps.length; at++) {
        this.step(test.steps[at]);
      }
      this.finish();
      return { passed: true, run: true, reason: '' };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const where = at < 0 ? 'before its first step' : at >= test.steps.length ? 'after its last step' : 'step ' + (at + 1) + ' (' + wordsOf(test.steps[at]) + ')';
      this.connected = false;
      return { passed: false, run: true, reason: where + ': ' + text };
    }
  }

  /** A connected bus, all devices reset, nothing in flight, the configuration as it was. */
  private prepare(): void {
    this.rings = new Rings(this.bus.machine, this.arena);
    this.kept = {};
    if (!this.connected) {
      this.reconnect();
    }
    this.answers = [];
    this.events = [];
    this.asked = [];
    this.subject.devices.forEach((device) => this.setStatus(device, 0));
    if (this.subject.config.length > 0) {
      this.exchange('GET_CONFIG', { offset: 0, length: 0 }, {});
    }
    if (this.wroteConfig && this.subject.writableBytes > 0) {
      const { writableAt, writableBytes } = this.subject;
      const data = this.subject.config.slice(writableAt, writableAt + writableBytes);
      this.exchange('SET_CONFIG', { generation: 'generation', offset: writableAt, length: writableBytes, data }, { length: writableBytes });
      this.wroteConfig = false;
    }
    this.quiet();
    this.events = [];
    if (this.changedConfig) {
      this.subject.config = readConfig(this.subject, (message, fields, expected) => this.exchange(message, fields, expected), this.subject.config.length);
      this.changedConfig = false;
    }
  }

  private reconnect(): void {
    this.asked = [];
    this.lastStatus = {};
    this.bus.shutdown();
    this.bus.connect();
    this.connected = true;
  }

  /** Nothing must be left over, and no memory have changed that must not. */
  private finish(): void {
    this.quiet();
    if (this.answers.length > 0) {
      fail('an answer to nothing: ' + shown(this.answers[0]));
    }
    if (this.asked.length > 0) {
      fail('no answer to ' + this.asked[0].name);
    }
    if (this.events.length > 0) {
      fail('an event that nobody expects: ' + shown(this.events[0]));
    }
    this.rings.check();
  }

  private step(step: Step): void {
    switch (step.do) {
      case 'ask':
        this.exchange(step.message, step.fields, step.answer, step.how);
        return;
      case 'send':
        this.send(step.message, step.fields, step.how);
        return;
      case 'answer':
        this.answer(step.message, step.fields, step.how);
        return;
      case 'event':
        this.event(step.message, step.fields, step.how);
        return;
      case 'silence':
        this.silence();
        return;
      case 'ignore':
        this.quiet();
        this.events = this.events.filter((event) => event.name !== step.message);
        return;
      case 'becomes':
        this.becomes(step.message, step.fields, step.answer, step.how);
        return;
      case 'same':
        this.same(step.name, this.exchange(step.message, step.fields, {}, step.how));
        return;
      case 'bringUp':
        this.bringUp(this.value(step.device), step.to, step.features, step.queues);
        return;
      case 'ring':
        this.ring(step.queue, step.options);
        return;
      case 'setQueue':
        this.setQueue(this.value(step.device), step.queue, step.changes);
        return;
      case 'offer':
        if (this.announcing.way.kind === 'doorbell') {
          // The next ring is to be the one for these buffers, not one for a message before.
          this.quiet();
          this.announcing.rung();
        }
        this.rings.offer(step.queue, step.buffers);
        return;
      case 'lie':
        this.lie(step.queue, step.what);
        return;
      case 'kick':
        this.kick(this.value(step.device), step.queue);
        return;
      case 'used':
        this.used(step.queue, step.written, this.value(step.fill));
        return;
      case 'unused':
        this.quiet();
        if (this.rings.takeUsed(step.queue, 0, -1)) {
          fail('a buffer was used');
        }
        return;
      case 'freeze':
        this.rings.freeze(step.queue, step.flags);
        return;
      case 'head':
        this.head(step.change);
        return;
      case 'deviceHead':
        this.deviceHead(step.status, step.fresh);
        return;
      case 'connect':
        this.bus.connect();
        // Until the device side has looked, RUN and what stands in its ring are for the driver before: the wire cannot tell them apart.
        this.bus.until('the device side begins anew', () => this.bus.word(this.bus.deviceHead + 4) === 0);
        this.connected = true;
        return;
      case 'flood':
        this.flood(step.message, step.count, this.value(step.device));
        return;
      case 'command':
        this.command(this.value(step.device), step.name);
        return;
    }
  }

  // Values

  private value(value: Value): number {
    return typeof value === 'number' ? value : factOf(this.subject, value);
  }

  /** The bytes or entries of a field. */
  private list(value: FieldValue): number[] {
    if (typeof value === 'number' || typeof value === 'string') {
      return [this.value(value)];
    }
    const known = value as KnownBytes;
    if (known.config !== undefined) {
      const from = this.value(known.config);
      return this.subject.config.slice(from, from + this.value(known.length));
    }
    return (value as readonly Value[]).map((entry) => this.value(entry));
  }

  // Messages

  private encode(name: string, fields: Fields, how: How): { header: Header; frame: number[] } {
    const { profile } = this.subject;
    const layout = layoutOf(name, profile);
    const parts = fieldsOf(layout.request);
    Object.keys(fields).forEach((field) => {
      if (!parts.some((part) => part.name === field)) {
        throw new Error(name + ' has no field ' + field);
      }
    });
    let payload: number[] = [];
    parts.forEach((part) => {
      const value = fields[part.name];
      if (part.repeats) {
        (value === undefined ? [] : this.list(value)).forEach((entry) => (payload = payload.concat(little(entry, part.bytes))));
      } else if (value !== undefined && typeof value !== 'number' && typeof value !== 'string') {
        payload = payload.concat(this.list(value));
      } else {
        payload = payload.concat(little(value === undefined ? 0 : this.value(value), part.bytes));
      }
    });
    if (how.cut !== undefined) {
      payload = payload.slice(0, payload.length - how.cut);
    }
    payload = payload.concat(how.tail || []);
    const size = headerBytes(profile) + payload.length;
    const header: Header = {
      type: how.type !== undefined ? how.type : layout.bus ? BUS : 0,
      id: how.id !== undefined ? how.id : layout.id,
      device: how.device !== undefined ? this.value(how.device) : layout.bus ? 0 : this.subject.device,
      token: how.token !== undefined ? how.token : layout.event ? 0 : this.nextToken(),
      size: how.size !== undefined ? this.value(how.size) : size,
      reserved: how.reserved || 0,
    };
    const frame = encodeHeader(header, profile).concat(payload);
    if (how.behind !== undefined) {
      while (frame.length < this.subject.largest) {
        frame.push(how.behind);
      }
    }
    return { header, frame };
  }

  private nextToken(): number {
    const token = this.token;
    this.token = token === 65535 ? 1 : token + 1;
    return token;
  }

  /** Sends and forgets: no answer is waited for, and one that comes is an answer to nothing unless a step takes it. */
  private send(name: string, fields: Fields, how: How): Header {
    const { header, frame } = this.encode(name, fields, how);
    if (name === 'SET_CONFIG') {
      this.wroteConfig = true;
    }
    this.bus.sendFrame(frame);
    return header;
  }

  /** Sends a request and returns its only answer, whose fields must be `expected`. */
  private exchange(name: string, fields: Fields, expected: Fields, how: How = {}): Received {
    this.asked.push({ name, header: this.send(name, fields, how) });
    return this.answer(name, expected, {});
  }

  /** The next answer, to the oldest request that a step asked for, or to one that `how` tells of. */
  private answer(name: string, expected: Fields, how: How): Received {
    let at = 0;
    this.bus.until('answer to ' + name, () => {
      this.collect();
      at = 0;
      while (how.device !== undefined && at < this.answers.length && this.answers[at].header.device !== this.value(how.device)) {
        at++;
      }
      return at < this.answers.length;
    });
    const received = this.answers.splice(at, 1)[0];
    const asked = this.asked.shift();
    if (received.name !== name) {
      fail('the answer is ' + shown(received) + ', not one to ' + name);
    }
    const sent = asked === undefined ? undefined : asked.header;
    const device = sent !== undefined ? sent.device : how.device !== undefined ? this.value(how.device) : received.header.device;
    const token = sent !== undefined ? sent.token : how.token;
    if (received.header.device !== device) {
      fail('the answer has device number ' + received.header.device + ', not ' + device);
    }
    if (token !== undefined && received.header.token !== token) {
      fail('the answer has token ' + received.header.token + ', not ' + token);
    }
    this.compare(received, expected);
    this.learn(received);
    return received;
  }

  private event(name: string, expected: Fields, how: How): void {
    const bus = layoutOf(name, this.subject.profile).bus;
    const device = how.device !== undefined ? this.value(how.device) : bus ? 0 : this.subject.device;
    if (name === 'EVENT_USED' && this.announcing.way.kind === 'doorbell') {
      // The ring itself is the event; it names no queue.
      this.bus.until('a ring for the used buffers of device ' + device, () => {
        this.collect();
        return this.announcing.rung();
      });
      return;
    }
    const find = (): number => {
      for (let at = 0; at < this.events.length; at++) {
        if (this.events[at].name === name && this.events[at].header.device === device) {
          return at;
        }
      }
      return -1;
    };
    this.bus.until(name + ' of device ' + device, () => {
      this.collect();
      return find() >= 0;
    });
    const received = this.events.splice(find(), 1)[0];
    this.compare(received, expected);
    this.learn(received);
  }

  private compare(received: Received, expected: Fields): void {
    const difference = this.difference(received, expected);
    if (difference !== '') {
      fail(difference);
    }
  }

  /** What is not as it should be, '' = all is. */
  private difference(received: Received, expected: Fields): string {
    let found = '';
    Object.keys(expected).forEach((field) => {
      const got = received.fields[field];
      if (got === undefined) {
        throw new Error(received.name + ' has no field ' + field);
      }
      const value = expected[field];
      const { not } = value as Not;
      const want = this.list(not === undefined ? value : not);
      const have = typeof got === 'number' ? [got] : got;
      if (equal(have, want) !== (not === undefined)) {
        found = field + ' of ' + received.name + ' is ' + have.join(' ') + (not === undefined ? ', not ' + want.join(' ') : '');
      }
    });
    return found;
  }

  private becomes(message: string, fields: Fields, expected: Fields, how: How): void {
    for (let turn = 0; turn < PATIENCE; turn++) {
      if (this.difference(this.exchange(message, fields, {}, how), expected) === '') {
        return;
      }
      this.bus.machine.wait(this.quietTime);
    }
    this.exchange(message, fields, expected, how);
  }

  /** Remembers what later messages refer to. */
  private learn(received: Received): void {
    const { generation, status, device_status: eventStatus } = received.fields;
    if (typeof generation === 'number' && received.header.device === this.subject.device) {
      this.subject.generation = generation;
    }
    if (received.name === 'SET_DEVICE_STATUS' && typeof status === 'number') {
      this.lastStatus[received.header.device] = status;
    }
    if (received.name === 'EVENT_CONFIG' && typeof eventStatus === 'number' && eventStatus === 0) {
      fail('EVENT_CONFIG with status 0');
    }
  }

  /** Takes everything that came and holds it against the rules for all messages. What was told out of band before an answer is seen with it. */
  private collect(): void {
    this.collectMessages();
    if (this.notifier !== undefined) {
      this.notifier.heardFromWords().forEach(({ device, queue }) => {
        const header: Header = { type: 0, id: 0, device, token: 0, size: 0, reserved: 0 };
        this.addEvent({ name: 'EVENT_USED', header, payload: [], fields: { vq_index: queue } });
      });
    }
  }

  private collectMessages(): void {
    for (let frame = this.bus.take(); frame !== undefined; frame = this.bus.take()) {
      const received = readMessage(frame, this.subject.profile, this.subject.largest);
      if ((received.header.type & RESPONSE) !== 0) {
        this.answers.push(received);
      } else if (received.name === 'EVENT_USED' && this.notifier !== undefined) {
        fail('EVENT_USED came as a message on a bus that announces buffers out of band');
      } else {
        this.addEvent(received);
      }
    }
  }

  private addEvent(received: Received): void {
    if (this.lastStatus[received.header.device] === 0 && (received.header.type & BUS) === 0) {
      fail('an event after status 0: ' + shown(received));
    }
    this.events.push(received);
  }

  private same(name: string, received: Received): void {
    const before = this.kept[name];
    if (before !== undefined && !equal(before, received.payload)) {
      fail(received.name + ' is ' + received.payload.join(' ') + ', and was ' + before.join(' '));
    }
    this.kept[name] = received.payload;
  }

  /** Lets time pass and collects. */
  private quiet(): void {
    for (let look = 0; look < LOOKS; look++) {
      this.bus.machine.wait(this.quietTime / LOOKS);
      this.collect();
    }
  }

  private silence(): void {
    this.quiet();
    if (this.answers.length > 0) {
      fail('it is answered: ' + shown(this.answers[0]));
    }
    if (this.events.length > 0) {
      fail('an event comes: ' + shown(this.events[0]));
    }
  }

  // Devices

  private setStatus(device: number, status: number, expected = status): void {
    this.exchange('SET_DEVICE_STATUS', { status }, { status: expected }, { device });
  }

  private bringUp(device: number, to: Stage, features: readonly number[], queues: readonly number[]): void {
    this.setStatus(device, 0);
    if (to === 'reset') {
      return;
    }
    this.setStatus(device, ACKNOWLEDGE);
    this.setStatus(device, ACKNOWLEDGE | DRIVER);
    if (to === 'driver') {
      return;
    }
    const words = [features[0], features[1] + VERSION_1];
    this.exchange('SET_DRIVER_FEATURES', { block_index: 0, num_blocks: 2, features: words }, {}, { device });
    this.setStatus(device, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if (to === 'features') {
      return;
    }
    queues.forEach((queue) => {
      if (!this.rings.has(queue)) {
        this.ring(queue, {});
      }
      this.setQueue(device, queue, {});
    });
    if (to === 'running') {
      this.setStatus(device, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    }
  }

  private command(device: number, name: string): void {
    const code = this.subject.commands[name];
    this.changedConfig = true;
    if (code < 128) {
      this.exchange('SET_CONFIG', { generation: 'generation', offset: 'commandAt', length: 1, data: [code] }, { length: 1 }, { device });
    } else {
      this.rings.suppress(1);
      this.rings.offer(1, [[{ read: [code, 0] }]]);
      this.kick(device, 1);
      this.used(1, 0, -1);
    }
  }

  // Rings

  private ring(queue: number, options: RingOptions): void {
    const most = queue === 0 ? this.subject.queueSize : this.subject.queueSize1;
    const size = options.size === undefined ? Math.min(most, 8) : this.value(options.size);
    this.rings.make(queue, size, options.place === undefined ? queue : options.place);
  }

  private setQueue(device: number, queue: number, changes: Fields): void {
    const areas = this.rings.areas(queue);
    const fields: { [name: string]: FieldValue } = { index: queue, size: this.rings.size(queue), desc_addr: areas[0], driver_addr: areas[1], device_addr: areas[2] };
    if (this.subject.profile !== 'A') {
      fields['flags'] = 1;
    }
    Object.keys(changes).forEach((name) => {
      fields[name] = changes[name];
    });
    this.exchange('SET_VQUEUE', fields, {}, { device });
  }

  private lie(queue: number, what: Lie): void {
    if (what.address !== undefined) {
      this.rings.lieAddress(queue, this.value(what.address));
    }
    if (what.head !== undefined) {
      this.rings.lieHead(queue, what.head);
    }
    if (what.index !== undefined) {
      this.rings.lieIndex(queue, what.index);
    }
  }

  private kick(device: number, queue: number): void {
    const { notifier } = this;
    if (notifier === undefined) {
      this.send('EVENT_AVAIL', { vq_index: queue, next_offset: 0 }, { device });
      return;
    }
    notifier.put(device, queue);
    this.bus.machine.ring();
  }

  private used(queue: number, written: number, fill: number): void {
    this.bus.until('a used buffer of queue ' + queue, () => {
      this.collect();
      return this.rings.takeUsed(queue, written, fill);
    });
  }

  // Carrier

  private head(change: HeadChange): void {
    const { bus } = this;
    const write = (at: number, value: number | undefined): void => {
      if (value !== undefined) {
        bus.setWord(bus.driverHead + at, value);
      }
    };
    this.connected = false;
    this.lastStatus = {};
    write(0, change.magic);
    write(4, change.tail);
    write(6, change.head);
    if (change.status !== undefined) {
      bus.setStatus(headStatus[change.status]);
    }
    bus.machine.ring();
  }

  private deviceHead(status: HeadStatus, fresh: boolean): void {
    const { bus } = this;
    bus.until('the device side to become ' + status, () => bus.status() === headStatus[status]);
    const tail = bus.word(bus.deviceHead + 4);
    const head = bus.word(bus.deviceHead + 6);
    if (fresh && (tail !== 0 || head !== 0)) {
      fail('the device side is ' + status + ' with tail ' + tail + ' and head ' + head + ', not 0');
    }
  }

  /** Sends requests without reading answers until the device takes no more, then reads; all must come back in order. */
  private flood(name: string, count: number, device: number): void {
    const frames: { header: Header; frame: number[] }[] = [];
    for (let at = 0; at < count; at++) {
      frames.push(this.encode(name, {}, layoutOf(name, this.subject.profile).bus ? {} : { device }));
    }
    let sent = 0;
    let stuck = 0;
    while (sent < count && stuck < LOOKS) {
      if (this.bus.put(frames[sent].frame)) {
        sent++;
        stuck = 0;
      } else {
        stuck++;
      }
      this.bus.machine.ring();
      this.bus.machine.wait(this.quietTime / LOOKS);
    }
    frames.forEach(({ header }) => this.asked.push({ name, header }));
    frames.forEach(() => {
      while (sent < count && this.bus.put(frames[sent].frame)) {
        sent++;
      }
      this.bus.machine.ring();
      this.answer(name, {}, {});
    });
  }
}

/** A step in words, for reasons. */
function wordsOf(step: Step): string {
  const named = step as { readonly message?: string; readonly queue?: number; readonly name?: string };
  const object = named.message !== undefined ? ' ' + named.message : named.queue !== undefined ? ' queue ' + named.queue : named.name !== undefined ? ' ' + named.name : '';
  return step.do + object;
}
