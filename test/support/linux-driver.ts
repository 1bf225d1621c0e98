// A judge in a Linux driver's place: two generations, each as strict as it was measured, noting every survival rule that is broken.
//
// A real driver panics, fails the whole bus or loops where this one writes down which rule was broken. What is not told
// here stays with AmpBus: it only moves frames.
import type { AmpBus } from './driver/amp-bus.js';
import { decode, encode, le16, le32, le64, read16, read32, type Message } from './driver/message.js';

/** gen2: profile A, token always 1. gen3: profile C, rolling tokens, strict. */
export type Generation = 'gen2' | 'gen3';

/** The survival rules, by what a device side does that breaks a driver. */
export const Rule = {
  EarlyUsed: 'EVENT_USED before the device is registered',
  UnknownQueueUsed: 'EVENT_USED for a queue that was never set up',
  EarlyDoorbell: 'doorbell before the driver\'s queue status is READY',
  Twice: 'the same response twice',
  AnotherFirst: 'another response with the same id first',
  WrongHeader: 'response of another type, id or device',
  WrongToken: 'response with a wrong token',
  NoPayload: 'response without its payload',
  WrongSize: 'response of another size',
  FeatureBits: 'num_feature_bits != 64, or more than 4 blocks',
  DevicesEcho: 'GET_DEVICES does not echo count 32, offset 0',
  NoDeviceId: 'one device with device_id 0',
  ConfigEcho: 'GET_CONFIG answer that does not echo offset and length',
  ConfigRejected: 'SET_CONFIG rejected (length 0)',
  WriteAdvances: 'SET_CONFIG advances the generation',
  ConfigEvent: 'EVENT_CONFIG whose size is not 24 + length, or range outside the config space',
  LongUsed: 'EVENT_USED larger than 12 bytes',
  QueueFlags: 'GET_VQUEUE flags with other bits than bit 0, or a configured queue with an area at address 0',
  QueueIndex: 'queue index used by the driver >= max_virtqueues',
  SilentRemoved: 'no answer to requests after EVENT_DEVICE REMOVED',
  StateBits: 'EVENT_DEVICE with an implementation-defined state that has bit 0 or 1 set',
  QueueMaximum: 'queue max_size not a power of two',
  NotEnabled: 'flags without "enabled" after SET_VQUEUE',
  QueueEcho: 'GET_VQUEUE that does not echo a configured queue, or shows a reset one',
  RestlessGeneration: 'config generation rises at every GET_CONFIG',
  NumberAgain: 'EVENT_DEVICE REMOVED then ADDED for the same number',
  BackToBack: 'two bus events back to back',
  Silent: 'no answer',
  Status: 'status that does not follow',
} as const;
export type RuleWords = (typeof Rule)[keyof typeof Rule];

interface Request {
  readonly type: number;
  readonly id: number;
  readonly device: number;
  readonly token: number;
  readonly payload: readonly number[];
}

interface Known {
  informed: boolean;
  registered: boolean;
  configSize: number;
  queues: number;
  readonly set: Set<number>;
  removed: boolean;
}

/** Passes of the device side a request may take, and those after it in which a second answer would come. */
const PATIENCE = 200;
const AFTERMATH = 2;
const PASS = 1000;
const HEADER = 8;
const ADDED = 1;
const REMOVED = 2;
const HEAD_MAGIC = 0x514f;

export class LinuxDriver {
  readonly breaches = new Set<RuleWords>();
  /** Numbers of devices that were announced and not yet looked at, oldest first. */
  readonly announced: number[] = [];
  readonly used: number[] = [];
  /** Stands between the device side and this driver: what becomes of a frame. */
  tamper: (frame: number[]) => number[][] = (frame) => [frame];
  private readonly devices = new Map<number, Known>();
  private open: Request | undefined = undefined;
  private answer: number[] | undefined = undefined;
  private lastAnswer: number[] = [];
  private token = 1;

  /** `rings`: how often the device side has rung so far. */
  constructor(readonly bus: AmpBus, readonly generation: Generation, private readonly rings: () => number) {}

  private breach(rule: RuleWords): void {
    this.breaches.add(rule);
  }

  private known(device: number): Known {
    const entry = this.devices.get(device) ?? { informed: false, registered: false, configSize: 0, queues: 0, set: new Set<number>(), removed: false };
    this.devices.set(device, entry);
    return entry;
  }

  /** The handshake as the driver does it; the doorbell has to be quiet until READY. */
  connect(): void {
    const { bus } = this;
    bus.findLayout();
    const before = this.rings();
    bus.setWord(bus.driverHead, HEAD_MAGIC);
    bus.setStatus(0);
    [0, 1, 2].forEach(() => bus.machine.wait(PASS));
    if (this.rings() !== before) {
      this.breach(Rule.EarlyDoorbell);
    }
    bus.connect();
  }

  /** Bytes of the answer's payload, by the request. */
  private expected({ type, id, payload }: Request): number {
    if (type === 2) {
      return id === 2 ? 6 + read16(payload, 2) / 8 : payload.length;
    }
    switch (id) {
      case 2:
        return this.generation === 'gen2' ? 24 : 44;
      case 3:
        return 8 + read32(payload, 4) * 4;
      case 5:
        return 12 + read32(payload, 4);
      case 6:
        return 12;
      case 7:
      case 8:
        return 4;
      case 9:
        return 40;
      default:
        return 0;
    }
  }

  private seeResponse(frame: readonly number[], message: Message): void {
    const size = read16(frame, 6);
    const bytes = frame.slice(0, Math.max(size, HEADER));
    const request = this.open;
    if (request === undefined || this.answer !== undefined) {
      this.breach(JSON.stringify(bytes) === JSON.stringify(this.lastAnswer) ? Rule.Twice : Rule.AnotherFirst);
      return;
    }
    if (message.type !== (request.type | 1) || message.id !== request.id || message.device !== request.device) {
      this.breach(Rule.WrongHeader);
      return;
    }
    if (message.token !== request.token) {
      this.breach(Rule.WrongToken);
      return;
    }
    const expected = this.expected(request);
    if (size !== HEADER + expected) {
      this.breach(size === HEADER ? Rule.NoPayload : Rule.WrongSize);
    }
    this.lastAnswer = bytes;
    // The driver reads zeros where nothing came.
    this.answer = frame.slice(HEADER, size).concat(new Array<number>(64).fill(0)).slice(0, Math.max(expected, 4));
  }

  private seeEvent(frame: readonly number[], message: Message): void {
    const size = read16(frame, 6);
    const payload = frame.slice(HEADER);
    if (message.type === 2) {
      this.seeBusEvent(read16(payload, 0), read16(payload, 2));
      return;
    }
    const device = this.known(message.device);
    if (message.id === 0x42) {
      if (!device.registered) {
        this.breach(Rule.EarlyUsed);
      } else if (!device.set.has(read32(payload, 0))) {
        this.breach(Rule.UnknownQueueUsed);
      }
      if (size > 12) {
        this.breach(Rule.LongUsed);
      }
      this.used.push(read32(payload, 0));
    } else if (message.id === 0x40) {
      const [offset, length] = [read32(payload, 8), read32(payload, 12)];
      if (size !== 24 + length || offset + length > device.configSize) {
        this.breach(Rule.ConfigEvent);
      }
    }
  }

  private seeBusEvent(number: number, state: number): void {
    if (state !== ADDED && state !== REMOVED && (state & 3) !== 0) {
      this.breach(Rule.StateBits);
      return;
    }
    if (this.announced.length !== 0) {
      this.breach(Rule.BackToBack);
    }
    const device = this.known(number);
    if (state === ADDED && device.removed) {
      this.breach(Rule.NumberAgain);
    }
    device.removed = state === REMOVED;
    this.announced.push(number);
  }

  /** Takes everything the device side has sent. */
  receive(): void {
    for (let frame = this.bus.take(); frame !== undefined; frame = this.bus.take()) {
      this.tamper(frame).forEach((seen) => {
        const message = decode(seen);
        if ((message.type & 1) !== 0) {
          this.seeResponse(seen, message);
        } else {
          this.seeEvent(seen, message);
        }
      });
    }
  }

  /** Lets the device side work. */
  wait(passes = 1): void {
    for (let pass = 0; pass < passes; pass++) {
      this.bus.machine.wait(PASS);
      this.receive();
    }
  }

  /** Sends a request; returns the payload of its answer, zeros where it is short or missing. */
  request(type: number, id: number, device: number, payload: readonly number[]): number[] {
    const token = this.generation === 'gen2' ? 1 : this.token;
    this.token = this.token === 65535 ? 1 : this.token + 1;
    this.answer = undefined;
    this.open = { type, id, device, token, payload };
    this.bus.sendFrame(encode({ type, id, device, token, payload: [...payload] }));
    for (let pass = 0; pass < PATIENCE && this.answer === undefined; pass++) {
      this.wait();
    }
    this.wait(AFTERMATH);
    const answer = this.answer as number[] | undefined;
    this.open = undefined;
    if (answer === undefined) {
      this.breach(this.known(device).removed ? Rule.SilentRemoved : Rule.Silent);
    }
    return answer ?? new Array<number>(64).fill(0);
  }

  private transport(id: number, device: number, payload: readonly number[] = []): number[] {
    return this.request(0, id, device, payload);
  }

  /** The numbers GET_DEVICES shows: asked once, offset 0, count 32. */
  discover(): number[] {
    const answer = this.request(2, 2, 0, le16(0).concat(le16(32)));
    const count = read16(answer, this.generation === 'gen2' ? 2 : 4);
    // The newer driver's bus leaves this to its implementation.
    if (read16(answer, 0) !== 0 || count !== 32) {
      this.breach(Rule.DevicesEcho);
    }
    return Array.from({ length: 32 }, (_, number) => number).filter((number) => (((answer[6 + (number >> 3)] ?? 0) >> (number & 7)) & 1) === 1);
  }

  status(device: number): number {
    return read32(this.transport(7, device), 0);
  }

  private setStatus(device: number, value: number): void {
    const now = read32(this.transport(8, device, le32(value)), 0);
    if (value !== 0 && now !== value) {
      this.breach(Rule.Status);
    }
    if (this.generation === 'gen2') {
      if (value !== 0 && this.status(device) !== value) {
        this.breach(Rule.Status);
      }
    } else if (value === 0) {
      // Every 10 ms, 10 s at most.
      for (let poll = 0; poll < 1000 && this.status(device) !== 0; poll++) {
        this.wait(10);
      }
    }
  }

  /** GET_DEVICE_INFO, reset, features up to FEATURES_OK, in the driver's order; `block0` is accepted as it is offered. */
  begin(number: number): void {
    const device = this.known(number);
    // The request is what the event led to: the next one may come with its answer.
    this.forgetEvent(number);
    const info = this.transport(2, number);
    const long = this.generation === 'gen3';
    const bits = read32(info, long ? 24 : 8);
    if (read32(info, 0) === 0) {
      this.breach(Rule.NoDeviceId);
    }
    if (long ? bits < 1 || bits > 4 : bits !== 64) {
      this.breach(Rule.FeatureBits);
    }
    device.informed = true;
    device.configSize = read32(info, long ? 28 : 12);
    device.queues = read32(info, long ? 32 : 16);
    this.setStatus(number, 0);
    device.registered = true;
    device.set.clear();
    if (!long) {
      this.status(number);
    }
    this.setStatus(number, 1);
    this.setStatus(number, 3);
    const offered = this.transport(3, number, le32(0).concat(le32(2)));
    this.transport(4, number, le32(0).concat(le32(2), le32(0), le32(read32(offered, 12) & 0x101)));
    this.status(number);
    this.setStatus(number, 0x0b);
  }

  /** GET_VQUEUE and SET_VQUEUE; the newer driver reads the queue back. */
  setQueue(number: number, index: number, size: number, areas: readonly number[][]): void {
    const device = this.known(number);
    if (index >= device.queues) {
      this.breach(Rule.QueueIndex);
    }
    const maximum = read32(this.transport(9, number, le32(index)), 4);
    if (maximum === 0 || (maximum & (maximum - 1)) !== 0) {
      this.breach(Rule.QueueMaximum);
    }
    const addresses = areas.reduce((bytes: number[], [low, high]) => bytes.concat(le64(low ?? 0, high ?? 0)), []);
    const long = this.generation === 'gen3';
    this.transport(0x0a, number, le32(index).concat(le32(long ? 1 : 0), le32(size), le32(0), addresses));
    device.set.add(index);
    if (!long) {
      return;
    }
    const queue = this.transport(9, number, le32(index));
    const flags = read32(queue, 12);
    if ((flags & ~1) !== 0 || [16, 24, 32].some((at) => read32(queue, at) === 0 && read32(queue, at + 4) === 0)) {
      this.breach(Rule.QueueFlags);
    }
    if ((flags & 1) === 0) {
      this.breach(Rule.NotEnabled);
    }
    if (read32(queue, 4) !== maximum || read32(queue, 8) !== size || JSON.stringify(queue.slice(16, 40)) !== JSON.stringify(addresses)) {
      this.breach(Rule.QueueEcho);
    }
  }

  /** The newer driver's reset of one queue: afterwards nothing of it may show. */
  resetQueue(number: number, index: number): void {
    this.transport(0x0b, number, le32(index));
    if (this.generation === 'gen3' && this.transport(9, number, le32(index)).slice(8, 40).some((byte) => byte !== 0)) {
      this.breach(Rule.QueueEcho);
    }
    this.known(number).set.delete(index);
  }

  start(number: number): void {
    this.setStatus(number, 0x0f);
  }

  kick(number: number, index: number): void {
    this.bus.sendFrame(encode({ type: 0, id: 0x41, device: number, token: 0, payload: le32(index).concat(le32(0)) }));
  }

  /** Reads the configuration space as the driver does: again while the generation changes. */
  readConfig(number: number, offset: number, length: number): number[] {
    let before = -1;
    for (let turn = 0; turn < 4; turn++) {
      const answer = this.transport(5, number, le32(offset).concat(le32(length)));
      if (read32(answer, 4) !== offset || read32(answer, 8) !== length) {
        this.breach(Rule.ConfigEcho);
      }
      if (read32(answer, 0) === before) {
        return answer.slice(12);
      }
      before = read32(answer, 0);
    }
    this.breach(Rule.RestlessGeneration);
    return [];
  }

  /** Writes with the generation of the last read (gen2) or 0 (gen3), as the driver does, in pieces that all carry the same one. */
  writeConfig(number: number, offset: number, pieces: readonly (readonly number[])[]): void {
    const generation = this.generation === 'gen2' ? read32(this.transport(5, number, le32(0).concat(le32(0))), 0) : 0;
    let at = offset;
    let first: number | undefined;
    pieces.forEach((bytes) => {
      const answer = this.transport(6, number, le32(generation).concat(le32(at), le32(bytes.length), bytes));
      if (read32(answer, 8) !== bytes.length) {
        this.breach(Rule.ConfigRejected);
      }
      if (this.generation === 'gen2' && read32(answer, 0) !== (first ?? generation)) {
        this.breach(Rule.WriteAdvances);
      }
      first = read32(answer, 0);
      at += bytes.length;
    });
  }

  /** What a driver does that is unbound: gen2 goes on asking after the reset, gen3 stays silent. */
  unbind(number: number, queues: number): void {
    this.setStatus(number, 0);
    if (this.generation === 'gen2') {
      for (let index = 0; index < queues; index++) {
        this.transport(0x0b, number, le32(index));
      }
      this.status(number);
      this.status(number);
      this.setStatus(number, 1);
    }
    this.known(number).set.clear();
  }

  /** What a driver does on EVENT_DEVICE REMOVED: gen2 takes leave of the number that is gone, gen3 says nothing. */
  takeLeave(number: number, queues: number): void {
    if (this.generation === 'gen2') {
      this.transport(8, number, le32(0));
      for (let index = 0; index < queues; index++) {
        this.transport(0x0b, number, le32(index));
      }
      this.status(number);
      this.status(number);
      this.transport(8, number, le32(1));
    }
    this.forgetEvent(number);
  }

  private forgetEvent(number: number): void {
    const at = this.announced.indexOf(number);
    if (at >= 0) {
      this.announced.splice(at, 1);
    }
  }
}
